#include "correlation_plan.h"

#include <algorithm>
#include <cmath>

#include "sigma/correlator.h"

namespace picket::sigma {
namespace {

constexpr std::uint32_t kDecidedEntriesMax = 4'096;  ///< Of a group whose windows wait for the watermark.
constexpr std::uint32_t kChainEntriesMax = 256;      ///< Of a group of temporal_ordered.

Plan::Measure measure_of(const Correlation& correlation) {
  switch (correlation.kind) {
    case CorrelationKind::event_count:
      return Plan::Measure::events;
    case CorrelationKind::value_count:
    case CorrelationKind::temporal:
      return Plan::Measure::distinct;
    case CorrelationKind::temporal_ordered:
      return Plan::Measure::chain;
    case CorrelationKind::value_sum:
      return Plan::Measure::sum;
    case CorrelationKind::value_avg:
      return Plan::Measure::average;
    case CorrelationKind::value_percentile:
      return correlation.percentile ? Plan::Measure::percentile : Plan::Measure::share;
  }
  return Plan::Measure::events;
}

/// The smallest whole number that satisfies a gt or gte.
std::uint64_t smallest(const Bound& bound, double unit) {
  const double exact = bound.number * unit;
  const double out = bound.comparison == Comparison::greater ? std::floor(exact) + 1 : std::ceil(exact);
  return out <= 0 ? 0 : out >= 9e18 ? 9'000'000'000'000'000'000ULL : static_cast<std::uint64_t>(out);
}

}  // namespace

Plan make_plan(const RuleSet& rules, const LinkedCorrelation& linked) {
  const Correlation& correlation = linked.correlation;
  Plan out;
  out.measure = measure_of(correlation);
  out.timespan_us = correlation.timespan.us;
  out.bounds = correlation.bounds;
  out.percentile = correlation.percentile.value_or(0);
  for (const std::string& name : correlation.group_by) out.group_fields.push_back(rules.field(name));
  const bool temporal =
      correlation.kind == CorrelationKind::temporal || correlation.kind == CorrelationKind::temporal_ordered;
  const bool enough = std::ranges::all_of(out.bounds, [](const Bound& bound) {
    return bound.comparison == Comparison::greater || bound.comparison == Comparison::greater_equal;
  });
  if (out.measure >= Plan::Measure::average) {
    out.mode = Plan::Mode::window_before;
  } else if (!temporal && !enough) {
    out.mode = Plan::Mode::window_after;
  }
  if (temporal && out.bounds.empty()) out.needed = correlation.rules.size();
  for (const Bound& bound : out.bounds) {
    const bool exact = bound.comparison == Comparison::equal;  // of temporal kinds: all rules
    out.needed = std::max(out.needed, exact ? correlation.rules.size()
                                            : smallest(bound, out.measure == Plan::Measure::sum ? kMillionths : 1));
  }
  if (out.mode != Plan::Mode::at_once) {
    out.entries_max = out.compact_at = kDecidedEntriesMax;
  } else if (out.measure == Plan::Measure::chain) {
    out.entries_max = out.compact_at = kChainEntriesMax;
  } else if (out.measure == Plan::Measure::sum) {
    out.entries_max = kDecidedEntriesMax;
    out.compact_at = 64;
  } else {
    const std::uint64_t needed = std::min<std::uint64_t>(Correlator::kGroupEntriesMax, out.needed);
    out.compact_at = static_cast<std::uint32_t>(std::min<std::uint64_t>(Correlator::kGroupEntriesMax, 2 * needed + 8));
    const bool few = out.measure == Plan::Measure::distinct && out.walks();
    out.entries_max =
        few ? static_cast<std::uint32_t>(16 * needed + 256) : static_cast<std::uint32_t>(Correlator::kGroupEntriesMax);
  }
  return out;
}

bool satisfies(const Plan& plan, double measure) {
  return std::ranges::all_of(plan.bounds,
                             [&](const Bound& bound) { return holds(bound.comparison, measure, bound.number); });
}

}  // namespace picket::sigma
