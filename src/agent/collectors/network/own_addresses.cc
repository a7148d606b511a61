#include "network/own_addresses.h"

#include <algorithm>
#include <cstring>

#include <ifaddrs.h>
#include <netinet/in.h>

namespace picket::agent {

const OwnAddresses::Known* OwnAddresses::find(const IpAddress& address, Duration now, Duration again) {
  const Known* known = search(address);
  // Addresses come and go, and move between interfaces.
  if (!looked_ || now - *looked_ >= (known != nullptr ? again : Duration{again.us / 6})) {
    look(now);
    known = search(address);
  }
  return known;
}

const OwnAddresses::Known* OwnAddresses::search(const IpAddress& address) const {
  const auto found = std::ranges::find(addresses_, address, &Known::address);
  return found == addresses_.end() ? nullptr : &*found;
}

void OwnAddresses::look(Duration now) {
  looked_ = now;
  addresses_.clear();
  ifaddrs* first = nullptr;
  if (::getifaddrs(&first) != 0) return;
  for (const ifaddrs* each = first; each != nullptr && addresses_.size() < kAddressesMax; each = each->ifa_next) {
    if (each->ifa_addr == nullptr) continue;
    Known known;
    std::strncpy(known.interface, each->ifa_name, IFNAMSIZ - 1);
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
