// IoT Hub connection strings, and what a client derives from one (spec/hub.md, sections 1.1 and 2).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/time.h"

namespace picket::agent {

/// A value, or a text for people: what is wrong, where, what to do.
template <class T>
using Checked = std::expected<T, std::string>;

struct HostPort {
  std::string host;  ///< Without the brackets of an IPv6 address.
  std::uint16_t port = 8883;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};
/// "host", "host:port", "[v6]", "[v6]:port", or a bare IPv6 address.
Checked<HostPort> parse_host_port(std::string_view text);

inline constexpr std::size_t kIdBytesMax = 128;  ///< Of device, module and registration ids.

struct ConnectionString {
  std::string host_name;  ///< As written: goes into user name and token, with a port if it has one.
  std::string device_id;
  std::string module_id;  ///< Empty: the device itself.
  Buffer key;             ///< Decoded SharedAccessKey; empty with x509.
  bool x509 = false;      ///< The TLS certificate proves the identity: certificate_file and key_file.
  HostPort endpoint;      ///< GatewayHostName where given, else HostName: what is connected to, and whose name the
                          ///< certificate must bear.
};

/// "HostName=…;DeviceId=…;[ModuleId=…;]SharedAccessKey=…[;GatewayHostName=host[:port]]", or x509=true in place of the key; keys in any order, white space
/// around the whole is ignored. The error never shows the key.
Checked<ConnectionString> parse_connection_string(std::string_view text);

/// "dev" or "dev/module".
std::string mqtt_client_id(const ConnectionString& identity);
/// "{host}/{client id}/?api-version=2021-04-12&DeviceClientType={client type, encoded}"
std::string mqtt_user_name(const ConnectionString& identity, std::string_view client_type);
/// "devices/{d}[/modules/{m}]/messages/events/"; the property bag follows.
std::string telemetry_topic(const ConnectionString& identity);
/// "SharedAccessSignature sr=…&sig=…&se=…", valid until `expires`.
std::string make_sas_token(const ConnectionString& identity, Timestamp expires);

}  // namespace picket::agent
