// The workspace: append rows in journal order, query them at once with SQL. See src/workspace/README.md.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "workspace/damage.h"
#include "workspace/query.h"
#include "workspace/rows.h"
#include "workspace/schema.h"

namespace picket::workspace {

struct StreamStats {
  std::string name;
  std::uint64_t sealed_through = 0;
  std::uint64_t hot_end = 0;
  std::uint64_t dropped_through = 0;
  std::uint64_t manifest_version = 0;
  std::uint64_t hot_rows = 0;
  std::uint64_t hot_bytes = 0;
  std::uint64_t segments = 0;
  std::uint64_t segment_rows = 0;
  std::uint64_t segment_bytes = 0;  ///< Of the segments' files.
  std::uint64_t archived_rows = 0;
  std::uint64_t archived_bytes = 0;
  // Counters since open().
  std::uint64_t rows_appended = 0;
  std::uint64_t rows_skipped = 0;     ///< Offered again by a replay, already held.
  std::uint64_t appends_refused = 0;  ///< limit_exceeded: the hot rows were full.
  std::uint64_t texts_repaired = 0;   ///< Texts that were not UTF-8; their bad bytes became U+FFFD.
  std::uint64_t seals = 0;
  std::uint64_t seal_failures = 0;  ///< Rows stay hot and are tried again.
  std::uint64_t merges = 0;
  std::uint64_t merge_failures = 0;
  std::uint64_t segments_dropped = 0;  ///< By retention.
  std::uint64_t rows_dropped = 0;
  std::uint64_t rows_archived = 0;
  std::uint64_t agings = 0;  ///< Segments that single tables have left: archived or dropped.
  std::uint64_t ageing_failures = 0;
};

/// How long the rows of one table are kept: in segments for `keep`, then in the archive (Parquet files that queries see
/// like everything else) for `archive`.
struct TableRetention {
  Duration keep{};     ///< 0: no limit; then nothing is archived either.
  Duration archive{};  ///< 0: what leaves the segments is gone.

  friend bool operator==(const TableRetention&, const TableRetention&) = default;
};

/// What one table holds.
struct TableStats {
  std::string table;
  std::string stream;
  TableRetention retention;    ///< In force.
  std::uint64_t rows = 0;      ///< In segments.
  std::uint64_t bytes = 0;     ///< Its share of the segments' files, by rows: an estimate.
  std::uint64_t hot_rows = 0;  ///< In memory, not sealed yet.
  std::uint64_t archived_rows = 0;
  std::uint64_t archived_bytes = 0;
  std::optional<Timestamp> oldest;  ///< By the time column.
  std::optional<Timestamp> newest;
};

struct WorkspaceStats {
  std::vector<StreamStats> streams;
  std::uint64_t leftovers_removed = 0;  ///< Files of an interrupted seal or merge, removed at open.
  std::uint64_t damaged_files = 0;      ///< Now; damaged() names them.
  std::uint64_t queries = 0;
  std::uint64_t queries_failed = 0;
  std::uint64_t queries_running = 0;
  std::uint64_t queries_waiting = 0;
  std::string last_error;  ///< Of the newest failed seal, merge or removal; empty when there was none.
};

/// A workspace of one machine or cluster. All functions may be called from any thread.
class Workspace {
 public:
  virtual ~Workspace() = default;

  /// Names of the streams, in the order in which the schema's tables mention them first.
  [[nodiscard]] virtual std::vector<std::string> streams() const = 0;

  /// Adds the rows of all records after hot_end(stream) up to and including `through`; a record may have none. Rows are
  /// in the order of their sequence, and visible to queries when this returns. All or nothing. Never blocks on disk.
  /// Rows at or below hot_end are skipped and counted, so a replay may begin anywhere before it.
  /// Errors: limit_exceeded "workspace.append.full" (the hot rows are at their bound: seal is under way, try again),
  /// "workspace.append.oversize" (one append above the bound: split it); malformed "workspace.append.…" (order, table,
  /// cell kind or int32 range: nothing was added); not_found (no such stream).
  virtual Result<> append(std::string_view stream, std::uint64_t through, std::span<const Row> rows) = 0;

  /// Last sequence whose rows are durable in segments; the pipeline restores from the one after it. 0: none.
  [[nodiscard]] virtual std::uint64_t sealed_through(std::string_view stream) const = 0;
  /// Last sequence appended or sealed.
  [[nodiscard]] virtual std::uint64_t hot_end(std::string_view stream) const = 0;
  /// Rows up to here may have been dropped by retention. 0: none were.
  [[nodiscard]] virtual std::uint64_t dropped_through(std::string_view stream) const = 0;

