// Workbooks over REST: kept, listed beside those that come with Picket, and run with values that stay values.
#include <boost/json.hpp>

#include "fixture.h"

namespace picket::api::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kNotebook =
    R"json({"version":"Notebook/1.0","items":[
      {"type":9,"content":{"parameters":[
        {"name":"TimeRange","type":4,"isRequired":true,"value":{"durationMs":3600000}},
        {"name":"Name","type":1,"isRequired":true},
        {"name":"Workspace","type":5,"query":"resources","queryType":1}]}},
      {"type":3,"content":{"title":"Rows","query":"T | where Name == '{Name}' | count","queryType":0,"timeContextFromParameter":"TimeRange"}},
      {"type":3,"content":{"title":"Bare","query":"T | take {Name} | count","queryType":0}},
      {"type":3,"content":{"title":"Elsewhere","query":"x","queryType":8}}]})json";

class WorkbookApiTest : public ApiTest {
 protected:
  Reply post(const std::string& path, const std::string& body, state::Role role = state::Role::admin) const {
    return client_->call("POST", "/api/v1" + path, body, bearer(role), {"Content-Type: application/json"});
  }
  Reply run(const std::string& path, const std::string& values) const {
    return post("/workbooks/Mine/run", R"({"path":")" + path + R"(","values":)" + values + "}", state::Role::reader);
  }
  /// Answers one row and keeps what was asked.
  void keep_requests() {
    workspace_.answer = [this](const workspace::QueryRequest& request) {
      binds_.clear();
      for (const auto& cell : request.binds) {
        if (cell.kind() == workspace::Cell::Kind::text) binds_ += std::string(cell.as_text()) + "|";
      }
      from_ = request.time_from;
      to_ = request.time_to;
      workspace::QueryResult result;
      result.columns.emplace_back("Count", workspace::ColumnType::int64);
      result.columns[0].push_integer(7);
      result.rows = 1;
      return workspace::QueryOutcome(std::move(result));
    };
  }
  std::string binds_;
  std::optional<Timestamp> from_, to_;
};

TEST_F(WorkbookApiTest, AFileIsKeptShownChangedAndRemoved) {
  start();
  const Reply made = post("/workbooks?name=Mine", kNotebook, state::Role::contributor);
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.json().at("imported").at(0).at("name").as_string(), "Mine");
  EXPECT_THAT(made.body, HasSubstr(R"("construct":"JSON")")) << "what cannot be shown is told";
  EXPECT_EQ(post("/workbooks?name=Other", kNotebook, state::Role::reader).status, 403);
  const Reply shown = client_->get("/api/v1/workbooks/Mine", bearer(state::Role::reader));
  EXPECT_EQ(shown.json().at("document").at("items").as_array().size(), 4u);
  EXPECT_FALSE(shown.json().at("shipped").as_bool());
  EXPECT_EQ(
      client_->call("PUT", "/api/v1/workbooks/Mine", R"({"document":{"version":"Notebook/1.0","items":[]}})", admin())
          .status,
      204);
  EXPECT_EQ(client_->call("PUT", "/api/v1/workbooks/Mine", R"({"document":{"items":1}})", admin()).error_code(),
            "invalid_argument");
  EXPECT_EQ(client_->call("DELETE", "/api/v1/workbooks/Mine", "", admin()).status, 204);
  EXPECT_EQ(client_->get("/api/v1/workbooks/Mine", admin()).status, 404);
}

TEST_F(WorkbookApiTest, OnesOwnStandsBeforeTheOneThatCameWithPicket) {
  start();
  const auto shipped = [&] {
    return client_->get("/api/v1/workbooks/Hub%20health", admin()).json().at("shipped").as_bool();
  };
  EXPECT_TRUE(shipped());
  const std::size_t count = client_->get("/api/v1/workbooks", admin()).json().at("items").as_array().size();
  EXPECT_GE(count, 5u);
  ASSERT_EQ(post("/workbooks?name=Hub%20health", kNotebook).status, 200);
  EXPECT_FALSE(shipped());
  EXPECT_EQ(client_->get("/api/v1/workbooks", admin()).json().at("items").as_array().size(), count);
  EXPECT_EQ(client_->call("DELETE", "/api/v1/workbooks/Hub%20health", "", admin()).status, 204);
  EXPECT_TRUE(shipped());
  EXPECT_EQ(client_->call("DELETE", "/api/v1/workbooks/Hub%20health", "", admin()).status, 404);
}

