// When something happened, by the hub's clock (decisions: time).
#pragma once

#include <optional>

#include "base/core/time.h"

namespace picket::pipeline {

inline constexpr Duration kEventAgeMax = Duration::days(8);
inline constexpr Duration kEventAheadMax = Duration::minutes(5);
/// Up to here a difference between SentUtc and the hub's clock is taken for the time the message was on its way, not
/// for a wrong clock of the device.
inline constexpr Duration kClockTolerance = Duration::seconds(2);

/// What to add to a device's times: 0 when it has not said when it sent the message, or its clock is right.
inline Duration clock_correction(std::optional<Timestamp> sent, Timestamp enqueued) {
  if (!sent) return {};
  const Duration off = enqueued - *sent;
  const bool small = off.us <= kClockTolerance.us && off.us >= -kClockTolerance.us;
  return small ? Duration{} : off;
}

/// Corrected and clamped to [enqueued - 8 days, enqueued + 5 minutes].
inline Timestamp event_time(Timestamp raw, Duration correction, Timestamp enqueued) {
  const Timestamp earliest = enqueued - kEventAgeMax;
  const Timestamp latest = enqueued + kEventAheadMax;
  // First the raw one: it may be far enough outside that adding would overflow.
  if (raw < kTimestampMin) raw = kTimestampMin;
  if (raw > kTimestampMax) raw = kTimestampMax;
  const Timestamp corrected = raw + correction;
  return corrected < earliest ? earliest : corrected > latest ? latest : corrected;
}

}  // namespace picket::pipeline
