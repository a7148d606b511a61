// Whether a package manager is at work on a device. Where files are watched without telling who changed them (inotify,
// scan), what changes while one works is taken for its work; where the process is known, its ancestors decide instead.
#pragma once

#include <string_view>

#include "behavior/event_words.h"
#include "state_fields.h"

namespace picket::pipeline {

struct PackageWork {
  Timestamp time;  ///< Newest start of a manager.
  Timestamp last;  ///< Enqueued.
  static auto fields(auto& self) { return std::tie(self.time, self.last); }
};

class PackageAwareDetector : public RememberingDetector<PackageWork> {
 public:
  /// A manager that has not started anything for so long is done.
  static constexpr Duration kWork = Duration::minutes(10);
  void forget(Timestamp now) override { forget_older(now - kWork - Duration::hours(1)); }

 protected:
  explicit PackageAwareDetector(std::string_view name) : RememberingDetector(name, 16'384) {}

  /// To be told of every start of a manager.
  void manager_started(const DetectorEvent& event) {
    auto& work = table_.touch(device_key(event));
    work.time = std::max(work.time, event.time);
    work.last = event.enqueued;
    keep_bound();
  }
  /// A change of a file of which nobody knows who made it, while a manager works.
  [[nodiscard]] bool is_package_work(const DetectorEvent& event) {
    const bool known =
        event.integer(message::Field::ProcessId, 0) > 0 || !event.text(message::Field::Executable).empty();
    const auto* work = known ? nullptr : table_.find(device_key(event));
    return work != nullptr && event.time - work->time <= kWork && work->time - event.time <= kWork;
  }
};

}  // namespace picket::pipeline
