// Where a head looks up who may connect. Implemented over the state; in memory for tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "state/devices.h"

namespace picket::hub {

/// What authentication needs to know of a device, or of a module of one.
struct StoredIdentity {
  std::string generation_id;
  bool enabled = true;  ///< A module is enabled when its device is.
  Buffer primary_key;   ///< Decoded; empty: there is none.
  Buffer secondary_key;
  state::AuthType auth = state::AuthType::sas;  ///< The one way in which this identity proves itself.
  state::Thumbprints thumbprints;               ///< auth self_signed: lower-case hex, SHA-1 or SHA-256.
};

/// Called on I/O threads, for each connection: must be quick (one indexed read) and safe from several threads.
class IdentityStore {
 public:
  virtual ~IdentityStore() = default;
  /// `module_id` empty: the device itself. Ids are literals and compared with case. nullopt: there is no such identity.
  /// An Error means that the store cannot answer now; the client is told to try again.
  [[nodiscard]] virtual Result<std::optional<StoredIdentity>> find(std::string_view hub, std::string_view device_id,
                                                                   std::string_view module_id) const = 0;
};

}  // namespace picket::hub
