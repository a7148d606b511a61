// The embedded workspace: streams, the store instance with its thread, the query instance.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/core/file.h"
#include "duckdb/maintenance.h"
#include "duckdb/query_instance.h"
#include "duckdb/query_watch.h"
#include "duckdb/stream.h"
#include "workspace/workspace.h"

namespace picket::workspace {

class DuckdbWorkspace final : public Workspace {
 public:
  static Outcome<std::unique_ptr<DuckdbWorkspace>> open(DuckdbOptions options, Schema schema, const Clock& clock);
  DuckdbWorkspace(const DuckdbWorkspace&) = delete;
  DuckdbWorkspace& operator=(const DuckdbWorkspace&) = delete;
  ~DuckdbWorkspace() override;

  [[nodiscard]] std::vector<std::string> streams() const override;
  Result<> append(std::string_view stream, std::uint64_t through, std::span<const Row> rows) override;
  [[nodiscard]] std::uint64_t sealed_through(std::string_view stream) const override;
  [[nodiscard]] std::uint64_t hot_end(std::string_view stream) const override;
  [[nodiscard]] std::uint64_t dropped_through(std::string_view stream) const override;
  void request_seal(std::string_view stream) override { maintenance_->request_seal(stream); }
  Result<> flush() override { return maintenance_->complete(true); }
  Result<> maintain() override { return maintenance_->complete(false); }
  QueryOutcome query(const QueryRequest& request) override;
  [[nodiscard]] WorkspaceStats stats() const override;
  [[nodiscard]] std::vector<DamagedFile> damaged() const override { return damage_.list(); }
  [[nodiscard]] std::vector<TableStats> tables() const override;
  Result<> set_retention(std::string_view table, std::optional<TableRetention> retention) override;

 private:
  DuckdbWorkspace(DuckdbOptions options, Schema schema, const Clock& clock);

  Outcome<> start();
  Result<> lock_directory();
  Outcome<> clear_spill();
  [[nodiscard]] Stream* find(std::string_view name) const;
  /// The instance for a query; a broken one is replaced.
  Outcome<std::shared_ptr<QueryInstance>> instance();
  void forget(const std::string& path);
  std::shared_ptr<const Snapshot> snapshot_of(const QueryRequest& request) const;

  const DuckdbOptions options_;
  const Schema schema_;
  const Layouts layouts_;
  RetentionBook retention_;
  const Clock& clock_;
  const std::string spill_;
  UniqueFd lock_;
  Graveyard graveyard_;
  DamageBook damage_;
  std::uint64_t leftovers_ = 0;
  std::vector<std::unique_ptr<Stream>> streams_;
  std::unique_ptr<SegmentStore> store_;
  QueryGate gate_;
  QueryWatch watch_;
  mutable std::mutex instance_mutex_;
  std::shared_ptr<QueryInstance> instance_;  // sharers: this, queries under way
  std::atomic<std::uint64_t> queries_ = 0;
  std::atomic<std::uint64_t> queries_failed_ = 0;
  std::unique_ptr<Maintenance> maintenance_;  // last: its thread uses all of the above
};

}  // namespace picket::workspace
