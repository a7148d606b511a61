#include "network/device_filter.h"

#include <algorithm>
#include <cstring>

#include <ifaddrs.h>
#include <netinet/in.h>

namespace picket::agent {

bool DeviceFilter::passes(const ConnectionRecord& record) {
  if (!record.interface.empty()) {
    return devices_.empty() || std::ranges::find(devices_, record.interface) != devices_.end();
  }
  const IpAddress& local = record.local.address;
  const bool any = std::ranges::all_of(local.bytes, [](std::uint8_t byte) { return byte == 0; });
  if (devices_.empty() || local.length == 0 || any) return true;
  const Duration now = record.time.monotonic;
  const Known* known = find(local);
  // Addresses come and go, and move between interfaces.
  if (!looked_ || now - *looked_ >= (known != nullptr ? kLookAgain * 6 : kLookAgain)) {
    look(now);
    known = find(local);
  }
  return known == nullptr || known->listed;
}

const DeviceFilter::Known* DeviceFilter::find(const IpAddress& address) const {
  const auto found = std::ranges::find(addresses_, address, &Known::address);
  return found == addresses_.end() ? nullptr : &*found;
}

void DeviceFilter::look(Duration now) {
  looked_ = now;
  addresses_.clear();
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return;
  for (const ifaddrs* each = first; each != nullptr && addresses_.size() < kAddressesMax; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    Known known{.listed = std::ranges::find(devices_, std::string_view(each->ifa_name)) != devices_.end()};
    if (each->ifa_addr->sa_family == AF_INET) {
      sockaddr_in in{};
      std::memcpy(&in, each->ifa_addr, sizeof in);
      known.address.length = 4;
      std::memcpy(known.address.bytes.data(), &in.sin_addr, 4);
    } else if (each->ifa_addr->sa_family == AF_INET6) {
      sockaddr_in6 in{};
      std::memcpy(&in, each->ifa_addr, sizeof in);
      known.address.length = 16;
      std::memcpy(known.address.bytes.data(), &in.sin6_addr, 16);
    } else {
      continue;
    }
    addresses_.push_back(known);
  }
  ::freeifaddrs(first);
}

}  // namespace picket::agent
