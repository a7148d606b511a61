// picket-kql-compare: each query of a folder as KQL through the workspace, and as the SQL beside it in a DuckDB of its
// own over the same segment files; same rows, CPU-seconds of the process, in turns. For ./bench kql; no server must
// run.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>

#include "api/kql_request.h"
#include "base/core/file.h"
#include "base/core/json_writer.h"
#include "base/server/priority.h"
#include "duckdb/api.h"
#include "duckdb/result_reader.h"
#include "kql/compile.h"
#include "kql/duckdb.h"
#include "manifest.h"
#include "pipeline/tables.h"
#include "query_schema.h"
#include "workspace/tables.h"
#include "workspace/workspace.h"

namespace picket::load {
namespace {

using workspace::QueryRequest;
using workspace::QueryResult;

constexpr std::size_t kTextBytesMax = 1U << 20;

struct Options {
  std::string segments;
  std::string queries;
  std::string now;
  std::string only;
  int rounds = 5;
  bool explain = false;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

QueryRequest large_request() {
  QueryRequest request;
  request.rows_max = 500'000;
  request.bytes_max = 256U << 20;
  request.timeout = Duration::minutes(10);
  return request;
}

using Answer = std::expected<QueryResult, std::string>;

/// KQL the way the server takes it: compile, then the workspace.
class KqlSide {
 public:
  KqlSide(std::unique_ptr<workspace::Workspace> workspace, kql::Schema schema, Timestamp now)
      : workspace_(std::move(workspace)), schema_(std::move(schema)), now_(now) {}

  Answer run(const std::string& text) {
    kql::Options options{.now = now_, .computed = kql::ComputedColumns::allowed};
    const auto compiled = kql::compile(text, schema_, options);
    if (!compiled) return std::unexpected(kql::render(compiled.error().front(), text));
    sql_ = compiled->sql;
    const QueryRequest limits = large_request();
    QueryRequest request = api::request_of(*compiled);
    request.rows_max = limits.rows_max;
    request.bytes_max = limits.bytes_max;
    request.timeout = limits.timeout;
    auto outcome = workspace_->query(request);
    if (!outcome) return std::unexpected(outcome.error().text);
    return *std::move(outcome);
  }
  [[nodiscard]] const std::string& sql() const { return sql_; }

 private:
  std::unique_ptr<workspace::Workspace> workspace_;
  kql::Schema schema_;
  Timestamp now_;
  std::string sql_;
};

/// Plain DuckDB with as much memory and as many threads as the workspace's queries have; each table is a view over the
/// segments that hold it, newest first.
class SqlSide {
 public:
  static workspace::Outcome<std::unique_ptr<SqlSide>> open(const std::string& segments, Timestamp now) {
    const workspace::DuckdbOptions limits;
    std::unique_ptr<SqlSide> out(new SqlSide(now));
    TRY(out->database_, workspace::open_instance({{"memory_limit", fmt::format("{}B", limits.query_memory_bytes)},
                                                  {"threads", std::to_string(limits.query_threads)},
                                                  {"temp_directory", segments + "/.compare"}}));
    TRY(out->connection_, workspace::connect(out->database_));
    std::map<std::string, std::string> views;
    for (const std::string_view stream : {workspace::kMessagesStream, workspace::kDerivedStream}) {
      TRY_VOID(out->attach(segments + "/" + std::string(stream), views));
    }
    for (const auto& [table, sql] : views) {
      TRY_VOID(workspace::run(out->connection_,
                              fmt::format("CREATE VIEW {} AS {}", workspace::quote_identifier(table), sql), "view"));
    }
    return out;
  }

