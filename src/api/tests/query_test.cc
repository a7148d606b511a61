// Guards of queries, files of rows, and the query APIs of other products.
#include <thread>

#include <boost/json.hpp>

#include "fixture.h"
#include "kql_run.h"
#include "kusto_commands.h"
#include "query_parameters.h"
#include "result_values.h"

namespace picket::api::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

const std::vector<std::string> kJson{"Content-Type: application/json"};

/// Three columns as small_schema() has them in T; `rows` rows.
workspace::QueryResult table_of(std::size_t rows) {
  workspace::QueryResult result;
  result.columns.emplace_back("c0", workspace::ColumnType::timestamp);
  result.columns.emplace_back("c1", workspace::ColumnType::text);
  result.columns.emplace_back("c2", workspace::ColumnType::int64);
  for (std::size_t i = 0; i < rows; ++i) {
    result.columns[0].push_integer(1'795'000'000'000'000);
    result.columns[1].push_text("a,\"b\"");
    i == 0 ? result.columns[2].push_null() : result.columns[2].push_integer(static_cast<std::int64_t>(i));
  }
  result.rows = rows;
  return result;
}

class QueryApiTest : public ApiTest {
 protected:
  void answer_rows(std::size_t rows, bool cut = false) {
    workspace_.answer = [rows, cut](const workspace::QueryRequest&) {
      auto result = table_of(rows);
      result.truncated = cut;
      if (cut) result.cut = workspace::Cut::rows;
      return workspace::QueryOutcome(std::move(result));
    };
  }
  /// Queries wait until they are cancelled.
  void answer_never() {
    workspace_.answer = [this](const workspace::QueryRequest& request) -> workspace::QueryOutcome {
      ++waiting_;
      std::mutex mutex;
      std::condition_variable_any wake;
      std::unique_lock lock(mutex);
      wake.wait(lock, request.cancellation, [] { return false; });
      ++ended_;
      return std::unexpected(workspace::QueryError{workspace::QueryError::Kind::cancelled, "cancelled"});
    };
  }
  static void wait_until(const std::function<bool()>& condition) {
    for (int i = 0; i < 3000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_TRUE(condition());
  }
  Reply post(const std::string& path, const std::string& body, const std::vector<std::string>& headers = {}) const {
    return client_->call("POST", path, body, admin(), headers);
  }
  std::atomic<int> waiting_ = 0;
  std::atomic<int> ended_ = 0;
};

TEST_F(QueryApiTest, ARunningQueryIsSeenAndEndsOnRequest) {
  start();
  answer_never();
  Reply reply;
  std::jthread caller([&] { reply = post("/api/v1/query", R"({"query":"T | count","client_request_id":"mine"})"); });
  wait_until([this] { return waiting_ == 1; });
  const auto listed = client_->get("/api/v1/queries", admin()).json().at("items").as_array();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].at("query").as_string(), "T | count");
  EXPECT_EQ(listed[0].at("state").as_string(), "running");
  EXPECT_EQ(client_->get("/api/v1/queries", bearer(state::Role::reader)).json().at("items").as_array().size(), 0u)
      << "a reader sees its own alone";
  EXPECT_EQ(client_->call("DELETE", "/api/v1/queries/mine", "", bearer(state::Role::reader)).status, 404);
  EXPECT_EQ(client_->call("DELETE", "/api/v1/queries/mine", "", admin()).status, 204);
  caller.join();
  EXPECT_EQ(reply.error_code(), "query_cancelled");
  EXPECT_EQ(client_->get("/api/v1/queries", admin()).json().at("items").as_array().size(), 0u);
}

TEST(RunningQueriesTest, OneUserHasAShareAndOthersHaveTheirs) {
  TestClock clock;
  RunningQueries running(clock, {.running_max = 1, .held_max = 2});
  const auto begin = [&](const char* user, Duration patience) {
    return running.begin({.user = user, .text = "T", .api = "rest"}, {}, {}, patience);
  };
  auto first = begin("ann", Duration::seconds(1));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(begin("ann", Duration::milliseconds(20)).error().code, "query_throttled") << "its turn did not come";
  EXPECT_TRUE(begin("bob", Duration::seconds(1)).has_value());
  std::jthread second([&] { EXPECT_TRUE(begin("ann", Duration::seconds(60)).has_value()); });
  while (running.list("ann").size() < 2) std::this_thread::yield();
  EXPECT_TRUE(running.list("ann").back().waiting);
  EXPECT_EQ(begin("ann", Duration::seconds(60)).error().code, "query_throttled") << "two are held";
  first->reset();
  second.join();
  EXPECT_TRUE(running.list("").empty());
}

