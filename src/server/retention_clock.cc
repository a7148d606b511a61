#include "retention_clock.h"

namespace picket::server {

RetentionClock::RetentionClock(const Clock& clock, Timestamp newest)
    : clock_(clock), last_(newest == Timestamp{} ? clock.now() : newest), last_monotonic_(clock.monotonic()) {}

Timestamp RetentionClock::now() const {
  const std::scoped_lock lock(mutex_);
  const Duration monotonic = clock_.monotonic();
  const Timestamp wall = clock_.now();
  const Timestamp passed = last_ + (monotonic - last_monotonic_);
  last_ = wall > passed + kLeapMax ? passed : wall;
  last_monotonic_ = monotonic;
  return last_;
}

}  // namespace picket::server
