// The frame of collectors that take short snapshots: when to look, what became news, when it is safe to remember.
#pragma once

#include <optional>
#include <string>

#include "agent/collector.h"
#include "support/name_watch.h"
#include "support/snapshot_difference.h"

namespace picket::agent {

/// How long after a change a look is due, so that one act of many writes is one difference.
inline constexpr Duration kSnapshotDebounce = Duration::milliseconds(500);
/// A busy source is looked at no more often than this.
inline constexpr Duration kSnapshotPause = Duration::seconds(3);
/// After a snapshot its events are on their way to the spool; then the set is saved.
inline constexpr Duration kSnapshotSaveDelay = Duration::seconds(3);

/// Calls look() at start, every `every`, and soon after changed(). A look is one turn of the loop: keep it to
/// milliseconds.
class SnapshotSource : public Source {
 public:
  std::span<const int> fds() const override { return {}; }
  Duration on_ready(int) override { return on_timer(); }
  Duration on_timer() final;
  [[nodiscard]] Counters counters() const override { return counters_; }

 protected:
  /// `collector` names the file of the set in settings.state_dir.
  SnapshotSource(const Environment& environment, std::string_view collector);
  /// Takes one snapshot and reports it.
  virtual void look() = 0;
  /// Called first in every on_timer(), for those that have to look whether to look: may call changed(). Returns how
  /// long until it wants to be called again.
  virtual Duration before_timer() { return Duration::hours(24); }
  /// Something may have changed: a look is due after `after`, yet not sooner than kSnapshotPause after the last one.
  /// Returns the delay until on_timer() is due.
  Duration changed(Duration after = kSnapshotDebounce);

  Environment environment_;
  SnapshotDifference difference_;
  Counters counters_;

 private:
  [[nodiscard]] Duration delay(Duration now) const;

  Duration due_;
  Duration looked_at_;
  std::optional<Duration> save_at_;
  bool looked_ = false;
};

/// Path of a collector's set, or "" where nothing is kept on disk.
std::string snapshot_path(const CollectorSettings& settings, std::string_view collector);

}  // namespace picket::agent
