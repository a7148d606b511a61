#include "hub/memory_identity_store.h"

namespace picket::hub {

void MemoryIdentityStore::put(std::string_view hub, std::string_view device_id, std::string_view module_id,
                              StoredIdentity identity) {
  const std::scoped_lock lock(mutex_);
  identities_[Key(hub, device_id, module_id)] = std::move(identity);
}

void MemoryIdentityStore::remove(std::string_view hub, std::string_view device_id, std::string_view module_id) {
  const std::scoped_lock lock(mutex_);
  identities_.erase(Key(hub, device_id, module_id));
}

Result<std::optional<StoredIdentity>> MemoryIdentityStore::find(std::string_view hub, std::string_view device_id,
                                                                std::string_view module_id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = identities_.find(Key(hub, device_id, module_id));
  if (found == identities_.end()) return std::nullopt;
  return found->second;
}

}  // namespace picket::hub
