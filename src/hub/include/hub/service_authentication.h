// Who calls the service side of a hub: back ends, operators' tools. They prove a shared access policy.
#pragma once

#include "hub/authentication.h"

namespace picket::hub {

/// What a service caller shows. Views live for the call.
struct ServiceCredentials {
  std::string_view token;  ///< Shared access signature with `skn`.
  std::string_view host;   ///< Host header or AMQP host name. Empty: the token's resource names it.
  std::string_view path;   ///< "/devices/d": what is asked for; a token for less does not open it. Empty: the hub.
  std::string_view tls_version;     ///< Empty: not judged.
  std::string_view tls_cipher;      ///< Empty: not judged.
  std::string_view source_address;  ///< Empty: not judged by the IP filter.
};

/// A proven policy.
struct ServiceCaller {
  std::string hub;
  std::string policy_name;
  std::uint32_t rights = 0;
  KeySlot key_slot = KeySlot::primary;
  Timestamp token_expiry;
  std::string credential;  ///< key_fingerprint()
  std::string source_address;

  /// RegistryWrite includes RegistryRead.
  [[nodiscard]] bool may(Right right) const;
  /// For audit records: "policy/<name>".
  [[nodiscard]] state::Actor actor() const;
};

struct ServiceRefusal {
  AuthCheck check{};
  std::string hub;  ///< Only claimed.
  std::string policy_name;
  std::optional<Timestamp> token_expiry;
  std::string ip_rule;
};

/// `needed` 0: any policy; the caller asks may() for each operation (AMQP). token_policy: there is no such policy, or
/// it lacks the right.
std::expected<ServiceCaller, ServiceRefusal> authenticate_service(const ServiceCredentials& credentials,
                                                                  std::uint32_t needed, const HubNames& hubs,
                                                                  const HubSettingsStore& settings, Timestamp now);

}  // namespace picket::hub