  Answer run(std::string text) {
    const std::string literal = "TIMESTAMP '" + format_rfc3339(now_).substr(0, 26) + "'";
    for (std::size_t at = 0; (at = text.find("$now", at)) != std::string::npos; at += literal.size()) {
      text.replace(at, 4, literal);
    }
    workspace::ResultSet result;
    if (duckdb_query(connection_.get(), text.c_str(), result.get()) != DuckDBSuccess) {
      return std::unexpected(duckdb_result_error(result.get()));
    }
    auto out = workspace::make_result(result.get());
    if (!out) return std::unexpected(out.error().text);
    const QueryRequest request = large_request();
    for (;;) {
      const workspace::Chunk chunk(duckdb_fetch_chunk(*result.get()));
      if (chunk.get() == nullptr) return *std::move(out);
      const auto more = workspace::add_chunk(chunk.get(), request, *out);
      if (!more) return std::unexpected(more.error().text);
      if (!*more) return *std::move(out);
    }
  }

 private:
  explicit SqlSide(Timestamp now) : now_(now) {}

  workspace::Outcome<> attach(const std::string& folder, std::map<std::string, std::string>& views) {
    TRY(const std::string text, read_file(folder + "/manifest", workspace::kManifestBytesMax));
    TRY(const workspace::Manifest manifest, workspace::decode_manifest(text));
    for (auto segment = manifest.segments.rbegin(); segment != manifest.segments.rend(); ++segment) {
      const std::string alias = fmt::format("s{}", next_++);
      const std::string path = folder + "/" + workspace::segment_file_name(segment->first, segment->last);
      TRY_VOID(workspace::run(
          connection_, fmt::format("ATTACH {} AS {} (READ_ONLY)", workspace::quote_text(path), alias), "attach"));
      for (const workspace::TableExtent& extent : segment->tables) {
        std::string& view = views[extent.table];
        view += fmt::format("{}FROM {}.{}", view.empty() ? "" : " UNION ALL BY NAME ", alias,
                            workspace::quote_identifier(extent.table));
      }
    }
    return {};
  }

  Timestamp now_;
  int next_ = 0;
  workspace::Database database_;
  workspace::Connection connection_;
};

std::string text_of(const workspace::Cell& cell) {
  switch (cell.kind()) {
    case workspace::Cell::Kind::null:
      return "-";
    case workspace::Cell::Kind::boolean:
      return cell.as_boolean() ? "true" : "false";
    case workspace::Cell::Kind::integer:
      return std::to_string(cell.as_integer());
    case workspace::Cell::Kind::real:
      return fmt::format("{:.9g}", cell.as_real());
    case workspace::Cell::Kind::timestamp:
      return format_rfc3339(cell.as_timestamp());
    case workspace::Cell::Kind::text:
      return std::string(cell.as_text());
  }
  return {};
}

/// The rows in no order: what a query sorts by may have equals.
std::multiset<std::string> rows_of(const QueryResult& result) {
  std::multiset<std::string> out;
  for (std::size_t row = 0; row < result.rows; ++row) {
    std::string text;
    for (std::size_t column = 0; column < result.columns.size(); ++column)
      text += text_of(result.at(row, column)) + "|";
    out.insert(std::move(text));
  }
  return out;
}

void show_difference(const std::string& name, const QueryResult& kql, const QueryResult& sql) {
  std::fprintf(stderr, "%s: %zu rows by KQL, %zu by SQL\n", name.c_str(), kql.rows, sql.rows);
  const auto left = rows_of(kql);
  const auto right = rows_of(sql);
  const auto first_not_in = [](const auto& these, const auto& those) {
    for (const std::string& row : these) {
      if (those.count(row) != these.count(row)) return row;
    }
    return std::string("-");
  };
  std::fprintf(stderr, "  KQL only: %s\n  SQL only: %s\n", first_not_in(left, right).c_str(),
               first_not_in(right, left).c_str());
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

class Comparison {
 public:
  Comparison(const Options& options, KqlSide& kql, SqlSide& sql) : options_(options), kql_(kql), sql_(sql) {}

  /// False: an error, or other rows.
  bool run(const std::string& name, JsonWriter& json) {
    const auto kql = read_file(options_.queries + "/" + name + ".kql", kTextBytesMax);
    const auto sql = read_file(options_.queries + "/" + name + ".sql", kTextBytesMax);
    if (!kql || !sql) return complain(name, "has no .kql or no .sql");
    std::vector<double> kql_times;
    std::vector<double> sql_times;
    std::size_t rows = 0;
    for (int round = -1; round < options_.rounds; ++round) {  // the first warms both
      double begin = cpu_seconds();
      const Answer left = kql_.run(*kql);
      const double kql_time = cpu_seconds() - begin;
      if (!left) return complain(name, "KQL: " + left.error() + "\n" + kql_.sql());
      begin = cpu_seconds();
      const Answer right = sql_.run(*sql);
      const double sql_time = cpu_seconds() - begin;
      if (!right) return complain(name, "SQL: " + right.error());
      if (round < 0) {
        if (options_.explain) std::fprintf(stderr, "--- %s\n%s\n", name.c_str(), kql_.sql().c_str());
        if (rows_of(*left) != rows_of(*right)) {
          show_difference(name, *left, *right);
          return false;
        }
        rows = left->rows;
        continue;
      }
      kql_times.push_back(kql_time);
      sql_times.push_back(sql_time);
    }
    json.begin_object().key("name").value(name).key("rows").value(std::uint64_t{rows});
    json.key("kql_cpu_s").value(median(kql_times)).key("sql_cpu_s").value(median(sql_times)).end_object();
    return true;
  }

 private:
  static bool complain(const std::string& name, const std::string& text) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), text.c_str());
    return false;
  }

