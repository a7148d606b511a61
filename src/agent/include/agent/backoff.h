// How long to wait before the next attempt.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/core/time.h"

namespace picket::agent {

/// Exponential with full jitter: each delay is drawn evenly from zero to a ceiling that doubles from 100 ms to 60 s, so
/// that a fleet that lost its hub does not come back at one moment. Pure: the caller brings the randomness.
class Backoff {
 public:
  static constexpr Duration kBase = Duration::milliseconds(100);
  static constexpr Duration kCap = Duration::seconds(60);
  /// After a refusal that only a person can end (CONNACK 4 or 5): 5 to 10 minutes.
  static constexpr Duration kRefused = Duration::minutes(5);

  /// The delay before the next attempt after a failure; `random` is uniform over all 64 bits.
  Duration next(std::uint64_t random) {
    const Duration ceiling = std::min(kCap, kBase * (std::int64_t{1} << std::min(failures_, 20U)));
    ++failures_;
    return {static_cast<std::int64_t>(random % (static_cast<std::uint64_t>(ceiling.us) + 1))};
  }
  static Duration refused(std::uint64_t random) {
    return kRefused + Duration{static_cast<std::int64_t>(random % static_cast<std::uint64_t>(kRefused.us))};
  }
  /// A connection stood for a while: begin anew.
  void reset() { failures_ = 0; }
  /// A connection was short but got something through: stay below a second and a half. Not zero, since two agents with
  /// one identity evict each other like this.
  void progress() { failures_ = std::min(failures_, 4U); }
  [[nodiscard]] unsigned failures() const { return failures_; }

 private:
  unsigned failures_ = 0;
};

}  // namespace picket::agent