  /// Asks for a seal soon, without waiting.
  virtual void request_seal(std::string_view stream) = 0;
  /// Seals everything appended before the call, applies retention, merges small segments, gives space back; returns
  /// when that is done. Errors: io or internal, as the first step that failed.
  virtual Result<> flush() = 0;
  /// The same without the seal of rows that are not due yet: what the owned thread does each second.
  virtual Result<> maintain() = 0;

  /// Runs one query; blocks the caller until the result is there, at most request.timeout plus a moment. Sees for each
  /// stream one prefix of what was appended, each row once.
  virtual QueryOutcome query(const QueryRequest& request) = 0;

  [[nodiscard]] virtual WorkspaceStats stats() const = 0;

  /// Files that are known to be lost or damaged. Their rows are left out of queries, which say so.
  [[nodiscard]] virtual std::vector<DamagedFile> damaged() const { return {}; }

  /// Each stored table, in the order of the schema.
  [[nodiscard]] virtual std::vector<TableStats> tables() const { return {}; }
  /// From now on; nullopt: as the options say. Not remembered: whoever opens the workspace gives it again (tables_set).
  /// Errors: not_found (no such table).
  virtual Result<> set_retention(std::string_view table, std::optional<TableRetention> retention) {
    static_cast<void>(retention);
    return fail(table.empty() ? Errc::not_found : Errc::unsupported, "workspace.retention");
  }
};

/// How long and how much a stream keeps. 0 means no limit.
struct Retention {
  Duration age_max{};           ///< Of rows by their time column, for tables without a retention of their own.
  std::uint64_t bytes_max = 0;  ///< Of its files; whole segments go, oldest first.
};

struct StreamOptions {
  std::string stream;
  Retention retention;
};

/// The embedded engine (DuckDB). Defaults are those of docs/decisions/segments.md.
struct DuckdbOptions {
  std::string directory;  ///< DIR/segments; made when missing.
  std::vector<StreamOptions> streams;
  /// Retention of single tables, by name; names that the schema does not have are passed by.
  std::map<std::string, TableRetention, std::less<>> tables;
  /// The same, as set_retention() made it in an earlier run.
  std::map<std::string, TableRetention, std::less<>> tables_set;

  std::uint64_t hot_rows_max = 262'144;  ///< Of one stream.
  std::uint64_t hot_bytes_max = 64U << 20;
  std::uint64_t seal_rows = 122'880;  ///< One row group of DuckDB.
  std::uint64_t seal_bytes = 32U << 20;
  Duration seal_age = Duration::minutes(10);

  /// As many neighbours of one size class are merged into one segment, up to merge_rows_max rows.
  std::uint32_t merge_fan_in = 8;
  std::uint64_t merge_rows_max = 4U << 20;

  std::uint64_t store_memory_bytes = 256U << 20;
  std::uint64_t query_memory_bytes = 384U << 20;
  std::uint64_t query_texts_bytes = 1U << 30;  ///< Of all queries, besides: what DuckDB does not count.
  std::uint64_t query_spill_bytes = 1U << 30;
  std::uint32_t query_threads = 2;
  std::uint32_t queries_running_max = 4;
  std::uint32_t queries_waiting_max = 32;
  std::uint32_t segments_open_max = 256;  ///< Kept attached between queries.

  /// Called once with the duckdb_connection (a pointer type of duckdb.h) of the query instance before it is locked, to
  /// register scalar functions; they are then known to every query. False: open() fails with internal.
  std::function<bool(void* duckdb_connection)> register_functions;
  /// The owned thread looks for work each second; tests turn it off and call maintain() and flush().
  bool background = true;
};

/// Opens or makes the workspace of a folder. `clock` must outlive it. One process only.
/// Errors: denied "workspace.lock" (another process has it); unsupported (a newer format); malformed (a manifest is
/// damaged: nothing is touched; single lost or damaged files are named by damaged()); io; internal (DuckDB's own text
/// goes to `detail` when given).
Result<std::unique_ptr<Workspace>> open_duckdb_workspace(DuckdbOptions options, Schema schema, const Clock& clock,
                                                         std::string* detail = nullptr);

}  // namespace picket::workspace
