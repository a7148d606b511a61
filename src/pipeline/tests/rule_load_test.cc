// What rules and detectors cost and matched, and detectors that are switched off.
#include <gtest/gtest.h>

#include "hub_words.h"
#include "pipeline/rules.h"
#include "pipeline_harness.h"

namespace picket::pipeline {
namespace {

RuleLoad load_of(EngineHarness& pipeline, std::string_view id) {
  const auto loads = pipeline.engine().loads();
  const auto found = std::ranges::find(loads, id, &RuleLoad::id);
  EXPECT_NE(found, loads.end()) << id;
  return found == loads.end() ? RuleLoad{} : *found;
}

std::string id_of_rule(std::string_view alert_type) {
  for (const RuleListing& rule : list_rules({}, {}).rules) {
    if (rule.kind == "rule" && rule.alert_type == alert_type) return rule.id;
  }
  return {};
}

void try_passwords(EngineHarness& pipeline, int begin) {
  for (int i = 0; i < 8; ++i) pipeline.feed({failed_login(noon(begin + i))}, noon(begin + i));
}

TEST(RuleLoad, RulesAndDetectorsCountWhatTheySawAndFound) {
  EngineHarness pipeline;
  pipeline.feed({process("/bin/rm", "rm -rf /data/")});
  for (int i = 0; i < 100; ++i) pipeline.feed({process("/bin/ls", "ls " + std::to_string(i))});
  try_passwords(pipeline, 0);
  const RuleLoad rule = load_of(pipeline, id_of_rule("IoT_FairwareMalware"));
  EXPECT_EQ(rule.matches, 1u);
  EXPECT_GE(rule.looked_at, rule.matches);
  EXPECT_LT(rule.looked_at, 100u) << "what holds none of its words is not looked at";
  const RuleLoad detector = load_of(pipeline, "behavior.brute_force");
  EXPECT_EQ(detector.looked_at, 8u);
  EXPECT_GE(detector.matches, 1u);
  EXPECT_GT(load_of(pipeline, "behavior.reverse_shell").cpu_us, 0u) << "100 looks, of which one in 64 is timed";
}

TEST(RuleLoad, WhatIsThrottledIsCounted) {
  EngineHarness pipeline;
  for (int i = 0; i < 260; ++i) {
    pipeline.feed({process("/bin/rm", "rm -rf /data/ " + std::to_string(i), {}, noon(i))}, noon(i));
  }
  const RuleLoad load = load_of(pipeline, id_of_rule("IoT_FairwareMalware"));
  EXPECT_EQ(load.matches, 260u);
  EXPECT_EQ(load.throttled, 60u);
}

TEST(RuleLoad, EveryListedRuleIsOneThatRuns) {
  EngineHarness pipeline;
  pipeline.feed({process("/bin/ls", "ls")});
  const auto loads = pipeline.engine().loads();
  for (const RuleListing& rule : list_rules({}, {}).rules) {
    EXPECT_NE(std::ranges::find(loads, rule.id, &RuleLoad::id), loads.end()) << rule.id;
  }
}

TEST(Detectors, ListedOnesRaiseAlertsOfTheCatalogue) {
  for (const DetectorEntry& detector : all_detectors()) {
    std::string_view types = detector.raises;
    while (!types.empty()) {
      const auto end = std::min(types.find(", "), types.size());
      EXPECT_NE(Catalogue::builtin().find(types.substr(0, end)), nullptr) << detector.name;
      types.remove_prefix(std::min(types.size(), end + 2));
    }
  }
}

TEST(Detectors, AreSwitchedLikeRulesAndStaySoOverARestart) {
  EngineHarness pipeline;
  pipeline.feed(audit("rule.set", {{"object", "behavior.brute_force"}, {"enabled", "false"}}, noon(0)));
  try_passwords(pipeline, 1);
  EXPECT_TRUE(pipeline.alerts("IoT_BruteForceFailed").empty());
  pipeline.restart();
  try_passwords(pipeline, 10);
  EXPECT_TRUE(pipeline.alerts("IoT_BruteForceFailed").empty());
  pipeline.feed(audit("rule.set", {{"object", "behavior.brute_force"}, {"enabled", "true"}}, noon(1000)));
  try_passwords(pipeline, 1001);
  EXPECT_EQ(pipeline.alerts("IoT_BruteForceFailed").size(), 1u);
  pipeline.restart();
  try_passwords(pipeline, 90'000);
  EXPECT_EQ(pipeline.alerts("IoT_BruteForceFailed").size(), 2u);
}

}  // namespace
}  // namespace picket::pipeline
