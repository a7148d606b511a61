// What a correlation asks for, in the form in which it is decided.
#pragma once

#include <cstdint>
#include <vector>

#include "sigma/rule_set.h"

namespace picket::sigma {

/// Numbers of events in exact millionths, so that a sum does not depend on the order of its parts.
inline constexpr double kMillionths = 1e6;

struct Plan {
  enum class Mode : std::uint8_t {
    at_once,        ///< Holds at a match when the window before it has enough.
    window_before,  ///< The same window, decided when the watermark has passed it.
    window_after,   ///< The window that begins with a match, decided when the watermark has passed it.
  };
  enum class Measure : std::uint8_t { events, distinct, chain, sum, average, percentile, share };

  Mode mode = Mode::at_once;
  Measure measure = Measure::events;
  std::int64_t timespan_us = 0;
  std::uint64_t needed = 1;  ///< at_once: events, different values, length of the chain, or millionths.
  std::vector<Bound> bounds;
  double percentile = 0;
  std::uint32_t entries_max = 0;
  std::uint32_t compact_at = 0;       ///< Size at which a group gives up what it does not need.
  std::vector<FieldId> group_fields;  ///< By the names in group-by: what a correlation of this one asks for.

  [[nodiscard]] bool with_values() const { return measure != Measure::events; }
  /// Different values are counted by walking back: there are never many.
  [[nodiscard]] bool walks() const { return measure != Measure::distinct || needed <= kWalkMax; }
  static constexpr std::uint64_t kWalkMax = 64;
};

Plan make_plan(const RuleSet& rules, const LinkedCorrelation& linked);

/// Whether a measure satisfies all bounds.
bool satisfies(const Plan& plan, double measure);

}  // namespace picket::sigma
