// Many small changes in one transaction: a queue and the thread that empties it.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "base/core/result.h"
#include "state/database.h"

struct sqlite3;

namespace picket::state {

using WriteBody = std::move_only_function<Result<>(sqlite3*)>;
using WriteDone = std::move_only_function<void(Result<>)>;

/// Any thread submits; one thread of its own runs the bodies. See Database::submit.
class GroupCommit {
 public:
  static constexpr std::size_t kQueueMax = 16'384;
  /// Bodies of one transaction: `write` callers wait at most for so many.
  static constexpr std::size_t kBatchMax = 1'024;

  /// Runs `in_transaction` with the connection that writes held; both are outlived by the caller's database.
  GroupCommit(sqlite3* writer, std::mutex& writer_mutex);
  /// Refuses new bodies, runs those that wait.
  ~GroupCommit();

  void submit(WriteBody body, WriteDone done);
  [[nodiscard]] DatabaseStats stats() const;

 private:
  struct Job {
    WriteBody body;
    WriteDone done;
    Result<> result;
  };
  void run();
  std::vector<Job> take_batch();
  Result<> commit(std::vector<Job>& batch);

  sqlite3* writer_;
  std::mutex& writer_mutex_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Job> queue_;
  bool stopping_ = false;
  DatabaseStats stats_;
  std::jthread thread_;  // last: it uses what stands above
};

}  // namespace picket::state
