// Alerts by group, decisions about them, incidents, suppression rules, and the raw events behind them.
#include "fixture.h"

namespace picket::api::testing {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

class AlertLifeApiTest : public ApiTest {
 protected:
  void SetUp() override {
    start();
    add_alert("a1", "High", "press-1");
    add_alert("a2", "Medium", "press-2");
    state::Incident incident;
    incident.incident_id = "i1";
    incident.kind = "device";
    incident.title = "Related alerts on press-1";
    incident.severity = "High";
    incident.hub = "picket";
    incident.device_id = "press-1";
    incident.start = incident.end = incident.updated = clock_.now();
    incident.json =
        R"({"Description":"why","Devices":["press-1"],"Tactics":["Execution"],"Reasons":["address 192.0.2.1"]})";
    incident.alerts = {"a1", "a2"};
    ASSERT_TRUE(incidents_->apply(incident, "1", 7).has_value());
  }
  [[nodiscard]] Reply call(const std::string& method, const std::string& path, const std::string& body = "") const {
    return client_->call(method, "/api/v1" + path, body, bearer(state::Role::contributor));
  }
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> out;
    const auto pending = outbox_->pending(100);
    for (const auto& record : *pending) out.push_back(record.kind);
    return out;
  }
  [[nodiscard]] std::string today() const { return format_rfc3339(clock_.now()).substr(0, 10); }
};

