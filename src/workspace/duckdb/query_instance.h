// The query instance: reads sealed segments and hot rows, can do nothing else.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "duckdb/archive_check.h"
#include "duckdb/attachments.h"
#include "duckdb/hot_scan.h"
#include "duckdb/part_facts.h"
#include "duckdb/query_watch.h"
#include "duckdb/relations.h"
#include "duckdb/segment_check.h"
#include "workspace/workspace.h"

namespace picket::workspace {

/// A DuckDB instance with its own memory limit, without access to files but those below the segment folder, its
/// configuration locked. Thread-safe: each query has a connection of its own.
class QueryInstance {
 public:
  /// All references must outlive it.
  static Outcome<std::unique_ptr<QueryInstance>> open(const DuckdbOptions& options, const std::string& spill_directory,
                                                      const Schema& schema, const Layouts& layouts, QueryWatch& watch,
                                                      DamageBook& damage);

  /// Runs one query on what `snapshot` pinned.
  QueryOutcome query(const QueryRequest& request, std::shared_ptr<const Snapshot> snapshot, Deadline deadline);
  /// A segment file is about to be removed.
  void forget(const std::string& path) {
    attachments_->forget(path);
    archive_.forget(path);
    facts_.forget(path);
    checked_.forget(path);
    whole_.forget(path);
  }
  /// After an internal failure DuckDB refuses all further work: the owner opens another instance.
  [[nodiscard]] bool broken() const { return broken_.load(); }

 private:
  QueryInstance(const Schema& schema, const Layouts& layouts, QueryWatch& watch, DamageBook& damage)
      : schema_(schema), layouts_(layouts), watch_(watch), damage_(damage), context_{layouts, snapshots_} {}

  Outcome<> lock_down(const Connection& connection, const DuckdbOptions& options, const std::string& spill_directory);
  QueryOutcome answer(const Connection& connection, const QueryRequest& request,
                      const std::shared_ptr<const Snapshot>& snapshot);
  /// After a failure: whether one of the files that the query read is damaged, which is noted then.
  bool find_damage(const Connection& connection, const std::vector<QuerySource>& sources);
  QueryOutcome run(const Connection& connection, const WrappedQuery& query, const QueryRequest& request);
  std::expected<Prepared, QueryError> prepare(const Connection& connection, const WrappedQuery& query,
                                              const QueryRequest& request);
  QueryError internal(const EngineError& error);
  QueryError classify(std::string text, duckdb_error_type type);

  const Schema& schema_;
  const Layouts& layouts_;
  QueryWatch& watch_;
  DamageBook& damage_;
  SnapshotRegistry snapshots_;
  HotScanContext context_;
  Database database_;
  std::unique_ptr<Attachments> attachments_;
  ArchiveCheck archive_;
  PartFacts facts_;
  CheckedTables checked_;  ///< By their counts.
  CheckedTables whole_;    ///< All of their blocks were read, after something failed.
  std::atomic<bool> broken_ = false;
};

}  // namespace picket::workspace
