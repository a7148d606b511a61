// Who a CONNECT is from, and whether that is true. Pure but for the look-up.
#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/identity.h"
#include "base/core/time.h"
#include "hub/identity_store.h"
#include "mqtt/packet.h"

namespace picket::hub {

/// Which hub a host name means. Clients name the host they were configured with.
struct HubNames {
  std::string default_hub;                         ///< For every host that is not listed.
  std::map<std::string, std::string> hub_of_host;  ///< Host in lower case -> hub.
  [[nodiscard]] const std::string& hub_of(std::string_view host) const;
};

/// The check that failed; its name is in the operations log. In the order they are made.
enum class AuthCheck : std::uint8_t {
  client_id,  ///< Not a device id or "device/module".
  user_name,  ///< Not `{host}/{client id}/...`.
  token_missing,
  token_malformed,
  token_policy,    ///< Signed with a policy (`skn`) that may not connect devices here.
  token_resource,  ///< `sr` names something else: another device, or the device where a module connects.
  unknown_identity,
  token_signature,  ///< Neither key.
  token_expired,
  disabled,
  will_topic,         ///< The will is not telemetry of this identity.
  store_unavailable,  ///< No verdict; try again.
};
std::string_view to_string(AuthCheck check);
/// IoT Hub's six-digit code, e.g. 401003; 0: it documents none for this.
int hub_code(AuthCheck check);

enum class KeySlot : std::uint8_t { primary, secondary };

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

/// A proven identity.
struct Grant {
  Identity identity;
  Claim claim;
  KeySlot key_slot = KeySlot::primary;
  Timestamp token_expiry;
};

struct Refusal {
  AuthCheck check{};
  Identity claimed;  ///< As far as it could be read; never to be used as an identity.
  std::string sdk;
  std::optional<Timestamp> token_expiry;
  std::string policy_name;
};

std::expected<Grant, Refusal> authenticate(const mqtt::Connect& packet, const HubNames& hubs,
                                           const IdentityStore& store, Timestamp now);

/// Value of the stamp iothub-connection-auth-method.
std::string_view auth_method(const Grant& grant);

}  // namespace picket::hub
