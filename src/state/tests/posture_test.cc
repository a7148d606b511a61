// Scores of devices and groups, exemptions, and the trend.
#include "state/posture.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "state/outbox.h"
#include "state/recommendations.h"
#include "statement.h"
#include "temporary_database.h"

namespace picket::state {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000};
const Actor kAlice{"alice", "192.0.2.1"};

class PostureTest : public testing::Test {
 protected:
  PostureTest() {
    Devices devices(*database_);
    EXPECT_TRUE(devices.add("hub", "a", "line", kAlice, kNow).has_value());
    EXPECT_TRUE(devices.add("hub", "b", "line", kAlice, kNow).has_value());
    EXPECT_TRUE(devices.add("hub", "c", "hall", kAlice, kNow).has_value());
  }
  void recommend(const std::string& device, const std::string& type, const std::string& severity,
                 const std::string& state = "Active") {
    const Recommendation one{.recommendation_id = device + type,
                             .type = type,
                             .display_name = type,
                             .severity = severity,
                             .state = state,
                             .hub = "hub",
                             .device_id = device,
                             .first = kNow,
                             .updated = kNow,
                             .source = ++source_,
                             .change = 0,
                             .json = "{}"};
    EXPECT_TRUE(Recommendations(*database_).apply(one, "0-" + std::to_string(source_)).value());
  }
  DeviceScore score_of(const std::string& device, Timestamp now = kNow) {
    for (const DeviceScore& one : posture_.scores("hub", "", now).value()) {
      if (one.device_id == device) return one;
    }
    ADD_FAILURE() << device;
    return {};
  }
  Exemption exempt(Exemption what) {
    what.hub = "hub";
    what.reason = "a lathe without a network";
    return posture_.exempt(what, kAlice, kNow).value();
  }

  TemporaryDatabase database_;
  Posture posture_{*database_};
  std::uint64_t source_ = 0;
};

TEST_F(PostureTest, AScoreFallsWithWhatIsActive) {
  EXPECT_DOUBLE_EQ(score_of("a").score(), 100);
  recommend("a", "IoT_OpenPorts", "Medium");
  recommend("a", "IoT_CISBenchmarks_X", "High");
  recommend("a", "IoT_CISBenchmarks_Y", "Informational");
  recommend("a", "IoT_Old", "High", "Resolved");
  recommend("a", "IoT_Baseline", "Medium");  // its checks count
  EXPECT_EQ(score_of("a").lost(), 15u);
  EXPECT_DOUBLE_EQ(score_of("a").score(), 100.0 * 50 / 65);
  EXPECT_DOUBLE_EQ(score_of("b").score(), 100);
  EXPECT_EQ(posture_.scores("hub", "", kNow).value().front().device_id, "a") << "the worst first";
  EXPECT_EQ(posture_.scores("hub", "hall", kNow).value().size(), 1u);
}

TEST_F(PostureTest, WhatIsExemptDoesNotCountUntilItExpires) {
  for (const char* const device : {"a", "b", "c"}) recommend(device, "IoT_OpenPorts", "Medium");
  exempt({.type = "IoT_OpenPorts", .device_id = "a", .until = kNow + Duration::days(1)});
  exempt({.type = "IoT_OpenPorts", .security_group = "hall"});
  exempt({.type = "IoT_Other"});
  EXPECT_EQ(score_of("a").lost(), 0u);
  EXPECT_EQ(score_of("a").exempt, 1u);
  EXPECT_EQ(score_of("b").lost(), 5u);
  EXPECT_EQ(score_of("c").lost(), 0u);
  EXPECT_EQ(score_of("a", kNow + Duration::days(1)).lost(), 5u);
  EXPECT_EQ(score_of("c", kNow + Duration::days(999)).lost(), 0u);
}

TEST_F(PostureTest, ExemptionsAreAuditedAndTakenBack) {
  recommend("a", "IoT_OpenPorts", "Medium");
  const Exemption made = exempt({.type = "IoT_OpenPorts"});
  EXPECT_EQ(made.user, "alice");
  EXPECT_EQ(posture_.exemptions("hub").value().size(), 1u);
  EXPECT_EQ(posture_.exemptions("other").value().size(), 0u);
  EXPECT_FALSE(posture_.restore("other", made.id, kAlice, kNow).value());
  EXPECT_TRUE(posture_.restore("hub", made.id, kAlice, kNow).value());
  EXPECT_FALSE(posture_.restore("hub", made.id, kAlice, kNow).value());
  EXPECT_EQ(score_of("a").lost(), 5u);
  std::vector<std::string> kinds;
  for (const OutboxRecord& record : Outbox(*database_).pending(100).value()) kinds.push_back(record.kind);
  EXPECT_EQ(std::ranges::count(kinds, "exemption.set"), 1);
  EXPECT_EQ(std::ranges::count(kinds, "exemption.delete"), 1);
}

