#include "network/device_filter.h"

#include <algorithm>

namespace picket::agent {

bool DeviceFilter::passes(const ConnectionRecord& record) {
  if (!record.interface.empty()) {
    return devices_.empty() || std::ranges::find(devices_, record.interface) != devices_.end();
  }
  const IpAddress& local = record.local.address;
  const bool any = std::ranges::all_of(local.bytes, [](std::uint8_t byte) { return byte == 0; });
  if (devices_.empty() || local.length == 0 || any) return true;
  const OwnAddresses::Known* known = addresses_.find(local, record.time.monotonic, kLookAgain);
  return known == nullptr || std::ranges::find(devices_, std::string_view(known->interface)) != devices_.end();
}

}  // namespace picket::agent
