// The file_system collector: what changes below watched paths.
#include "file_system/tiers.h"

namespace picket::agent {
namespace {

constexpr Tier kTiers[] = {
    {"fanotify", "every change, and the process that made it", "kernel 5.17, CONFIG_FANOTIFY, CAP_SYS_ADMIN", false,
     open_file_system_fanotify},
    {"inotify", "every change; not who made it", "CONFIG_INOTIFY_USER", false, open_file_system_inotify},
    {"scan", "what is different between two looks", "nothing", true, open_file_system_scan},
};

}  // namespace

const CollectorSpec& file_system_collector() {
  static constexpr CollectorSpec spec{"file_system", "changes of watched files", kTiers, Priority::low};
  return spec;
}

}  // namespace picket::agent
