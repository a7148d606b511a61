// What each kind of correlation finds and does not find, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "sigma_words.h"

namespace picket::sigma {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kRules = R"(
title: Fail
name: fail
logsource: {product: linux}
detection: {s: {x: a}, condition: s}
---
title: Success
name: success
logsource: {product: linux}
detection: {s: {x: b}, condition: s}
---
)";

/// A correlator over kRules and correlations, fed by seconds.
class Played {
 public:
  explicit Played(const std::string& correlations, CorrelatorOptions options = {})
      : rules_(load_rules(std::string(kRules) + correlations)), correlator_(rules_, options) {}

  Played& fail(int second, const Pairs& fields, std::string_view scope = "d") { return see(0, second, fields, scope); }
  Played& success(int second, const Pairs& fields, std::string_view scope = "d") {
    return see(1, second, fields, scope);
  }
  Played& until(int second) {
    correlator_.advance(Timestamp{} + Duration::seconds(second), out_);
    return *this;
  }
  /// Seconds at which correlations that raise alerts held, and their titles: "C@12".
  std::vector<std::string> held() {
    std::vector<std::string> out;
    for (const Happening& happening : out_) {
      const LinkedCorrelation& linked = rules_.correlations()[happening.correlation];
      if (linked.alerts)
        out.push_back(linked.correlation.head.title + "@" + std::to_string(happening.end.us / 1'000'000));
    }
    return out;
  }
  const std::vector<Happening>& happenings() const { return out_; }
  const RuleSet& rules() const { return rules_; }
  Correlator& correlator() { return correlator_; }

 private:
  Played& see(RuleIndex rule, int second, const Pairs& fields, std::string_view scope) {
    const auto values = fields_of(rules_, fields);
    correlator_.see(rule, {Timestamp{} + Duration::seconds(second), ++ref_, scope, values}, out_);
    return *this;
  }

  RuleSet rules_;
  Correlator correlator_;
  std::vector<Happening> out_;
  EventRef ref_ = 0;
};

std::string correlation(const std::string& body, const std::string& title = "C") {
  return "title: " + title + "\n" + body;
}

Pairs user(std::string_view name) { return {{"User", text(name)}}; }

TEST(SigmaEventCount, HoldsFromTheMatchThatMakesItEnough) {
  Played played(correlation(
      "correlation: {type: event_count, rules: [fail], group-by: [User], timespan: 10s, condition: {gte: 3}}\n"));
  played.fail(1, user("a"))
      .fail(5, user("b"))
      .fail(6, user("a"))
      .fail(11, user("a"))
      .fail(12, user("a"))
      .fail(30, user("a"));
  EXPECT_THAT(played.held(), ElementsAre("C@11", "C@12")) << "1 and 11 are exactly the time span apart";
  EXPECT_EQ(group_values(played.happenings()[0].group).scope, "d");
  EXPECT_THAT(group_values(played.happenings()[0].group).values, ElementsAre("a"));
  EXPECT_EQ(played.happenings()[0].number, 3);
}

TEST(SigmaEventCount, DoesNotMixScopesOrMatchesWithoutTheField) {
  Played played(correlation(
      "correlation: {type: event_count, rules: [fail], group-by: [User], timespan: 10s, condition: {gte: 2}}\n"));
  played.fail(1, user("a"), "one").fail(2, user("a"), "two").fail(3, {}, "one").fail(4, {}, "one");
  EXPECT_THAT(played.held(), IsEmpty());
  EXPECT_EQ(played.correlator().stats().unnamed, 2u);
}

