// Provisioning over the state: construction, what it needs, what it counts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hub/provisioning.h"
#include "state/database.h"

namespace picket::hub {

inline constexpr std::size_t kEnrollmentGroupsMax = 1000;  ///< Each costs two hashes at every registration.
inline constexpr std::size_t kBulkEnrollmentsMax = 100;
inline constexpr std::size_t kEnrollmentListMax = 1000;  ///< Of one page of a query.

/// One proof or registration; for the operations log. No secrets.
struct ProvisioningOperation {
  Timestamp time;
  std::string registration_id;
  std::string enrollment;  ///< Empty: none was found.
  bool group = false;
  std::string source;
  bool registered = false;  ///< False: a proof that failed, or a registration that did.
  std::string reason;       ///< Of the failure: for operators, never for the device.
  std::string hub;          ///< registered: where to.
  std::string device_id;
};

struct ProvisioningStats {
  std::uint64_t proofs_failed = 0;
  std::uint64_t registered = 0;
  std::uint64_t registrations_failed = 0;
};

struct ProvisioningOptions {
  /// Called on any thread; must be quick. May be empty.
  std::function<void(const ProvisioningOperation&)> on_operation;
};

class ProvisioningService : public Provisioning {
 public:
  [[nodiscard]] virtual ProvisioningStats stats() const = 0;
};

/// Everything outlives it; destroy it after the heads, before registry and database. Makes the id scope at the first
/// start. Errors: those of the database.
Result<std::unique_ptr<ProvisioningService>> make_provisioning(state::Database& database,
                                                               ProvisioningRegistry& registry, const Clock& clock,
                                                               ProvisioningOptions options = {});

}  // namespace picket::hub