TEST(RunningQueriesTest, ACallerThatHasGoneEndsItsQuery) {
  TestClock clock;
  RunningQueries running(clock, {});
  std::stop_source gone;
  const auto ticket = running.begin({.user = "ann"}, {}, gone.get_token(), Duration::seconds(1)).value();
  EXPECT_FALSE(ticket->token().stop_requested());
  gone.request_stop();
  EXPECT_TRUE(ticket->token().stop_requested());
}

TEST_F(QueryApiTest, AClientThatHangsUpEndsItsQuery) {
  start();
  answer_never();
  {
    // Leaves after a moment, without waiting for the answer.
    const std::string command =
        "curl -s -k -m 1 -o /dev/null -H 'Content-Type: application/json' -H 'Authorization: Bearer " + admin().bearer +
        "' -d '{\"query\":\"T\"}' https://localhost:" + std::to_string(server_->port()) + "/api/v1/query";
    std::jthread([&] { static_cast<void>(std::system(command.c_str())); }).join();
  }
  if (waiting_ == 0) GTEST_SUCCEED() << "the machine was too slow to begin within a second";
  wait_until([this] { return ended_ == waiting_; });
}

TEST_F(QueryApiTest, RowsComeAsCsvAndAsParquet) {
  start();
  answer_rows(2);
  const Reply csv = post("/api/v1/query/export", R"({"query":"T","format":"csv"})");
  ASSERT_EQ(csv.status, 200) << csv.body;
  EXPECT_EQ(csv.body,
            "TimeGenerated,Name,N\r\n2026-11-18T11:06:40.000000Z,\"a,\"\"b\"\"\",\r\n"
            "2026-11-18T11:06:40.000000Z,\"a,\"\"b\"\"\",1\r\n");
  const Reply parquet = post("/api/v1/query/export", R"({"query":"T","format":"parquet"})");
  ASSERT_EQ(parquet.status, 200) << parquet.body;
  EXPECT_THAT(parquet.body, StartsWith("PAR1"));
  EXPECT_EQ(post("/api/v1/query/export", R"({"query":"T","format":"xls"})").status, 400);
}

TEST_F(QueryApiTest, LogAnalyticsAnswersTablesColumnsAndRows) {
  start();
  answer_rows(2);
  for (const std::string id : {"0b5e2a52-0f6e-4a2e-9d3e-0d9d5b8f3a10", "picket"}) {
    const Reply reply = client_->call("POST", "/v1/workspaces/" + id + "/query",
                                      R"({"query":"T | render timechart","timespan":"PT3600.0S"})", admin(),
                                      {"Prefer: wait=20,include-statistics=true,include-render=true"});
    ASSERT_EQ(reply.status, 200) << reply.body;
    const auto json = reply.json();
    const auto& table = json.at("tables").at(0);
    EXPECT_EQ(table.at("name").as_string(), "PrimaryResult");
    EXPECT_EQ(table.at("columns").at(0).at("type").as_string(), "datetime");
    EXPECT_EQ(table.at("rows").at(1).at(2).as_int64(), 1);
    EXPECT_EQ(json.at("render").at("visualization").as_string(), "timechart");
    EXPECT_TRUE(json.at("statistics").is_object());
    EXPECT_EQ(workspace_.last.timeout, Duration::seconds(20));
    EXPECT_EQ(workspace_.last.time_from, clock_.now() - Duration::hours(1));
  }
  const Reply get = client_->get("/v1/workspaces/picket/query?query=T&timespan=P1D", admin());
  EXPECT_EQ(get.status, 200) << get.body;
}

TEST_F(QueryApiTest, LogAnalyticsSaysThatAResultIsPartial) {
  start();
  answer_rows(2, true);
  const auto json = post("/v1/workspaces/picket/query", R"({"query":"T"})").json();
  EXPECT_EQ(json.at("tables").at(0).at("rows").as_array().size(), 2u);
  EXPECT_EQ(json.at("error").at("code").as_string(), "PartialError");
}

