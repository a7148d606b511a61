// Hubs as objects: what they are, their settings document, their shared access policies and CA certificates.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

struct Hub {
  std::string name;
  std::string location;
  std::string tier;
  std::uint32_t units = 1;
  std::string settings;  ///< JSON; its meaning is the hub's.
  std::string etag;
  Timestamp created;
  Timestamp updated;
};

struct Policy {
  std::string hub;
  std::string name;
  std::uint32_t rights = 0;  ///< A mask; its meaning is the hub's.
  Keys keys;
  Timestamp created;
  Timestamp updated;
};

struct CaCertificate {
  std::string hub;
  std::string name;
  std::string pem;
  bool verified = false;  ///< Possession of the key was proven.
  std::string code;       ///< What the proof must name; empty: none was asked for.
  std::string etag;
  Timestamp created;
  Timestamp updated;
};

/// Rows only: rules, keys and audit records are hub::Registry's. The writing half is called inside Database::write or
/// submit, so that a change and its audit record are one transaction.
class Hubs {
 public:
  explicit Hubs(Database& database) : database_(database) {}

  // Errors of all: exists, not_found.
  static Result<> insert(sqlite3* db, const Hub& hub);
  static Result<> update(sqlite3* db, const Hub& hub);
  /// With its policies and certificates. Identities are not touched: see Identities::count.
  static Result<> erase(sqlite3* db, std::string_view hub);
  static Result<Hub> find(sqlite3* db, std::string_view hub);

  static Result<> insert(sqlite3* db, const Policy& policy);
  static Result<> update(sqlite3* db, const Policy& policy);
  static Result<> erase_policy(sqlite3* db, std::string_view hub, std::string_view name);
  static Result<Policy> find_policy(sqlite3* db, std::string_view hub, std::string_view name);

  static Result<> insert(sqlite3* db, const CaCertificate& certificate);
  static Result<> update(sqlite3* db, const CaCertificate& certificate);
  static Result<> erase_certificate(sqlite3* db, std::string_view hub, std::string_view name);
  static Result<CaCertificate> find_certificate(sqlite3* db, std::string_view hub, std::string_view name);

  // By name.
  Result<std::vector<Hub>> list() const;
  Result<std::vector<Policy>> policies(std::string_view hub) const;
  Result<std::vector<CaCertificate>> certificates(std::string_view hub) const;

 private:
  Database& database_;
};

}  // namespace picket::state
