// The compiled matcher says what a plain walk over the rules says, for any rules and any events.
#include <random>

#include <gtest/gtest.h>

#include "automaton.h"
#include "matcher_oracle.h"
#include "random_rules.h"
#include "sigma_words.h"

namespace picket::sigma {
namespace {

TEST(SigmaMatcher, SaysWhatAPlainWalkSays) {
  std::size_t matched = 0;
  std::size_t refused = 0;
  for (unsigned seed = 0; seed < 120; ++seed) {
    std::mt19937 random(seed);
    RandomRules make([&](std::size_t n) { return random() % n; });
    Documents documents;
    Complaints complaints;
    for (std::size_t i = 0; i < 60; ++i) read_documents("random.yml", make.rule(i), nullptr, documents, complaints);
    refused += complaints.size();
    const RuleSet rules = RuleSet::link(std::move(documents), complaints);
    Matcher matcher(rules);
    std::vector<std::string> store;
    for (int i = 0; i < 150; ++i) {
      const auto event = make.event(rules, store);
      const LogSource source{random() % 2 == 0 ? "c" : "", "linux", ""};
      const auto found = matcher.match(matcher.route(source), event);
      const std::vector<RuleIndex> actual(found.begin(), found.end());
      const auto expected = Oracle{rules, event}.match(source);
      ASSERT_EQ(actual, expected) << "seed " << seed << " event " << i;
      matched += expected.size();
    }
  }
  EXPECT_GT(matched, 20'000u);
  EXPECT_LT(refused, 1'000u);
}

TEST(SigmaMatcher, FindsEveryLiteralInBothFormsOfTheAutomaton) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto text = [&](std::size_t most) {
      std::string out;
      for (std::size_t i = random() % most + 1; i > 0; --i) out += "abAB-"[random() % 5];
      return out;
    };
    Automaton table;
    Automaton sparse;
    std::vector<std::string> literals;
    for (int i = 0; i < 12; ++i) {
      literals.push_back(folded(text(5)));
      EXPECT_EQ(table.add(literals.back()), sparse.add(literals.back()));
    }
    table.build();
    sparse.build(0);
    const std::string haystack = text(40);
    const auto found = [&](const Automaton& automaton) {
      std::set<std::pair<std::size_t, std::string>> out;
      automaton.scan(haystack, [&](std::uint32_t, std::size_t begin, std::size_t end) {
        out.emplace(begin, folded(haystack.substr(begin, end - begin)));
      });
      return out;
    };
    std::set<std::pair<std::size_t, std::string>> expected;
    for (const std::string& literal : literals) {
      for (std::size_t at = 0; (at = folded(haystack).find(literal, at)) != std::string::npos; ++at)
        expected.emplace(at, literal);
    }
    ASSERT_EQ(found(table), expected) << seed;
    ASSERT_EQ(found(sparse), expected) << seed;
  }
}

TEST(SigmaMatcher, LooksOnlyAtRulesWhoseLiteralsWereFound) {
  std::string yaml;
  for (int i = 0; i < 100; ++i) {
    yaml += rule_with("  s: {CommandLine|contains: 'needle" + std::to_string(i) +
                          "x', Image|endswith: /sh}\n  condition: s\n",
                      "R" + std::to_string(i)) +
            "---\n";
  }
  const RuleSet rules = load_rules(yaml);
  Matcher matcher(rules);
  const RouteId route = matcher.route({"process_creation", "linux", ""});
  const Pairs pairs{{"CommandLine", text("sh -c needle42x")}, {"Image", text("/bin/sh")}};
  EXPECT_EQ(matcher.match(route, fields_of(rules, pairs)).size(), 1u);
  EXPECT_EQ(matcher.stats().candidates, 1u);
}

TEST(SigmaMatcher, LeavesNothingBehindForTheNextEvent) {
  const RuleSet rules = load_rules(rule_with("  a: {x: 1}\n  b: {y: 2}\n  condition: a and b\n"));
  Matcher matcher(rules);
  const RouteId route = matcher.route({"process_creation", "linux", ""});
  const Pairs first{{"x", number(1)}};
  const Pairs second{{"y", number(2)}};
  EXPECT_TRUE(matcher.match(route, fields_of(rules, first)).empty());
  EXPECT_TRUE(matcher.match(route, fields_of(rules, second)).empty());
}

TEST(SigmaMatcher, LooksAtNoMoreFieldsThanItsBound) {
  const RuleSet rules = load_rules(rule_with("  s: {x: hit}\n  condition: s\n"));
  Matcher matcher(rules);
  const RouteId route = matcher.route({"process_creation", "linux", ""});
  std::vector<EventField> event(kEventFieldsMax - 1, {kUnnamedField, Value::of(std::string_view("a"))});
  event.push_back({rules.field("x"), Value::of(std::string_view("hit"))});
  EXPECT_EQ(matcher.match(route, event).size(), 1u);
  event.insert(event.begin(), {kUnnamedField, Value::of(std::string_view("a"))});
  EXPECT_TRUE(matcher.match(route, event).empty());
}

}  // namespace
}  // namespace picket::sigma
