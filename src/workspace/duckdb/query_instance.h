// The query instance: reads sealed segments and hot rows, can do nothing else.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "duckdb/archive_check.h"
#include "duckdb/attachments.h"
#include "duckdb/hot_scan.h"
#include "duckdb/query_watch.h"
#include "workspace/workspace.h"

namespace picket::workspace {

/// A DuckDB instance with its own memory limit, without access to files but those below the segment folder, its
/// configuration locked. Thread-safe: each query has a connection of its own.
class QueryInstance {
 public:
  /// All references must outlive it.
  static Outcome<std::unique_ptr<QueryInstance>> open(const DuckdbOptions& options, const std::string& spill_directory,
                                                      const Schema& schema, const Layouts& layouts, QueryWatch& watch);

  /// Runs one query on what `snapshot` pinned.
  QueryOutcome query(const QueryRequest& request, std::shared_ptr<const Snapshot> snapshot, Deadline deadline);
  /// A segment file is about to be removed.
  void forget(const std::string& path) {
    attachments_->forget(path);
    archive_.forget(path);
  }
  /// After an internal failure DuckDB refuses all further work: the owner opens another instance.
  [[nodiscard]] bool broken() const { return broken_.load(); }

 private:
  QueryInstance(const Schema& schema, const Layouts& layouts, QueryWatch& watch)
      : schema_(schema), layouts_(layouts), watch_(watch), context_{layouts, snapshots_} {}

  Outcome<> lock_down(const Connection& connection, const DuckdbOptions& options, const std::string& spill_directory);
  QueryOutcome run(const Connection& connection, const std::string& sql, const QueryRequest& request);
  std::expected<Prepared, QueryError> prepare(const Connection& connection, const std::string& sql,
                                              const QueryRequest& request);
  QueryError classify(std::string text, duckdb_error_type type);

  const Schema& schema_;
  const Layouts& layouts_;
  QueryWatch& watch_;
  SnapshotRegistry snapshots_;
  HotScanContext context_;
  Database database_;
  std::unique_ptr<Attachments> attachments_;
  ArchiveCheck archive_;
  std::atomic<bool> broken_ = false;
};

}  // namespace picket::workspace
