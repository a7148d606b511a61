// Correlations over matches: how many, which values, in which order, within a time span (Sigma Correlation Rules
// Specification 2.1).
//
// Windows are true sliding windows in event time. What a correlation has found is a pure function of the set of matches
// that it was given: late, reordered and repeated ones give the same result as ordered ones, as long as none comes
// after the watermark has passed it.
//
// - A correlation that asks for enough (event_count, value_count, value_sum with gt or gte; temporal; temporal_ordered)
//   *holds at a match* when the window that ends with it, [time - timespan, time], satisfies the condition. It happens
//   as soon as that is known; a late match may make it hold at later ones.
// - value_avg and value_percentile are decided for the same window when the watermark has passed its end.
// - event_count, value_count and value_sum with lt, lte, eq, neq or a range are decided for the window that *begins*
// with
//   a match, [time, time + timespan], when the watermark has passed its end: "fewer than 3 within an hour after one".
//
// A match without one of the group-by fields, or without the field that is counted, is not counted.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/hash.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "sigma/event.h"
#include "sigma/rule_set.h"

namespace picket::sigma {

/// Names an event to whoever asks for evidence. Two matches of one rule at one time with one ref are one match.
using EventRef = std::uint64_t;

/// A match of a rule.
struct Occurrence {
  Timestamp time;  ///< Event time.
  EventRef ref = 0;
  /// Whose event it is; groups never mix scopes. Empty: one scope for all (a view over the fleet).
  std::string_view scope;
  std::span<const EventField> fields;
};

/// A correlation holds.
struct Happening {
  CorrelationIndex correlation = 0;
  std::string group;  ///< See group_values().
  Timestamp begin;    ///< Of the window.
  Timestamp end;
  EventRef ref = 0;   ///< The match at which it holds, or with which the window begins.
  double number = 0;  ///< Count, sum, average, percentile or share. At least so much, where enough was enough.
};

/// Scope and group-by values of a group, in the order of group-by.
struct GroupValues {
  std::string scope;
  std::vector<std::string> values;
};
GroupValues group_values(std::string_view group);

/// One entry of saved state; without a value it is gone.
struct CorrelatorChange {
  std::string key;
  std::optional<Buffer> value;
};

struct CorrelatorOptions {
  std::size_t memory_bytes_max = 64 * 1024 * 1024;     ///< Of all groups; the stalest go first.
  SipKey key{0x7069636b65742121, 0x7369676d61212121};  ///< Of hashes; the same after a restart.
};

/// One strand uses it. The rule set outlives it.
class Correlator {
 public:
  /// Matches that one group keeps. A group that needs more loses its oldest, and counts them.
  static constexpr std::size_t kGroupEntriesMax = 65'536;

  explicit Correlator(const RuleSet& rules, CorrelatorOptions options = {});
  ~Correlator();
  Correlator(const Correlator&) = delete;
  Correlator& operator=(const Correlator&) = delete;

  /// Whether any correlation refers to the rule.
  [[nodiscard]] bool wants(RuleIndex rule) const;

  /// A rule has matched. Happenings of correlations that only others refer to are in `out` as well: look at
  /// LinkedCorrelation::alerts.
  void see(RuleIndex rule, const Occurrence& occurrence, std::vector<Happening>& out);

  /// No match before `watermark` will come any more. It never goes back.
  void advance(Timestamp watermark, std::vector<Happening>& out);

  struct Stats {
    std::size_t groups = 0;
    std::size_t memory_bytes = 0;
    std::uint64_t matches = 0;
    std::uint64_t repeated = 0;   ///< Matches that were there already.
    std::uint64_t late = 0;       ///< Came after the watermark and could not be counted.
    std::uint64_t unnamed = 0;    ///< Had no value for a field of group-by or of the condition.
    std::uint64_t evicted = 0;    ///< Groups forgotten because of memory_bytes_max.
    std::uint64_t truncated = 0;  ///< Matches forgotten because of kGroupEntriesMax.
  };
  [[nodiscard]] Stats stats() const;

  /// What changed since the last call: one entry a group, and one for the watermark.
  std::vector<CorrelatorChange> take_changes();
  /// One entry of saved state, into a correlator that has seen nothing. Groups of correlations that are no longer there
  /// are left out. Errors: malformed; the correlator is then not usable.
  Result<> load(std::string_view key, Bytes value);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace picket::sigma
