#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "pipeline_harness.h"

namespace picket::pipeline {
namespace {

/// Alerts of guessing; single logins have alerts of their own.
std::vector<AlertChange> guesses(const EngineHarness& pipeline) {
  auto out = pipeline.alerts("IoT_BruteForceFailed");
  for (AlertChange& alert : pipeline.alerts("IoT_BruteForceSuccess")) out.push_back(std::move(alert));
  return out;
}

constexpr auto kFailed = "IoT_BruteForceFailed";
constexpr auto kSucceeded = "IoT_BruteForceSuccess";

std::string property(const AlertChange& alert, std::string_view name) {
  for (const auto& [key, value] : alert.properties) {
    if (key == name) return value;
  }
  return "(absent)";
}

EngineHarness after(const std::vector<TestEvent>& events) {
  EngineHarness pipeline;
  for (const TestEvent& event : events) pipeline.feed({event}, noon(3600));
  return pipeline;
}

std::vector<TestEvent> failures(int count, std::int64_t every, std::int64_t from = 0) {
  std::vector<TestEvent> out;
  for (int i = 0; i < count; ++i) out.push_back(failed_login(noon(from + i * every)));
  return out;
}

TEST(BruteForce, FiveFailuresWithinTwoMinutesAreOneAlertWithEvidence) {
  EXPECT_TRUE(guesses(after(failures(4, 1))).empty());
  const auto pipeline = after(failures(5, 30));  // the first and the last are exactly 120 s apart
  ASSERT_EQ(guesses(pipeline).size(), 1u);
  const AlertChange alert = guesses(pipeline)[0];
  EXPECT_EQ(alert.alert_type, kFailed);
  EXPECT_EQ(alert.severity, "Low");
  EXPECT_EQ(alert.count, 5u);
  EXPECT_EQ(alert.evidence.size(), 5u);
  EXPECT_EQ(alert.start, noon(0));
  EXPECT_EQ(alert.end, noon(120));
  EXPECT_EQ(alert.sub_techniques, std::vector<std::string>{"T1110.001"});
  EXPECT_EQ(property(alert, "DeviceId"), "device-1");
  EXPECT_EQ(property(alert, "Remote Address"), "192.0.2.7");
  EXPECT_EQ(property(alert, "Full Source Address"), R"(["192.0.2.7"])");
  EXPECT_EQ(property(alert, "User Names"), R"(["root"])");
  EXPECT_FALSE(alert.remediation.empty());
}

TEST(BruteForce, SlowerThanTheWindowIsNotGuessing) { EXPECT_TRUE(guesses(after(failures(20, 31))).empty()); }

TEST(BruteForce, WindowSlidesAndHasNoEdges) {
  // Three at the end of one two-minute slot and two at the beginning of the next.
  auto events = failures(3, 5, 110);
  for (auto& event : failures(2, 5, 125)) events.push_back(event);
  EXPECT_EQ(after(events).alerts(kFailed).size(), 1u);
}

TEST(BruteForce, MoreFailuresAreChangesOfTheSameAlert) {
  const auto pipeline = after(failures(7, 1));
  ASSERT_EQ(guesses(pipeline).size(), 1u);
  EXPECT_EQ(guesses(pipeline)[0].count, 7u);
  ASSERT_EQ(std::ranges::count(pipeline.changes, std::string("IoT_BruteForceFailed"), &AlertChange::alert_type), 3u);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(pipeline.changes[i].change, i);
}

TEST(BruteForce, SourcesAndDevicesAreCountedApart) {
  EngineHarness pipeline;
  for (int i = 0; i < 4; ++i) {
    pipeline.feed({failed_login(noon(i), "192.0.2.1"), failed_login(noon(i), "192.0.2.2")});
    pipeline.feed({.body = message_json({failed_login(noon(i), "192.0.2.1")}), .identity = {"hub", "other", "", "g"}});
  }
  EXPECT_TRUE(guesses(pipeline).empty());
}

TEST(BruteForce, LocalFailuresHaveNoSource) {
  EngineHarness pipeline;
  for (int i = 0; i < 9; ++i) pipeline.feed({failed_login(noon(i), "")});
  EXPECT_TRUE(guesses(pipeline).empty());
}

TEST(BruteForce, MappedAddressIsTheSameSource) {
  EngineHarness pipeline;
  for (int i = 0; i < 5; ++i) pipeline.feed({failed_login(noon(i), i % 2 == 0 ? "192.0.2.7" : "::ffff:192.0.2.7")});
  EXPECT_EQ(pipeline.alerts(kFailed).size(), 1u);
}

TEST(BruteForce, SuccessAfterGuessingIsAHighAlertOfItsOwn) {
  auto events = failures(5, 1);
  events.push_back(good_login(noon(604)));  // 10 min after the last failure
  const auto pipeline = after(events);
  ASSERT_EQ(pipeline.alerts(kSucceeded).size(), 1u);
  EXPECT_EQ(pipeline.alerts(kFailed).size(), 1u);
  const AlertChange alert = pipeline.alerts(kSucceeded)[0];
  EXPECT_EQ(alert.severity, "High");
  EXPECT_EQ(alert.evidence.size(), 6u);
  EXPECT_EQ(alert.evidence[0].time, noon(604)) << "the success comes first";
  EXPECT_EQ(alert.start, noon(0));
  EXPECT_EQ(alert.end, noon(604));
}

TEST(BruteForce, SuccessAfterTypingErrorsIsNoAlert) {
  auto events = failures(4, 1);
  events.push_back(good_login(noon(10)));
  EXPECT_TRUE(guesses(after(events)).empty());
}

TEST(BruteForce, SuccessLongAfterwardsOrFromElsewhereIsNoAlert) {
  auto events = failures(5, 1);
  events.push_back(good_login(noon(605)));
  events.push_back(good_login(noon(10), "192.0.2.99"));
  events.push_back(good_login(noon(-1)));  // before the guessing
  EXPECT_TRUE(after(events).alerts(kSucceeded).empty());
}

TEST(BruteForce, LogoutIsNoSuccess) {
  auto events = failures(5, 1);
  auto logout = good_login(noon(10));
  logout.payload[1].second = "Logout";
  events.push_back(logout);
  EXPECT_TRUE(after(events).alerts(kSucceeded).empty());
}

TEST(BruteForce, OrderOfArrivalDoesNotMatter) {
  auto events = failures(9, 20);
  for (std::size_t i = 0; i < events.size(); ++i) {
    for (auto& [name, value] : events[i].payload) {
      if (name == "UserName") value = "user" + std::to_string(i % 3);
    }
  }
  events.push_back(good_login(noon(200)));
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::ranges::shuffle(events, random);
    const auto pipeline = after(events);
    ASSERT_EQ(pipeline.alerts(kFailed).size(), 1u) << round;
    ASSERT_EQ(pipeline.alerts(kSucceeded).size(), 1u) << round;
    EXPECT_EQ(pipeline.alerts(kFailed)[0].count, 9u);
    EXPECT_EQ(pipeline.alerts(kFailed)[0].start, noon(0));
    EXPECT_EQ(pipeline.alerts(kFailed)[0].end, noon(160));
    EXPECT_EQ(property(pipeline.alerts(kFailed)[0], "User Names"), R"(["user0","user1","user2"])");
    EXPECT_EQ(pipeline.alerts(kFailed)[0].evidence_count, 9u);
    EXPECT_EQ(pipeline.alerts(kSucceeded)[0].evidence_count, 10u)
        << "the success and the guesses, whichever came first";
    EXPECT_EQ(pipeline.alerts(kSucceeded)[0].start, noon(0));
    EXPECT_EQ(property(pipeline.alerts(kSucceeded)[0], "User Name"), "root");
  }
}

TEST(BruteForce, HitCountCounts) {
  auto event = failed_login(noon(100));
  event.payload.emplace_back("HitCount", "40");
  event.payload.emplace_back("StartTimeUtc", format_rfc3339(noon(60)));
  event.payload.emplace_back("EndTimeUtc", format_rfc3339(noon(100)));
  const auto pipeline = after({event});
  ASSERT_EQ(pipeline.alerts(kFailed).size(), 1u);
  EXPECT_EQ(pipeline.alerts(kFailed)[0].count, 40u);
  EXPECT_EQ(pipeline.alerts(kFailed)[0].evidence_count, 1u) << "one row";
  EXPECT_EQ(pipeline.alerts(kFailed)[0].start, noon(60));
  EXPECT_EQ(pipeline.alerts(kFailed)[0].end, noon(100));
}

TEST(BruteForce, HitsOverAnHourAreNotGuessing) {
  auto event = failed_login(noon(0));
  event.payload.emplace_back("HitCount", "20");
  event.payload.emplace_back("StartTimeUtc", format_rfc3339(noon(0)));
  event.payload.emplace_back("EndTimeUtc", format_rfc3339(noon(3600)));
  EXPECT_TRUE(guesses(after({event})).empty());
}

TEST(BruteForce, FirstOccurrenceAndItsAggregateTogetherReachTheThreshold) {
  auto rest = failed_login(noon(10));
  rest.payload.emplace_back("HitCount", "4");
  rest.payload.emplace_back("StartTimeUtc", format_rfc3339(noon(1)));
  rest.payload.emplace_back("EndTimeUtc", format_rfc3339(noon(10)));
  const auto pipeline = after({failed_login(noon(0)), rest});
  ASSERT_EQ(pipeline.alerts(kFailed).size(), 1u);
  EXPECT_EQ(pipeline.alerts(kFailed)[0].count, 5u);
}

TEST(BruteForce, LongAttackIsWrittenSeldomButCountedWhole) {
  EngineHarness pipeline;
  for (int i = 0; i < 1000; ++i) pipeline.feed({failed_login(noon(i))}, noon(i));
  pipeline.feed({.body = "{}", .enqueued = noon(1200), .kind = journal::RecordKind::tick});
  ASSERT_EQ(pipeline.alerts(kFailed).size(), 1u);
  EXPECT_EQ(pipeline.alerts(kFailed)[0].count, 1000u);
  EXPECT_EQ(pipeline.alerts(kFailed)[0].evidence.size(), kEvidenceMax);
  EXPECT_EQ(pipeline.alerts(kFailed)[0].evidence_count, 1000u);
  EXPECT_LT(std::ranges::count(pipeline.changes, std::string("IoT_BruteForceFailed"), &AlertChange::alert_type), 40);
}

TEST(BruteForce, NextDayIsANewAlert) {
  EngineHarness pipeline;
  for (int i = 0; i < 5; ++i) pipeline.feed({failed_login(noon(i))}, noon(i));
  for (int i = 0; i < 5; ++i) pipeline.feed({failed_login(noon(7200 + i))}, noon(7200 + i));
  EXPECT_EQ(pipeline.alerts(kFailed).size(), 1u) << "the same day";
  EXPECT_EQ(pipeline.alerts(kFailed)[0].count, 10u);
  for (int i = 0; i < 5; ++i) pipeline.feed({failed_login(noon(86'400 + i))}, noon(86'400 + i));
  EXPECT_EQ(pipeline.alerts(kFailed).size(), 2u);
}

}  // namespace
}  // namespace picket::pipeline
