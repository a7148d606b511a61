// Rows of devices and modules: what the registry of every hub is made of.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "state/database.h"
#include "state/devices.h"

namespace picket::state {

struct IdentityCounts {
  std::uint64_t devices = 0;
  std::uint64_t enabled_devices = 0;
  std::uint64_t modules = 0;
};

/// What authentication needs of an identity, in one read.
struct IdentitySecrets {
  std::string generation_id;
  bool enabled = true;  ///< A module is enabled when its device is.
  AuthType auth = AuthType::sas;
  Keys keys;
  Thumbprints thumbprints;
};

/// 32 random bytes each.
Keys make_keys();
/// Base64 of 16 to 64 bytes. Errors: malformed "device.key".
Result<> check_key(const std::string& key);
/// A new one for each version of an object.
std::string make_etag();

/// Rows only: rules, generated keys and audit records are those of Devices and hub::Registry. The writing half is
/// called inside Database::write or submit.
class Identities {
 public:
  explicit Identities(Database& database) : database_(database) {}

  // Errors: exists "device"/"module", not_found "device"/"module".
  /// Without its modules.
  static Result<> insert(sqlite3* db, const Device& device);
  /// Everything but names, generation and creation time.
  static Result<> update(sqlite3* db, const Device& device);
  /// With its modules.
  static Result<> erase(sqlite3* db, std::string_view hub, std::string_view device_id);
  static Result<Device> find(sqlite3* db, std::string_view hub, std::string_view device_id);
  static Result<> insert(sqlite3* db, std::string_view hub, std::string_view device_id, const Module& module);
  static Result<> update(sqlite3* db, std::string_view hub, std::string_view device_id, const Module& module);
  static Result<> erase_module(sqlite3* db, std::string_view hub, std::string_view device_id,
                               std::string_view module_id);
  static Result<Module> find_module(sqlite3* db, std::string_view hub, std::string_view device_id,
                                    std::string_view module_id);
  /// By id.
  static Result<std::vector<Module>> modules(sqlite3* db, std::string_view hub, std::string_view device_id);
  /// Kept by triggers, so it costs no counting.
  static Result<IdentityCounts> count(sqlite3* db, std::string_view hub);

  Result<Device> find(std::string_view hub, std::string_view device_id) const;
  Result<Module> find_module(std::string_view hub, std::string_view device_id, std::string_view module_id) const;
  Result<std::vector<Module>> modules(std::string_view hub, std::string_view device_id) const;
  /// In order of device id, beginning after `after`; at most `count_max`.
  Result<std::vector<Device>> list(std::string_view hub, std::string_view after, std::size_t count_max) const;
  Result<IdentityCounts> count(std::string_view hub) const;
  /// nullopt: there is no such identity. `module_id` empty: the device.
  Result<std::optional<IdentitySecrets>> secrets(std::string_view hub, std::string_view device_id,
                                                 std::string_view module_id) const;

 private:
  Database& database_;
};

}  // namespace picket::state
