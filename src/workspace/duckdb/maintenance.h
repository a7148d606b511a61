// The thread that seals, merges, drops and removes.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "duckdb/segment_ageing.h"
#include "duckdb/segment_merge.h"
#include "duckdb/segment_store.h"
#include "duckdb/stream.h"
#include "merge_policy.h"
#include "retention_book.h"

namespace picket::workspace {

/// What the thread works on; everything outlives it.
struct MaintenanceContext {
  const DuckdbOptions& options;
  const Layouts& layouts;
  const RetentionBook& retention;
  std::vector<std::unique_ptr<Stream>>& streams;
  SegmentStore& store;
  Graveyard& graveyard;
  DamageBook& damage;
  const Clock& clock;
  /// Called before a retired file is unlinked, and when a damaged one was replaced.
  std::function<void(const std::string& path)> forget;
};

/// Owns one thread and joins it. Order of a pass: seals, retention, one step of an ageing or a merge, removal; those
/// steps are short, so that they never hold up a seal for long.
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
  /// One step of the work that is under way, or the beginning of the next.
  Result<> step();
  Result<> begin();
  /// False: nothing is to do.
  Result<bool> begin_ageing(Stream& stream);
  Result<bool> begin_merge(Stream& stream);
  Result<> ageing_step();
  Result<> finish_ageing();
  Result<> ageing_failed(const SegmentInfo& segment, const EngineError& error);
  Result<> merge_step();
  Result<> finish_merge();
  [[nodiscard]] bool busy() const { return merge_ != nullptr || ageing_ != nullptr; }
  Result<> remove_retired();
  /// Takes up again what was damaged and has been put back.
  void take_up_restored();
  /// After a failure: reads the files that it read, and notes the damaged ones, so that the others go on.
  void look_for_damage(const Stream& stream, std::span<const SegmentInfo> segments);
  [[nodiscard]] bool wanted(const Stream& stream);
  Result<> note(const EngineError& error);

  MaintenanceContext context_;

  // Thread only.
  std::unique_ptr<SegmentMerge> merge_;
  std::unique_ptr<SegmentAgeing> ageing_;  // one of the two at a time
  Stream* working_on_ = nullptr;
  /// Segments that could not be aged, by their files' first names: not tried again before that time.
  std::map<std::string, Timestamp> ageing_refused_;

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