TEST_F(PostureTest, DaysAreKeptForAllAndForEachGroup) {
  recommend("a", "IoT_OpenPorts", "High");
  posture_.keep_day("hub", kNow).value();
  recommend("b", "IoT_OpenPorts", "High");
  posture_.keep_day("hub", kNow + Duration::minutes(1)).value();  // the same day, told anew
  posture_.keep_day("hub", kNow + Duration::days(1)).value();
  const auto line = posture_.trend("hub", "line").value();
  ASSERT_EQ(line.size(), 2u);
  EXPECT_NEAR(line[0].score, 100.0 * 50 / 60, 0.001);
  EXPECT_EQ(line[0].devices, 2u);
  EXPECT_LT(line[0].day, line[1].day);
  EXPECT_NEAR(posture_.trend("hub", "").value()[1].score, (2 * 100.0 * 50 / 60 + 100) / 3, 0.001);
  EXPECT_NEAR(posture_.trend("hub", "hall").value()[0].score, 100, 0.001);
  posture_.keep_day("hub", kNow + Posture::kTrend + Duration::days(1)).value();
  EXPECT_EQ(posture_.trend("hub", "hall").value().size(), 2u) << "the first day is forgotten";
}

class DeviceTrend : public PostureTest {
 protected:
  std::vector<std::uint64_t> lost_by_day(const std::string& device, Timestamp now) {
    std::vector<std::uint64_t> out;
    const auto one = posture_.score("hub", device, now).value();
    for (const DeviceDay& day : posture_.device_trend("hub", device, one ? one->lost() : 0, now).value()) {
      if (!out.empty()) EXPECT_EQ((day.day - before_), Duration::days(1));
      before_ = day.day;
      out.push_back(day.lost);
    }
    return out;
  }
  std::int64_t rows(const std::string& device) {
    std::int64_t out = 0;
    EXPECT_TRUE((*database_).read([&](sqlite3* db) -> Result<> {
      TRY(auto count, Statement::prepare(db, "SELECT count(*) FROM device_score_day WHERE device_id = ?"));
      TRY_VOID(count.bind(device).step());
      out = count.integer(0);
      return {};
    }));
    return out;
  }
  static Timestamp day(int number) { return kNow + Duration::days(number); }

 private:
  Timestamp before_;
};

TEST_F(DeviceTrend, ADayWithoutAChangeIsAsTheOneBefore) {
  EXPECT_EQ(lost_by_day("a", kNow), std::vector<std::uint64_t>{0}) << "today, before anything was kept";
  posture_.keep_day("hub", kNow).value();
  recommend("a", "IoT_OpenPorts", "Medium");
  for (int i = 0; i < 4; ++i) posture_.keep_day("hub", day(2)).value();
  recommend("a", "IoT_OpenPorts", "Medium", "Resolved");
  posture_.keep_day("hub", day(4)).value();
  EXPECT_EQ(lost_by_day("a", day(5)), (std::vector<std::uint64_t>{0, 0, 5, 5, 0, 0}));
  EXPECT_EQ(rows("a"), 3) << "what did not change is not written";
  EXPECT_EQ(rows("b"), 1);
  EXPECT_EQ(lost_by_day("b", day(5)), (std::vector<std::uint64_t>(6, 0)));
}

TEST_F(DeviceTrend, ItIsThereAfterARestartAndGoneWithItsDevice) {
  recommend("a", "IoT_OpenPorts", "High");
  posture_.keep_day("hub", kNow).value();
  database_.reopen();
  const Posture again{*database_};
  EXPECT_EQ(again.device_trend("hub", "a", 0, day(1)).value()[0].lost, 10u);
  ASSERT_TRUE(Devices(*database_).remove("hub", "a", kAlice, kNow));
  EXPECT_EQ(rows("a"), 0) << "another device of that name has a trend of its own";
  EXPECT_EQ(rows("b"), 1);
}

TEST_F(DeviceTrend, ItHasNinetyDaysAndNoMoreRows) {
  for (int i = 0; i < 200; ++i) {
    recommend("a", "IoT_OpenPorts", "High", i % 2 == 0 ? "Active" : "Resolved");
    if (i == 3) recommend("b", "IoT_OpenPorts", "Medium");
    posture_.keep_day("hub", day(i)).value();
  }
  const auto of_a = lost_by_day("a", day(199));
  ASSERT_EQ(of_a.size(), static_cast<std::size_t>(Posture::kDeviceTrendDays));
  EXPECT_EQ(of_a[0], 10u) << "day 110: an even one";
  EXPECT_EQ(of_a[1], 0u);
  EXPECT_LE(rows("a"), Posture::kDeviceTrendDays + 1);
  EXPECT_EQ(lost_by_day("b", day(199)), std::vector<std::uint64_t>(90, 5)) << "its last row is older than the trend";
  EXPECT_EQ(rows("b"), 2);
}

TEST_F(DeviceTrend, TheScoreOfOneIsThatOfTheList) {
  recommend("a", "IoT_OpenPorts", "High");
  recommend("b", "IoT_OpenPorts", "High");
  exempt({.type = "IoT_OpenPorts", .device_id = "b"});
  for (const char* const name : {"a", "b", "c"}) {
    const auto one = posture_.score("hub", name, kNow).value();
    ASSERT_TRUE(one) << name;
    EXPECT_EQ(one->lost(), score_of(name).lost()) << name;
    EXPECT_EQ(one->exempt, score_of(name).exempt) << name;
    EXPECT_EQ(one->security_group, score_of(name).security_group) << name;
  }
  EXPECT_FALSE(posture_.score("hub", "nobody", kNow).value());
  EXPECT_FALSE(posture_.score("other", "a", kNow).value());
}

}  // namespace
}  // namespace picket::state