TEST_F(QueryApiTest, LogAnalyticsErrorsNameThePlace) {
  start();
  const Reply wrong = post("/v1/workspaces/picket/query", R"({"query":"T | where Nope == 1"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong.json().at("error").at("innererror").at("pos").as_int64(), 11);
  EXPECT_EQ(post("/v1/workspaces/other/query", R"({"query":"T"})").status, 404);
  EXPECT_EQ(post("/v1/workspaces/picket/query", R"({"query":"T","workspaces":["other"]})").status, 400)
      << "rows of another workspace are not left out silently";
  EXPECT_EQ(client_->call("POST", "/v1/workspaces/picket/query", R"({"query":"T"})").status, 401);
}

TEST_F(QueryApiTest, ABatchAnswersEachRequestByItself) {
  start();
  answer_rows(1);
  const auto json =
      post("/v1/$batch",
           R"({"requests":[{"id":"1","workspace":"picket","headers":{"prefer":"wait=5"},"body":{"query":"T"}},)"
           R"({"id":"2","workspace":"picket","body":{"query":"Nope"}}]})")
          .json();
  EXPECT_EQ(json.at("responses").at(0).at("status").as_int64(), 200);
  EXPECT_EQ(json.at("responses").at(1).at("id").as_string(), "2");
  EXPECT_EQ(json.at("responses").at(1).at("status").as_int64(), 400);
}

TEST_F(QueryApiTest, KustoV2AnswersFramesInOrder) {
  start();
  answer_rows(2);
  const Reply reply =
      post("/v2/rest/query", R"({"db":"picket","csl":"T | render piechart"})", {"x-ms-client-request-id: KPC;1"});
  ASSERT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.header("x-ms-client-request-id"), "KPC;1");
  const auto frames = reply.json().as_array();
  std::vector<std::string> types;
  for (const auto& frame : frames) types.emplace_back(frame.at("FrameType").as_string());
  EXPECT_THAT(types, ElementsAre("DataSetHeader", "DataTable", "DataTable", "DataTable", "DataSetCompletion"));
  EXPECT_THAT(std::string(frames[1].at("Rows").at(0).at(2).as_string()), HasSubstr("piechart"));
  EXPECT_EQ(frames[2].at("TableKind").as_string(), "PrimaryResult");
  EXPECT_EQ(frames[2].at("Rows").at(1).at(2).as_int64(), 1);
  EXPECT_FALSE(frames[4].at("HasErrors").as_bool());
  const auto progressive =
      post(
          "/v2/rest/query",
          R"({"db":"picket","csl":"T","properties":"{\"Options\":{\"results_progressive_enabled\":true,\"servertimeout\":\"00:00:07\"}}"})")
          .json()
          .as_array();
  EXPECT_TRUE(progressive[0].at("IsProgressive").as_bool());
  EXPECT_EQ(progressive[2].at("FrameType").as_string(), "TableHeader");
  EXPECT_EQ(progressive[3].at("FrameType").as_string(), "TableFragment");
  EXPECT_EQ(workspace_.last.timeout, Duration::seconds(7));
}

TEST_F(QueryApiTest, EachStatementOfARequestGivesItsTable) {
  start();
  answer_rows(2);
  const std::string query = R"x("T; T | fork (take 1) (project TimeGenerated, Name, N)")x";
  const auto rest = post("/api/v1/query", R"({"query":)" + query + "}").json();
  EXPECT_EQ(rest.at("rows").as_array().size(), 2u);
  ASSERT_EQ(rest.at("more").as_array().size(), 2u);
  EXPECT_EQ(rest.at("more").at(1).at("columns").at(1).at("name").as_string(), "Name");
  EXPECT_EQ(post("/api/v1/query/export", R"({"format":"csv","query":)" + query + "}").error_code(),
            "query_unsupported");
  const auto tables = post("/v1/workspaces/picket/query", R"({"query":)" + query + "}").json().at("tables").as_array();
  ASSERT_EQ(tables.size(), 3u);
  EXPECT_EQ(tables[0].at("name").as_string(), "PrimaryResult");
  std::vector<std::int64_t> results;
  const auto frames = post("/v2/rest/query", R"({"db":"picket","csl":)" + query + "}").json().as_array();
  for (const auto& frame : frames) {
    const auto* kind = frame.as_object().if_contains("TableKind");
    if (kind != nullptr && kind->as_string() == "PrimaryResult") results.push_back(frame.at("TableId").as_int64());
  }
  EXPECT_THAT(results, ElementsAre(1, 2, 3));
  const auto v1 = post("/v1/rest/query", R"({"db":"picket","csl":)" + query + "}").json().at("Tables").as_array();
  ASSERT_EQ(v1.size(), 6u);
  EXPECT_EQ(v1[5].at("Rows").as_array().size(), 5u) << "the table of contents: three results, properties, status";
}

