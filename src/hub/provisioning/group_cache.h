// The enrollment groups in memory.
#pragma once

#include <memory>
#include <mutex>

#include "attestation.h"
#include "state/database.h"

namespace picket::hub {

/// Any thread. Read anew after invalidate(), and every minute: a CA that a group names may have been proven or removed.
class GroupCache {
 public:
  GroupCache(state::Database& database, const ProvisioningRegistry& registry, const Clock& clock)
      : database_(database), registry_(registry), clock_(clock) {}
  Result<std::shared_ptr<const GroupSet>> get();
  void invalidate();

 private:
  Result<GroupSet> load() const;

  state::Database& database_;
  const ProvisioningRegistry& registry_;
  const Clock& clock_;
  std::mutex mutex_;
  std::shared_ptr<const GroupSet> groups_;  ///< Shared with proofs that are under way.
  Duration loaded_;
  std::uint64_t generation_ = 0;
};

}  // namespace picket::hub
