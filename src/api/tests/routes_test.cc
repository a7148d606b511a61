#include <set>

#include <yaml-cpp/yaml.h>

#include "fixture.h"
#include "router.h"

namespace picket::api::testing {
namespace {

using ::testing::HasSubstr;

std::string_view role_name(Access access) {
  switch (access) {
    case Access::open:
      return "none";
    case Access::reader:
      return "Reader";
    case Access::contributor:
      return "Contributor";
    case Access::admin:
      return "Admin";
  }
  return "";
}

TEST(Routes, AreThoseOfTheOpenApiDocumentWithTheirRoles) {
  std::set<std::string> documented;
  const YAML::Node document = YAML::LoadFile(PICKET_SOURCE_DIR "/schema/openapi.yaml");
  for (const auto& path : document["paths"]) {
    for (const auto& operation : path.second) {
      std::string method = operation.first.as<std::string>();
      if (!operation.second["operationId"]) continue;
      for (char& c : method) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      documented.insert(method + " " + path.first.as<std::string>() + " " +
                        operation.second["x-picket-role"].as<std::string>());
    }
  }
  std::set<std::string> served;
  for (const Route& route : routes())
    served.insert(std::string(route.method) + " " + std::string(route.pattern) + " " +
                  std::string(role_name(route.access)));
  EXPECT_EQ(served, documented);
}

TEST_F(ApiTest, EveryRouteHoldsItsRoleForEveryCaller) {
  start();
  for (const Route& route : routes()) {
    if (route.access == Access::open || route.pattern == "/events") continue;
    std::string path = "/api/v1" + std::string(route.pattern);
    for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{'))
      path.replace(at, path.find('}') - at + 1, "nothing");
    EXPECT_EQ(client_->call(route.method, path).status, 401) << route.method << " " << path;
    for (const auto role : {state::Role::reader, state::Role::contributor, state::Role::admin}) {
      const bool allowed = static_cast<int>(role) + 1 >= static_cast<int>(route.access);
      const Reply reply = client_->call(route.method, path, "", bearer(role));
      EXPECT_EQ(reply.status == 403, !allowed)
          << route.method << " " << path << " " << to_string(role) << " " << reply.status;
      EXPECT_NE(reply.status, 401);
      // 501: a part that this test's server does not have; who may ask is decided before.
      EXPECT_TRUE(reply.status < 500 || reply.status == 501) << route.method << " " << path << " " << reply.body;
    }
  }
}

TEST_F(ApiTest, UnknownPathsAndMethodsAreNamed) {
  start();
  EXPECT_EQ(client_->get("/api/v1/nothing", admin()).status, 404);
  EXPECT_EQ(client_->get("/api/v1/devices/a/b/c", admin()).status, 404);
  const Reply wrong = client_->call("PUT", "/api/v1/devices", "{}", admin());
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "GET, POST");
}

TEST_F(ApiTest, ADeviceIsMadeFoundChangedAndRemoved) {
  start();
  const Reply made = client_->call("POST", "/api/v1/devices", R"({"deviceId":"press#17","group":"line-2"})", admin());
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(
      std::string(made.json().at("connectionString").as_string()),
      ::testing::StartsWith("HostName=picket.local;DeviceId=press#17;ModuleId=DefenderIotMicroAgent;SharedAccessKey="));
  EXPECT_EQ(client_->call("POST", "/api/v1/devices", R"({"deviceId":"press#17"})", admin()).error_code(), "exists");
  const Reply one = client_->get("/api/v1/devices/press%2317", admin());
  ASSERT_EQ(one.status, 200);
  EXPECT_EQ(one.json().at("reporting").as_string(), "never");
  EXPECT_EQ(one.json().at("modules").as_array().size(), 1u);
  const Reply changed = client_->call("PATCH", "/api/v1/devices/press%2317", R"({"status":"disabled"})",
                                      bearer(state::Role::contributor));
  EXPECT_EQ(changed.json().at("status").as_string(), "disabled");
  EXPECT_THAT(presence_.revoked, ::testing::ElementsAre("press#17"));
  EXPECT_EQ(client_->call("DELETE", "/api/v1/devices/press%2317", "", admin()).status, 204);
  EXPECT_EQ(client_->get("/api/v1/devices/press%2317", admin()).status, 404);
}

TEST_F(ApiTest, OnlyAnAdminGetsTheConnectionStringOfANewDevice) {
  start();
  const Reply made = client_->call("POST", "/api/v1/devices", R"({"deviceId":"d"})", bearer(state::Role::contributor));
  EXPECT_EQ(made.status, 201);
  EXPECT_FALSE(made.json().as_object().contains("connectionString"));
  EXPECT_THAT(made.body, ::testing::Not(HasSubstr("SharedAccessKey")));
}

TEST_F(ApiTest, DevicesArePagedSortedAndFiltered) {
  start();
  for (int i = 0; i < 7; ++i) {
    const std::string id = "d" + std::to_string(i);
    ASSERT_TRUE(devices_->add("picket", id, i % 2 == 0 ? "even" : "odd", {"test", ""}, clock_.now()).has_value());
    presence_.activities[id] = {.last = clock_.now() - Duration::minutes(i * 5), .connected = i == 0};
  }
  add_alert("a1", "High", "d5");
  std::vector<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 4; ++page) {
    const auto reply =
        client_->get("/api/v1/devices?limit=3" + (cursor.empty() ? "" : "&cursor=" + cursor), admin()).json();
    EXPECT_EQ(reply.at("total").as_int64(), 7);
    for (const auto& item : reply.at("items").as_array()) seen.emplace_back(item.at("deviceId").as_string());
    if (!reply.as_object().contains("next_cursor")) break;
    cursor = reply.at("next_cursor").as_string();
  }
  EXPECT_THAT(seen, ::testing::ElementsAre("d0", "d1", "d2", "d3", "d4", "d5", "d6"));
  EXPECT_EQ(client_->get("/api/v1/devices?limit=3&group=odd&cursor=" + cursor, admin()).error_code(),
            "invalid_argument")
      << "another list's cursor";
  const auto first = [&](std::string_view filter) {
    return client_->get("/api/v1/devices?" + std::string(filter), admin()).json();
  };
  EXPECT_EQ(first("sort=-openAlerts").at("items").at(0).at("deviceId").as_string(), "d5");
  EXPECT_EQ(first("group=odd").at("total").as_int64(), 3);
  EXPECT_EQ(first("reporting=silent").at("total").as_int64(), 3);
  EXPECT_EQ(first("connectionState=Connected").at("total").as_int64(), 1);
  EXPECT_EQ(first("q=D3").at("total").as_int64(), 1);
  for (const auto* wrong : {"limit=0", "limit=501", "limit=x", "sort=nope", "status=x", "cursor=zz"}) {
    EXPECT_EQ(client_->get("/api/v1/devices?" + std::string(wrong), admin()).status, 400) << wrong;
  }
}

/// Names that stand between quotes before FROM.
std::vector<std::string> selected_columns(const std::string& sql) {
  std::vector<std::string> out;
  const std::size_t end = sql.find(" FROM ");
  for (std::size_t at = sql.find('"'); at < end; at = sql.find('"', at + 1)) {
    const std::size_t close = sql.find('"', at + 1);
    out.push_back(sql.substr(at + 1, close - at - 1));
    at = close;
  }
  return out;
}

TEST_F(ApiTest, AnAlertShowsItsEvidenceAndRemembersItsTriage) {
  start();
  add_alert("a1", "High", "d1");
  workspace_.answer = [](const workspace::QueryRequest& request) -> workspace::QueryOutcome {
    workspace::QueryResult result;
    if (!request.sql.contains("RawEvents")) return result;
    for (const std::string& name : selected_columns(request.sql)) {
      const bool id = name.starts_with('_');
      auto& column = result.columns.emplace_back(name, id ? workspace::ColumnType::int64 : workspace::ColumnType::text);
      for (const std::int64_t item : {0, 1}) {
        if (id) column.push_integer(name == "_position" ? 41 : name == "_item" ? item : 0);
        if (name == "EventDetails")
          column.push_text(item == 1 ? R"({"CommandLine":"the one"})" : R"({"CommandLine":"a neighbour"})");
        if (!id && name != "EventDetails") column.push_text("ProcessCreate");
      }
    }
    result.rows = 2;
    return result;
  };
  const auto alert = client_->get("/api/v1/alerts/a1", bearer(state::Role::reader)).json();
  EXPECT_EQ(alert.at("techniques").at(0).as_string(), "T1059");
  EXPECT_EQ(alert.at("extendedProperties").at("Remote Address").as_string(), "192.0.2.1");
  EXPECT_EQ(alert.at("evidence").at(0).at("eventDetails").at("CommandLine").as_string(), "the one");
  EXPECT_EQ(client_->call("PATCH", "/api/v1/alerts/a1", "{}", admin()).status, 400);
  EXPECT_EQ(client_->call("PATCH", "/api/v1/alerts/a1", R"({"status":"Closed"})", admin())
                .json()
                .at("error")
                .at("target")
                .as_string(),
            "status");
  const auto triaged = client_
                           ->call("PATCH", "/api/v1/alerts/a1", R"({"status":"Resolved","comment":"known"})",
                                  bearer(state::Role::contributor))
                           .json();
  EXPECT_EQ(triaged.at("status").as_string(), "Resolved");
  EXPECT_EQ(triaged.at("changes").as_array().back().at("user").as_string(), "editor");
  EXPECT_EQ(client_->get("/api/v1/alerts?status=New,Active", admin()).json().at("total").as_int64(), 0);
  EXPECT_EQ(client_->get("/api/v1/alerts?status=New,Nope", admin()).status, 400);
}

TEST_F(ApiTest, AQueryGivesTypedRows) {
  start();
  workspace_.answer = [](const workspace::QueryRequest&) -> workspace::QueryOutcome {
    workspace::QueryResult result;
    result.columns.emplace_back("TimeGenerated", workspace::ColumnType::timestamp);
    result.columns.emplace_back("Name", workspace::ColumnType::text);
    result.columns.emplace_back("N", workspace::ColumnType::int64);
    result.columns[0].push_integer(1'795'000'000'000'000);
    result.columns[1].push_null();
    result.columns[2].push_null();
    result.rows = 1;
    result.truncated = true;
    return result;
  };
  const Reply reply =
      client_->call("POST", "/api/v1/query", R"({"query":"T | where N > 3","timespan":"PT1H","max_rows":1})",
                    bearer(state::Role::reader));
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_THAT(reply.body, HasSubstr(R"("rows":[["2026-11-18T11:06:40.000000Z","",null]])"));
  EXPECT_TRUE(reply.json().at("stats").at("truncated").as_bool());
  EXPECT_EQ(workspace_.last.rows_max, 1u);
  EXPECT_EQ(workspace_.last.time_from, clock_.now() - Duration::hours(1));
}

TEST_F(ApiTest, AMistakeInAQueryIsMarkedWhereEditorsCount) {
  start();
  const Reply reply = client_->call("POST", "/api/v1/query",
                                    "{\"query\":\"T\\n| where Name == '\xF0\x9F\x90\x9F' and Nope == 1\"}", admin());
  ASSERT_EQ(reply.status, 400) << reply.body;
  EXPECT_EQ(reply.error_code(), "query_unknown_name");
  const auto span = reply.json().at("error").at("span");
  EXPECT_EQ(span.at("line").as_int64(), 2);
  EXPECT_EQ(span.at("column").as_int64(), 26) << "a character beyond U+FFFF counts twice";
  EXPECT_EQ(span.at("length").as_int64(), 4);
  for (const auto* timespan : {"1h", "P", "PT", "PT1", "2026-01-02T00:00:00Z/2026-01-01T00:00:00Z", "x/y"}) {
    const Reply wrong = client_->call("POST", "/api/v1/query",
                                      R"({"query":"T","timespan":")" + std::string(timespan) + R"("})", admin());
    EXPECT_EQ(wrong.json().at("error").at("target").as_string(), "timespan") << timespan;
  }
}

TEST_F(ApiTest, AQueryThatRunsOutOfSomethingSaysOfWhat) {
  start();
  using Kind = workspace::QueryError::Kind;
  for (const auto& [kind, code] : {std::pair{Kind::timeout, "query_limit"},
                                   {Kind::memory, "query_limit"},
                                   {Kind::busy, "busy"},
                                   {Kind::invalid, "query_failed"}}) {
    workspace_.answer = [kind](const workspace::QueryRequest&) -> workspace::QueryOutcome {
      return std::unexpected(workspace::QueryError{kind, "why"});
    };
    EXPECT_EQ(client_->call("POST", "/api/v1/query", R"({"query":"T"})", admin()).error_code(), code);
  }
}

TEST_F(ApiTest, OverviewStatusAndSchemaAreWhatTheDocumentRequires) {
  start();
  health_.rate.add(clock_.now(), 5);
  add_alert("a1", "High", "d1");
  const auto overview = client_->get("/api/v1/overview", admin()).json();
  for (const auto* key :
       {"generated_at", "devices", "events_per_minute", "alerts", "top_devices", "pipeline", "dead_letters"})
    EXPECT_TRUE(overview.as_object().contains(key)) << key;
  EXPECT_EQ(overview.at("events_per_minute").as_array().size(), 60u);
  EXPECT_EQ(overview.at("events_per_minute").as_array().back().at("count").as_int64(), 5);
  EXPECT_EQ(overview.at("alerts").at("open_by_severity").at("High").as_int64(), 1);
  EXPECT_EQ(overview.at("top_devices").at(0).at("highestSeverity").as_string(), "High");
  const auto status = client_->get("/api/v1/status", admin()).json();
  for (const auto* key :
       {"version", "started_at", "uptime_s", "installation_id", "hub", "journal", "pipeline", "workspace", "api"})
    EXPECT_TRUE(status.as_object().contains(key)) << key;
  const auto schema = client_->get("/api/v1/schema", admin()).json();
  EXPECT_EQ(schema.at("tables").at(0).at("name").as_string(), "T");
  EXPECT_GT(schema.at("event_names").as_array().size(), 10u);
}

}  // namespace
}  // namespace picket::api::testing
