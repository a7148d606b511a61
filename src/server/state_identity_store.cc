#include "state_identity_store.h"

#include "base/core/encoding.h"

namespace picket::server {

Result<std::optional<hub::StoredIdentity>> StateIdentityStore::find(std::string_view hub, std::string_view device_id,
                                                                    std::string_view module_id) const {
  TRY(auto found, identities_.secrets(hub, device_id, module_id));
  if (!found) return std::optional<hub::StoredIdentity>();
  hub::StoredIdentity out{.generation_id = std::move(found->generation_id), .enabled = found->enabled};
  TRY(out.primary_key, from_base64(found->keys.primary));
  TRY(out.secondary_key, from_base64(found->keys.secondary));
  out.auth = found->auth;
  out.thumbprints = std::move(found->thumbprints);
  return std::optional(std::move(out));
}

}  // namespace picket::server