TEST_F(WorkbookApiTest, AQueryRunsWithItsValuesAndItsTime) {
  start();
  keep_requests();
  ASSERT_EQ(post("/workbooks?name=Mine", kNotebook).status, 200);
  const Reply reply = run("1", R"({"Name":"x' or '1' == '1","TimeRange":{"durationMs":60000}})");
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.json().at("rows").at(0).at(0).as_int64(), 7);
  EXPECT_THAT(std::string(reply.json().at("query").as_string()), HasSubstr(R"(Name == 'x\' or \'1\' == \'1')"));
  EXPECT_THAT(binds_, HasSubstr("x' or '1' == '1|")) << "one value, bound";
  ASSERT_TRUE(from_ && to_);
  EXPECT_EQ(*to_ - *from_, Duration::minutes(1));
}

TEST_F(WorkbookApiTest, WithoutValuesAQueryRunsAsItIsShownAtFirst) {
  start();
  keep_requests();
  ASSERT_EQ(post("/workbooks?name=Mine", R"json({"version":"Notebook/1.0","items":[
      {"type":9,"content":{"parameters":[{"name":"TimeRange","type":4,"value":{"durationMs":3600000}},{"name":"Name","type":1,"isRequired":true,"value":"press"}]}},
      {"type":3,"content":{"query":"T","exportMultipleValues":true,"exportedParameters":[{"parameterName":"Rows"}]}},
      {"type":3,"content":{"query":"let rows = dynamic('{Rows}'); T | where Name == '{Name}' and isempty(rows) | count","timeContextFromParameter":"TimeRange"}}]})json")
                .status,
            200);
  const Reply reply = post("/workbooks/Mine/run", R"({"path":"2"})", state::Role::reader);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_THAT(std::string(reply.json().at("query").as_string()), HasSubstr("dynamic(''); T | where Name == 'press'"));
  ASSERT_TRUE(from_ && to_);
  EXPECT_EQ(*to_ - *from_, Duration::hours(1));
  EXPECT_EQ(run("2", "{}").error_code(), "workbook_unset") << "no values at all are what somebody chose";
}

TEST_F(WorkbookApiTest, ATemplateNamesItsWorkbooks) {
  start();
  const Reply made =
      post("/workbooks?name=mainTemplate", R"json({"parameters":{"name":{"defaultValue":"Plant floor"}},"resources":[
      {"type":"Microsoft.Insights/workbooks","properties":{"displayName":"[concat(parameters('name'), ' - ', utcNow())]",
       "serializedData":"{\"version\":\"Notebook/1.0\",\"items\":[]}"}}]})json");
  ASSERT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(made.json().at("imported").at(0).at("name").as_string(), "Plant floor");
  EXPECT_EQ(client_->get("/api/v1/workbooks/Plant%20floor", admin()).status, 200);
}

TEST_F(WorkbookApiTest, WhatCannotRunIsSaidByName) {
  start();
  keep_requests();
  ASSERT_EQ(post("/workbooks?name=Mine", kNotebook).status, 200);
  const Reply unset = run("1", "{}");
  EXPECT_EQ(unset.error_code(), "workbook_unset");
  EXPECT_EQ(unset.json().at("error").at("target").as_string(), "Name");
  EXPECT_EQ(run("2", R"({"Name":"5 | union U"})").error_code(), "workbook_value");
  EXPECT_EQ(run("2", R"({"Name":"5"})").status, 200);
  EXPECT_EQ(run("3", "{}").status, 400) << "a query of another kind";
  EXPECT_EQ(run("9", "{}").status, 404);
  EXPECT_EQ(run("1", "[]").error_code(), "invalid_argument");
  EXPECT_THAT(run("0:Workspace", "{}").body, HasSubstr("iothubs/picket")) << "resources are this installation's hub";
}

TEST_F(WorkbookApiTest, ACheckKeepsNothing) {
  start();
  const Reply reply = post(
      "/workbooks/check",
      R"({"version":"Notebook/1.0","items":[{"type":3,"content":{"title":"Wrong","query":"T | where Nope == 1"}}]})",
      state::Role::reader);
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_THAT(reply.body, HasSubstr("Nope"));
  EXPECT_THAT(client_->get("/api/v1/workbooks", admin()).body, Not(HasSubstr("Wrong")));
  EXPECT_EQ(post("/workbooks/check", "{}").error_code(), "invalid_argument");
}

}  // namespace
}  // namespace picket::api::testing
