// Certificates that a hub's operator has revoked, and how much of its day a hub has used.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"

namespace picket::state {

struct Revocation {
  std::string hub;
  std::string thumbprint;  ///< SHA-256 or SHA-1, lower-case hex.
  std::string name;
  std::string reason;
  Timestamp revoked;
};

/// Rows only: rules and audit records are hub::HubAdministration's. The writing half is called inside Database::write.
/// They go with their hub.
class Revocations {
 public:
  explicit Revocations(Database& database) : database_(database) {}
  /// Errors: exists.
  static Result<> insert(sqlite3* db, const Revocation& revocation);
  /// Errors: not_found.
  static Result<> erase(sqlite3* db, std::string_view hub, std::string_view thumbprint);
  /// By thumbprint.
  Result<std::vector<Revocation>> list(std::string_view hub) const;

 private:
  Database& database_;
};

struct HubDay {
  std::string hub;
  std::int64_t day = 0;  ///< Since 1970.
  std::uint64_t blocks = 0;
};

/// The newest day of each hub.
class HubDays {
 public:
  explicit HubDays(Database& database) : database_(database) {}
  /// In one transaction.
  Result<> put(const std::vector<HubDay>& days);
  Result<std::vector<HubDay>> list() const;

 private:
  Database& database_;
};

}  // namespace picket::state
