// Who a client is, and whether that is true: for every head. Pure but for the look-ups.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/identity.h"
#include "base/core/time.h"
#include "hub/hub_settings.h"
#include "hub/identity_store.h"
#include "mqtt/packet.h"
#include "net/stream.h"

namespace picket::hub {

/// Which hub a host name means. Clients name the host they were configured with.
struct HubNames {
  std::string default_hub;                         ///< For every host that is not listed.
  std::map<std::string, std::string> hub_of_host;  ///< Host in lower case -> hub.
  [[nodiscard]] const std::string& hub_of(std::string_view host) const;
  /// The same, but a host that is not listed means the hub of that name, if `settings` knows it.
  [[nodiscard]] std::string hub_of(std::string_view host, const HubSettingsStore* settings) const;
};

/// The check that failed; its name is in the operations log.
enum class AuthCheck : std::uint8_t {
  client_id,  ///< Not a device id or "device/module".
  user_name,  ///< Not `{host}/{client id}/...`.
  token_missing,
  token_malformed,
  token_policy,    ///< Signed with a policy (`skn`) that does not exist or may not do this.
  token_resource,  ///< `sr` names something else: another device, or the device where a module connects.
  unknown_identity,
  token_signature,  ///< Neither key.
  token_expired,
  disabled,
  will_topic,               ///< The will is not telemetry of this identity.
  store_unavailable,        ///< No verdict; try again.
  ip_filter,                ///< A rule of the hub rejects the address.
  tls_policy,               ///< TLS version below the hub's minimum, or a cipher that it does not want.
  token_lifetime,           ///< Valid for longer than the hub allows.
  certificate_missing,      ///< The identity proves itself by X.509, or the hub wants it from all.
  certificate_not_trusted,  ///< No proven CA of the hub vouches for it, or it is not valid yet.
  certificate_name,         ///< Its common name is another identity's.
  thumbprint_mismatch,      ///< Neither thumbprint of a self-signed identity.
  certificate_expired,      ///< It or a CA above it.
  certificate_revoked,      ///< It or a CA above it, by the hub's list.
};
inline constexpr std::size_t kAuthChecks = 21;
std::string_view to_string(AuthCheck check);
/// IoT Hub's six-digit code, e.g. 401003; 0: it documents none for this.
int hub_code(AuthCheck check);

enum class KeySlot : std::uint8_t { primary, secondary };
std::string_view to_string(KeySlot slot);

enum class AuthMethod : std::uint8_t { device_key, policy, x509_thumbprint, x509_authority };

/// What a client says about itself, before anything is proven.
struct Claim {
  std::string host;
  std::string device_id;
  std::string module_id;
  std::string sdk;  ///< DeviceClientType, decoded; at most kSdkBytesMax.
  static constexpr std::size_t kSdkBytesMax = 256;
};

/// Client id and user name must agree. `{host}/{clientId}` may be followed by '/' and parameters, with '?' or without.
/// Errors: client_id, user_name.
std::expected<Claim, AuthCheck> parse_claim(std::string_view client_id, std::string_view user_name);

/// What a device shows, whatever carries it. Views live for the call.
struct Credentials {
  std::string_view client_id;                 ///< "device" or "device/module".
  std::optional<std::string_view> user_name;  ///< MQTT only: names the host and the client id again.
  std::string_view
      host;  ///< Without user name: Host header, AMQP host name or SNI. Empty: the token's resource names it.
  std::string_view token;                               ///< Shared access signature; empty: none.
  const net::ClientCertificate* certificate = nullptr;  ///< nullptr: none was presented.
  std::string_view tls_version;                         ///< As in net::TlsFacts; empty: not judged.
  std::string_view tls_cipher;                          ///< The same.
  std::string_view source_address;                      ///< Empty: not judged by the IP filter.
};

/// What the checks look things up in. `settings` may be nullptr: hubs have default settings and no policies then.
struct AuthContext {
  const HubNames& hubs;
  const IdentityStore& identities;
  const HubSettingsStore* settings = nullptr;
};

/// A proven identity.
struct Grant {
  Identity identity;
  Claim claim;
  KeySlot key_slot = KeySlot::primary;  ///< Of the key or the thumbprint that matched.
  Timestamp token_expiry;               ///< When the credential ends: the token, or the certificate and those above it.
  AuthMethod method = AuthMethod::device_key;
  std::string policy_name;  ///< method policy.
  /// Tells credentials apart without telling them: key_fingerprint(), or the certificate's SHA-256 thumbprint.
  std::string credential;
  std::string ip_rule;  ///< Name of the rule that accepted the address; empty: none matched.
};

struct Refusal {
  AuthCheck check{};
  Identity claimed;  ///< As far as it could be read; never to be used as an identity.
  std::string sdk;
  std::optional<Timestamp> token_expiry;
  std::string policy_name;
  std::optional<net::Certificate> certificate;  ///< The one presented, with who issued it and when it ends.
  std::string ip_rule;                          ///< check ip_filter: the rule.
};

/// The checks in their order: claim, address, TLS version, then the token or the certificate, as the identity's kind of
/// authentication says; last whether the identity is enabled. A policy with DeviceConnect speaks for any identity.
/// Unknown identities cost the same HMACs as known ones.
std::expected<Grant, Refusal> authenticate(const Credentials& credentials, const AuthContext& context, Timestamp now);

/// The same for a CONNECT: its password is the token; and its will must be telemetry of the identity.
/// `peer` brings certificate, TLS version and address; its other fields are not read.
std::expected<Grant, Refusal> authenticate(const mqtt::Connect& packet, const Credentials& peer,
                                           const AuthContext& context, Timestamp now);
/// Without settings and facts of the connection.
std::expected<Grant, Refusal> authenticate(const mqtt::Connect& packet, const HubNames& hubs,
                                           const IdentityStore& store, Timestamp now);

/// Value of the stamp iothub-connection-auth-method.
std::string_view auth_method(const Grant& grant);

}  // namespace picket::hub
