// Stored tables and how long they are kept, over the API.
#include "fixture.h"

namespace picket::api {
namespace {

using namespace testing;
using ::testing::Contains;
using ::testing::HasSubstr;

class WorkspaceRoutes : public ApiTest {
 protected:
  WorkspaceRoutes() {
    workspace_.table_list = {{.table = "LoginEvents",
                              .stream = "messages",
                              .retention = {Duration::days(30), {}},
                              .rows = 10,
                              .bytes = 1000,
                              .hot_rows = 2,
                              .archived_rows = 5,
                              .archived_bytes = 50,
                              .oldest = clock_.now() - Duration::days(3),
                              .newest = clock_.now()},
                             {.table = "ProcessEvents", .stream = "messages", .retention = {}}};
    start();
  }
  Reply put(const std::string& table, const std::string& body, const Credentials& who = admin()) {
    return client_->call("PUT", "/api/v1/workspace/tables/" + table + "/retention", body, who);
  }
  [[nodiscard]] std::vector<std::string> audit_kinds() {
    std::vector<std::string> out;
    for (const auto& record : *outbox_->pending(100)) out.push_back(record.kind);
    return out;
  }
};

TEST_F(WorkspaceRoutes, ListTablesWithWhatTheyHold) {
  const auto list = client_->call("GET", "/api/v1/workspace/tables", "", bearer(state::Role::reader)).json();
  const auto& login = list.at("items").at(0);
  EXPECT_EQ(login.at("name").as_string(), "LoginEvents");
  EXPECT_EQ(login.at("rows").as_int64(), 17);
  EXPECT_EQ(login.at("bytes").as_int64(), 1050);
  EXPECT_EQ(login.at("retention").at("days").as_int64(), 30);
  EXPECT_TRUE(login.at("retention").at("fromSettings").as_bool());
  EXPECT_TRUE(login.as_object().contains("oldest"));
  EXPECT_FALSE(list.at("items").at(1).as_object().contains("oldest"));
  EXPECT_TRUE(list.at("damaged").as_array().empty());
}

TEST_F(WorkspaceRoutes, ARetentionIsInForceRememberedAndAudited) {
  const auto set = put("LoginEvents", R"({"days":7,"archiveDays":365})");
  ASSERT_EQ(set.status, 200) << set.body;
  EXPECT_EQ(set.json().at("retention").at("archiveDays").as_int64(), 365);
  EXPECT_EQ(set.json().at("retention").at("changedBy").as_string(), "root");
  EXPECT_EQ(workspace_.table_list[0].retention, (workspace::TableRetention{Duration::days(7), Duration::days(365)}));
  const auto rows = table_retentions_->list();
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().days, 7);
  EXPECT_THAT(audit_kinds(), Contains("retention.set"));
  const auto reset = client_->call("DELETE", "/api/v1/workspace/tables/LoginEvents/retention", "", admin());
  EXPECT_TRUE(reset.json().at("retention").at("fromSettings").as_bool());
  EXPECT_EQ(workspace_.table_list[0].retention.keep, Duration::days(30));
  EXPECT_THAT(audit_kinds(), Contains("retention.reset"));
  EXPECT_TRUE(table_retentions_->list()->empty());
}

TEST_F(WorkspaceRoutes, RefusesWhatMakesNoSense) {
  for (const char* body : {R"({})", R"({"days":-1})", R"({"days":36501})", R"({"days":1,"archiveDays":36501})",
                           R"({"days":0,"archiveDays":1})", R"({"days":"7"})", R"({"days":7,"more":1})"}) {
    EXPECT_EQ(put("LoginEvents", body).status, 400) << body;
  }
  const auto view = put("SecurityIoTRawEvent", R"({"days":7})");
  EXPECT_EQ(view.status, 404);
  EXPECT_THAT(view.body, HasSubstr("views have the retention of their tables"));
  EXPECT_EQ(put("LoginEvents", R"({"days":7})", bearer(state::Role::contributor)).status, 403);
  EXPECT_EQ(workspace_.table_list[0].retention.keep, Duration::days(30));
  EXPECT_TRUE(table_retentions_->list()->empty());
}

TEST_F(WorkspaceRoutes, NamesDamagedFiles) {
  workspace_.damaged_files = {{.file = "segments/messages/1-9.duckdb",
                               .problem = "is lost",
                               .first = 1,
                               .last = 9,
                               .tables = {{"LoginEvents", 3, clock_.now(), clock_.now()}}}};
  const auto list = client_->call("GET", "/api/v1/workspace/tables", "", bearer(state::Role::reader)).json();
  const auto& file = list.at("damaged").at(0);
  EXPECT_EQ(file.at("file").as_string(), "segments/messages/1-9.duckdb");
  EXPECT_EQ(file.at("tables").at(0).at("rows").as_int64(), 3);
  EXPECT_THAT(std::string(file.at("text").as_string()), HasSubstr("Put the file back from a backup"));
}

}  // namespace
}  // namespace picket::api
