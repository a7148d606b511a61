// The peripheral collector: USB devices and network interfaces that come and go.
#include "peripheral/tiers.h"

namespace picket::agent {
namespace {

constexpr Tier kTiers[] = {
    {"uevent", "USB devices and network interfaces as they come and go, however short", "CONFIG_NET and sysfs", false,
     open_peripheral_uevent},
    {"sysfs", "what stays longer than the poll interval", "sysfs", true, open_peripheral_sysfs},
};

}  // namespace

const CollectorSpec& peripheral_collector() {
  static constexpr CollectorSpec spec{"peripheral", "USB devices and network interfaces", kTiers, Priority::low};
  return spec;
}

}  // namespace picket::agent
