#include "workspace/parquet.h"

#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "base/core/file.h"
#include "duckdb/api.h"

namespace picket::workspace {
namespace {

constexpr std::size_t kFileBytesMax = 256U << 20;

std::string_view sql_type(ColumnType type) {
  switch (type) {
    case ColumnType::boolean:
      return "BOOLEAN";
    case ColumnType::int32:
      return "INTEGER";
    case ColumnType::int64:
      return "BIGINT";
    case ColumnType::real:
      return "DOUBLE";
    case ColumnType::timestamp:
      return "TIMESTAMP";
    case ColumnType::text:
    case ColumnType::json:
      return "VARCHAR";
  }
  return "VARCHAR";
}

bool append(duckdb_appender appender, ColumnType type, const Cell& cell) {
  switch (cell.kind()) {
    case Cell::Kind::null:
      return duckdb_append_null(appender) == DuckDBSuccess;
    case Cell::Kind::boolean:
      return duckdb_append_bool(appender, cell.as_boolean()) == DuckDBSuccess;
    case Cell::Kind::integer:
      return (type == ColumnType::boolean ? duckdb_append_bool(appender, cell.as_integer() != 0)
                                          : duckdb_append_int64(appender, cell.as_integer())) == DuckDBSuccess;
    case Cell::Kind::real:
      return duckdb_append_double(appender, cell.as_real()) == DuckDBSuccess;
    case Cell::Kind::timestamp:
      return duckdb_append_timestamp(appender, {cell.as_timestamp().us}) == DuckDBSuccess;
    case Cell::Kind::text:
      return duckdb_append_varchar_length(appender, cell.as_text().data(), cell.as_text().size()) == DuckDBSuccess;
  }
  return false;
}

struct TemporaryFolder {
  std::string path;
  TemporaryFolder() {
    std::error_code error;
    path = (std::filesystem::temp_directory_path(error) / "picket-export-XXXXXX").string();
    if (::mkdtemp(path.data()) == nullptr) path.clear();
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code error;
    if (!path.empty()) std::filesystem::remove_all(path, error);
  }
};

Outcome<> write(const QueryResult& result, std::span<const std::string> names, const std::string& path) {
  TRY(const Database database, open_instance({{"memory_limit", "256MB"}, {"threads", "1"}}));
  TRY(const Connection connection, connect(database));
  std::string columns;
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    columns +=
        fmt::format("{}{} {}", i == 0 ? "" : ", ", quote_identifier(names[i]), sql_type(result.columns[i].type()));
  }
  TRY_VOID(run(connection, "CREATE TABLE result (" + columns + ")", "workspace.parquet.table"));
  Appender appender;
  if (duckdb_appender_create(connection.get(), nullptr, "result", appender.out()) != DuckDBSuccess)
    return engine_fail("workspace.parquet.append", "no appender");
  bool good = true;
  for (std::size_t row = 0; good && row < result.rows; ++row) {
    for (std::size_t i = 0; good && i < result.columns.size(); ++i)
      good = append(appender.get(), result.columns[i].type(), result.at(row, i));
    good = good && duckdb_appender_end_row(appender.get()) == DuckDBSuccess;
  }
  if (!good || duckdb_appender_close(appender.get()) != DuckDBSuccess)
    return engine_fail("workspace.parquet.append", "a row was refused");
  return run(connection, fmt::format("COPY result TO {} (FORMAT parquet, COMPRESSION zstd)", quote_text(path)),
             "workspace.parquet.write");
}

}  // namespace

Result<std::string> to_parquet(const QueryResult& result, std::span<const std::string> names) {
  if (names.size() != result.columns.size()) return fail(Errc::malformed, "workspace.parquet.names");
  const TemporaryFolder folder;
  if (folder.path.empty()) return fail(Errc::io, "workspace.parquet.folder");
  const std::string path = folder.path + "/result.parquet";
  if (const auto done = write(result, names, path); !done) return std::unexpected(done.error().error);
  return read_file(path, kFileBytesMax);
}

}  // namespace picket::workspace
