// What a query may do, what it may not, how it ends.
#include <atomic>
#include <fstream>
#include <thread>

#include <duckdb.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"

namespace picket::workspace {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using Kind = QueryError::Kind;

class Query : public ::testing::Test {
 protected:
  void SetUp() override {
    workspace = open(options, clock);
    Batch batch;
    batch.process(1, 0, "pump", R"({"a":1})").process(2, 0, "valve", "x").login(2, 0, "pump", true);
    ASSERT_TRUE(workspace->append("messages", 2, batch.rows()));
    ASSERT_TRUE(workspace->flush());
    ASSERT_TRUE(workspace->append("messages", 3, records(3, 1).rows()));
  }
  [[nodiscard]] QueryError error(std::string text) const { return error(sql(std::move(text))); }
  [[nodiscard]] QueryError error(const QueryRequest& request) const {
    auto outcome = workspace->query(request);
    return outcome ? QueryError{Kind::internal, "there was a result"} : outcome.error();
  }
  TemporaryFolder folder;
  ManualClock clock{kStart};
  DuckdbOptions options = small_options(folder.path());
  std::unique_ptr<Workspace> workspace;
};

// Runs for a long time on little data.
constexpr const char* kLong =
    "SELECT count(*) FROM range(100000000) a(i), range(100000000) b(j) WHERE (i * j) % 7919 = 13 AND sin(i + j) > 2";

TEST_F(Query, IsOneSelectOverTheRelationsOfTheSchema) {
  for (const char* allowed : {
           "SELECT count(*) FROM Process",
           "select count(*) from PROCESS -- a comment",
           "WITH p AS (SELECT * FROM Process) SELECT count(*) FROM p JOIN Login USING (DeviceId)",
           "SELECT count(*) FROM (SELECT 1 UNION ALL SELECT 2)",
           "FROM Event SELECT DeviceId ORDER BY 1",
           "SELECT count(*) FROM range(10), generate_series(1, 2), unnest([1, 2])",
           "SELECT unnest([1, 2, 3])",
           "VALUES (1), (2)",
           "SELECT (SELECT max(ProcessId) FROM Process) AS m",
       }) {
    const auto outcome = workspace->query(sql(allowed));
    EXPECT_TRUE(outcome) << allowed << ": " << (outcome ? "" : outcome.error().text);
  }
}

TEST_F(Query, CannotWriteReadFilesOrChangeSettings) {
  const std::string inside = folder.path() + "/messages/manifest";
  for (const std::string& refused : {
           std::string("COPY (SELECT 1) TO '/tmp/workspace-query-test.csv'"),
           "COPY (SELECT 1) TO '" + folder.path() + "/out.csv'",
           std::string("ATTACH '/tmp/workspace-query-test.duckdb' AS other"),
           std::string("DETACH segment_1"),
           std::string("SELECT * FROM read_csv('/etc/passwd')"),
           std::string("SELECT * FROM read_text('/etc/passwd')"),
           "SELECT * FROM read_text('" + inside + "')",
           "SELECT * FROM '" + inside + "'",
           "SELECT * FROM \"" + inside + "\"",
           std::string("SELECT * FROM glob('/*')"),
           std::string("SELECT * FROM 'x.parquet'"),
           std::string("SELECT * FROM query('SELECT 1')"),
           std::string("SELECT * FROM query_table('Process')"),
           std::string("SELECT * FROM duckdb_settings()"),
           std::string("SELECT * FROM duckdb_tables"),
           std::string("SELECT * FROM pg_catalog.pg_class"),
           std::string("SELECT * FROM information_schema.tables"),
           std::string("SELECT * FROM sqlite_master"),
           std::string("SELECT * FROM segment_1.main.Process"),
           std::string("SELECT * FROM picket_hot_rows(1, 0)"),
           std::string("SELECT * FROM main.Process"),
           std::string("SELECT * FROM (WITH duckdb_settings AS (SELECT 1) SELECT 2) x, duckdb_settings"),
           std::string("SELECT * FROM Process WHERE DeviceId IN (SELECT content FROM read_text('/etc/passwd'))"),
           std::string("SELECT 1; SELECT 2"),
           std::string("SELECT 1; DROP TABLE Process"),
           std::string("SELECT 1) t; COPY (SELECT 2) TO '/tmp/x.csv'; SELECT * FROM (SELECT 3"),
           std::string("CREATE TABLE t (i INTEGER)"),
           std::string("INSERT INTO Process VALUES (1)"),
           std::string("DELETE FROM Process"),
           std::string("UPDATE Process SET DeviceId = 'x'"),
           std::string("SET memory_limit = '10GB'"),
           std::string("PRAGMA database_list"),
           std::string("CALL duckdb_settings()"),
           std::string("INSTALL httpfs"),
           std::string("LOAD httpfs"),
           std::string("EXPLAIN ANALYZE SELECT 1"),
           std::string("SELECT * FROM (DESCRIBE Process)"),
           std::string("SELECT * FROM (SHOW TABLES)"),
           std::string("SUMMARIZE Process"),
           std::string("EXPORT DATABASE '/tmp/x'"),
           std::string("BEGIN"),
           std::string(""),
           std::string("-- nothing"),
           std::string("SELECT 1 /* open"),
           std::string("SELECT '\0'", 10),
       }) {
    EXPECT_EQ(error(refused).kind, Kind::invalid) << refused;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/workspace-query-test.csv"));
  EXPECT_FALSE(std::filesystem::exists("/tmp/workspace-query-test.duckdb"));
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 3);
}

TEST_F(Query, ErrorsSayWhatIsWrong) {
  EXPECT_THAT(error("SELEC 1").text, HasSubstr("syntax error"));
  EXPECT_THAT(error("SELECT Nothing FROM Process").text, HasSubstr("Nothing"));
  EXPECT_THAT(error("SELECT * FROM Proces").text, HasSubstr("there is no table Proces"));
  EXPECT_THAT(error("SELECT EventDetails::INTEGER FROM Process").text, HasSubstr("Conversion Error"));
  EXPECT_THAT(error("SELECT [1, 2] AS list").text, HasSubstr("column list"));
  EXPECT_THAT(error("SELECT 9223372036854775807::HUGEINT * 4 AS big").text, HasSubstr("column big"));
  EXPECT_THAT(error(std::string(2U << 20, ' ')).text, HasSubstr("1 MiB"));
}

TEST_F(Query, DeepNestingIsAnErrorAndNotACrash) {
  std::string text = "SELECT ";
  for (int i = 0; i < 20'000; ++i) text += '(';
  text += '1';
  for (int i = 0; i < 20'000; ++i) text += ')';
  EXPECT_EQ(error(text).kind, Kind::invalid);
  std::string sum = "SELECT 1";
  for (int i = 0; i < 20'000; ++i) sum += "+1";
  EXPECT_EQ(error(sum).kind, Kind::invalid);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 3);
}

TEST_F(Query, CarriesEveryTypeOfTheSchemaAndOfCommonFunctions) {
  const auto outcome = workspace->query(sql(
      "SELECT true, 1::TINYINT, 2, 3::BIGINT, 4::UBIGINT, 5::HUGEINT, 1.5::FLOAT, 2.5::DOUBLE, 3.25::DECIMAL(9,2), "
      "'text', "
      "'{\"a\":1}'::JSON, TIMESTAMP '2025-01-02 03:04:05.678901', DATE '2025-01-02', NULL, make_timestamp_ns(1000), "
      "TIMESTAMPTZ '2025-01-02 00:00:00+00', -1.25::DECIMAL(38,4), 'a text of more than twelve bytes'"));
  ASSERT_TRUE(outcome) << outcome.error().text;
  const auto type = [&](std::size_t i) { return outcome->columns[i].type(); };
  EXPECT_EQ(type(0), ColumnType::boolean);
  EXPECT_TRUE(outcome->at(0, 0).as_boolean());
  EXPECT_EQ(type(1), ColumnType::int32);
  for (std::size_t i = 1; i <= 5; ++i) EXPECT_EQ(outcome->at(0, i).as_integer(), static_cast<std::int64_t>(i));
  EXPECT_EQ(type(5), ColumnType::int64);
  EXPECT_EQ(outcome->at(0, 6).as_real(), 1.5);
  EXPECT_EQ(outcome->at(0, 7).as_real(), 2.5);
  EXPECT_EQ(outcome->at(0, 8).as_real(), 3.25);
  EXPECT_EQ(outcome->at(0, 9).as_text(), "text");
  EXPECT_EQ(type(10), ColumnType::json);
  EXPECT_EQ(format_rfc3339(outcome->at(0, 11).as_timestamp()), "2025-01-02T03:04:05.678901Z");
  EXPECT_EQ(format_rfc3339(outcome->at(0, 12).as_timestamp()), "2025-01-02T00:00:00.000000Z");
  EXPECT_TRUE(outcome->at(0, 13).is_null());
  EXPECT_EQ(outcome->at(0, 14).as_timestamp(), Timestamp{1});
  EXPECT_EQ(format_rfc3339(outcome->at(0, 15).as_timestamp()), "2025-01-02T00:00:00.000000Z");
  EXPECT_EQ(outcome->at(0, 16).as_real(), -1.25);
  EXPECT_EQ(outcome->at(0, 17).as_text(), "a text of more than twelve bytes");
}

TEST_F(Query, BindsValuesByPosition) {
  QueryRequest request =
      sql("SELECT count(*) FROM Process WHERE DeviceId = $1 AND ProcessId = $2 AND TimeGenerated = $3");
  request.binds = {Cell::text("pump"), Cell::integer(1), Cell::timestamp(kStart)};
  const auto outcome = workspace->query(request);
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_EQ(outcome->at(0, 0).as_integer(), 1);
  request.binds.pop_back();
  EXPECT_EQ(error(request).kind, Kind::invalid);
  request = sql("SELECT $1 IS NULL AND $2::DOUBLE = 0.5 AND $3::BOOLEAN");
  request.binds = {Cell::null(), Cell::real(0.5), Cell::boolean(true)};
  EXPECT_TRUE(workspace->query(request)->at(0, 0).as_boolean());
  request = sql("SELECT DeviceId FROM Process WHERE DeviceId = $1");
  request.binds = {Cell::text("' OR true --")};
  EXPECT_EQ(workspace->query(request)->rows, 0u);
}

// The bits of Size, which is the sequence: 1 and 2 are sealed together, 3 is hot.
TEST_F(Query, AComputedColumnIsShortWhereAllRowsOfAPieceHaveItsBitsClear) {
  const auto said = [&](std::int64_t mask, std::string column = "Size") {
    QueryRequest request = sql("SELECT _position, _k FROM Process WHERE _k <> $1 ORDER BY 1");
    request.binds = {Cell::text("")};
    request.computed = {{"Process", "_k", "concat('slow ', EventDetails)", "'fast'", std::move(column), mask}};
    const auto outcome = workspace->query(request);
    if (!outcome) return outcome.error().text;
    std::string out;
    for (std::size_t row = 0; row < outcome->rows; ++row) out += std::string(outcome->at(row, 1).as_text()) + ";";
    return out;
  };
  const std::string third = R"(slow {"CommandLine":"/bin/true 3"};)";
  EXPECT_EQ(said(4), "fast;fast;fast;");
  EXPECT_EQ(said(2), "slow {\"a\":1};slow x;" + third) << "row 2 has the bit, and row 1 is in its segment";
  EXPECT_EQ(said(8), "fast;fast;fast;") << "also when it is asked again";
  Batch unknown;
  unknown.add(kProcess, {4, 0, 0},
              {Cell::timestamp(kStart), Cell::null(), Cell::null(), Cell::integer(1), Cell::null()});
  ASSERT_TRUE(workspace->append("messages", 4, unknown.rows()));
  EXPECT_EQ(said(8), "fast;fast;" + third + "slow ;") << "nothing is known of a row without a mask";
  ASSERT_TRUE(workspace->flush());
  EXPECT_EQ(said(8), "fast;fast;" + third + "slow ;");
  EXPECT_EQ(said(1, "NoSuch"), "slow {\"a\":1};slow x;" + third + "slow ;");
}

TEST_F(Query, AComputedColumnIsAnExpressionAndNothingElse) {
  for (const char* text : {"1) FROM Process; DROP TABLE x; SELECT (1", "(SELECT content FROM read_text('/etc/passwd'))",
                           "(SELECT 1 FROM duckdb_settings())", "1, (2"}) {
    QueryRequest request = sql("SELECT count(_k) FROM Process");
    request.computed = {{"Process", "_k", text, "1", "Size", 64}};
    EXPECT_EQ(error(request).kind, Kind::invalid) << text;
  }
}

TEST_F(Query, ColumnsThatTheTextDoesNotNameAreThere) {
  for (const char* text :
       {"SELECT count(*) FROM (SELECT * FROM Process WHERE Size > 1)",
        "SELECT count(*) FROM (FROM Process) WHERE size > 1",
        "SELECT count(*) FROM (SELECT COLUMNS('S.*') FROM Process) AS p(x) WHERE x > 1",
        "SELECT count(*) FROM Process AS p(a, b, c, d, e, f, g, h, i) WHERE i > 1",
        "SELECT count(*) FROM (SELECT p AS whole FROM Process p) WHERE whole.\"Size\" > 1",
        "SELECT count(*) FROM (SELECT process AS whole FROM Process) WHERE (to_json(whole)->>'Size')::BIGINT > 1",
        "SELECT count(*) FROM Process NATURAL JOIN (SELECT 2::BIGINT AS Size UNION ALL SELECT 3)",
        "SELECT count(*) FROM Process JOIN (SELECT 2::BIGINT AS Size UNION ALL SELECT 3) USING (Size)"}) {
    EXPECT_EQ(number(*workspace, text), 2) << text;
  }
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 3);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Event"), 4);
  EXPECT_EQ(number(*workspace, "SELECT sum(strlen(\"Type\")) FROM Event"), 20);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Event WHERE _BilledSize = 1"), 1);
}

TEST_F(Query, ResultsEndAtTheirBoundsAndSaySo) {
  QueryRequest request = sql("SELECT range AS i FROM range(5000) ORDER BY i");
  request.rows_max = 5'000;
  EXPECT_FALSE(workspace->query(request)->truncated);
  request.rows_max = 4'999;
  auto outcome = workspace->query(request);
  EXPECT_TRUE(outcome->truncated);
  EXPECT_EQ(outcome->rows, 4'999u);
  EXPECT_EQ(outcome->columns[0].size(), 4'999u);
  EXPECT_EQ(outcome->at(4'998, 0).as_integer(), 4'998);
  request = sql("SELECT repeat('x', 1000) AS t FROM range(100)");
  request.bytes_max = 10'500;
  outcome = workspace->query(request);
  EXPECT_TRUE(outcome->truncated);
  EXPECT_EQ(outcome->rows, 10u);
  request.rows_max = 0;
  outcome = workspace->query(request);
  EXPECT_TRUE(outcome->truncated);
  EXPECT_EQ(outcome->rows, 0u);
  EXPECT_EQ(outcome->columns.size(), 1u);
}

TEST_F(Query, KeepsTheOrderOfTheQuery) {
  QueryRequest request = sql("SELECT i FROM (SELECT range AS i FROM range(100000)) ORDER BY (i * 7919) % 100003");
  request.rows_max = 200'000;
  const auto outcome = workspace->query(request);
  ASSERT_TRUE(outcome);
  std::int64_t before = -1;
  for (std::size_t row = 0; row < outcome->rows; ++row) {
    const std::int64_t key = outcome->at(row, 0).as_integer() * 7919 % 100003;
    ASSERT_GT(key, before);
    before = key;
  }
}

TEST_F(Query, EndsAtItsTimeLimit) {
  QueryRequest request = sql(kLong);
  request.timeout = Duration::milliseconds(50);
  EXPECT_EQ(error(request).kind, Kind::timeout);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 3);
}

TEST_F(Query, EndsWhenCancelled) {
  std::stop_source stop;
  QueryRequest request = sql(kLong);
  request.cancellation = stop.get_token();
  std::jthread other([&] {
    while (workspace->stats().queries_running == 0) std::this_thread::yield();
    stop.request_stop();
  });
  EXPECT_EQ(error(request).kind, Kind::cancelled);
  request = sql("SELECT 1");
  request.cancellation = stop.get_token();
  const auto outcome = workspace->query(request);
  EXPECT_TRUE(outcome || outcome.error().kind == Kind::cancelled);
}

TEST_F(Query, ThatNeedsTooMuchMemoryFailsAlone) {
  workspace.reset();
  options.query_memory_bytes = 64U << 20;
  options.query_spill_bytes = 1U << 20;
  workspace = open(options, clock);
  const QueryError out =
      error("SELECT count(*) FROM (SELECT DISTINCT repeat(i::VARCHAR, 20) FROM range(5000000) r(i))");
  EXPECT_EQ(out.kind, Kind::memory) << out.text;
  EXPECT_THAT(out.text, HasSubstr("memory"));
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 2);
}

TEST_F(Query, AreBoundedInNumber) {
  workspace.reset();
  options.queries_running_max = 1;
  options.queries_waiting_max = 1;
  workspace = open(options, clock);
  std::stop_source stop;
  QueryRequest request = sql(kLong);
  request.cancellation = stop.get_token();
  const auto until = [&](auto member, std::uint64_t n) {
    while (workspace->stats().*member < n) std::this_thread::yield();
  };
  std::jthread running([&] { EXPECT_FALSE(workspace->query(request)); });
  until(&WorkspaceStats::queries_running, 1);
  std::jthread waiting([&] { EXPECT_FALSE(workspace->query(request)); });
  until(&WorkspaceStats::queries_waiting, 1);
  EXPECT_EQ(error("SELECT 1").kind, Kind::busy);
  stop.request_stop();
  running.join();
  waiting.join();
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 2);
  EXPECT_EQ(workspace->stats().queries_failed, 3u);
}

TEST_F(Query, KnowsFunctionsThatWereRegistered) {
  workspace.reset();
  options.register_functions = [](void* handle) {
    const auto connection = static_cast<duckdb_connection>(handle);
    duckdb_scalar_function function = duckdb_create_scalar_function();
    duckdb_scalar_function_set_name(function, "picket_twice");
    duckdb_logical_type type = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_scalar_function_add_parameter(function, type);
    duckdb_scalar_function_set_return_type(function, type);
    duckdb_scalar_function_set_function(function, [](duckdb_function_info, duckdb_data_chunk in, duckdb_vector out) {
      const auto* from = static_cast<const std::int64_t*>(duckdb_vector_get_data(duckdb_data_chunk_get_vector(in, 0)));
      auto* to = static_cast<std::int64_t*>(duckdb_vector_get_data(out));
      for (idx_t i = 0; i < duckdb_data_chunk_get_size(in); ++i) to[i] = 2 * from[i];
    });
    const bool done = duckdb_register_scalar_function(connection, function) == DuckDBSuccess;
    duckdb_destroy_logical_type(&type);
    duckdb_destroy_scalar_function(&function);
    return done;
  };
  workspace = open(options, clock);
  EXPECT_EQ(number(*workspace, "SELECT sum(picket_twice(_position))::BIGINT FROM Process"), 6);
  workspace.reset();
  options.register_functions = [](void*) { return false; };
  EXPECT_EQ(open_duckdb_workspace(options, small_schema(), clock).error().where, "workspace.open.functions");
}

TEST_F(Query, TextsThatTheEngineDoesNotCountEndTheQueryToo) {
  options.query_texts_bytes = 16U << 20;
  options.query_memory_bytes = 64U << 20;
  workspace.reset();
  workspace = open(options, clock);
  ASSERT_TRUE(workspace->append("messages", workspace->hot_end("messages") + 2'000,
                                records(workspace->hot_end("messages") + 1, 2'000).rows()));
  const QueryOutcome outcome = workspace->query(
      sql("SELECT max(strlen(repeat(a.EventDetails || b._position::VARCHAR, 2500))) FROM Process a, Process b"));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().kind, QueryError::Kind::memory) << outcome.error().text;
  EXPECT_GT(number(*workspace, "SELECT count(*) FROM Process"), 0) << "the next one runs";
}

}  // namespace
}  // namespace picket::workspace
