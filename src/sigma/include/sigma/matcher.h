// Which rules an event matches.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "sigma/event.h"
#include "sigma/rule_set.h"

namespace picket::sigma {

/// Number of a log source in one Matcher.
using RouteId = std::uint32_t;

/// Matches events against a rule set. One strand uses it; another strand makes its own. The rule set outlives it.
///
/// An event's log source is turned into a route once; the rules of a route are compiled when it is first asked for
/// (milliseconds for a few hundred rules). After that an event costs no allocation: its values run through one
/// automaton a field, and only rules whose literals were found are looked at closer.
class Matcher {
 public:
  static constexpr std::size_t kRoutesMax = 4'096;

  explicit Matcher(const RuleSet& rules);
  ~Matcher();
  Matcher(const Matcher&) = delete;
  Matcher& operator=(const Matcher&) = delete;

  /// The route of an event's log source. Sources that differ only in parts that no rule names share one. Beyond
  /// kRoutesMax: a route that matches nothing.
  RouteId route(const LogSource& source);

  /// The rules that match, ascending. Valid until the next call.
  std::span<const RuleIndex> match(RouteId route, std::span<const EventField> event);

  struct Stats {
    std::uint64_t events = 0;
    std::uint64_t candidates = 0;  ///< Rules whose condition ran.
    std::uint64_t matches = 0;
    std::size_t routes = 0;
    std::size_t memory_bytes = 0;  ///< Of compiled routes, RE2 left out.
  };
  [[nodiscard]] Stats stats() const;

  /// What one rule took so far. Literals are looked for once for all rules; that part is nobody's.
  struct RuleCost {
    std::uint64_t looked_at = 0;  ///< Times its condition ran.
    std::uint64_t matches = 0;
    std::uint64_t timed = 0;     ///< How many of the former were timed, one in kTimedOneIn,
    std::uint64_t timed_ns = 0;  ///< and how long they took, the clock's own time included.
    [[nodiscard]] double total_us() const {
      return timed == 0
                 ? 0
                 : static_cast<double>(timed_ns) / static_cast<double>(timed) * static_cast<double>(looked_at) / 1000;
    }
  };
  static constexpr std::uint64_t kTimedOneIn = 64;
  /// By RuleIndex. Valid while the matcher lives.
  [[nodiscard]] std::span<const RuleCost> rule_costs() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace picket::sigma
