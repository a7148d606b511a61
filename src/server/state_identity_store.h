// The registry as the hub's heads see it.
#pragma once

#include "hub/identity_store.h"
#include "state/identities.h"

namespace picket::server {

/// Any thread. One indexed read a look-up.
class StateIdentityStore final : public hub::IdentityStore {
 public:
  /// The database outlives this object.
  explicit StateIdentityStore(state::Database& database) : identities_(database) {}
  explicit StateIdentityStore(const state::Devices& devices) : identities_(devices.database()) {}
  [[nodiscard]] Result<std::optional<hub::StoredIdentity>> find(std::string_view hub, std::string_view device_id,
                                                                std::string_view module_id) const override;

 private:
  state::Identities identities_;
};

}  // namespace picket::server
