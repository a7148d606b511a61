// The name of a device or module, as the registry and the directory know it.
#pragma once

#include <compare>
#include <string>

#include "base/core/identity.h"

namespace picket::hub {

/// Literals, compared with case. `module_id` empty: the device itself. A device stands before its modules.
struct IdentityKey {
  std::string hub;
  std::string device_id;
  std::string module_id;

  friend auto operator<=>(const IdentityKey&, const IdentityKey&) = default;
};

inline IdentityKey key_of(const Identity& identity) {
  return {identity.hub, identity.device_id, identity.module_id};
}

}  // namespace picket::hub
