// Events of the last hour by minute, and of the last seconds: for the overview, without asking the workspace.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <vector>

#include "api/services.h"
#include "base/core/time.h"

namespace picket::api {

/// Counts by the time the hub took the events in; times that are not within the last hour of `now` are not counted.
/// Any thread.
class EventRate {
 public:
  void add(Timestamp taken_in, std::uint64_t events);
  [[nodiscard]] std::vector<MinuteCount> per_minute(Timestamp now) const;
  /// Mean over the 5 whole seconds before `now`.
  [[nodiscard]] double per_second(Timestamp now) const;

 private:
  static constexpr std::size_t kMinutes = 60;
  static constexpr std::size_t kSeconds = 8;
  struct Slot {
    std::int64_t index = -1;  ///< Minutes or seconds since the epoch.
    std::uint64_t count = 0;
  };
  mutable std::mutex mutex_;
  std::array<Slot, kMinutes> minutes_;
  std::array<Slot, kSeconds> seconds_;
};

}  // namespace picket::api
