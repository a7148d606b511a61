// From rows to alerts and incidents.
#include "analytics/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::analytics {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

const Window kWindow{Timestamp{1'795'000'000'000'000}, Timestamp{1'795'000'000'000'000} + Duration::hours(1)};

Table scans() {
  return {.columns = {"TimeGenerated", "DeviceId", "Source", "AlertName", "Level", "Entities"},
          .rows = {{"2026-11-18T11:10:00Z", "sensor-1", "192.0.2.7", "Port Scan", "High", ""},
                   {"2026-11-18T11:20:00Z", "sensor-1", "192.0.2.8", "Address Scan", "Low",
                    R"([{"$id":"1","Type":"host","HostName":"plc","Nested":{"x":1}}])"}}};
}

Rule rule() {
  Rule out;
  out.id = "r1";
  out.name = "Scans";
  out.description = "Somebody looks around.";
  out.query = "T";
  out.tactics = {"Discovery"};
  out.entities = {{"IP", {{"Address", "Source"}}}, {"Host", {{"HostName", "Missing"}}}};
  out.entity_columns = {"Entities"};
  out.custom_details = {{"Sensor", "DeviceId"}, {"From", "Source"}};
  return out;
}

std::string property(const Alert& alert, std::string_view name) {
  for (const auto& [key, value] : alert.properties)
    if (key == name) return value;
  return {};
}

TEST(Evaluate, TheThresholdIsComparedAsTheOperatorSays) {
  const auto fired = [](Trigger trigger, std::int64_t threshold, std::int64_t rows) {
    Rule one;
    one.trigger = trigger;
    one.threshold = threshold;
    return fires(one, rows);
  };
  EXPECT_FALSE(fired(Trigger::greater, 2, 2));
  EXPECT_TRUE(fired(Trigger::greater, 2, 3));
  EXPECT_TRUE(fired(Trigger::less, 1, 0)) << "nothing is an alert too";
  EXPECT_FALSE(fired(Trigger::less, 1, 1));
  EXPECT_TRUE(fired(Trigger::equal, 0, 0));
  EXPECT_TRUE(fired(Trigger::not_equal, 0, 5));
}

TEST(Evaluate, OneAlertForAllRowsHoldsTheEntitiesOfAll) {
  const auto alerts = evaluate(rule(), scans(), kWindow);
  ASSERT_EQ(alerts.size(), 1u);
  const Alert& alert = alerts[0];
  EXPECT_EQ(alert.name, "Scans");
  EXPECT_EQ(alert.device_id, "sensor-1");
  EXPECT_EQ(alert.rows, 2u);
  EXPECT_EQ(format_rfc3339(alert.start), "2026-11-18T11:10:00.000000Z");
  EXPECT_EQ(format_rfc3339(alert.end), "2026-11-18T11:20:00.000000Z");
  ASSERT_EQ(alert.entities.size(), 3u) << "a mapping without a value gives none";
  EXPECT_EQ(alert.entities[0].type, "host");
  EXPECT_THAT(alert.entities[0].members, ElementsAre(Pair("HostName", "plc")));
  EXPECT_THAT(alert.entities[1].members, ElementsAre(Pair("Address", "192.0.2.7")));
  EXPECT_EQ(property(alert, "Custom Details"), R"({"Sensor":["sensor-1"],"From":["192.0.2.7","192.0.2.8"]})");
  EXPECT_EQ(property(alert, "Search Query Results Overall Count"), "2");
}

TEST(Evaluate, AnAlertForEachRowTakesItsOwnNameAndSeverity) {
  Rule one = rule();
  one.alert_per_result = true;
  one.overrides = {"(OT) {{AlertName}} from {{ Source }} {{Nope}}",
                   "",
                   "Level",
                   "",
                   {{"AlertLink", "AlertName"}, {"ConfidenceLevel", "Level"}}};
  const auto alerts = evaluate(one, scans(), kWindow);
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[0].name, "(OT) Port Scan from 192.0.2.7 {{Nope}}");
  EXPECT_EQ(alerts[0].severity, "High");
  EXPECT_EQ(alerts[1].severity, "Low");
  EXPECT_EQ(alerts[1].link, "Address Scan");
  EXPECT_EQ(property(alerts[1], "ConfidenceLevel"), "Low");
  EXPECT_NE(alerts[0].key, alerts[1].key);
  EXPECT_EQ(evaluate(one, scans(), kWindow)[0].key, alerts[0].key) << "a run that is repeated makes the same alerts";
}

