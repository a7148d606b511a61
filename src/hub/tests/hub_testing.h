// Words that tests of all heads share: a clock that is told, a log that can be read, waiting.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/time.h"
#include "hub/operations_log.h"

namespace picket::hub {

/// Stands still until told to move; any thread.
class TestClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return kStart + Duration{passed_us_.load()}; }
  [[nodiscard]] Duration monotonic() const override { return Duration::seconds(1000) + Duration{passed_us_.load()}; }
  void advance(Duration by) { passed_us_ += by.us; }
  static constexpr Timestamp kStart{1'790'000'000'000'000};

 private:
  std::atomic<std::int64_t> passed_us_ = 0;
};

class TestLog final : public OperationsLog {
 public:
  void record(const HubEvent& event) override {
    const std::scoped_lock lock(mutex_);
    events_.push_back(event);
  }
  [[nodiscard]] std::vector<HubEvent> of(HubEventKind kind) const {
    const std::scoped_lock lock(mutex_);
    std::vector<HubEvent> out;
    for (const auto& event : events_) {
      if (event.kind == kind) out.push_back(event);
    }
    return out;
  }
  void forget() {
    const std::scoped_lock lock(mutex_);
    events_.clear();
  }
  /// "kind:reason" in order.
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> out;
    for (const auto& event : events_) out.push_back(std::string(to_string(event.kind)) + ":" + event.reason);
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<HubEvent> events_;
};

inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 12'000; ++i) {  // a minute: machines stand still
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

inline Buffer bytes_of(std::string_view text) { return {as_bytes(text).begin(), as_bytes(text).end()}; }

}  // namespace picket::hub
