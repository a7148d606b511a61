// Devices and modules in IoT Hub's JSON (spec/hub.md 1.4, identity JSON). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"
#include "hub/hub_error.h"
#include "state/devices.h"
#include "state/identities.h"

namespace picket::hub {

/// What an identity shows beside its row: kept in memory by others.
struct IdentityActivity {
  bool connected = false;
  Timestamp connection_changed;  ///< 0: never.
  Timestamp last_activity;       ///< 0: never.
  std::uint64_t cloud_to_device_messages = 0;
};

/// Keys and thumbprints are part of it: whoever gets it has read keys, which is audited.
std::string to_json(const state::Device& device, const IdentityActivity& activity);
std::string to_json(std::string_view device_id, const state::Module& module, const IdentityActivity& activity);
/// {"totalDeviceCount":…,"enabledDeviceCount":…,"disabledDeviceCount":…}
std::string to_json(const state::IdentityCounts& counts);

/// How an identity is to prove itself. Empty keys: the hub makes them, or keeps those it has.
struct AuthSpec {
  state::AuthType type = state::AuthType::sas;
  state::Keys keys;
  state::Thumbprints thumbprints;
  friend bool operator==(const AuthSpec&, const AuthSpec&) = default;
};

/// What a caller wants of a device. Absent: what it was, or the default of a new one.
struct DeviceSpec {
  std::string device_id;
  std::optional<bool> enabled;
  std::optional<std::string> status_reason;
  std::optional<AuthSpec> auth;
  std::optional<bool> edge;
  std::optional<std::string> scope;
  std::optional<std::vector<std::string>> parent_scopes;
  std::optional<std::string> group;  ///< Device security group; in JSON it is the twin's tag SecurityGroup.
  friend bool operator==(const DeviceSpec&, const DeviceSpec&) = default;
};

struct ModuleSpec {
  std::string device_id;
  std::string module_id;
  std::optional<AuthSpec> auth;
  std::optional<std::string> managed_by;
  friend bool operator==(const ModuleSpec&, const ModuleSpec&) = default;
};

inline constexpr std::size_t kStatusReasonBytesMax = 128;
inline constexpr std::size_t kManagedByBytesMax = 128;
inline constexpr std::size_t kScopeBytesMax = 256;
inline constexpr std::size_t kParentScopesMax = 16;

/// Body of PUT /devices/{id}. `device_id`: from the path; a body that names another is refused. Members that are not
/// known or read-only are ignored. Errors: 400004.
HubResult<DeviceSpec> device_from_json(std::string_view body, std::string_view device_id);
HubResult<ModuleSpec> module_from_json(std::string_view body, std::string_view device_id, std::string_view module_id);

/// What to do with one line of a bulk call or an import file.
enum class BulkMode : std::uint8_t {
  create,
  create_or_update,
  update,
  update_if_match,
  create_or_update_if_match,
  remove,
  remove_if_match,
  update_twin,
  update_twin_if_match,
};

struct BulkItem {
  BulkMode mode = BulkMode::create;
  DeviceSpec device;                 ///< Its id also when it is about a module.
  std::optional<ModuleSpec> module;  ///< Present: it is about this module.
  std::string etag;                  ///< For the if-match modes.
  std::string twin_etag;
  std::string tags;     ///< JSON object; empty: none. With SecurityGroup, which `device.group` also holds.
  std::string desired;  ///< JSON object; empty: none.
};

inline constexpr std::size_t kBulkItemsMax = 100;

/// Body of POST /devices: an array of at most kBulkItemsMax. Errors: 400004 names the item.
HubResult<std::vector<BulkItem>> bulk_from_json(std::string_view body);
/// One line of an import file. `fallback`: its mode when the line has none.
HubResult<BulkItem> bulk_item_from_json(std::string_view line, BulkMode fallback);

struct BulkError {
  std::string device_id;
  std::string module_id;
  HubError error;
};

struct BulkResult {
  std::vector<BulkError> errors;  ///< Of those items that were not done; the others were.
};
/// {"isSuccessful":…,"errors":[{"deviceId","errorCode","errorStatus"}],"warnings":[]}
std::string to_json(const BulkResult& result);

/// One line of an export file (devices.txt), without the line break. `tags`, `desired`, `reported`: of the twin, JSON
/// objects or empty.
struct ExportTwin {
  std::string etag;
  std::string tags;
  std::string desired;
  std::string reported;
};
std::string export_line(const state::Device& device, bool with_keys, const ExportTwin& twin);
std::string export_line(std::string_view device_id, const state::Module& module, bool with_keys,
                        const ExportTwin& twin);

/// "DeviceNotFound" for 404001 and so on; the code's number as text where it has no name.
std::string code_name(int code);

}  // namespace picket::hub
