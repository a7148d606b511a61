// Addresses of this device's interfaces, as they come and go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <net/if.h>

#include "agent/record.h"
#include "base/core/time.h"

namespace picket::agent {

/// Of the network namespace of the calling thread. One thread.
class OwnAddresses {
 public:
  static constexpr std::size_t kAddressesMax = 1'024;

  struct Known {
    IpAddress address;
    char interface[IFNAMSIZ] = {};
  };

  /// nullptr: of nobody here. Looks again when what is known is older than `again`; for an address that is not known,
  /// a sixth of that. Valid until the next call.
  const Known* find(const IpAddress& address, Duration now, Duration again = Duration::minutes(1));

 private:
  [[nodiscard]] const Known* search(const IpAddress& address) const;
  void look(Duration now);

  std::vector<Known> addresses_;
  std::optional<Duration> looked_;
};

}  // namespace picket::agent
