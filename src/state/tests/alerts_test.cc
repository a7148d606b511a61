#include "state/alerts.h"

#include <gmock/gmock.h>

#include "temporary_database.h"

namespace picket::state {
namespace {

using testing::ElementsAre;

Alert alert(std::string id, std::uint32_t change, std::int64_t updated_s = 0) {
  return {std::move(id),
          "IoT_ReverseShell",
          "Reverse shell",
          "High",
          "New",
          "hub",
          "press-1",
          "",
          kNow + Duration::seconds(updated_s),
          kNow,
          kNow + Duration::seconds(updated_s),
          change,
          "{}"};
}

TEST(Alerts, AppliesAChangeOnceAndNeverAnOlderOne) {
  TemporaryDatabase database;
  Alerts alerts(*database);
  EXPECT_TRUE(*alerts.apply(alert("a", 1), "7"));
  EXPECT_FALSE(*alerts.apply(alert("a", 1), "7"));
  EXPECT_FALSE(*alerts.apply(alert("a", 0), "8"));
  EXPECT_TRUE(*alerts.apply(alert("a", 2), "9"));
  EXPECT_EQ(*alerts.position(), "9");
  EXPECT_EQ(alerts.list({}, "", 10)->total, 1u);
}

TEST(Alerts, KeepsTheTriageOfPeopleWhenAnAlertChanges) {
  TemporaryDatabase database;
  Alerts alerts(*database);
  ASSERT_TRUE(alerts.apply(alert("a", 0), "1"));
  const auto triaged = alerts.apply(Triage{"a", "Dismissed", "admin", "a test", kNow}, "2");
  ASSERT_TRUE(triaged);
  EXPECT_EQ(triaged->status, "Dismissed");
  ASSERT_TRUE(alerts.apply(alert("a", 1), "3"));
  EXPECT_EQ(alerts.find("a")->status, "Dismissed");
  EXPECT_EQ(alerts.triage_of("a")->size(), 1u);
  EXPECT_TRUE(alerts.open_by_severity()->empty());
}

TEST(Alerts, KeepsThePositionOfATriageRecordWithoutItsAlert) {
  TemporaryDatabase database;
  Alerts alerts(*database);
  EXPECT_EQ(alerts.apply(Triage{"none", "Resolved", "admin", "", kNow}, "5").error().code, Errc::not_found);
  EXPECT_EQ(*alerts.position(), "5");
}

TEST(Alerts, PagesNewestFirstWithoutGapOrDouble) {
  TemporaryDatabase database;
  Alerts alerts(*database);
  // Three of them share a time: the id decides.
  for (int i = 0; i < 7; ++i) ASSERT_TRUE(alerts.apply(alert("a" + std::to_string(i), 0, i < 3 ? 0 : i), "1"));
  std::vector<std::string> seen;
  std::string cursor;
  do {
    const auto page = alerts.list({}, cursor, 2);
    ASSERT_TRUE(page);
    for (const Alert& one : page->alerts) seen.push_back(one.alert_id);
    cursor = page->next;
  } while (!cursor.empty());
  EXPECT_THAT(seen, ElementsAre("a6", "a5", "a4", "a3", "a2", "a1", "a0"));
  EXPECT_EQ(alerts.list({}, "not a cursor", 2).error().code, Errc::malformed);
}

TEST(Alerts, PagesInEveryOrder) {
  TemporaryDatabase database;
  Alerts alerts(*database);
  const char* severities[] = {"Low", "High", "Informational", "Medium", "High"};
  for (int i = 0; i < 5; ++i) {
    Alert one = alert("a" + std::to_string(i), 0, i);
    one.severity = severities[i];
    one.device_id = i % 2 == 0 ? "b/2%" : "a";
    ASSERT_TRUE(alerts.apply(one, "1"));
  }
  const auto ids = [&](AlertSort sort, bool descending) {
    AlertFilter filter{.sort = sort, .descending = descending};
    std::string out;
    for (std::string cursor;;) {
      const auto page = alerts.list(filter, cursor, 2);
      if (!page) return describe(page.error());
      for (const Alert& one : page->alerts) out += one.alert_id;
      if (page->next.empty()) return out;
      cursor = page->next;
    }
  };
  EXPECT_EQ(ids(AlertSort::start, false), "a0a1a2a3a4");
  EXPECT_EQ(ids(AlertSort::severity, true), "a4a1a3a0a2");
  EXPECT_EQ(ids(AlertSort::device_id, false), "a1a3a0a2a4");
  EXPECT_EQ(ids(AlertSort::status, true), "a4a3a2a1a0");
}

TEST(Alerts, FiltersByEveryField) {
  TemporaryDatabase database;
  Alerts alerts(*database);
  Alert other = alert("b", 0, 60);
  other.severity = "Low";
  other.device_id = "100%_pump";
  other.alert_type = "IoT_CryptoMiner";
  other.display_name = "Miner";
  ASSERT_TRUE(alerts.apply(alert("a", 0), "1"));
  ASSERT_TRUE(alerts.apply(other, "2"));
  EXPECT_EQ(alerts.list({.severity = {"Low", "Medium"}}, "", 10)->total, 1u);
  EXPECT_EQ(alerts.list({.status = {"Resolved"}}, "", 10)->total, 0u);
  EXPECT_EQ(alerts.list({.device_id = "press-1"}, "", 10)->total, 1u);
  EXPECT_EQ(alerts.list({.alert_type = "iot_cryptominer"}, "", 10)->total, 1u);
  EXPECT_EQ(alerts.list({.text = "REVERSE"}, "", 10)->total, 1u);
  EXPECT_EQ(alerts.list({.text = "%_"}, "", 10)->total, 1u);
  EXPECT_EQ(alerts.list({.text = "x' OR '1'='1"}, "", 10)->total, 0u);
  EXPECT_EQ(alerts.list({.since = kNow + Duration::seconds(30)}, "", 10)->total, 1u);
  EXPECT_EQ(alerts.open_by_device("hub")->size(), 2u);
  const auto of_pump = alerts.open_of_device("hub", "100%_pump");
  ASSERT_EQ(of_pump->size(), 1u);
  EXPECT_EQ(of_pump->front().severity, "Low");
  EXPECT_EQ(of_pump->front().count, 1u);
  EXPECT_TRUE(alerts.open_of_device("other", "100%_pump")->empty());
}

}  // namespace
}  // namespace picket::state