TEST(SigmaEventCount, CrossesTheBordersOfClockTime) {
  Played played(correlation(
      "correlation: {type: event_count, rules: [fail], group-by: [User], timespan: 1m, condition: {gt: 2}}\n"));
  played.fail(3'599, user("a")).fail(3'600, user("a")).fail(3'601, user("a"));
  EXPECT_THAT(played.held(), ElementsAre("C@3601"));
}

TEST(SigmaEventCount, FewerIsToldWhenTheWindowIsOver) {
  Played played(correlation(
      "correlation: {type: event_count, rules: [fail], group-by: [User], timespan: 1m, condition: {lt: 2}}\n"));
  played.fail(0, user("a")).fail(50, user("a")).until(60);
  EXPECT_THAT(played.held(), IsEmpty());
  played.until(111);
  EXPECT_THAT(played.held(), ElementsAre("C@110")) << "after 50 nothing came for a minute";
}

TEST(SigmaEventCount, LateMatchesOfWaitingKindsAreCountedAsLate) {
  Played played(correlation(
      "correlation: {type: event_count, rules: [fail], group-by: [User], timespan: 1m, condition: {lt: 2}}\n"));
  played.until(100).fail(99, user("a"));
  EXPECT_EQ(played.correlator().stats().late, 1u);
}

TEST(SigmaValueCount, CountsDifferentValuesOfAllItsFields) {
  const std::string two = correlation(
      "correlation: {type: value_count, rules: [fail], group-by: [Host], timespan: 1m, condition: {field: [User, "
      "Port], gte: 3}}\n");
  Played played(two);
  const auto pair = [](std::string_view name, int port) {
    return Pairs{{"Host", text("h")}, {"User", text(name)}, {"Port", number(port)}};
  };
  played.fail(1, pair("a", 1))
      .fail(2, pair("a", 1))
      .fail(3, pair("a", 2))
      .fail(4, {{"Host", text("h")}, {"User", text("z")}})
      .fail(5, pair("b", 1));
  EXPECT_THAT(played.held(), ElementsAre("C@5"));
}

TEST(SigmaTemporal, NeedsAllRulesInAnyOrder) {
  Played played(correlation("correlation: {type: temporal, rules: [fail, success], group-by: [User], timespan: 5s}\n"));
  played.success(1, user("a")).fail(4, user("a")).success(20, user("a")).fail(26, user("a"));
  EXPECT_THAT(played.held(), ElementsAre("C@4"));
}

TEST(SigmaTemporalOrdered, NeedsThemInTheirOrder) {
  Played played(
      correlation("correlation: {type: temporal_ordered, rules: [fail, success], group-by: [User], timespan: 5s}\n"));
  played.success(1, user("a")).fail(4, user("a"));
  EXPECT_THAT(played.held(), IsEmpty());
  played.success(9, user("a")).success(10, user("a"));
  EXPECT_THAT(played.held(), ElementsAre("C@9"));
}

TEST(SigmaAliases, JoinDifferentFields) {
  Played played(correlation(R"(correlation:
  type: temporal
  rules: [fail, success]
  aliases: {ip: {fail: source, success: destination}}
  group-by: [ip]
  timespan: 5s
)"));
  played.fail(1, {{"source", text("192.0.2.1")}, {"destination", text("192.0.2.9")}});
  played.success(2, {{"source", text("192.0.2.1")}, {"destination", text("192.0.2.2")}});
  EXPECT_THAT(played.held(), IsEmpty());
  played.success(3, {{"source", text("192.0.2.7")}, {"destination", text("192.0.2.1")}});
  EXPECT_THAT(played.held(), ElementsAre("C@3"));
}

TEST(SigmaValueSum, AddsNumbersExactly) {
  Played played(
      correlation("correlation: {type: value_sum, rules: [fail], group-by: [User], timespan: 1m, condition: {field: n, "
                  "gt: 0.3}}\n"));
  const auto with = [](double value) { return Pairs{{"User", text("a")}, {"n", Value::of(value)}}; };
  played.fail(1, with(0.1)).fail(2, with(0.2));
  EXPECT_THAT(played.held(), IsEmpty()) << "0.1 + 0.2 is not more than 0.3";
  played.fail(3, {{"User", text("a")}, {"n", text("0.000001")}}).fail(4, {{"User", text("a")}, {"n", text("many")}});
  EXPECT_THAT(played.held(), ElementsAre("C@3"));
}

TEST(SigmaValueAverage, IsDecidedByTheWatermark) {
  Played played(
      correlation("correlation: {type: value_avg, rules: [fail], group-by: [User], timespan: 1m, condition: {field: n, "
                  "gte: 10}}\n"));
  const auto with = [](int value) { return Pairs{{"User", text("a")}, {"n", number(value)}}; };
  played.fail(1, with(4)).fail(3, with(16));
  EXPECT_THAT(played.held(), IsEmpty());
  played.fail(2, with(7)).until(4);
  EXPECT_THAT(played.held(), IsEmpty()) << "(4 + 7 + 16) / 3 is 9";
  played.fail(5, with(13)).until(6);
  EXPECT_THAT(played.held(), ElementsAre("C@5"));
}

TEST(SigmaValuePercentile, IsOfTheNumbersOrTheShareOfAValue) {
  Played numbers(
      correlation("correlation: {type: value_percentile, rules: [fail], group-by: [User], timespan: 1m, condition: "
                  "{field: n, percentile: 50, gt: 5}}\n"));
  const auto with = [](int value) { return Pairs{{"User", text("a")}, {"n", number(value)}}; };
  numbers.fail(1, with(1)).fail(2, with(9)).fail(3, with(9)).until(9);
  EXPECT_THAT(numbers.held(), ElementsAre("C@3"));
  Played share(
      correlation("correlation: {type: value_percentile, rules: [fail], group-by: [User], timespan: 1m, condition: "
                  "{field: Image, lte: 10}}\n"));
  for (int i = 0; i < 9; ++i) share.fail(i, {{"User", text("a")}, {"Image", text("/bin/ls")}});
  share.fail(10, {{"User", text("a")}, {"Image", text("/tmp/rare")}}).until(11);
  EXPECT_THAT(share.held(), ElementsAre("C@10"));
}

TEST(SigmaChain, CorrelatesCorrelations) {
  Played played(
      correlation("name: many\ncorrelation: {type: event_count, rules: [fail], group-by: [User], timespan: 1m, "
                  "condition: {gte: 3}}\n",
                  "Many") +
      "---\n" +
      correlation("correlation: {type: temporal_ordered, rules: [many, success], group-by: [User], timespan: 1m}\n",
                  "Then"));
  played.success(0, user("a"))
      .fail(1, user("a"))
      .fail(2, user("a"))
      .success(3, user("a"))
      .fail(4, user("a"))
      .success(5, user("b"));
  EXPECT_THAT(played.held(), IsEmpty());
  played.success(6, user("a"));
  EXPECT_THAT(played.held(), ElementsAre("Then@6")) << "what it refers to raises nothing of its own";
}

TEST(SigmaChain, GroupsByAFieldThatTheInnerOneDoesNotHave) {
  Played played(
      correlation("name: many\ncorrelation: {type: event_count, rules: [fail], group-by: [Host], timespan: 1m, "
                  "condition: {gte: 2}}\n",
                  "Many") +
      "---\n" +
      correlation("correlation: {type: temporal_ordered, rules: [many, success], group-by: [User], timespan: 1m}\n",
                  "Then"));
  const Pairs both{{"Host", text("h")}, {"User", text("a")}};
  played.fail(1, both).fail(2, both).success(3, user("a"));
  EXPECT_THAT(played.held(), ElementsAre("Then@3"));
}

TEST(SigmaGenerate, DecidesWhetherTheRulesAlert) {
  const auto alerts = [](const std::string& generate) {
    return load_rules(std::string(kRules) + correlation("correlation: {type: event_count, rules: [fail], group-by: "
                                                        "[User], timespan: 1m, condition: {gte: 3}" +
                                                        generate + "}\n"))
        .rules()[0]
        .alerts;
  };
  EXPECT_FALSE(alerts(""));
  EXPECT_FALSE(alerts(", generate: false"));
  EXPECT_TRUE(alerts(", generate: true"));
}

TEST(SigmaCorrelator, ForgetsTheStalestGroupsAtItsBound) {
  Played played(
      correlation(
          "correlation: {type: event_count, rules: [fail], group-by: [User], timespan: 1h, condition: {gte: 3}}\n"),
      {.memory_bytes_max = 600'000});
  for (int i = 0; i < 5'000; ++i) played.fail(i / 100, user("user-" + std::to_string(i)));
  const auto stats = played.correlator().stats();
  EXPECT_LE(stats.memory_bytes, 600'000u);
  EXPECT_EQ(stats.groups + stats.evicted, 5'000u);
  EXPECT_GT(stats.evicted, 0u);
  played.fail(60, user("user-4999")).fail(61, user("user-4999"));
  EXPECT_THAT(played.held(), ElementsAre("C@61")) << "the newest are still there";
}

TEST(SigmaCorrelator, KeepsABoundedNumberOfMatchesOfAGroup) {
  Played played(
      correlation("correlation: {type: temporal_ordered, rules: [fail, success], group-by: [User], timespan: 1d}\n"));
  for (int i = 0; i < 5'000; ++i) played.fail(i, user("a"));
  EXPECT_GT(played.correlator().stats().truncated, 4'000u);
  played.success(5'000, user("a"));
  EXPECT_THAT(played.held(), ElementsAre("C@5000"));
}

TEST(SigmaCorrelator, SavesWhatChangedAndRefusesWhatIsBroken) {
  const std::string body = correlation(
      "correlation: {type: event_count, rules: [fail], group-by: [User], timespan: 1m, condition: {gte: 3}}\n");
  Played first(body);
  first.fail(1, user("a")).fail(2, user("a")).fail(2, user("b"));
  const auto changes = first.correlator().take_changes();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_THAT(first.correlator().take_changes(), IsEmpty());
  Played second(body);
  for (const CorrelatorChange& change : changes) ASSERT_TRUE(second.correlator().load(change.key, *change.value));
  second.fail(3, user("a")).fail(3, user("b"));
  EXPECT_THAT(second.held(), ElementsAre("C@3")) << "the two before were loaded; of b there is only one";
  first.until(1'000);
  const auto gone = first.correlator().take_changes();
  ASSERT_EQ(gone.size(), 3u) << "two groups and the watermark";
  EXPECT_FALSE(gone[0].value);
  Played third(body);
  EXPECT_FALSE(third.correlator().load("g", *changes[0].value));
  EXPECT_FALSE(third.correlator().load(changes[0].key, Bytes(*changes[0].value).first(20)));
}

struct Broken {
  const char* body;
  const char* what;
};
class SigmaCorrelationMalformed : public testing::TestWithParam<Broken> {};

TEST_P(SigmaCorrelationMalformed, IsRefusedByName) {
  EXPECT_THAT(complaints_about(std::string(kRules) + "title: C\nname: c\ncorrelation: " + GetParam().body),
              HasSubstr(GetParam().what));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, SigmaCorrelationMalformed,
    testing::Values(
        Broken{"{type: event_sum, rules: [fail], timespan: 1m}", "type 'event_sum' is unknown"},
        Broken{"{rules: [fail], timespan: 1m}", "correlation.type is missing"},
        Broken{"{type: event_count, rules: [fail], timespan: 1m}", "event_count needs a condition"},
        Broken{"{type: event_count, rules: [fail], condition: {gte: 1}}", "correlation.timespan is missing"},
        Broken{"{type: event_count, rules: [fail], timespan: 1w, condition: {gte: 1}}",
               "timespan '1w' is not understood"},
        Broken{"{type: event_count, rules: [fail], timespan: 0s, condition: {gte: 1}}",
               "timespan '0s' is not understood"},
        Broken{"{type: event_count, rules: [fail], timespan: 99999d, condition: {gte: 1}}", "longer than 90 days"},
        Broken{"{type: event_count, rules: [none], timespan: 1m, condition: {gte: 1}}",
               "refers to 'none', which is not there"},
        Broken{"{type: event_count, rules: [], timespan: 1m, condition: {gte: 1}}", "correlation.rules is empty"},
        Broken{"{type: event_count, rules: [c], timespan: 1m, condition: {gte: 1}}", "refers to itself"},
        Broken{"{type: event_count, rules: [fail], timespan: 1m, condition: {gte: 1, lt: 9, eq: 3}}",
               "more than two comparisons"},
        Broken{"{type: event_count, rules: [fail], timespan: 1m, condition: {over: 1}}", "'over' is not supported"},
        Broken{"{type: event_count, rules: [fail], timespan: 1m, condition: {gte: x}}", "is not a number"},
        Broken{"{type: event_count, rules: [fail], timespan: 1m, condition: {field: a, gte: 1}}",
               "which it does not use"},
        Broken{"{type: value_count, rules: [fail], timespan: 1m, condition: {gte: 1}}", "value_count needs a field"},
        Broken{"{type: value_sum, rules: [fail], timespan: 1m, condition: {field: [a, b], gte: 1}}",
               "has several fields"},
        Broken{"{type: value_avg, rules: [fail], timespan: 1m, condition: {field: a}}", "compares with nothing"},
        Broken{"{type: value_percentile, rules: [fail], timespan: 1m, condition: {field: a, percentile: 101, gte: 1}}",
               "not between 0 and 100"},
        Broken{"{type: temporal, rules: [fail], timespan: 1m}", "temporal refers to a single rule"},
        Broken{"{type: temporal, rules: [fail, success], timespan: 1m, condition: {lt: 2}}", "not supported"},
        Broken{"{type: temporal_ordered, rules: [fail, success], timespan: 1m, condition: {gte: 3}}", "not supported"},
        Broken{"{type: temporal, rules: [fail, success], timespan: 1m, aliases: {a: {other: x}}}", "names 'other'"},
        Broken{"{type: temporal, rules: [fail, success], timespan: 1m, window: sliding}",
               "'window' is not supported"}));

}  // namespace
}  // namespace picket::sigma
