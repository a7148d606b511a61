// What clients of Kusto and Log Analytics ask beside the query: shapes of frames, request properties, commands.
#include <boost/json.hpp>

#include "fixture.h"
#include "kql_run.h"
#include "query_parameters.h"

namespace picket::api::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

workspace::QueryResult table_of(std::size_t rows) {
  workspace::QueryResult result;
  result.columns.emplace_back("c0", workspace::ColumnType::timestamp);
  result.columns.emplace_back("c1", workspace::ColumnType::text);
  result.columns.emplace_back("c2", workspace::ColumnType::int64);
  for (std::size_t i = 0; i < rows; ++i) {
    result.columns[0].push_integer(1'795'000'000'000'000);
    result.columns[1].push_text("a");
    result.columns[2].push_integer(static_cast<std::int64_t>(i));
  }
  result.rows = rows;
  return result;
}

class KustoClientsTest : public ApiTest {
 protected:
  void answer_rows(std::size_t rows, bool cut = false) {
    workspace_.answer = [rows, cut](const workspace::QueryRequest&) {
      auto result = table_of(rows);
      result.truncated = cut;
      if (cut) result.cut = workspace::Cut::rows;
      return workspace::QueryOutcome(std::move(result));
    };
  }
  Reply post(const std::string& path, const std::string& csl, const std::string& options = "{}") const {
    boost::json::object body{{"db", "picket"}, {"csl", csl}};
    body["properties"] = boost::json::object{{"Options", boost::json::parse(options)}};
    return client_->call("POST", path, boost::json::serialize(body), admin(), {});
  }
  boost::json::value rows(const std::string& command) const {
    const Reply reply = post("/v1/rest/mgmt", command);
    EXPECT_EQ(reply.status, 200) << command << ": " << reply.body;
    return reply.status == 200 ? reply.json().at("Tables").at(0).at("Rows") : boost::json::array();
  }
};

constexpr const char* kByLine =
    R"({"results_v2_newlines_between_frames":true,"results_v2_fragment_primary_tables":true,)"
    R"("results_error_reporting_placement":"end_of_table"})";

TEST_F(KustoClientsTest, FramesStandOnLinesOfTheirOwnForReadersByLine) {
  start();
  answer_rows(2);
  const Reply reply = post("/v2/rest/query", "T", kByLine);
  ASSERT_EQ(reply.status, 200) << reply.body;
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < reply.body.size();) {
    const std::size_t end = reply.body.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    lines.push_back(reply.body.substr(at, end - at));
    at = end + 2;
  }
  ASSERT_EQ(lines.size(), 8u);
  EXPECT_EQ(lines[0], R"([{"FrameType":"DataSetHeader","IsProgressive":false,"Version":"v2.0","IsFragmented":true,)"
                      R"("ErrorReportingPlacement":"EndOfTable"})");
  EXPECT_THAT(lines[2], StartsWith(R"(,{"FrameType":"TableHeader","TableId":1,"TableKind":"PrimaryResult")"));
  EXPECT_THAT(lines[3], HasSubstr(R"(,"Rows":[["2026)")) << "rows are the last member";
  EXPECT_EQ(lines[4], R"(,{"FrameType":"TableCompletion","TableId":1,"RowCount":2})");
  EXPECT_EQ(lines[7], "]");
}

TEST_F(KustoClientsTest, ACutResultSaysSoWhereTheClientLooks) {
  start();
  answer_rows(1, true);
  const auto end_of_table = post("/v2/rest/query", "T", kByLine).json().as_array();
  EXPECT_EQ(end_of_table[3].at("Rows").as_array().size(), 1u) << "rows alone";
  EXPECT_EQ(end_of_table[4].at("OneApiErrors").at(0).at("error").at("code").as_string(), "LimitsExceeded");
  EXPECT_TRUE(end_of_table.back().at("HasErrors").as_bool());
  const auto deferred = post("/v2/rest/query", "T", R"({"deferpartialqueryfailures":true})").json().as_array();
  EXPECT_FALSE(deferred.back().at("HasErrors").as_bool());
  EXPECT_EQ(deferred[2].at("Rows").as_array().size(), 1u);
  EXPECT_EQ(deferred[3].at("Rows").at(0).at(3).as_int64(), 2) << "an error among the events";
  const auto v1 = post("/v1/rest/query", "T", R"({"deferpartialqueryfailures":true})").json();
  EXPECT_EQ(v1.as_object().if_contains("Exceptions"), nullptr);
}

TEST_F(KustoClientsTest, PropertiesThatChangeResultsAreDone) {
  start();
  answer_rows(1);
  EXPECT_EQ(post("/v2/rest/query", "T",
                 R"({"query_datetimescope_from":"2026-11-01T00:00:00Z","query_datetimescope_column":"TimeGenerated"})")
                .status,
            200);
  EXPECT_EQ(workspace_.last.time_from, parse_rfc3339("2026-11-01T00:00:00Z").value());
  const char* const moment = R"x({"query_now":"datetime(2020-01-02)"})x";
  EXPECT_EQ(post("/v2/rest/query", "T | where TimeGenerated > ago(1d)", moment).status, 200);
  ASSERT_TRUE(workspace_.last.time_from.has_value());
  EXPECT_LE(*workspace_.last.time_from, parse_rfc3339("2020-01-01T00:00:00.000001Z").value());
  EXPECT_GE(*workspace_.last.time_from, parse_rfc3339("2019-12-31T23:59:59Z").value());
  EXPECT_EQ(post("/v2/rest/query", "set servertimeout = 7s; set truncationmaxrecords = 3; T").status, 200);
  EXPECT_EQ(workspace_.last.timeout, Duration::seconds(7));
  EXPECT_EQ(workspace_.last.rows_max, 3u);
  EXPECT_EQ(post("/v2/rest/query", "T", R"({"norequesttimeout":true})").status, 200);
  EXPECT_EQ(workspace_.last.timeout, kTimeoutMax);
  EXPECT_EQ(post("/v2/rest/query", "T", R"({"query_take_max_records":5,"queryconsistency":"weakconsistency"})").status,
            200);
  EXPECT_THAT(workspace_.last.sql, HasSubstr("LIMIT"));
  const auto schema = post("/v2/rest/query", "T", R"({"query_results_apply_getschema":true})").json().as_array();
  EXPECT_EQ(schema[2].at("Rows").at(1), (boost::json::array{"Name", 1, "System.String", "string"}));
}

TEST_F(KustoClientsTest, PropertiesThatCannotBeDoneAreRefusedByName) {
  start();
  answer_rows(1);
  for (const auto& [options, named] : std::vector<std::pair<std::string, std::string>>{
           {R"({"query_language":"sql"})", "'sql'"},
           {R"({"query_datetimescope_column":"Name"})", "time scope"},
           {R"({"query_cursor_after_default":"1"})", "query_cursor_after_default"},
           {R"({"query_now":"yesterday"})", "query_now"}}) {
    const Reply reply = post("/v2/rest/query", "T", options);
    EXPECT_EQ(reply.status, 400) << options;
    EXPECT_THAT(reply.body, HasSubstr(named));
  }
}

TEST_F(KustoClientsTest, AnswersAreCompressedForWhoTakesIt) {
  start();
  answer_rows(100);
  const Reply reply = client_->call("POST", "/v2/rest/query", R"({"db":"picket","csl":"T"})", admin(),
                                    {"Accept-Encoding: gzip,deflate"});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("content-encoding"), "gzip");
  EXPECT_THAT(reply.body, StartsWith("\x1f\x8b"));
  EXPECT_EQ(post("/v2/rest/query", "T").header("content-encoding"), "");
}

