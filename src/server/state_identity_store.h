// The registry as the hub's heads see it.
#pragma once

#include "hub/identity_store.h"
#include "state/devices.h"

namespace picket::server {

/// Any thread. One indexed read a look-up.
class StateIdentityStore final : public hub::IdentityStore {
 public:
  /// `devices` outlives this object.
  explicit StateIdentityStore(const state::Devices& devices) : devices_(devices) {}
  [[nodiscard]] Result<std::optional<hub::StoredIdentity>> find(std::string_view hub, std::string_view device_id,
                                                                std::string_view module_id) const override;

 private:
  const state::Devices& devices_;
};

}  // namespace picket::server
