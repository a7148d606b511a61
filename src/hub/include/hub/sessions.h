// What a session remembers beyond its connection (decision 17): which filters are subscribed. Durable before SUBACK.
#pragma once

#include <cstdint>

#include "base/core/identity.h"
#include "hub/hub_error.h"

namespace picket::hub {

/// Mask: one bit for each mqtt::Filter, and its granted QoS one bit further up (bit 8 + filter).
class Sessions {
 public:
  virtual ~Sessions() = default;
  /// 0: none. A session of another generation of the identity does not count. Quick: an indexed look-up.
  [[nodiscard]] virtual Result<std::uint32_t> load(const Identity& identity) const = 0;
  /// Mask 0 removes it. `done` after it is durable.
  virtual void store(const Identity& identity, std::uint32_t mask, Done<> done) = 0;
};

}  // namespace picket::hub