TEST(Evaluate, EqualRowsAreTwoAlerts) {
  Rule one = rule();
  one.alert_per_result = true;
  Table table = scans();
  table.rows[1] = table.rows[0];
  const auto alerts = evaluate(one, table, kWindow);
  EXPECT_NE(alerts.at(0).key, alerts.at(1).key);
}

TEST(Evaluate, ManyRowsAreBoundedAndCounted) {
  Rule one = rule();
  one.alert_per_result = true;
  Table table = scans();
  table.rows.assign(kAlertsMax + 20, table.rows[0]);
  table.rows_total = 10'000;
  const auto alerts = evaluate(one, table, kWindow);
  EXPECT_EQ(alerts.size(), kAlertsMax);
  EXPECT_EQ(property(alerts[0], "Search Query Results Overall Count"), "10000");
}

TEST(Evaluate, NamesAreCutBetweenCharacters) {
  Rule one = rule();
  one.overrides.name_format = "{{AlertName}}";
  Table table = scans();
  table.rows[0][3] = std::string(255, 'x') + "\xC3\xA4\xC3\xA4";
  EXPECT_EQ(evaluate(one, table, kWindow)[0].name, std::string(255, 'x'));
}

bool open(std::string_view) { return false; }
bool closed(std::string_view) { return true; }

TEST(Incidents, AlertsOfOneGroupShareAnIncidentWithinTheLookback) {
  Rule one = rule();
  one.incidents.group = true;
  one.incidents.lookback = Duration::hours(2);
  one.incidents.matching = Incidents::Matching::selected;
  one.incidents.by_entities = {"ip"};
  one.alert_per_result = true;
  const auto alerts = evaluate(one, scans(), kWindow);
  IncidentMemory memory("");
  const std::string first = memory.place(one, alerts[0], kWindow.end, open).incident;
  EXPECT_NE(memory.place(one, alerts[1], kWindow.end, open).incident, first) << "another address";
  IncidentMemory later(memory.to_text());
  EXPECT_EQ(later.place(one, alerts[0], kWindow.end + Duration::hours(2), open).incident, first);
  EXPECT_EQ(later.place(one, alerts[0], kWindow.end + Duration::hours(4), open).incident, first)
      << "each alert prolongs it";
  EXPECT_NE(later.place(one, alerts[0], kWindow.end + Duration::hours(7), open).incident, first);
}

TEST(Incidents, WithoutGroupingEachAlertIsItsOwnAndWithoutIncidentsNone) {
  Rule one = rule();
  IncidentMemory memory("not json");
  const auto first = memory.place(one, evaluate(one, scans(), kWindow)[0], kWindow.end, open).incident;
  const Window next{kWindow.end, kWindow.end + Duration::hours(1)};
  Table table = scans();
  table.rows[0][0] = table.rows[1][0] = "";
  EXPECT_NE(memory.place(one, evaluate(one, table, next)[0], next.end, open).incident, first);
  one.incidents.create = false;
  EXPECT_EQ(memory.place(one, evaluate(one, scans(), kWindow)[0], kWindow.end, open).incident, "");
}

TEST(Incidents, AClosedOneGoesOnOnlyWhereTheRuleReopensIt) {
  Rule one = rule();
  one.incidents.group = true;
  one.incidents.matching = Incidents::Matching::any_alert;
  const auto alert = evaluate(one, scans(), kWindow)[0];
  IncidentMemory memory("");
  const auto first = memory.place(one, alert, kWindow.end, open);
  EXPECT_TRUE(first.fresh);
  memory.note(first.incident, 7);
  one.incidents.reopen = true;
  const auto again = memory.place(one, alert, kWindow.end + Duration::hours(1), closed);
  EXPECT_EQ(again.incident, first.incident);
  EXPECT_FALSE(again.fresh);
  EXPECT_EQ(again.change, 7u);
  one.incidents.reopen = false;
  const auto other = memory.place(one, alert, kWindow.end + Duration::hours(2), closed);
  EXPECT_NE(other.incident, first.incident);
  EXPECT_TRUE(other.fresh);
}

TEST(Incidents, AFullOneIsFollowedByAnother) {
  Rule one = rule();
  one.incidents.group = true;
  one.incidents.matching = Incidents::Matching::any_alert;
  const auto alert = evaluate(one, scans(), kWindow)[0];
  IncidentMemory memory("");
  std::map<std::string, int> alerts;
  for (std::uint32_t i = 0; i < 3 * IncidentMemory::kAlertsMax; ++i)
    ++alerts[memory.place(one, alert, kWindow.end, open).incident];
  ASSERT_EQ(alerts.size(), 3u);
  for (const auto& [incident, count] : alerts) EXPECT_EQ(count, 150) << incident;
}

}  // namespace
}  // namespace picket::analytics