TEST_F(AlertLifeApiTest, AnAlertHasOwnerVerdictAndHistory) {
  const Reply reply = call("PATCH", "/alerts/a1",
                           R"({"status":"Resolved","owner":"bob","classification":"BenignPositive",)"
                           R"("classificationReason":"SuspiciousButExpected","comment":"drill"})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  const auto alert = reply.json();
  EXPECT_EQ(alert.at("status"), "Resolved");
  EXPECT_EQ(alert.at("owner"), "bob");
  EXPECT_EQ(alert.at("classification"), "BenignPositive");
  EXPECT_EQ(alert.at("incidents").at(0).at("number"), 1);
  EXPECT_THAT(kinds(), Contains("alert.triage"));
  EXPECT_EQ(call("PATCH", "/alerts/a1", R"({"classification":"Maybe"})").status, 400);
  EXPECT_EQ(call("PATCH", "/alerts/a1", R"({"classificationReason":"Mood"})").status, 400);
  EXPECT_EQ(call("PATCH", "/alerts/a1", "{}").status, 400);
  EXPECT_EQ(call("GET", "/alerts?owner=bob").json().at("total"), 1);
  EXPECT_EQ(call("GET", "/alerts?incident=i1").json().at("total"), 2);
}

TEST_F(AlertLifeApiTest, UndoGivesBackTheStatusBefore) {
  EXPECT_EQ(call("POST", "/alerts/a1/undo", "{}").status, 400) << "nothing to undo";
  ASSERT_EQ(call("PATCH", "/alerts/a1", R"({"status":"Active"})").status, 200);
  ASSERT_EQ(call("PATCH", "/alerts/a1", R"({"status":"Dismissed"})").status, 200);
  EXPECT_EQ(call("POST", "/alerts/a1/undo", "{}").json().at("status"), "Active");
}

TEST_F(AlertLifeApiTest, AGroupIsDismissedAsAWholeAndTakenBack) {
  const auto groups = call("GET", "/alert-groups").json();
  ASSERT_EQ(groups.at("total"), 1);
  EXPECT_EQ(groups.at("items").at(0).at("alerts"), 2);
  EXPECT_EQ(groups.at("items").at(0).at("devices"), 2);
  EXPECT_EQ(call("GET", "/alert-groups?by=device").json().at("total"), 2);
  const std::string body = R"({"alertType":"iot_reverseshell","date":")" + today() + R"("})";
  ASSERT_EQ(call("POST", "/alert-groups/triage", body).status, 204);
  EXPECT_EQ(call("GET", "/alerts?status=Dismissed").json().at("total"), 2);
  EXPECT_EQ(call("GET", "/alert-groups?open=true").json().at("total"), 0);
  EXPECT_THAT(kinds(), Contains("alert_group.triage"));
  const std::string back = R"({"alertType":"IoT_ReverseShell","date":")" + today() + R"(","status":"New"})";
  ASSERT_EQ(call("POST", "/alert-groups/triage", back).status, 204);
  EXPECT_EQ(call("GET", "/alerts?status=New").json().at("total"), 2);
  EXPECT_EQ(call("POST", "/alert-groups/triage", R"({"alertType":"T","date":"today"})").status, 400);
}

TEST_F(AlertLifeApiTest, AnIncidentHasATimelineAndIsClosedWithItsAlerts) {
  const auto list = call("GET", "/incidents?device=press-1&severity=High").json();
  ASSERT_EQ(list.at("total"), 1);
  EXPECT_EQ(list.at("items").at(0).at("reasons").at(0), "address 192.0.2.1");
  const auto one = call("GET", "/incidents/1").json();
  EXPECT_EQ(one.at("id"), "i1");
  EXPECT_EQ(one.at("alerts").as_array().size(), 2u);
  EXPECT_EQ(one.at("timeline").as_array().size(), 3u) << "two alerts, and that it was made";
  const Reply closed =
      call("PATCH", "/incidents/i1",
           R"({"status":"Closed","owner":"bob","classification":"TruePositive","alertStatus":"Resolved"})");
  ASSERT_EQ(closed.status, 200) << closed.body;
  EXPECT_EQ(closed.json().at("status"), "Closed");
  EXPECT_EQ(call("GET", "/alerts?status=Resolved&classification=TruePositive").json().at("total"), 2);
  EXPECT_THAT(kinds(), Contains("incident.triage"));
  EXPECT_EQ(call("PATCH", "/incidents/i1", R"({"status":"Resolved"})").status, 400) << "that is a word for alerts";
  EXPECT_EQ(call("GET", "/incidents/9").status, 404);
}

TEST_F(AlertLifeApiTest, SuppressionRulesAreCheckedStoredAndTold) {
  const std::string rule = R"({"reason":"nightly backup","match":{"type":"IoT_EgressData","device":"press-*"}})";
  ASSERT_EQ(call("PUT", "/suppressions/backup", rule).status, 201);
  EXPECT_EQ(call("PUT", "/suppressions/backup", rule).status, 200);
  const auto stored = call("GET", "/suppressions/backup").json();
  EXPECT_EQ(stored.at("hits"), 0);
  EXPECT_EQ(stored.at("createdBy"), "editor");
  EXPECT_EQ(stored.at("match").at("device"), "press-*");
  EXPECT_THAT(kinds(), Contains("suppression.set"));
  EXPECT_EQ(call("PUT", "/suppressions/all", R"({"reason":"quiet","match":{}})").status, 400);
  EXPECT_EQ(call("PUT", "/suppressions/why", R"({"match":{"type":"T"}})").status, 400);
  EXPECT_EQ(call("GET", "/suppressions").json().at("items").as_array().size(), 1u);
  EXPECT_EQ(call("DELETE", "/suppressions/backup").status, 204);
  EXPECT_EQ(call("DELETE", "/suppressions/backup").status, 404);
}

TEST_F(AlertLifeApiTest, EvidenceLeadsToTheRawEvents) {
  workspace_.answer = [](const workspace::QueryRequest& request) -> workspace::QueryOutcome {
    EXPECT_THAT(request.sql, HasSubstr("\"_position\" IN ($1"));
    return workspace::QueryResult{};  // retention has removed the rows
  };
  const auto events = call("GET", "/alerts/a1/events").json();
  EXPECT_EQ(events.at("missing").at(0), "e-1");
  EXPECT_EQ(events.at("query"), "SecurityIoTRawEvent | where IoTRawEventId in (\"e-1\")");
  EXPECT_EQ(call("GET", "/incidents/1/events").json().at("missing").as_array().size(), 2u);
  EXPECT_EQ(call("GET", "/alerts/none/events").status, 404);
}

TEST_F(AlertLifeApiTest, ReadersDecideNothing) {
  const auto reader = bearer(state::Role::reader);
  EXPECT_EQ(client_->call("PATCH", "/api/v1/incidents/1", R"({"status":"Closed"})", reader).status, 403);
  EXPECT_EQ(client_->call("PUT", "/api/v1/suppressions/x", "{}", reader).status, 403);
  EXPECT_EQ(client_->call("GET", "/api/v1/incidents/1", "", reader).status, 200);
}

}  // namespace
}  // namespace picket::api::testing
