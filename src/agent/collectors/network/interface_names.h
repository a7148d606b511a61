// Names of network interfaces by number, as they come and go.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <net/if.h>

#include "base/core/file.h"
#include "base/core/time.h"

namespace picket::agent {

/// Of the network namespace it is made in: numbers of others mean other interfaces. One thread.
class InterfaceNames {
 public:
  static constexpr Duration kLookAgain = Duration::seconds(5);  ///< Interfaces are renamed when they are plugged.

  InterfaceNames();

  /// Empty: gone, of another namespace, or `netns` (its inode) is 0. Valid until the next call.
  std::string_view find(std::uint32_t index, std::uint32_t netns, Duration now);

 private:
  struct Known {
    std::uint32_t index = 0;
    Duration looked;
    char name[IFNAMSIZ] = {};
  };
  UniqueFd socket_;
  std::uint32_t netns_ = 0;
  std::array<Known, 16> known_;  // by index modulo its size
};

}  // namespace picket::agent
