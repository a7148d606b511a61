// Identities in memory: for tests and load generators.
#pragma once

#include <map>
#include <mutex>
#include <tuple>

#include "hub/identity_store.h"

namespace picket::hub {

/// Any thread.
class MemoryIdentityStore final : public IdentityStore {
 public:
  void put(std::string_view hub, std::string_view device_id, std::string_view module_id, StoredIdentity identity);
  void remove(std::string_view hub, std::string_view device_id, std::string_view module_id);
  [[nodiscard]] Result<std::optional<StoredIdentity>> find(std::string_view hub, std::string_view device_id,
                                                           std::string_view module_id) const override;

 private:
  using Key = std::tuple<std::string, std::string, std::string>;
  mutable std::mutex mutex_;
  std::map<Key, StoredIdentity> identities_;
};

}  // namespace picket::hub