TEST_F(KustoClientsTest, SignInMetadataIsAnEmptyNotFound) {
  start();
  const Reply reply = client_->get("/v1/rest/auth/metadata", {});
  EXPECT_EQ(reply.status, 404);
  EXPECT_EQ(reply.body, "");
}

TEST_F(KustoClientsTest, AWorkspaceIsQueriedAsAResourceToo) {
  start();
  answer_rows(1);
  const auto ask = [&](const std::string& name, const std::string& begin = "/v1/") {
    const std::string id =
        "subscriptions/s/resourceGroups/g/providers/Microsoft.OperationalInsights/workspaces/" + name;
    return client_->call("POST", begin + id + "/query", R"({"query":"T"})", admin(), {});
  };
  EXPECT_EQ(ask("picket", "/v1//").status, 200) << "as one client asks";
  EXPECT_EQ(ask("picket").status, 200);
  EXPECT_EQ(ask("other").status, 404);
}

TEST_F(KustoClientsTest, RenderTellsAllPropertiesInTheirSpelling) {
  start();
  answer_rows(1);
  const std::string query = "T | render timechart with (title='x', ymin=0, accumulate=true)";
  const auto kusto = post("/v2/rest/query", query).json().as_array();
  const auto said = boost::json::parse(kusto[1].at("Rows").at(0).at(2).as_string());
  EXPECT_EQ(said.at("Visualization").as_string(), "timechart");
  EXPECT_EQ(said.at("Title").as_string(), "x");
  EXPECT_EQ(said.at("Ymin").as_int64(), 0);
  EXPECT_EQ(said.at("Ymax").as_string(), "NaN");
  EXPECT_TRUE(said.at("Accumulate").as_bool());
  EXPECT_TRUE(said.at("XColumn").is_null());
  const auto logs =
      client_
          ->call("POST", "/v1/workspaces/picket/query", boost::json::serialize(boost::json::object{{"query", query}}),
                 admin(), {"Prefer: include-render=true"})
          .json();
  EXPECT_EQ(logs.at("render").at("title").as_string(), "x");
  EXPECT_EQ(logs.at("render").at("visualization").as_string(), "timechart");
}