TEST_F(QueryApiTest, ResultsOfARequestAreOfOneMoment) {
  start();
  std::vector<std::shared_ptr<workspace::SharedView>> views;
  workspace_.answer = [&](const workspace::QueryRequest& request) {
    views.push_back(request.view);
    return workspace::QueryOutcome(table_of(1));
  };
  for (int i = 0; i < 2; ++i) EXPECT_EQ(post("/api/v1/query", R"({"query":"T; T; T"})").status, 200);
  ASSERT_EQ(views.size(), 6u);
  ASSERT_NE(views[0], nullptr);
  EXPECT_EQ(views[1], views[0]);
  EXPECT_EQ(views[2], views[0]);
  EXPECT_NE(views[3], views[0]) << "the next request has a moment of its own";
}

TEST_F(QueryApiTest, AFileThatIsLostMakesAResultPartialAndIsNamed) {
  start();
  workspace_.answer = [](const workspace::QueryRequest&) {
    auto result = table_of(1);
    result.truncated = true;
    result.cut = workspace::Cut::damage;
    result.missing = {{.file = "segments/messages/1-9.duckdb",
                       .problem = "is lost",
                       .first = 1,
                       .last = 9,
                       .tables = {{.table = "T", .rows = 7, .time_min = {5}, .time_max = {4}}}}};
    return workspace::QueryOutcome(std::move(result));
  };
  constexpr const char* kText = "segments/messages/1-9.duckdb is lost: 7 rows of T are missing (records 1 to 9)";
  const auto rest = post("/api/v1/query", R"({"query":"T"})").json();
  EXPECT_THAT(std::string(rest.at("stats").at("partial").as_string()), ::testing::StartsWith(kText));
  const auto logs = post("/v1/workspaces/picket/query", R"({"query":"T"})").json();
  EXPECT_EQ(logs.at("error").at("code").as_string(), "PartialError");
  const auto v1 = post("/v1/rest/query", R"({"db":"picket","csl":"T"})").json();
  EXPECT_THAT(std::string(v1.at("Exceptions").at(0).as_string()), ::testing::HasSubstr(kText));
}

TEST_F(QueryApiTest, ResultsOfARequestShareItsBytes) {
  start();
  workspace_.answer = [](const workspace::QueryRequest& request) {
    auto result = table_of(request.bytes_max >= kResultBytesMax ? 2 : 1);
    return workspace::QueryOutcome(std::move(result));
  };
  const auto json = post("/api/v1/query", R"({"query":"T; T"})").json();
  EXPECT_EQ(json.at("rows").as_array().size(), 2u);
  EXPECT_EQ(json.at("more").at(0).at("rows").as_array().size(), 1u) << "the second has what the first left";
}

TEST_F(QueryApiTest, KustoSaysThatAResultIsPartial) {
  start();
  answer_rows(1, true);
  const auto v2 = post("/v2/rest/query", R"({"db":"picket","csl":"T"})").json().as_array();
  EXPECT_TRUE(v2.back().at("HasErrors").as_bool());
  EXPECT_EQ(v2[2].at("Rows").as_array().size(), 2u) << "a row, and the error in place of the next";
  const auto v1 = post("/v1/rest/query", R"({"db":"picket","csl":"T"})").json();
  EXPECT_EQ(v1.at("Exceptions").as_array().size(), 1u);
  EXPECT_EQ(v1.at("Tables").as_array().size(), 4u);
}

