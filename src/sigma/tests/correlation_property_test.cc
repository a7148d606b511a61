// Late, reordered and repeated matches give what ordered ones give, and that is what a plain walk over all of them
// gives.
#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>
#include <tuple>

#include <gtest/gtest.h>

#include "sigma_words.h"

namespace picket::sigma {
namespace {

struct Match {
  std::int64_t second;
  EventRef ref;
  RuleIndex rule;
  std::string user;
  std::int64_t number;
};

/// (group, ref): where the correlation holds.
using Held = std::set<std::pair<std::string, EventRef>>;

constexpr std::string_view kRules = R"(
title: A
name: a
logsource: {product: linux}
detection: {sel: {x: a}, condition: sel}
---
title: B
name: b
logsource: {product: linux}
detection: {sel: {x: b}, condition: sel}
---
title: C
name: c
logsource: {product: linux}
detection: {sel: {x: c}, condition: sel}
---
)";

struct Case {
  std::string correlation;
  CorrelationKind kind;
  std::int64_t timespan;
  std::vector<Bound> bounds;
  double percentile = -1;
};

std::vector<Match> random_matches(std::mt19937& random, int count, int values) {
  std::vector<Match> out;
  std::int64_t second = 1'000'000;
  for (int i = 0; i < count; ++i) {
    second += static_cast<std::int64_t>(random() % 4 == 0 ? random() % 40 : random() % 4);
    out.push_back({second, static_cast<EventRef>(i + 1), static_cast<RuleIndex>(random() % 3),
                   std::string(1, static_cast<char>('u' + random() % 2)),
                   static_cast<std::int64_t>(random() % static_cast<unsigned>(values))});
  }
  return out;
}

/// The measure of one window, the plain way. `end` is the match at which it is asked for.
double measure(const Case& what, const std::vector<Match>& window, const Match& end) {
  std::set<std::int64_t> values;
  std::set<RuleIndex> rules;
  std::vector<double> numbers;
  double sum = 0;
  double same = 0;
  for (const Match& match : window) {
    values.insert(match.number);
    rules.insert(match.rule);
    numbers.push_back(static_cast<double>(match.number));
    sum += static_cast<double>(match.number);
    same += match.number == end.number ? 1 : 0;
  }
  std::ranges::sort(numbers);
  const auto count = static_cast<double>(window.size());
  switch (what.kind) {
    case CorrelationKind::event_count:
      return count;
    case CorrelationKind::value_count:
      return static_cast<double>(values.size());
    case CorrelationKind::temporal:
      return static_cast<double>(rules.size());
    case CorrelationKind::value_sum:
      return sum;
    case CorrelationKind::value_avg:
      return sum / count;
    case CorrelationKind::value_percentile:
      if (what.percentile < 0) return 100 * same / count;
      return numbers[static_cast<std::size_t>(std::max(1.0, std::ceil(what.percentile / 100 * count))) - 1];
    case CorrelationKind::temporal_ordered:
      break;
  }
  // Rules 0, 1, 2 in this order, ending with `end`.
  if (end.rule != 2) return 0;
  for (std::size_t i = 0; i < window.size(); ++i) {
    for (std::size_t j = i; j < window.size(); ++j) {
      if (window[i].rule == 0 && window[j].rule == 1) return 3;
    }
  }
  return 0;
}

/// Every window of the sorted matches, walked through one by one.
Held plain(const Case& what, std::vector<Match> matches, bool after) {
  std::ranges::sort(matches, {}, [&](const Match& match) {
    const bool place = what.kind == CorrelationKind::temporal_ordered;
    return std::tuple(match.second, place ? match.rule : 0U, match.ref);
  });
  Held out;
  for (std::size_t k = 0; k < matches.size(); ++k) {
    std::vector<Match> window;
    for (std::size_t i = 0; i < matches.size(); ++i) {
      const std::int64_t gap = after ? matches[i].second - matches[k].second : matches[k].second - matches[i].second;
      const bool inside = gap >= 0 && gap <= what.timespan && (after ? i >= k : i <= k);
      if (inside && matches[i].user == matches[k].user) window.push_back(matches[i]);
    }
    const double found = measure(what, window, matches[k]);
    const auto satisfied = [&](const Bound& bound) { return holds(bound.comparison, found, bound.number); };
    if (std::ranges::all_of(what.bounds, satisfied)) out.emplace(matches[k].user, matches[k].ref);
  }
  return out;
}

struct Listener {
  const RuleSet& rules;
  Correlator correlator{rules};
  Held held;

