// From the journal's thread back to the connection's: which messages are durable now.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace picket::hub {

struct Completion {
  std::uint64_t connection = 0;
  std::optional<std::uint64_t> sequence;  ///< Of ServerSession; absent for QoS 0.
  std::size_t bytes = 0;
  bool stored = false;
};

/// Collects completions and wakes the I/O thread once a batch: one message a record would cost a system call each.
/// Bounded by what may be in flight. Shared by the shard and the callbacks that the journal holds.
class CompletionQueue {
 public:
  /// `wake` is called under the lock of the queue; it must only schedule.
  explicit CompletionQueue(std::move_only_function<void()> wake) : wake_(std::move(wake)) {}

  /// Any thread.
  void add(Completion completion) {
    const std::scoped_lock lock(mutex_);
    if (!wake_) return;
    items_.push_back(completion);
    if (items_.size() == 1) wake_();
  }
  /// The batch so far; `into` is reused memory.
  void take(std::vector<Completion>& into) {
    into.clear();
    const std::scoped_lock lock(mutex_);
    items_.swap(into);
  }
  /// Later completions are dropped: their connections are gone.
  void close() {
    const std::scoped_lock lock(mutex_);
    wake_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::move_only_function<void()> wake_;
  std::vector<Completion> items_;
};

}  // namespace picket::hub