TEST_F(QueryApiTest, KustoCommandsShowWhatThereIsAndWriteNothing) {
  start();
  const auto command = [this](const std::string& csl) {
    return post("/v1/rest/mgmt", R"({"db":"picket","csl":")" + csl + R"("})");
  };
  const auto tables = command(".show tables").json().at("Tables").at(0);
  EXPECT_EQ(tables.at("TableName").as_string(), "Table_0");
  EXPECT_EQ(tables.at("Rows").at(0).at(0).as_string(), "T");
  EXPECT_EQ(command(".show table T cslschema").json().at("Tables").at(0).at("Rows").at(0).at(1).as_string(),
            "TimeGenerated:datetime,Name:string,N:long");
  const std::string schema(
      command(".show database schema as json").json().at("Tables").at(0).at("Rows").at(0).at(0).as_string());
  EXPECT_EQ(boost::json::parse(schema)
                .at("Databases")
                .at("picket")
                .at("Tables")
                .at("T")
                .at("OrderedColumns")
                .at(2)
                .at("CslType")
                .as_string(),
            "long");
  EXPECT_EQ(command(".show version").status, 200);
  EXPECT_EQ(command(".show queries").status, 200);
  for (const char* writing :
       {".create table X (a:int)", ".drop table T", ".set X <| T", ".ingest inline into table T <| 1"})
    EXPECT_EQ(command(writing).status, 403) << writing;
  EXPECT_EQ(command(".show secrets").status, 400);
  EXPECT_EQ(post("/v1/rest/mgmt", R"({"db":"other","csl":".show tables"})").status, 400);
  EXPECT_EQ(client_->get("/v1/rest/auth/metadata").status, 404);
}

