// An HTTP proxy between this device and the hub: CONNECT (RFC 9110, section 9.3.6), with Basic credentials.
#pragma once

#include <string>
#include <string_view>

#include "agent/connection_string.h"

namespace picket::agent {

struct Proxy {
  HostPort address;
  std::string user;  ///< Empty: no credentials.
  std::string password;
};

/// "http://[user:password@]host:port" (credentials percent-encoded where needed), "host:port", or the retired micro
/// agent's "host,port[,user,password]" (IothubModule_ProxyConfig). The error never shows the credentials.
Checked<Proxy> parse_proxy(std::string_view text);

/// What is sent to the proxy. Secret, where the proxy wants credentials.
std::string proxy_request(const Proxy& proxy, const HostPort& target);

/// "host:port", with brackets around an IPv6 address.
std::string format_host_port(const HostPort& address);

}  // namespace picket::agent
