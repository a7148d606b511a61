#include "network/interface_names.h"

#include <cstring>

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

namespace picket::agent {

InterfaceNames::InterfaceNames() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  // Of the thread: a test may be in a namespace of its own.
  struct stat own{};
  if (::stat("/proc/thread-self/ns/net", &own) == 0) netns_ = static_cast<std::uint32_t>(own.st_ino);
}

std::string_view InterfaceNames::find(std::uint32_t index, std::uint32_t netns, Duration now) {
  if (index == 0 || netns == 0 || netns != netns_) return {};
  Known& known = known_[index % known_.size()];
  if (known.index != index || now - known.looked >= kLookAgain) {
    ifreq request{};
    request.ifr_ifindex = static_cast<int>(index);
    known = {.index = index, .looked = now};
    // What was known of an interface that has gone is not kept: its number may come again.
    if (::ioctl(socket_.get(), SIOCGIFNAME, &request) == 0) std::memcpy(known.name, request.ifr_name, IFNAMSIZ - 1);
  }
  return known.name;
}

}  // namespace picket::agent