TEST_F(KustoClientsTest, CommandsOfToolsAreAnswered) {
  start();
  EXPECT_EQ(rows(".show tables (T)").as_array().size(), 1u);
  EXPECT_EQ(rows(".show tables (T) details").at(0).at(0).as_string(), "T");
  EXPECT_EQ(rows(".show databases (picket) schema as json").as_array().size(), 1u);
  EXPECT_EQ(rows(".show database picket cslschema").at(0).at(1).as_string(),
            "TimeGenerated:datetime,Name:string,N:long");
  EXPECT_THAT(std::string(rows(".show database ['picket'] schema as csl script").at(0).at(0).as_string()),
              StartsWith(".create-merge table T ("));
  EXPECT_EQ(rows(".show table T policy caching").at(0).at(2).as_string(), "null");
  for (const char* none :
       {".show materialized-views | project Name", ".show external tables details", ".show operations",
        ".show continuous-exports", ".show ingestion failures", ".show commands"}) {
    answer_rows(0);
    EXPECT_EQ(rows(none).as_array().size(), 0u) << none;
  }
  EXPECT_EQ(post("/v1/rest/mgmt", ".show tables (Nope) details").status, 400);
  EXPECT_EQ(post("/v1/rest/mgmt", ".show table T extents").status, 400) << "not told that there are none";
  EXPECT_EQ(post("/v1/rest/query", ".show databases schema").status, 200) << "at the place of queries too";
  EXPECT_THAT(post("/v2/rest/query", ".show tables").body, HasSubstr("/v1/rest/mgmt"));
}

TEST(QueryParametersTest, TextsAreReadWithTheirEscapes) {
  const auto read = [](const std::string& text) {
    const auto values = query_parameters("declare query_parameters(s:string); print s", {{"s", text}});
    return values ? std::get<std::string>(values->at("s").data) : "error";
  };
  EXPECT_EQ(read(R"("a\'b\"c\n\t\\\u00e9\x41")"), "a'b\"c\n\t\\\u00e9A");
  EXPECT_EQ(read("h\"hidden\""), "hidden");
  EXPECT_EQ(read("half"), "half");
  EXPECT_EQ(read(R"(plain\n)"), R"(plain\n)") << "no literal: as it stands";
  EXPECT_EQ(read(R"('\u12')"), "u12") << "no escape";
}

}  // namespace
}  // namespace picket::api::testing
