// The time that retention goes by: a wrong wall clock must not delete a fleet's history.
#pragma once

#include <mutex>

#include "base/core/time.h"

namespace picket::server {

/// Follows the wall clock, except where that leaps ahead of the time that has really passed by more than kLeapMax: then
/// it goes on with the time that has passed. So a clock that jumps forward by a year deletes nothing that would not
/// have been deleted anyway. Falls back with the wall clock at once: keeping too much is the lesser evil, and the limit
/// of bytes holds all the same. The first leap it can see is the one between the newest record and the start; after a
/// long standstill, ages are therefore counted from the newest record on until the next start. Any thread.
class RetentionClock final : public Clock {
 public:
  static constexpr Duration kLeapMax = Duration::days(1);

  /// `newest`: time of the newest record that is kept; Timestamp{}: there is none.
  RetentionClock(const Clock& clock, Timestamp newest);

  [[nodiscard]] Timestamp now() const override;
  [[nodiscard]] Duration monotonic() const override { return clock_.monotonic(); }

 private:
  const Clock& clock_;
  mutable std::mutex mutex_;
  mutable Timestamp last_;           ///< What now() said last,
  mutable Duration last_monotonic_;  ///< and when.
};

}  // namespace picket::server
