// The thread that seals, merges, drops and removes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "duckdb/segment_merge.h"
#include "duckdb/segment_store.h"
#include "duckdb/stream.h"
#include "merge_policy.h"

namespace picket::workspace {

/// What the thread works on; everything outlives it.
struct MaintenanceContext {
  const DuckdbOptions& options;
  const Layouts& layouts;
  std::vector<std::unique_ptr<Stream>>& streams;
  SegmentStore& store;
  Graveyard& graveyard;
  const Clock& clock;
  /// Called before a retired file is unlinked.
  std::function<void(const std::string& path)> forget;
};

/// Owns one thread and joins it. Order of a pass: seals, retention, removal, one step of a merge; a merge so never
/// holds up a seal for longer than the copy of one source segment.
class Maintenance {
 public:
  explicit Maintenance(MaintenanceContext context);
  Maintenance(const Maintenance&) = delete;
  Maintenance& operator=(const Maintenance&) = delete;
  ~Maintenance();

  /// A seal has become due. Never blocks.
  void wake();
  void request_seal(std::string_view stream);
  /// Has everything done that is due (with `seal_all`: that is appended), and waits for it.
  Result<> complete(bool seal_all);
  [[nodiscard]] std::string last_error() const;

 private:
  struct Request {
    bool seal_all = false;
    std::uint64_t number = 0;
  };

  void run();
  Result<> pass(bool seal_all);
  Result<> seal(Stream& stream);
  Result<> merge_step();
  Result<> begin_merge();
  Result<> finish_merge();
  Result<> remove_retired();
  [[nodiscard]] bool wanted(const Stream& stream);
  Result<> note(const EngineError& error);

  MaintenanceContext context_;

  // Thread only.
  std::unique_ptr<SegmentMerge> merge_;
  Stream* merging_ = nullptr;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  bool woken_ = false;
  std::vector<std::string> seals_requested_;
  std::uint64_t requests_ = 0;      // complete() calls made
  bool request_seals_all_ = false;  // among those not begun
  std::uint64_t completed_ = 0;     // complete() calls done
  Result<> completed_result_;
  std::string last_error_;

  std::thread thread_;  // last: begins when all else is there
};

}  // namespace picket::workspace