  void take(const std::vector<Happening>& happenings) {
    for (const Happening& happening : happenings) {
      if (rules.correlations()[happening.correlation].alerts)
        held.emplace(group_values(happening.group).values.at(0), happening.ref);
    }
  }
  void see(const Match& match) {
    const std::vector<EventField> fields{{rules.field("user"), Value::of(std::string_view(match.user))},
                                         {rules.field("number"), Value::of(match.number)}};
    std::vector<Happening> out;
    correlator.see(match.rule, {Timestamp{} + Duration::seconds(match.second), match.ref, "device", fields}, out);
    take(out);
  }
  void advance(std::int64_t second) {
    std::vector<Happening> out;
    correlator.advance(Timestamp{} + Duration::seconds(second), out);
    take(out);
  }
};

constexpr std::int64_t kLateness = 60;

/// Each match comes up to kLateness later than it happened; some come twice. The watermark follows.
Held disordered(const RuleSet& rules, const std::vector<Match>& matches, std::mt19937& random, bool restart) {
  std::multimap<std::int64_t, Match> arrivals;
  for (const Match& match : matches) {
    arrivals.emplace(match.second + static_cast<std::int64_t>(random() % kLateness), match);
    if (random() % 5 == 0) arrivals.emplace(match.second + static_cast<std::int64_t>(random() % kLateness), match);
  }
  auto run = std::make_unique<Listener>(rules);
  std::map<std::string, Buffer> saved;
  for (const auto& [at, match] : arrivals) {
    if (random() % 3 == 0) run->advance(at - kLateness);
    run->see(match);
    if (!restart || random() % 20 != 0) continue;
    for (CorrelatorChange& change : run->correlator.take_changes()) {
      if (change.value) {
        saved[change.key] = *std::move(change.value);
      } else {
        saved.erase(change.key);
      }
    }
    auto next = std::make_unique<Listener>(rules);
    next->held = run->held;
    for (const auto& [key, value] : saved) EXPECT_TRUE(next->correlator.load(key, value));
    next->correlator.take_changes();
    run = std::move(next);
  }
  run->advance(10'000'000);
  EXPECT_EQ(run->correlator.stats().groups, 0u);
  EXPECT_EQ(run->correlator.stats().late, 0u);
  EXPECT_EQ(run->correlator.stats().truncated, 0u);
  return run->held;
}

class SigmaCorrelations : public testing::TestWithParam<Case> {};

TEST_P(SigmaCorrelations, DependOnTheMatchesAndNotOnTheirArrival) {
  const Case& what = GetParam();
  const RuleSet rules = load_rules(std::string(kRules) + what.correlation);
  ASSERT_EQ(rules.correlations().size(), 1u);
  const bool waits_after = what.kind <= CorrelationKind::value_count || what.kind == CorrelationKind::value_sum
                               ? std::ranges::any_of(what.bounds,
                                                     [](const Bound& bound) {
                                                       return bound.comparison != Comparison::greater &&
                                                              bound.comparison != Comparison::greater_equal;
                                                     })
                               : false;
  std::size_t held = 0;
  for (unsigned seed = 0; seed < 25; ++seed) {
    std::mt19937 random(seed);
    const auto matches = random_matches(random, 250, what.kind == CorrelationKind::value_count ? 12 : 30);
    const Held expected = plain(what, matches, waits_after);
    Listener ordered{rules};
    for (const Match& match : matches) {
      ordered.advance(match.second);
      ordered.see(match);
    }
    ordered.advance(10'000'000);
    ASSERT_EQ(ordered.held, expected) << "seed " << seed;
    ASSERT_EQ(disordered(rules, matches, random, false), expected) << "seed " << seed;
    ASSERT_EQ(disordered(rules, matches, random, true), expected) << "restarted, seed " << seed;
    held += expected.size();
  }
  EXPECT_GT(held, 0u);
  EXPECT_LT(held, 25u * 250);
}

std::string correlation(std::string_view type, std::string_view timespan, std::string_view condition) {
  std::string out = "title: T\ncorrelation:\n  type: " + std::string(type) +
                    "\n  rules: [a, b, c]\n  group-by: [user]\n  timespan: " + std::string(timespan) + "\n";
  if (!condition.empty()) out += "  condition: " + std::string(condition) + "\n";
  return out;
}

using enum Comparison;
using enum CorrelationKind;

INSTANTIATE_TEST_SUITE_P(
    Kinds, SigmaCorrelations,
    testing::Values(
        Case{correlation("event_count", "30s", "{gte: 6}"), event_count, 30, {{greater_equal, 6}}},
        Case{correlation("event_count", "2m", "{gt: 20}"), event_count, 120, {{greater, 20}}},
        Case{correlation("event_count", "20s", "{gte: 1, gt: 1}"), event_count, 20, {{greater_equal, 1}, {greater, 1}}},
        Case{correlation("event_count", "30s", "{lt: 3}"), event_count, 30, {{less, 3}}},
        Case{correlation("event_count", "30s", "{gte: 4, lte: 6}"),
             event_count,
             30,
             {{greater_equal, 4}, {less_equal, 6}}},
        Case{correlation("event_count", "30s", "{eq: 5}"), event_count, 30, {{equal, 5}}},
        Case{correlation("event_count", "30s", "{neq: 5}"), event_count, 30, {{not_equal, 5}}},
        Case{correlation("value_count", "30s", "{field: number, gte: 5}"), value_count, 30, {{greater_equal, 5}}},
        Case{correlation("value_count", "90s", "{field: number, lte: 5}"), value_count, 90, {{less_equal, 5}}},
        Case{correlation("temporal", "6s", ""), temporal, 6, {{greater_equal, 3}}},
        Case{correlation("temporal", "4s", "{gte: 2}"), temporal, 4, {{greater_equal, 2}}},
        Case{correlation("temporal_ordered", "12s", ""), temporal_ordered, 12, {{greater_equal, 3}}},
        Case{correlation("value_sum", "30s", "{field: number, gte: 100}"), value_sum, 30, {{greater_equal, 100}}},
        Case{correlation("value_sum", "30s", "{field: number, lt: 40}"), value_sum, 30, {{less, 40}}},
        Case{correlation("value_avg", "60s", "{field: number, gt: 17.5}"), value_avg, 60, {{greater, 17.5}}},
        Case{correlation("value_percentile", "60s", "{field: number, percentile: 90, gte: 28}"),
             value_percentile,
             60,
             {{greater_equal, 28}},
             90},
        Case{correlation("value_percentile", "90s", "{field: number, lte: 5}"),
             value_percentile,
             90,
             {{less_equal, 5}}}),
    [](const auto& info) { return std::string(to_string(info.param.kind)) + "_" + std::to_string(info.index); });

TEST(SigmaCorrelationBig, ManyDifferentValuesAreCountedExactlyInAnyOrder) {
  const Case what{
      correlation("value_count", "40m", "{field: number, gte: 100}"), value_count, 2400, {{greater_equal, 100}}};
  const RuleSet rules = load_rules(std::string(kRules) + what.correlation);
  for (unsigned seed = 0; seed < 4; ++seed) {
    std::mt19937 random(seed);
    const auto matches = random_matches(random, 900, 160);
    const Held expected = plain(what, matches, false);
    EXPECT_GT(expected.size(), 10u);
    ASSERT_EQ(disordered(rules, matches, random, seed % 2 == 0), expected) << seed;
  }
}

}  // namespace
}  // namespace picket::sigma
