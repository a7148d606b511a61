#include "support/snapshot_source.h"

#include <algorithm>

namespace picket::agent {

std::string snapshot_path(const CollectorSettings& settings, std::string_view collector) {
  return settings.state_dir.empty() ? std::string() : settings.state_dir + "/snapshot-" + std::string(collector);
}

SnapshotSource::SnapshotSource(const Environment& environment, std::string_view collector)
    : environment_(environment), difference_(snapshot_path(environment.settings, collector)) {}

Duration SnapshotSource::on_timer() {
  const Duration again = before_timer();
  const Duration now = environment_.clock.monotonic();
  if (!looked_ || now >= due_) {
    looked_ = true;
    looked_at_ = now;
    due_ = now + environment_.every;
    save_at_ = now + kSnapshotSaveDelay;
    look();
  } else if (save_at_ && now >= *save_at_) {
    save_at_.reset();
    // What cannot be written now is written after the next look; until then it is in memory.
    (void)difference_.save();
  }
  return std::min(delay(now), again);
}

Duration SnapshotSource::changed(Duration after) {
  const Duration now = environment_.clock.monotonic();
  if (looked_) due_ = std::min(due_, std::max(now + after, looked_at_ + kSnapshotPause));
  return delay(now);
}

Duration SnapshotSource::delay(Duration now) const {
  if (!looked_) return {};
  const Duration next = save_at_ ? std::min(*save_at_, due_) : due_;
  return std::max(next - now, Duration{});
}

}  // namespace picket::agent
