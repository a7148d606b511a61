// Shared access signatures: "SharedAccessSignature sr=<resource>&sig=<signature>&se=<expiry>[&skn=<policy>]".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::hub {

inline constexpr std::size_t kSasTokenBytesMax = 2048;
/// How long a connection may outlive its token: SDKs renew late.
inline constexpr Duration kTokenGrace = Duration::minutes(10);

/// The parts of a token. Views point into the text it was read from.
struct SasToken {
  std::string_view resource;  ///< `sr`, literally as sent: it is what was signed.
  Buffer signature;           ///< `sig`, decoded.
  std::string_view expiry_text;
  Timestamp expiry;         ///< `se`.
  std::string policy_name;  ///< `skn`, decoded; empty: signed with an identity's own key.
};

/// Fields in any order, each once. Errors: malformed (where names the field), limit_exceeded (kSasTokenBytesMax).
Result<SasToken> parse_sas_token(std::string_view text);

/// HMAC-SHA256 over the literal resource, a newline and the literal expiry; compared in constant time. An empty key
/// verifies nothing.
bool signature_matches(const SasToken& token, Bytes key);

/// True when the resource names exactly this device, or this module of it: `host/devices/{d}[/modules/{m}]`, compared
/// segment by segment; percent-encoded as a whole or not at all. The host is compared without case.
bool names_identity(std::string_view resource, std::string_view host, std::string_view device_id,
                    std::string_view module_id);

/// True when the resource is `host` followed by `path` or by whole leading segments of it: who may use `host/devices` may
/// use `host/devices/d`, but not `host/devices2`. `path` is empty or begins with '/'. Percent-encoded as a whole or not at
/// all; the host is compared without case.
bool covers_resource(std::string_view resource, std::string_view host, std::string_view path);

/// Who a resource is about; for heads that learn the identity from the token (AMQP put-token).
struct ResourceName {
  std::string host;
  std::string device_id;  ///< Empty: the hub itself, or something that is no identity.
  std::string module_id;
};
/// Reads `host[/devices/{d}[/modules/{m}[/…]]]`, percent-encoded as a whole or not at all. nullopt: no host.
std::optional<ResourceName> parse_resource(std::string_view resource);

/// "/devices/{d}[/modules/{m}]"
std::string identity_path(std::string_view device_id, std::string_view module_id);

/// Tells credentials apart without telling them: 16 hex digits, the same for the same key wherever it is used.
std::string key_fingerprint(Bytes key);

/// A token of a shared access policy for `resource` ("host" or deeper).
std::string make_policy_token(std::string_view resource, std::string_view policy_name, Bytes key, Timestamp expiry);

/// A token as the SDKs make it; for tests, command line and load generators.
std::string make_sas_token(std::string_view host, std::string_view device_id, std::string_view module_id, Bytes key,
                           Timestamp expiry);

}  // namespace picket::hub
