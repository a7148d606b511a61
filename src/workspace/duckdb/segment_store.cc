#include "duckdb/segment_store.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"
#include "duckdb/hot_vector.h"

namespace picket::workspace {
namespace {

// Older readers of the 1.4 line open the files, and zstd needs at least this version: with the default one DuckDB
// leaves such columns uncompressed without a word.
constexpr const char* kStorageVersion = "v1.4.0";
// A block is the smallest unit a column takes. Measured: 2,000 rows in six tables take 0.44 MB with the small one and
// 1.85 MB with the default; 122,880 rows 14.1 MB and 11.3 MB.
constexpr std::uint64_t kSmallBlockBytes = 16'384;
constexpr std::uint64_t kBlockBytes = 262'144;
constexpr std::uint64_t kSmallBlockRowsMax = 32'768;

constexpr std::string_view kAlias = "seal";

Outcome<std::uint64_t> sync_file(const std::string& path) {
  TRY(const UniqueFd file, open_file(path, O_RDONLY));
  struct stat status{};
  if (::fsync(file.get()) != 0 || ::fstat(file.get(), &status) != 0) return fail_errno("workspace.segment.sync");
  return static_cast<std::uint64_t>(status.st_size);
}

}  // namespace

Outcome<> attach_new_segment(const Connection& connection, const std::string& path, std::string_view alias,
                             std::uint64_t rows) {
  ::unlink(path.c_str());
  ::unlink((path + ".wal").c_str());
  return run(connection,
             fmt::format("ATTACH {} AS {} (STORAGE_VERSION '{}', BLOCK_SIZE {})", quote_text(path), alias,
                         kStorageVersion, rows <= kSmallBlockRowsMax ? kSmallBlockBytes : kBlockBytes),
             "workspace.segment.create");
}

Outcome<> create_table(const Connection& connection, std::string_view alias, const TableLayout& layout) {
  std::string sql = fmt::format("CREATE TABLE {}.{} (", alias, quote_identifier(layout.name));
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    const Column& column = layout.columns[i];
    sql += fmt::format("{}{} {}{}", i == 0 ? "" : ", ", quote_identifier(column.name), sql_type_of(column.type),
                       column.bulk ? " USING COMPRESSION zstd" : "");
  }
  return run(connection, sql + ")", "workspace.segment.table");
}

Outcome<std::uint64_t> finish_segment(const Connection& connection, std::string_view alias, const std::string& path,
                                      const std::string& final_path) {
  TRY_VOID(run(connection, fmt::format("CHECKPOINT {}", alias), "workspace.segment.checkpoint"));
  TRY_VOID(run(connection, fmt::format("DETACH {}", alias), "workspace.segment.detach"));
  TRY(const std::uint64_t bytes, sync_file(path));
  if (::rename(path.c_str(), final_path.c_str()) != 0) return fail_errno("workspace.segment.rename");
  TRY_VOID(sync_directory(final_path.substr(0, final_path.rfind('/'))));
  return bytes;
}

void abandon_segment(const Connection& connection, std::string_view alias, const std::string& path) {
  // Each step fails where the one it undoes was never reached.
  (void)run(connection, "ROLLBACK", "workspace.segment.abandon");
  (void)run(connection, fmt::format("DETACH {}", alias), "workspace.segment.abandon");
  ::unlink(path.c_str());
  ::unlink((path + ".wal").c_str());
}

Outcome<std::unique_ptr<SegmentStore>> SegmentStore::open(std::uint64_t memory_bytes,
                                                          const std::string& spill_directory) {
  // The threshold makes each commit a checkpoint, so nothing is written twice by way of a write-ahead log.
  TRY(Database database, open_instance({{"memory_limit", fmt::format("{}B", memory_bytes)},
                                        {"threads", "1"},
                                        {"checkpoint_threshold", "1KB"},
                                        {"temp_directory", spill_directory},
                                        {"autoinstall_known_extensions", "false"},
                                        {"autoload_known_extensions", "false"}}));
  TRY(Connection connection, connect(database));
  return std::unique_ptr<SegmentStore>(new SegmentStore(std::move(database), std::move(connection)));
}

Outcome<SegmentInfo> SegmentStore::write(const HotGeneration& generation, const std::string& directory,
                                         std::uint64_t first, Timestamp now) {
  SegmentInfo segment{first, generation.last, 0, now, {}};
  const std::string final_path = directory + "/" + segment_file_name(first, generation.last);
  const std::string path = final_path + std::string(kTemporarySuffix);
  const auto write_all = [&]() -> Outcome<std::uint64_t> {
    TRY_VOID(attach_new_segment(connection_, path, kAlias, generation.rows()));
    TRY_VOID(run(connection_, "BEGIN", "workspace.seal.begin"));
    for (TableIndex i = 0; i < generation.layouts().size(); ++i) {
      const HotTable& table = generation.table(i);
      if (table.rows == 0) continue;
      TRY_VOID(append_table(generation, i));
      segment.tables.push_back({generation.layouts()[i].name, table.rows, table.time_min, table.time_max});
    }
    TRY_VOID(run(connection_, "COMMIT", "workspace.seal.commit"));
    return finish_segment(connection_, kAlias, path, final_path);
  };
  auto bytes = write_all();
  if (!bytes) {
    abandon_segment(connection_, kAlias, path);
    return std::unexpected(std::move(bytes).error());
  }
  segment.bytes = *bytes;
  return segment;
}

Outcome<> SegmentStore::append_table(const HotGeneration& generation, TableIndex index) {
  const TableLayout& layout = generation.layouts()[index];
  TRY_VOID(create_table(connection_, kAlias, layout));
  Appender appender;
  const std::string alias(kAlias);
  if (duckdb_appender_create_ext(connection_.get(), alias.c_str(), nullptr, layout.name.c_str(), appender.out()) !=
      DuckDBSuccess) {
    return engine_fail("workspace.seal.appender", layout.name);
  }
  std::vector<LogicalType> owned;
  std::vector<duckdb_logical_type> types;
  for (const Column& column : layout.columns) {
    owned.emplace_back(duckdb_create_logical_type(duckdb_type_of(column.type)));
    types.push_back(owned.back().get());
  }
  Chunk chunk(duckdb_create_data_chunk(types.data(), types.size()));
  for (const HotPart& part : generation.parts(index)) {
    duckdb_data_chunk_reset(chunk.get());
    for (std::size_t i = 0; i < layout.columns.size(); ++i) {
      fill_vector(generation.arena(), part, i, layout.columns[i].type, duckdb_data_chunk_get_vector(chunk.get(), i));
    }
    duckdb_data_chunk_set_size(chunk.get(), part.rows);
    if (duckdb_append_data_chunk(appender.get(), chunk.get()) != DuckDBSuccess) {
      return engine_fail("workspace.seal.append", duckdb_appender_error(appender.get()));
    }
  }
  if (duckdb_appender_close(appender.get()) != DuckDBSuccess) {
    return engine_fail("workspace.seal.append", duckdb_appender_error(appender.get()));
  }
  return {};
}

}  // namespace picket::workspace
