// The table function that shows a query the hot rows it pinned.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "duckdb/api.h"
#include "duckdb/stream.h"

namespace picket::workspace {

/// What one query sees of all streams. Shared by the registry and the scans bound to it.
struct Snapshot {
  std::vector<PinnedStream> streams;
};

/// Snapshots of the queries that run, by a number that their SQL carries.
class SnapshotRegistry {
 public:
  std::uint64_t add(std::shared_ptr<const Snapshot> snapshot);
  void remove(std::uint64_t token);
  [[nodiscard]] std::shared_ptr<const Snapshot> find(std::uint64_t token) const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t next_ = 1;
  std::map<std::uint64_t, std::shared_ptr<const Snapshot>> snapshots_;
};

inline constexpr std::string_view kHotScan = "picket_hot_rows";

/// What the function needs to know; must outlive the instance.
struct HotScanContext {
  const Layouts& layouts;
  const SnapshotRegistry& snapshots;
};

/// picket_hot_rows(token BIGINT, table INTEGER): the pinned hot rows of one table, all its columns, projection pushed
/// down, one chunk a call.
Outcome<> register_hot_scan(const Connection& connection, HotScanContext& context);

}  // namespace picket::workspace
