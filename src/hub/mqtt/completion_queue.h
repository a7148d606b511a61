// From the journal's thread back to the connections of an I/O thread: which telemetry is durable now.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace picket::hub {

class MqttConnection;

/// The connections of one thread by number, so that an answer can name one without keeping it alive. Thread only.
class ConnectionSlots {
 public:
  struct Name {
    std::uint32_t slot = 0;
    std::uint32_t generation = 0;
  };
  Name enter(MqttConnection& connection) {
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const auto slot = free_.back();
    free_.pop_back();
    slots_[slot].connection = &connection;
    return {slot, slots_[slot].generation};
  }
  void leave(Name name) {
    slots_[name.slot].connection = nullptr;
    ++slots_[name.slot].generation;
    free_.push_back(name.slot);
  }
  /// nullptr: it has gone.
  [[nodiscard]] MqttConnection* find(Name name) const {
    const auto& slot = slots_[name.slot];
    return slot.generation == name.generation ? slot.connection : nullptr;
  }

 private:
  struct Slot {
    MqttConnection* connection = nullptr;
    std::uint32_t generation = 0;
  };
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
};

struct Stored {
  ConnectionSlots::Name connection;
  std::optional<std::uint64_t> sequence;  ///< Of the last QoS 1 message of the batch.
  std::size_t bytes = 0;
  bool stored = false;
};

/// The journal answers batch by batch from its own thread, many in a row: the I/O thread is woken once, at the end of
/// the group. To wake it with the first one would make the two threads take turns, one answer at a time. Bounded by
/// what may be in flight. Shared with the callbacks that the journal holds.
class CompletionQueue {
 public:
  /// `wake` must only schedule.
  explicit CompletionQueue(std::move_only_function<void()> wake) : wake_(std::move(wake)) {}
  /// From now on end_of_group() is called; before any add().
  void wake_at_end() {
    const std::scoped_lock lock(mutex_);
    at_end_ = true;
  }

  /// Any thread.
  void add(const Stored& stored) {
    const std::scoped_lock lock(mutex_);
    items_.push_back(stored);
    if (!at_end_ && items_.size() == 1 && wake_) wake_();
  }
  /// The journal's thread; not beside close(). Wakes outside the lock: on one core the thread that is woken runs at
  /// once, and would have to wait for the lock.
  void end_of_group() {
    {
      const std::scoped_lock lock(mutex_);
      if (items_.empty() || !wake_) return;
    }
    wake_();
  }
  /// What has come so far; `into` is reused memory.
  void take(std::vector<Stored>& into) {
    into.clear();
    const std::scoped_lock lock(mutex_);
    items_.swap(into);
  }
  /// Nobody is woken any more.
  void close() {
    const std::scoped_lock lock(mutex_);
    wake_ = nullptr;
  }

 private:
  std::mutex mutex_;
  std::move_only_function<void()> wake_;
  std::vector<Stored> items_;
  bool at_end_ = false;
};

}  // namespace picket::hub