  const Options& options_;
  KqlSide& kql_;
  SqlSide& sql_;
};

std::set<std::string> names_in(const std::string& folder) {
  std::set<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".kql") out.insert(entry.path().stem().string());
  }
  return out;
}

int compare(const Options& options) {
  const auto fail_with = [](const std::string& text) {
    std::fprintf(stderr, "picket-kql-compare: %s\n", text.c_str());
    return 1;
  };
  const auto now = parse_rfc3339(options.now);
  if (!now) return fail_with("--now is no time");
  workspace::DuckdbOptions storage;
  storage.directory = options.segments;
  storage.background = false;
  storage.register_functions = [](void* connection) {
    return kql::register_kql_functions(static_cast<duckdb_connection>(connection)).has_value();
  };
  const workspace::Schema schema = pipeline::make_workspace_schema();
  std::string detail;
  auto opened = workspace::open_duckdb_workspace(std::move(storage), schema, system_clock(), &detail);
  if (!opened) return fail_with(detail);
  KqlSide kql(*std::move(opened), server::make_query_schema(schema), *now);
  const auto sql = SqlSide::open(options.segments, *now);
  if (!sql) return fail_with(workspace::describe(sql.error()));
  Comparison comparison(options, kql, **sql);
  JsonWriter json;
  json.begin_array();
  bool good = true;
  for (const std::string& name : names_in(options.queries)) {
    if (options.only.empty() || options.only == name) good &= comparison.run(name, json);
  }
  std::printf("%s\n", json.end_array().take().c_str());
  return good ? 0 : 1;
}

}  // namespace
}  // namespace picket::load

int main(int argc, char** argv) {
  picket::load::Options options;
  CLI::App app{"picket-kql-compare: KQL against hand-written SQL over the same segments; prints a JSON array"};
  app.add_option("--segments", options.segments, "DIR/segments of a data directory")->required();
  app.add_option("--queries", options.queries, "folder of NAME.kql and NAME.sql; $now in SQL is --now")->required();
  app.add_option("--now", options.now, "the instant that now() means, RFC 3339")->required();
  app.add_option("--only", options.only, "one query");
  app.add_option("--rounds", options.rounds)->check(CLI::Range(1, 100));
  app.add_flag("--explain", options.explain, "the SQL that KQL becomes, on standard error");
  CLI11_PARSE(app, argc, argv);
  // The workspace's queries give way to everything else, which costs them cache and so CPU on a busy machine: both
  // sides run so.
  picket::lower_priority();
  return picket::load::compare(options);
}
