// Twins as rows: texts and versions beside the identity they belong to. What
// the texts mean is hub's (hub/twin_document.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"

struct sqlite3;

namespace picket::state {

/// The identity a twin belongs to, as twins show it. Modules have no status,
/// group and scopes of their own.
struct TwinOwner {
  std::string hub;
  std::string device_id;
  std::string module_id;  ///< Empty: the device itself.
  std::string generation_id;
  std::string etag;  ///< Of the identity (deviceEtag).
  bool enabled = true;
  std::string group;  ///< Device security group; empty for modules.
  std::string status_reason;
  Timestamp status_updated;  ///< 0: never.
  int auth = 0;              ///< 0 sas, 1 selfSigned, 2 certificateAuthority, 3 none
  std::string thumbprint_primary;
  std::string thumbprint_secondary;
  bool edge = false;
  std::string scope;
  std::string parent_scopes;
};

/// One twin. `stored` false: nothing was ever written to it, and the rest has
/// the values of a new twin.
struct TwinRow {
  TwinOwner owner;
  bool stored = false;
  std::string etag;
  std::uint64_t version = 1;
  std::string tags;
  std::string desired;
  std::string desired_metadata;
  std::uint64_t desired_version = 1;
  std::string reported;
  std::string reported_metadata;
  std::uint64_t reported_version = 1;
};

/// Which twins a list holds.
enum class TwinKind { devices, modules };

/// A row is made with the first change, and goes with its identity: by foreign
/// key with the device, by a trigger with the module. A change of the device's
/// security group, whoever makes it, also renews the twin's version and etag.
class Twins {
 public:
  explicit Twins(Database& database) : database_(database) {}

  /// Errors: not_found when there is no such identity.
  Result<TwinRow> find(std::string_view hub, std::string_view device_id, std::string_view module_id) const;
  /// In order of (device, module), beginning after these; at most `count_max`.
  /// `after_module` counts for modules only.
  Result<std::vector<TwinRow>> list(std::string_view hub, TwinKind kind, std::string_view after_device,
                                    std::string_view after_module, std::size_t count_max) const;
  /// Twins of the modules of one device, by id.
  Result<std::vector<TwinRow>> modules(std::string_view hub, std::string_view device_id) const;

  // Inside Database::write or submit.
  static Result<TwinRow> find_in(sqlite3* db, std::string_view hub, std::string_view device_id,
                                 std::string_view module_id);
  static Result<> save(sqlite3* db, const TwinRow& row, Timestamp now);
  /// Puts the device into a group and writes the audit record "device.update"
  /// that detectors learn it from.
  static Result<> set_group(sqlite3* db, const TwinOwner& owner, std::string_view group, std::string_view user,
                            std::string_view source, Timestamp now);

 private:
  Database& database_;
};

}  // namespace picket::state
