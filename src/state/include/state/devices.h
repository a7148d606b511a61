// Devices and modules: the registry of who may connect.
#pragma once

#include <cstdint>
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
  friend bool operator==(const Keys&, const Keys&) = default;
};

/// How an identity proves itself. The numbers are stored.
enum class AuthType : std::uint8_t { sas = 0, self_signed = 1, certificate_authority = 2, none = 3 };

/// Of the certificates of a self-signed identity: SHA-1 or SHA-256 in lower-case hex; empty: none.
struct Thumbprints {
  std::string primary;
  std::string secondary;
  friend bool operator==(const Thumbprints&, const Thumbprints&) = default;
};

/// X.509 instead of keys, for a device and its security module.
struct X509Proof {
  AuthType type = AuthType::self_signed;  ///< Or certificate_authority.
  Thumbprints thumbprints;                ///< self_signed: at least one.
};

struct Module {
  std::string module_id;
  std::string generation_id;
  bool enabled = true;
  Keys keys;
  Timestamp created;
  std::string etag;
  AuthType auth = AuthType::sas;
  Thumbprints thumbprints;
  std::string managed_by;
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
  std::vector<Module> modules;  ///< By id. Filled by Devices only; Identities leaves it empty.
  std::string etag;             ///< New with each change.
  std::string status_reason;
  Timestamp status_updated;  ///< 0: never.
  AuthType auth = AuthType::sas;
  Thumbprints thumbprints;
  bool edge = false;  ///< capabilities.iotEdge
  std::string scope;  ///< deviceScope
  std::vector<std::string> parent_scopes;
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

/// The registry as the REST API of operators sees it: devices with their modules, blocking. Each change writes its
/// audit record to the outbox in the same transaction (decisions: registry change + its event). hub::Registry is the
/// same registry for IoT Hub's protocols.
class Devices {
 public:
  explicit Devices(Database& database) : database_(database) {}

  /// Makes a device and its security module; with fresh keys unless `keys` brings both (base64 of 16 to 64 bytes), or
  /// without keys when `x509` says how they prove themselves. Errors: exists, malformed.
  Result<Device> add(std::string_view hub, std::string_view device_id, std::string_view group, const Actor& actor,
                     Timestamp now, const std::optional<Keys>& keys = std::nullopt,
                     const std::optional<X509Proof>& x509 = std::nullopt);
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
  /// Ids of a device security group's, in no order.
  Result<std::vector<std::string>> ids_of_group(std::string_view hub, std::string_view group) const;
  Result<std::uint64_t> count(std::string_view hub) const;
  [[nodiscard]] Database& database() const { return database_; }

 private:
  Database& database_;
};

}  // namespace picket::state
