#include "group_commit.h"

#include <iterator>
#include <utility>

#include "transaction.h"

namespace picket::state {

GroupCommit::GroupCommit(sqlite3* writer, std::mutex& writer_mutex)
    : writer_(writer), writer_mutex_(writer_mutex), thread_([this] { run(); }) {}

GroupCommit::~GroupCommit() {
  const std::scoped_lock lock(mutex_);
  stopping_ = true;
  wake_.notify_one();
}

void GroupCommit::submit(WriteBody body, WriteDone done) {
  {
    const std::scoped_lock lock(mutex_);
    if (!stopping_ && queue_.size() < kQueueMax) {
      ++stats_.submitted;
      queue_.push_back({std::move(body), std::move(done), {}});
      if (queue_.size() == 1) wake_.notify_one();
      return;
    }
    ++stats_.refused;
  }
  done(fail(Errc::unavailable, "state.submit"));
}

DatabaseStats GroupCommit::stats() const {
  const std::scoped_lock lock(mutex_);
  auto out = stats_;
  out.waiting = queue_.size();
  return out;
}

/// Empty: the end.
std::vector<GroupCommit::Job> GroupCommit::take_batch() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  if (queue_.size() <= kBatchMax) return std::exchange(queue_, {});
  const auto end = queue_.begin() + kBatchMax;
  std::vector<Job> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
  queue_.erase(queue_.begin(), end);
  return batch;
}

Result<> GroupCommit::commit(std::vector<Job>& batch) {
  const std::scoped_lock lock(writer_mutex_);
  TRY_VOID(execute(writer_, "BEGIN IMMEDIATE"));
  for (Job& job : batch) {
    if (sqlite3_get_autocommit(writer_) != 0) return fail(Errc::io, "state.submit.transaction");
    job.result = in_savepoint(writer_, [&] { return job.body(writer_); });
  }
  auto done = execute(writer_, "COMMIT");
  if (!done && sqlite3_get_autocommit(writer_) == 0) TRY_VOID(execute(writer_, "ROLLBACK"));
  return done;
}

void GroupCommit::run() {
  for (;;) {
    auto batch = take_batch();
    if (batch.empty()) return;
    const auto committed = commit(batch);
    {
      const std::scoped_lock lock(mutex_);
      ++(committed ? stats_.commits : stats_.failed_commits);
    }
    for (Job& job : batch) {
      // What the body said is more exact than that the transaction as a whole did not hold.
      job.done(job.result && !committed ? committed : job.result);
    }
  }
}

}  // namespace picket::state
