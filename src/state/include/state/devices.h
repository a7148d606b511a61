// Devices and modules: the registry of who may connect.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/identifier.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"

namespace picket::state {

/// Id of the module that security messages come from; made with each device (spec/security-message, module identities).
inline constexpr std::string_view kSecurityModule = "DefenderIotMicroAgent";
inline constexpr std::string_view kDefaultGroup = "default";
inline constexpr std::size_t kDeviceIdBytesMax = kIdentifierBytesMax;

/// Two symmetric keys, each 32 random bytes in base64. Secret: never logged, shown to administrators only.
struct Keys {
  std::string primary;
  std::string secondary;
};

struct Module {
  std::string module_id;
  std::string generation_id;
  bool enabled = true;
  Keys keys;
  Timestamp created;
};

struct Device {
  std::string hub;
  std::string device_id;
  std::string generation_id;  ///< New for each creation: tells a device from an earlier one of the same name.
  bool enabled = true;
  std::string group{kDefaultGroup};  ///< Device security group (twin tag SecurityGroup).
  Keys keys;
  Timestamp created;
  Timestamp updated;
  std::vector<Module> modules;
};

/// Fields of a change; what is absent stays.
struct DeviceChange {
  std::optional<bool> enabled;
  std::optional<std::string> group;
};

/// Who asks for a change; written to the outbox with it.
struct Actor {
  std::string user;    ///< Sign-in name or "policy/<name>".
  std::string source;  ///< Address the request came from; empty for the local console.
};

/// is_identifier() as a result. Errors: malformed or limit_exceeded, where "device.id".
Result<> check_device_id(std::string_view id);

/// Registry of one installation, over all hubs. Each change writes its audit record to the outbox in the same
/// transaction (decisions: registry change + its event).
class Devices {
 public:
  explicit Devices(Database& database) : database_(database) {}

  /// Makes a device and its security module; with fresh keys unless `keys` brings both (base64 of 16 to 64 bytes).
  /// Errors: exists, malformed.
  Result<Device> add(std::string_view hub, std::string_view device_id, std::string_view group, const Actor& actor,
                     Timestamp now, const std::optional<Keys>& keys = std::nullopt);
  /// Makes a module of an existing device. Errors: not_found, exists, malformed.
  Result<Module> add_module(std::string_view hub, std::string_view device_id, std::string_view module_id,
                            const Actor& actor, Timestamp now);
  Result<> remove_module(std::string_view hub, std::string_view device_id, std::string_view module_id,
                         const Actor& actor, Timestamp now);
  Result<Device> change(std::string_view hub, std::string_view device_id, const DeviceChange& change,
                        const Actor& actor, Timestamp now);
  Result<> remove(std::string_view hub, std::string_view device_id, const Actor& actor, Timestamp now);

  /// Errors: not_found.
  Result<Device> find(std::string_view hub, std::string_view device_id) const;
  /// In order of device id, beginning after `after`; at most `count_max`.
  Result<std::vector<Device>> list(std::string_view hub, std::string_view after, std::size_t count_max) const;
  Result<std::uint64_t> count(std::string_view hub) const;

 private:
  Database& database_;
};

}  // namespace picket::state
