// Every case of tests/kql runs on a real engine, before and after a restart of its database.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <unistd.h>

#include "case_file.h"
#include "duckdb_runner.h"
#include "location_writer.h"

namespace picket::kql::testing {

namespace {

const std::string kCases = std::string(PICKET_SOURCE_DIR) + "/tests/kql";

/// The instant that now() is in all cases.
constexpr Timestamp kNow{1'795'255'200'000'000};  // 2026-11-21T10:00:00Z

std::string describe(const std::vector<ResultColumn>& columns) {
  std::string out;
  for (const auto& column : columns)
    out += (out.empty() ? "" : ", ") + column.name + ":" + std::string(to_string(column.type));
  return out;
}

/// T is the fixed table; cases that need others bring them as datatable.
Schema case_schema() {
  Schema schema;
  schema.locations = true;
  schema.tables.push_back({.name = "T",
                           .columns = {{"b", Type::boolean},
                                       {"i", Type::int32},
                                       {"l", Type::int64},
                                       {"r", Type::real},
                                       {"s", Type::string},
                                       {"t", Type::datetime},
                                       {"ts", Type::timespan},
                                       {"g", Type::guid},
                                       {"d", Type::dynamic},
                                       {"s2", Type::string}}});
  schema.tables.push_back({.name = "SecurityIoTRawEvent",
                           .sql = "raw",
                           .columns = {{"TimeGenerated", Type::datetime, "", true},
                                       {"DeviceId", Type::string, "", true},
                                       {"RawEventName", Type::string, "", true},
                                       {"EventDetails",
                                        Type::string,
                                        "",
                                        true,
                                        {{"CommandLine", Type::string, "CommandLine", "CommandLine_exact"},
                                         {"UserId", Type::int64, "UserId", "UserId_exact"},
                                         {"Process.Name", Type::string, "ProcessName", ""}}}},
                           .time_column = "TimeGenerated"});
  return schema;
}

void fill(DuckdbRunner& runner) {
  runner.execute(
      "CREATE TABLE T(b BOOLEAN, i INTEGER, l BIGINT, r DOUBLE, s VARCHAR, t TIMESTAMP, ts BIGINT, g UUID, d VARCHAR,"
      " s2 VARCHAR)");
  runner.execute(
      "INSERT INTO T VALUES"
      " (TRUE, 1, 10, 1.5, 'alpha', '2026-11-21 09:00:00', 36000000000,"
      " '74be27de-1e4e-49d9-b579-fe0b331d3642', '{\"a\":1,\"b\":[1,2,3],\"c\":{\"x y\":\"deep\"}}', 'one'),"
      " (FALSE, 2, 20, 2.5, 'Beta', '2026-11-20 10:00:00', -36000000000, NULL, '{\"a\":\"text\"}', 'two'),"
      " (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)");
  runner.execute(
      "CREATE TABLE raw(TimeGenerated TIMESTAMP, DeviceId VARCHAR, RawEventName VARCHAR, EventDetails VARCHAR,"
      " CommandLine VARCHAR, CommandLine_exact BOOLEAN, UserId BIGINT, UserId_exact BOOLEAN, ProcessName VARCHAR)");
  // The promoted values of the first row differ from the text on purpose: a case sees which of the two was read.
  runner.execute(
      "INSERT INTO raw VALUES"
      " ('2026-11-21 09:00:00', 'd1', 'ProcessCreate', '{\"CommandLine\":\"in text\",\"UserId\":1}', 'promoted', TRUE,"
      " 1001, TRUE, 'sh'),"
      " ('2026-11-21 08:00:00', 'd2', 'ProcessCreate', '{\"CommandLine\":\"other\",\"UserId\":\"7\"}', 'stale', FALSE,"
      " 5, FALSE, NULL),"
      " ('2026-11-19 08:00:00', 'd2', 'Login', 'not json', NULL, TRUE, NULL, TRUE, NULL)");
}

/// What bag_unpack and pivot ask for.
std::expected<std::vector<std::string>, std::string> discover(DuckdbRunner& runner, const CompiledQuery& query) {
  auto rows = runner.run(query);
  if (!rows) return rows;
  for (auto& row : *rows) row = row.substr(1, row.size() - 2);  // without the quotes of a text
  return rows;
}

void check_case(DuckdbRunner& runner, const Schema& schema, const Case& one) {
  SCOPED_TRACE(one.file + ":" + std::to_string(one.line) + " " + one.name + "\n" + one.query);
  Options options{.now = kNow};
  options.discover = [&](const CompiledQuery& query) { return discover(runner, query); };
  const auto compiled = compile(one.query, schema, options);
  if (!one.error_code.empty()) {
    if (compiled.has_value()) {
      ADD_FAILURE() << "the query was accepted";
      return;
    }
    const auto& diagnostic = compiled.error().front();
    EXPECT_EQ(diagnostic.code, one.error_code) << render(diagnostic, one.query);
    if (one.any_place) return;
    EXPECT_EQ(one.query.substr(diagnostic.span.start, diagnostic.span.length), one.error_text)
        << render(diagnostic, one.query);
    return;
  }
  if (!compiled) {
    ADD_FAILURE() << render(compiled.error().front(), one.query);
    return;
  }
  EXPECT_EQ(describe(compiled->columns), one.columns);
  auto rows = runner.run(*compiled);
  if (!rows) {
    ADD_FAILURE() << rows.error() << "\n" << compiled->sql;
    return;
  }
  auto expected = one.rows;
  if (!one.ordered) {
    std::ranges::sort(expected);
    std::ranges::sort(*rows);
  }
  EXPECT_EQ(*rows, expected) << compiled->sql;
}

std::string_view engine_type(Type type) {
  switch (type) {
    case Type::boolean:
      return "BOOLEAN";
    case Type::int32:
      return "INTEGER";
    case Type::int64:
    case Type::timespan:
      return "BIGINT";
    case Type::real:
      return "DOUBLE";
    case Type::datetime:
      return "TIMESTAMP";
    case Type::guid:
      return "UUID";
    default:
      return "VARCHAR";
  }
}

/// A folder of its own, gone at the end.
struct TemporaryFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() / ("kql_cases_" + std::to_string(getpid()));
  TemporaryFolder() { std::filesystem::create_directory(path); }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

}  // namespace

TEST(KqlCases, NameWhereTheirRowsComeFrom) {
  for (const auto& one : read_cases(kCases)) {
    EXPECT_FALSE(one.source.empty()) << one.file << ":" << one.line << " " << one.name;
  }
}

TEST(KqlCases, GiveTheRowsThatTheReferenceStatesAlsoAfterARestart) {
  const TemporaryFolder folder;
  const auto file = (folder.path / "cases.duckdb").string();
  const auto locations = (folder.path / "places.mmdb").string();
  std::ofstream(locations, std::ios::binary) << write_locations(documented_locations());
  const auto schema = case_schema();
  const auto cases = read_cases(kCases);
  EXPECT_GE(cases.size(), 800U);
  const char* const only = std::getenv("KQL_CASE");
  for (const bool restarted : {false, true}) {
    DuckdbRunner runner(file);
    runner.use_locations(locations);
    if (!restarted) fill(runner);
    for (const auto& one : cases) {
      if (only == nullptr || one.name.find(only) != std::string::npos) check_case(runner, schema, one);
    }
  }
}

namespace {

/// The tables of the workspace without rows.
Schema create_tables(DuckdbRunner& runner) {
  auto schema = read_tables(kCases + "/tables.txt");
  for (const auto& table : schema.tables) {
    std::string columns;
    for (const auto& column : table.columns) {
      columns += (columns.empty() ? "\"" : ", \"") + column.name + "\" " + std::string(engine_type(column.type));
    }
    runner.execute("CREATE TABLE " + table.name + "(" + columns + ")");
  }
  return schema;
}

}  // namespace

/// What a hunter asks of our tables compiles, and the engine takes the SQL.
TEST(KqlHunting, RunsOnTheTablesOfTheWorkspace) {
  DuckdbRunner runner;
  const auto schema = create_tables(runner);
  const auto queries = read_queries(kCases + "/hunting");
  EXPECT_GE(queries.size(), 300U);
  for (const auto& query : queries) {
    const auto compiled = compile(query, schema, Options{.now = kNow});
    ASSERT_TRUE(compiled) << query << render(compiled.error().front(), query);
    const auto rows = runner.run(*compiled);
    EXPECT_TRUE(rows) << query << rows.error() << "\n" << compiled->sql;
  }
}

/// Questions of analysts, which have an answer in the sample beside them.
TEST(KqlHunting, AnswersQuestionsAboutTheSampleFleet) {
  DuckdbRunner runner;
  const auto schema = create_tables(runner);
  std::ifstream sample(kCases + "/questions/sample.sql");
  runner.execute(std::string(std::istreambuf_iterator<char>(sample), {}));
  const auto queries = read_queries(kCases + "/questions");
  EXPECT_GE(queries.size(), 150U);
  for (const auto& query : queries) {
    const auto compiled = compile(query, schema, Options{.now = kNow});
    ASSERT_TRUE(compiled) << query << render(compiled.error().front(), query);
    const auto rows = runner.run(*compiled);
    if (!rows) {
      ADD_FAILURE() << query << rows.error() << "\n" << compiled->sql;
      continue;
    }
    EXPECT_FALSE(rows->empty()) << query;
  }
}

}  // namespace picket::kql::testing