TEST_F(QueryApiTest, ASavedQueryIsKeptShownAndRemoved) {
  start();
  const auto put = [this](const std::string& path, const std::string& body, state::Role role) {
    return client_->call("PUT", "/api/v1" + path, body, bearer(role), kJson);
  };
  EXPECT_EQ(
      put("/saved-queries/big%20talkers", R"({"text":"T | top 5 by N","category":"hunt"})", state::Role::reader).status,
      403);
  EXPECT_EQ(
      put("/saved-queries/big%20talkers", R"({"text":"T | top 5 by N","category":"hunt"})", state::Role::contributor)
          .status,
      201);
  EXPECT_EQ(put("/saved-queries/big%20talkers", R"({"text":"T"})", state::Role::contributor).status, 204);
  const auto listed = client_->get("/api/v1/saved-queries", bearer(state::Role::reader)).json().at("items").as_array();
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_EQ(listed[0].at("name").as_string(), "big talkers");
  EXPECT_EQ(listed[0].at("user").as_string(), "editor");
  EXPECT_EQ(put("/functions/big%20talkers", R"({"text":"() { T }"})", state::Role::admin)
                .json()
                .at("error")
                .at("target")
                .as_string(),
            "name");
  EXPECT_EQ(
      put("/functions/T", R"({"text":"() { T }"})", state::Role::admin).json().at("error").at("target").as_string(),
      "name")
      << "a table";
  EXPECT_EQ(put("/functions/f", R"({"text":"() { "})", state::Role::admin).status, 400);
  EXPECT_EQ(client_->call("DELETE", "/api/v1/saved-queries/big%20talkers", "", admin()).status, 204);
  EXPECT_EQ(client_->get("/api/v1/saved-queries/big%20talkers", admin()).status, 404);
}

TEST_F(QueryApiTest, AFunctionThatCouldNotRunIsRefusedWithItsPlace) {
  start();
  const auto put = [this](const std::string& name, const std::string& text) {
    return client_->call("PUT", "/api/v1/functions/" + name, R"({"text":")" + text + R"("})", admin(), kJson);
  };
  EXPECT_EQ(put("talkers", "(least:long) { T | where N > least | project Name }").status, 201);
  EXPECT_EQ(put("half", "(n:long) { n / 2 }").status, 201) << "a scalar";
  EXPECT_EQ(put("any", "(X:(*)) { X | project Whatever }").status, 201) << "only a call can tell";
  const Reply wrong = put("other", "(least:long) { T | where M > least }");
  EXPECT_EQ(wrong.error_code(), "query_unknown_name");
  const auto error = wrong.json().at("error");
  EXPECT_EQ(error.at("target").as_string(), "text");
  EXPECT_EQ(error.at("span").at("start").as_int64(), 25);
  EXPECT_EQ(error.at("span").at("length").as_int64(), 1);
  EXPECT_EQ(put("talkers", "() { talkers(1) }").error_code(), "query_unknown_name") << "not itself";
  EXPECT_EQ(put("loud", "() { talkers(half(8)) | count }").status, 201) << "others";
}

TEST_F(QueryApiTest, ACommandsTableGoesOnIntoAQuery) {
  start();
  answer_rows(1);
  const auto command = [this](const std::string& csl) {
    return post("/v1/rest/mgmt", R"({"db":"picket","csl":")" + csl + R"("})");
  };
  EXPECT_EQ(command(".show tables | where TableName has 'Event' | count").status, 200);
  EXPECT_THAT(workspace_.last.sql, HasSubstr("VALUES"));
  EXPECT_EQ(command(".show version | project ProductVersion, BuildTime").status, 200);
  EXPECT_EQ(command(".show databases | project Nope").error_code(), "General_BadRequest");
  const auto entities = command(".show databases entities").json().at("Tables").at(0).at("Rows").as_array();
  EXPECT_EQ(entities.size(), 2u);
}

TEST_F(QueryApiTest, TheSchemaTellsWhatAFunctionTakes) {
  start();
  ASSERT_EQ(client_
                ->call("PUT", "/api/v1/functions/f",
                       R"x({"text":"(R:(N:long), s:string = ')', n:long = 12) { R | where N > n and s has ')' }"})x",
                       admin(), kJson)
                .status,
            201);
  const Reply reply = post("/v1/rest/mgmt", R"({"db":"picket","csl":".show database ['picket'] schema as json"})");
  const std::string text(reply.json().at("Tables").at(0).at("Rows").at(0).at(0).as_string());
  const auto function = boost::json::parse(text).at("Databases").at("picket").at("Functions").at("f");
  const auto parameters = function.at("InputParameters").as_array();
  ASSERT_EQ(parameters.size(), 3u);
  EXPECT_EQ(parameters[0].at("Columns").at(0).at("Name").as_string(), "N");
  EXPECT_EQ(parameters[1].at("CslType").as_string(), "string");
  EXPECT_EQ(parameters[2].at("CslDefaultValue").as_string(), "12");
  EXPECT_THAT(std::string(function.at("Body").as_string()), StartsWith("{ R |"));
}

TEST(KustoCommand, WordsAreNamesInAnyOfTheirForms) {
  EXPECT_THAT(command_words(".show  table ['my table'] schema\n as json;"),
              ElementsAre(".show", "table", "my table", "schema", "as", "json"));
  EXPECT_THAT(command_words(".cancel query \"KPC;1 2\""), ElementsAre(".cancel", "query", "KPC;1 2"));
  EXPECT_THAT(command_words("['"), ElementsAre(""));
}

TEST(QueryParameters, TextsBecomeValuesOfTheDeclaredTypes) {
  const auto found = query_parameters(
      "declare query_parameters(a:string, n:long = 5, t:datetime, d:timespan=1h , s:string = \"(,:\");\nT",
      {{"a", "x y"}, {"n", "long(7)"}, {"t", "datetime(2026-01-02)"}, {"d", "2h"}, {"s", "\"q\\\"\""}, {"other", "1"}});
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->at("a"), (kql::Value{kql::Type::string, std::string("x y")}));
  EXPECT_EQ(found->at("n"), (kql::Value{kql::Type::int64, std::int64_t{7}}));
  EXPECT_EQ(found->at("t"), (kql::Value{kql::Type::datetime, std::int64_t{1'767'312'000'000'000}}));
  EXPECT_EQ(found->at("d"), (kql::Value{kql::Type::timespan, 2 * kql::kTicksPerHour}));
  EXPECT_EQ(found->at("s"), (kql::Value{kql::Type::string, std::string("q\"")}));
  EXPECT_EQ(found->size(), 5u) << "what is not declared is left out";
  EXPECT_EQ(query_parameters("declare query_parameters(n:long); T", {{"n", "1 | take 5"}}).error().code,
            "query_arguments");
}

TEST(TimeSpans, AllFormsOfIsoIntervalsAreRead) {
  const Timestamp now = parse_rfc3339("2026-11-22T12:00:00Z").value();
  const auto from = [&](std::string_view text) { return parse_timespan(text, now).value().from; };
  EXPECT_EQ(from("PT1H"), now - Duration::hours(1));
  EXPECT_EQ(from("PT604800.0S"), now - Duration::days(7));
  EXPECT_EQ(parse_timespan("2026-11-22T10:00:00Z/PT30M", now)->to, now - Duration::minutes(90));
  EXPECT_EQ(from("P1D/2026-11-22T12:00:00Z"), now - Duration::days(1));
  for (const char* wrong : {"", "P", "PT", "1h", "PT-1H", "PT1e9H", "P99999999W", "PT1H/PT1H"})
    EXPECT_FALSE(parse_timespan(wrong, now).has_value()) << wrong;
}

}  // namespace
}  // namespace picket::api::testing
