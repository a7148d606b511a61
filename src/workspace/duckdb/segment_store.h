// The store instance: writes segments, and nothing else (decision: separate store and query instances).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/core/time.h"
#include "duckdb/api.h"
#include "duckdb/hot_rows.h"
#include "manifest.h"

namespace picket::workspace {

/// Files of segments in the making end so; open() removes them.
inline constexpr std::string_view kTemporarySuffix = ".tmp";

/// A DuckDB instance of its own, with its own memory limit. Used by one thread at a time.
class SegmentStore {
 public:
  /// `spill_directory`: where a merge may put what exceeds the memory limit.
  static Outcome<std::unique_ptr<SegmentStore>> open(std::uint64_t memory_bytes, const std::string& spill_directory);

  /// Writes all rows of a frozen generation as the segment first..generation.last into `directory`: temporary file,
  /// checkpoint, detach, fsync, rename, fsync of the folder. The generation must have rows. On failure no file is left.
  Outcome<SegmentInfo> write(const HotGeneration& generation, const std::string& directory, std::uint64_t first,
                             Timestamp now);

  [[nodiscard]] const Database& database() const { return database_; }

 private:
  SegmentStore(Database database, Connection connection)
      : database_(std::move(database)), connection_(std::move(connection)) {}

  Outcome<> append_table(const HotGeneration& generation, TableIndex table);

  Database database_;
  Connection connection_;
};

/// Attaches an empty segment file under `alias`, of `rows` expected rows (they decide the block size).
Outcome<> attach_new_segment(const Connection& connection, const std::string& path, std::string_view alias,
                             std::uint64_t rows);
/// CREATE TABLE of one layout in the attached file.
Outcome<> create_table(const Connection& connection, std::string_view alias, const TableLayout& layout);
/// After COMMIT: checkpoint, detach, fsync, rename to `final_path`, fsync of the folder. Returns the size in bytes.
Outcome<std::uint64_t> finish_segment(const Connection& connection, std::string_view alias, const std::string& path,
                                      const std::string& final_path);
/// Rolls back, detaches and removes what attach_new_segment began; for failures, so it reports none.
void abandon_segment(const Connection& connection, std::string_view alias, const std::string& path);

}  // namespace picket::workspace
