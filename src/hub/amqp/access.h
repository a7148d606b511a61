// Who a connection may act as: tokens of CBS and PLAIN, client certificates. Sits between the heads' common
// authentication and AMQP's own ways of naming things.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

#include "base/core/identity.h"
#include "base/core/time.h"
#include "net/stream.h"

namespace picket::hub::amqp {

/// A proven device or module.
struct DeviceGrant {
  Identity identity;
  std::string auth_method;      ///< The stamp iothub-connection-auth-method.
  std::string_view auth_type;   ///< "sas" or "x509".
  std::string_view auth_scope;  ///< "device", "module", "hub".
  std::string_view key_slot;    ///< "primary", "secondary" or empty.
  std::string policy;
  std::string credential;           ///< Fingerprint; tells shared credentials without showing them.
  std::optional<Timestamp> expiry;  ///< Of the token.
};

/// A proven shared access policy of a hub.
struct ServiceGrant {
  std::string hub;
  std::string policy;
  std::string_view key_slot;
  std::string credential;
  bool service_connect = false;
  Timestamp expiry;
};

/// Why not. Facts for the operations log; no secrets.
struct AccessRefusal {
  Identity claimed;  ///< The hub is always set.
  std::string reason;
  int code = 401003;
  std::optional<Timestamp> expiry;
  std::string policy;
  std::string sdk;
  std::string object;  ///< Such as the IP rule that decided.
};

struct Access {
  std::optional<DeviceGrant> device;  ///< One of the two is set.
  std::optional<ServiceGrant> service;
};

/// What is known of the peer before it proves anything. Views live for the call.
struct PeerFacts {
  std::string_view host;  ///< AMQP host name, for certificates: tokens name their host.
  std::string_view source_address;
  const net::TlsFacts* tls = nullptr;  ///< nullptr: not TLS.
};

/// Called on I/O threads; quick and safe from several threads.
class Authenticator {
 public:
  virtual ~Authenticator() = default;
  /// put-token: `resource` is what the token is for.
  [[nodiscard]] virtual std::expected<Access, AccessRefusal> token(std::string_view resource, std::string_view token,
                                                                   const PeerFacts& peer, Timestamp now) const = 0;
  /// The client certificate, for a device that the client names by its first link.
  [[nodiscard]] virtual std::expected<Access, AccessRefusal> certificate(std::string_view device_id,
                                                                         std::string_view module_id,
                                                                         const PeerFacts& peer,
                                                                         Timestamp now) const = 0;
  [[nodiscard]] virtual std::string hub_of(std::string_view host) const = 0;
};

/// The resource that a PLAIN user name stands for, with the host that the token itself is signed for:
/// `{device}[/{module}]@sas.{hub}` and `{policy}@sas.root.{hub}`. Empty: neither, or another policy than the token's.
std::string resource_of_user(std::string_view user, std::string_view token);

}  // namespace picket::hub::amqp
