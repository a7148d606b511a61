// Time as a value and as an argument. Inside Picket: microseconds since 1970-01-01 UTC; in JSON: RFC 3339 with Z.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace picket {

/// A length of time in microseconds; negative is allowed.
struct Duration {
  std::int64_t us = 0;

  static constexpr Duration microseconds(std::int64_t n) { return {n}; }
  static constexpr Duration milliseconds(std::int64_t n) { return {n * 1000}; }
  static constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
  static constexpr Duration minutes(std::int64_t n) { return seconds(n * 60); }
  static constexpr Duration hours(std::int64_t n) { return minutes(n * 60); }
  static constexpr Duration days(std::int64_t n) { return hours(n * 24); }
  [[nodiscard]] constexpr std::int64_t whole_ms() const { return us / 1000; }
  [[nodiscard]] constexpr std::int64_t whole_seconds() const { return us / 1'000'000; }

  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.us + b.us}; }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.us - b.us}; }
  friend constexpr Duration operator*(Duration a, std::int64_t n) { return {a.us * n}; }
};

/// A point of UTC time in microseconds since the epoch.
struct Timestamp {
  std::int64_t us = 0;

  friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
  friend constexpr Timestamp operator+(Timestamp t, Duration d) { return {t.us + d.us}; }
  friend constexpr Timestamp operator-(Timestamp t, Duration d) { return {t.us - d.us}; }
  friend constexpr Duration operator-(Timestamp a, Timestamp b) { return {a.us - b.us}; }
};

/// Years that formatting and parsing accept: 0001 to 9999.
inline constexpr Timestamp kTimestampMin{-62'135'596'800'000'000};
inline constexpr Timestamp kTimestampMax{253'402'300'799'999'999};

/// RFC 3339 with microseconds: "2026-11-21T09:30:00.123456Z". Values outside [kTimestampMin, kTimestampMax] are
/// clamped.
std::string format_rfc3339(Timestamp time);

/// Reads RFC 3339 ("T" or one space between date and time, any number of fraction digits, "Z" or an offset; without a
/// zone: UTC) and returns UTC; digits beyond the microsecond are cut. Errors: malformed.
Result<Timestamp> parse_rfc3339(std::string_view text);

/// Clock object: whoever needs "now" gets one, so that a test runs days in milliseconds.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall clock, UTC. May jump.
  [[nodiscard]] virtual Timestamp now() const = 0;
  /// Never jumps; counts from an arbitrary start, also while suspended (CLOCK_BOOTTIME).
  [[nodiscard]] virtual Duration monotonic() const = 0;
};

/// The operating system's clock; lives as long as the process.
const Clock& system_clock();

/// A clock that stands still until it is told to move.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp start) : now_(start) {}
  [[nodiscard]] Timestamp now() const override { return now_; }
  [[nodiscard]] Duration monotonic() const override { return monotonic_; }
  void advance(Duration by) {
    now_ = now_ + by;
    monotonic_ = monotonic_ + by;
  }

 private:
  Timestamp now_;
  Duration monotonic_;
};

}  // namespace picket
