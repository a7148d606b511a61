#include "state_identity_store.h"

#include <algorithm>

#include "base/core/encoding.h"

namespace picket::server {
namespace {

Result<std::optional<hub::StoredIdentity>> stored(const std::string& generation_id, bool enabled,
                                                  const state::Keys& keys) {
  hub::StoredIdentity out{generation_id, enabled, {}, {}};
  TRY(out.primary_key, from_base64(keys.primary));
  TRY(out.secondary_key, from_base64(keys.secondary));
  return std::optional(std::move(out));
}

}  // namespace

Result<std::optional<hub::StoredIdentity>> StateIdentityStore::find(std::string_view hub, std::string_view device_id,
                                                                    std::string_view module_id) const {
  const auto device = devices_.find(hub, device_id);
  if (!device && device.error().code == Errc::not_found) return std::optional<hub::StoredIdentity>();
  if (!device) return std::unexpected(device.error());
  if (module_id.empty()) return stored(device->generation_id, device->enabled, device->keys);
  const auto module =
      std::ranges::find_if(device->modules, [&](const state::Module& one) { return one.module_id == module_id; });
  if (module == device->modules.end()) return std::optional<hub::StoredIdentity>();
  return stored(module->generation_id, device->enabled && module->enabled, module->keys);
}

}  // namespace picket::server
