#include "state/incidents.h"

#include <gmock/gmock.h>

#include "state/alerts.h"
#include "state/outbox.h"
#include "state/suppressions.h"
#include "temporary_database.h"

namespace picket::state {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr std::int64_t kDay = 86'400;
const Timestamp kMorning{kNow.us - kNow.us % (kDay * 1'000'000)};

Alert alert(const std::string& id, const std::string& type = "IoT_ReverseShell", std::int64_t end_s = 0) {
  Alert out;
  out.alert_id = id;
  out.alert_type = type;
  out.display_name = type;
  out.severity = "High";
  out.hub = "hub";
  out.device_id = "press-1";
  out.start = kMorning;
  out.end = kMorning + Duration::seconds(end_s);
  out.updated = kMorning + Duration::seconds(end_s);
  out.json = "{}";
  return out;
}

Incident incident(const std::string& id, std::vector<std::string> alerts, std::uint32_t change = 0,
                  std::int64_t end_s = 0) {
  Incident out;
  out.incident_id = id;
  out.kind = "device";
  out.title = "Related alerts";
  out.severity = "High";
  out.hub = "hub";
  out.device_id = "press-1";
  out.start = kMorning;
  out.end = kMorning + Duration::seconds(end_s);
  out.updated = kMorning + Duration::seconds(end_s);
  out.change = change;
  out.json = "{}";
  out.alerts = std::move(alerts);
  return out;
}

Triage triage(const std::string& id, const std::string& status, std::int64_t at_s, std::uint64_t sequence) {
  return {.alert_id = id,
          .status = status,
          .user = "alice",
          .comment = "",
          .time = kMorning + Duration::seconds(at_s),
          .sequence = sequence};
}

class IncidentsTest : public testing::Test {
 protected:
  TemporaryDatabase database_;
  Alerts alerts_{*database_};
  Incidents incidents_{*database_};
};

TEST_F(IncidentsTest, HaveNumbersInOrderAndAreAppliedOnce) {
  EXPECT_TRUE(*incidents_.apply(incident("b", {"1", "2"}), "1", 1));
  EXPECT_TRUE(*incidents_.apply(incident("a", {"3"}), "2", 2));
  EXPECT_FALSE(*incidents_.apply(incident("b", {"1"}), "3", 3));
  EXPECT_EQ(incidents_.find("b")->number, 1);
  EXPECT_EQ(incidents_.find("2")->incident_id, "a");
  EXPECT_THAT(incidents_.find("1")->alerts, ElementsAre("1", "2"));
  EXPECT_EQ(*alerts_.position(), "3") << "one reader, one position";
}

TEST_F(IncidentsTest, GrowAndAreOpenAgainWhenTheyGoOn) {
  ASSERT_TRUE(incidents_.apply(incident("a", {"1", "2"}), "1", 1));
  ASSERT_TRUE(incidents_.apply(IncidentTriage{.incident_id = "a",
                                              .user = "alice",
                                              .comment = "done",
                                              .time = kMorning + Duration::seconds(100),
                                              .status = "Closed",
                                              .owner = "bob",
                                              .classification = "TruePositive",
                                              .sequence = 2},
                               "2"));
  EXPECT_EQ(incidents_.find("a")->status, "Closed");
  EXPECT_EQ(incidents_.find("a")->owner, "bob");
  ASSERT_TRUE(incidents_.apply(incident("a", {"1", "2"}, 1, 90), "3", 3));
  EXPECT_EQ(incidents_.find("a")->status, "Closed") << "late news of what was known";
  ASSERT_TRUE(incidents_.apply(incident("a", {"1", "2", "3"}, 2, 90), "4", 4));
  EXPECT_EQ(incidents_.find("a")->status, "Active");
  std::vector<std::string> changes;
  for (const auto& step : *incidents_.steps_of("a")) changes.push_back(step.change);
  EXPECT_THAT(changes, ElementsAre("made", "triaged", "updated", "grown", "reopened"));
  EXPECT_THAT(*incidents_.steps_by(4), SizeIs(2));
}

TEST_F(IncidentsTest, AreClosedWithTheirLastAlertAndOpenedWithAny) {
  ASSERT_TRUE(alerts_.apply(alert("1"), "1", 1));
  ASSERT_TRUE(alerts_.apply(alert("2"), "2", 2));
  ASSERT_TRUE(incidents_.apply(incident("a", {"1", "2"}), "3", 3));
  ASSERT_TRUE(alerts_.apply(triage("1", "Resolved", 10, 4), "4"));
  EXPECT_EQ(incidents_.find("a")->status, "New");
  ASSERT_TRUE(alerts_.apply(triage("2", "Dismissed", 20, 5), "5"));
  EXPECT_EQ(incidents_.find("a")->status, "Closed");
  EXPECT_EQ(incidents_.find("a")->closed, kMorning + Duration::seconds(20));
  // The first alert goes on after it was resolved.
  Alert again = alert("1", "IoT_ReverseShell", 30);
  again.change = 1;
  ASSERT_TRUE(alerts_.apply(again, "6", 6));
  EXPECT_EQ(alerts_.find("1")->status, "New");
  EXPECT_EQ(incidents_.find("a")->status, "Active");
  EXPECT_EQ(*alerts_.status_at("1", 5), "Resolved");
  EXPECT_EQ(*alerts_.status_at("1", 6), "New");
}

TEST_F(IncidentsTest, ATriageRecordIsAppliedOnce) {
  ASSERT_TRUE(alerts_.apply(alert("1"), "1", 1));
  for (int round = 0; round < 2; ++round) ASSERT_TRUE(alerts_.apply(triage("1", "Active", 10, 2), "2"));
  EXPECT_THAT(*alerts_.triage_of("1"), SizeIs(1));
  ASSERT_TRUE(incidents_.apply(incident("a", {"1"}), "3", 3));
  const IncidentTriage own{.incident_id = "a", .user = "alice", .comment = "c", .time = kNow, .sequence = 4};
  for (int round = 0; round < 2; ++round) ASSERT_TRUE(incidents_.apply(own, "4"));
  EXPECT_THAT(*incidents_.steps_of("a"), SizeIs(2));
}

TEST_F(IncidentsTest, ADismissedGroupStaysDismissedForItsDayUntilThatIsTakenBack) {
  ASSERT_TRUE(alerts_.apply(alert("1"), "1", 1));
  ASSERT_TRUE(alerts_.apply(alert("2", "IoT_CryptoMiner"), "2", 2));
  Triage group = triage("", "Dismissed", 10, 3);
  group.group_type = "iot_reverseshell";
  group.group_day = kMorning;
  ASSERT_TRUE(alerts_.apply(group, "3"));
  ASSERT_TRUE(alerts_.apply(alert("3"), "4", 4));
  EXPECT_EQ(alerts_.find("1")->status, "Dismissed");
  EXPECT_EQ(alerts_.find("2")->status, "New");
  EXPECT_EQ(alerts_.find("3")->status, "Dismissed") << "came to the group later";
  Alert tomorrow = alert("4");
  tomorrow.start = kMorning + Duration::seconds(kDay);
  ASSERT_TRUE(alerts_.apply(tomorrow, "5", 5));
  EXPECT_EQ(alerts_.find("4")->status, "New");
  EXPECT_THAT(*alerts_.triaged_by(3), SizeIs(1));
  group.status = "New";
  group.sequence = 6;
  ASSERT_TRUE(alerts_.apply(group, "6"));
  EXPECT_EQ(alerts_.find("1")->status, "New");
  ASSERT_TRUE(alerts_.apply(alert("5"), "7", 7));
  EXPECT_EQ(alerts_.find("5")->status, "New");
}

TEST_F(IncidentsTest, AlertsAreGroupedByNameAndDay) {
  Alert other = alert("2");
  other.device_id = "press-2";
  other.count = 40;
  ASSERT_TRUE(alerts_.apply(alert("1"), "1", 1));
  ASSERT_TRUE(alerts_.apply(other, "2", 2));
  Alert yesterday = alert("3");
  yesterday.start = kMorning + Duration::seconds(-1);
  ASSERT_TRUE(alerts_.apply(yesterday, "3", 3));
  const auto [groups, total] = *alerts_.groups({}, 0, 10);
  ASSERT_THAT(groups, SizeIs(2));
  EXPECT_EQ(total, 2u);
  EXPECT_EQ(groups[0].day, kMorning);
  EXPECT_EQ(groups[0].alerts, 2u);
  EXPECT_EQ(groups[0].count, 41u);
  EXPECT_EQ(groups[0].devices, 2u);
  EXPECT_EQ(groups[0].open, 2u);
  EXPECT_EQ(groups[0].severity, "High");
  EXPECT_THAT(alerts_.groups({.by_device = true}, 0, 10)->first, SizeIs(3));
  EXPECT_THAT(alerts_.groups({.device_id = "press-2"}, 0, 10)->first, SizeIs(1));
  EXPECT_THAT(alerts_.groups({}, 1, 10)->first, SizeIs(1));
}

TEST_F(IncidentsTest, AreListedByWhatIsAskedFor) {
  for (int i = 1; i <= 5; ++i) {
    const std::string id = std::to_string(i);
    Alert one = alert(id);
    one.device_id = i == 5 ? "lathe" : "press-1";
    ASSERT_TRUE(alerts_.apply(one, id, static_cast<std::uint64_t>(i)));
    Incident made = incident("incident-" + id, {id});
    made.merged_into = i == 2 ? "incident-1" : "";
    ASSERT_TRUE(incidents_.apply(made, id, 10 + static_cast<std::uint64_t>(i)));
  }
  const auto first = *incidents_.list({}, "", 2);
  EXPECT_EQ(first.total, 4u) << "what is merged is part of another one";
  ASSERT_THAT(first.incidents, SizeIs(2));
  EXPECT_EQ(first.incidents[0].number, 5);
  const auto second = *incidents_.list({}, first.next, 2);
  ASSERT_THAT(second.incidents, SizeIs(2));
  EXPECT_EQ(second.incidents[1].number, 1);
  EXPECT_THAT(second.next, IsEmpty());
  EXPECT_EQ(incidents_.list({.merged = true}, "", 10)->total, 5u);
  EXPECT_EQ(incidents_.list({.device_id = "lathe"}, "", 10)->total, 1u);
  EXPECT_EQ(incidents_.list({.alert_id = "3"}, "", 10)->total, 1u);
  EXPECT_EQ(incidents_.list({.status = {"Closed"}}, "", 10)->total, 0u);
  EXPECT_FALSE(incidents_.list({}, "x", 10));
}

TEST_F(IncidentsTest, SuppressionsCountWhatFellUnderThem) {
  Suppressions rules(*database_);
  EXPECT_TRUE(*rules.put("s", R"({"reason":"r"})", {"alice", "::1"}, kNow));
  EXPECT_FALSE(*rules.put("s", R"({"reason":"better"})", {"alice", "::1"}, kNow));
  Alert hit = alert("1");
  hit.suppressed_by = "s";
  hit.count = 7;
  ASSERT_TRUE(alerts_.apply(hit, "1", 1));
  EXPECT_EQ(alerts_.find("1")->status, "Dismissed");
  EXPECT_EQ(rules.find("s")->alerts, 1u);
  EXPECT_EQ(rules.find("s")->hits, 7u);
  EXPECT_THAT(rules.find("s")->json, testing::HasSubstr("better"));
  EXPECT_EQ(Outbox(*database_).pending(10)->size(), 2u) << "the pipeline hears of each change";
  EXPECT_TRUE(*rules.remove("s", {"alice", "::1"}, kNow));
  EXPECT_FALSE(*rules.remove("s", {"alice", "::1"}, kNow));
  EXPECT_FALSE(rules.find("s"));
}

}  // namespace
}  // namespace picket::state
