// What a hub is and how it is configured, as every part of it reads it: a snapshot that costs one pointer.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/bytes.h"
#include "base/core/time.h"
#include "hub/ip_filter.h"

namespace picket::hub {

/// Rights of a shared access policy; a mask of these.
enum Right : std::uint32_t {
  kRegistryRead = 1,
  kRegistryWrite = 2,  ///< Includes reading, as in IoT Hub.
  kServiceConnect = 4,
  kDeviceConnect = 8,
};
inline constexpr std::uint32_t kAllRights = 15;
/// "RegistryRead, ServiceConnect": IoT Hub's words and order.
std::string rights_to_string(std::uint32_t rights);
/// Reads the same; nullopt: a word that is none.
std::optional<std::uint32_t> rights_from_string(std::string_view text);

enum class TlsVersion : std::uint8_t { tls12, tls13 };
/// standard: what OpenSSL offers with forward secrecy and authenticated encryption. strict: AES-GCM with 256 bit keys
/// and ChaCha20 only.
enum class CipherPolicy : std::uint8_t { standard, strict };
/// off: X.509 does not prove an identity. required: nothing else does.
enum class ClientCertificatePolicy : std::uint8_t { optional, required, off };

/// Categories of operations records: those of IoT Hub's resource logs, then ours.
std::span<const std::string_view> diagnostic_categories();
/// All of them, as a category of a setting.
inline constexpr std::string_view kAllLogs = "allLogs";
/// The one kind of sink: hourly files of the data directory (docs/formats/diagnostics.md).
inline constexpr std::string_view kStorageSink = "storage";

/// Where operations records of these categories go besides the hub's own table.
struct DiagnosticSetting {
  std::string name;
  std::vector<std::string> categories;  ///< Of diagnostic_categories(), or kAllLogs.
  std::vector<std::string> sinks;       ///< kStorageSink.
  [[nodiscard]] bool sends(std::string_view category, std::string_view sink) const;
  friend bool operator==(const DiagnosticSetting&, const DiagnosticSetting&) = default;
};

/// The document of settings that an operator edits. docs/hub.md, Hubs and identities.
struct HubConfiguration {
  bool security = true;  ///< Built-in security.
  TlsVersion tls_minimum = TlsVersion::tls12;
  CipherPolicy ciphers = CipherPolicy::standard;
  ClientCertificatePolicy client_certificates = ClientCertificatePolicy::optional;
  std::vector<IpRule> ip_rules;              ///< At most kIpRulesMax; the first match decides.
  std::optional<Duration> sas_lifetime_max;  ///< Longest time from now that a token may still be valid.
  std::vector<DiagnosticSetting> diagnostics;
  int retention_days = 1;  ///< 1..7: of messages for readers of the built-in endpoint.
  friend bool operator==(const HubConfiguration&, const HubConfiguration&) = default;
};

struct SharedAccessPolicy {
  std::string name;
  std::uint32_t rights = 0;
  Buffer primary_key;  ///< Decoded.
  Buffer secondary_key;
};

/// A CA whose key the operator has proven to hold.
struct TrustedCa {
  std::string name;
  std::string sha256_thumbprint;  ///< Lower-case hex.
  std::string subject;
  std::string pem;
  Timestamp not_after;
};

/// A certificate that proves nothing any more, of a device or of a CA.
struct RevokedCertificate {
  std::string thumbprint;  ///< SHA-256 or SHA-1, lower-case hex.
  std::string name;        ///< Of the CA, or what the operator calls it.
  std::string reason;
  Timestamp revoked;
};

/// One hub at one moment. Never changes; a change makes a new one.
struct HubSettings {
  std::string name;
  std::string location;
  std::string tier = "none";  ///< F1, S1, S2, S3: presets of limits (spec 1.8); none: no limits but the machine's.
  std::uint32_t units = 1;
  std::string resource_id;  ///< ARM shape, lower case (decision 1).
  std::string etag;
  Timestamp created;
  Timestamp updated;
  HubConfiguration configuration;
  std::vector<SharedAccessPolicy> policies;
  std::vector<TrustedCa> authorities;
  std::vector<RevokedCertificate> revoked;  ///< By thumbprint.

  [[nodiscard]] const SharedAccessPolicy* find_policy(std::string_view policy_name) const;
  [[nodiscard]] bool trusts(std::string_view sha256_thumbprint) const;
  /// `thumbprint`: lower-case hex, either hash.
  [[nodiscard]] bool has_revoked(std::string_view thumbprint) const;
};

/// Current settings of all hubs. Any thread; readers never wait for writers longer than a pointer takes.
class HubSettingsStore {
 public:
  HubSettingsStore();
  /// nullptr: there is no such hub.
  [[nodiscard]] std::shared_ptr<const HubSettings> of(std::string_view hub) const;
  /// By name.
  [[nodiscard]] std::vector<std::shared_ptr<const HubSettings>> all() const;
  /// The hub that a client means by a host name: the one named like its first label, or like all of it; without case.
  /// nullptr: none.
  [[nodiscard]] std::shared_ptr<const HubSettings> of_host(std::string_view host) const;

  void put(HubSettings settings);
  void remove(std::string_view hub);

 private:
  using Map = std::map<std::string, std::shared_ptr<const HubSettings>, std::less<>>;
  [[nodiscard]] std::shared_ptr<const Map> map() const;
  template <class Change>
  void replace(Change change);
  std::shared_ptr<const Map> map_;  ///< Swapped atomically; shared with readers of its time.
};

/// /subscriptions/{installation}/resourcegroups/picket/providers/microsoft.devices/iothubs/{hub}, lower case.
std::string hub_resource_id(std::string_view installation_id, std::string_view hub);

}  // namespace picket::hub
