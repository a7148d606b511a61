#include "agent/proxy.h"

#include <algorithm>
#include <array>

#include "base/core/encoding.h"

namespace picket::agent {
namespace {

constexpr std::size_t kCredentialBytesMax = 255;
constexpr std::string_view kScheme = "http://";

std::unexpected<std::string> bad(std::string_view what) {
  return std::unexpected(std::string(what) +
                         "; it must read http://[user:password@]host:port or host,port[,user,password]");
}

bool sendable(std::string_view text) {
  return text.size() <= kCredentialBytesMax && std::ranges::none_of(text, [](char c) { return c >= 0 && c < ' '; });
}

Checked<Proxy> checked(Proxy proxy) {
  if (proxy.user.empty() && !proxy.password.empty()) return bad("the proxy has a password but no user");
  if (!sendable(proxy.user) || !sendable(proxy.password)) return bad("the proxy's credentials are not sendable");
  if (proxy.user.contains(':')) return bad("the proxy's user contains ':'");  // RFC 7617, section 2
  return proxy;
}

Checked<HostPort> address_of(const std::string& text) {
  auto out = parse_host_port(text);
  if (!out) return bad("the proxy's address " + out.error());
  // Without a port the 8883 of a hub would stand there; a proxy has no usual one.
  const auto bracket = text.rfind(']'), colon = text.rfind(':');
  if (colon == std::string::npos || (bracket != std::string::npos && colon < bracket) || out->host == text) {
    return bad("the proxy's port is missing");
  }
  return out;
}

Checked<Proxy> parse_listed(std::string_view text) {
  std::array<std::string, 4> parts;
  std::size_t count = 0;
  for (;;) {
    const auto comma = count == 3 ? std::string_view::npos : text.find(',');  // a password may contain commas
    parts[count++] = text.substr(0, comma);
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (count == 3) return bad("the proxy has a user but no password");
  const bool v6 = parts[0].contains(':') && !parts[0].starts_with('[');
  auto address = address_of((v6 ? "[" + parts[0] + "]" : parts[0]) + ":" + parts[1]);
  if (!address) return std::unexpected(address.error());
  return checked({*std::move(address), std::move(parts[2]), std::move(parts[3])});
}

}  // namespace

Checked<Proxy> parse_proxy(std::string_view text) {
  if (text.starts_with("https://")) return bad("a proxy that is reached by TLS is not supported");
  const bool url = text.starts_with(kScheme);
  if (!url && text.contains(',')) return parse_listed(text);
  if (url) text.remove_prefix(kScheme.size());
  if (text.ends_with('/')) text.remove_suffix(1);
  Proxy out;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    const std::string_view credentials = text.substr(0, at);
    const auto colon = credentials.find(':');
    if (colon == std::string_view::npos) return bad("the proxy has a user but no password");
    auto user = percent_decode(credentials.substr(0, colon)), password = percent_decode(credentials.substr(colon + 1));
    if (!user || !password) return bad("the proxy's credentials are not percent-encoded");
    out.user = *std::move(user);
    out.password = *std::move(password);
    text.remove_prefix(at + 1);
  }
  auto address = address_of(std::string(text));
  if (!address) return std::unexpected(address.error());
  out.address = *std::move(address);
  return checked(std::move(out));
}

std::string format_host_port(const HostPort& address) {
  const bool v6 = address.host.contains(':');
  return (v6 ? "[" + address.host + "]" : address.host) + ":" + std::to_string(address.port);
}

std::string proxy_request(const Proxy& proxy, const HostPort& target) {
  const std::string to = format_host_port(target);
  std::string out = "CONNECT " + to + " HTTP/1.1\r\nHost: " + to + "\r\n";
  if (!proxy.user.empty()) {
    out += "Proxy-Authorization: Basic " + to_base64(as_bytes(proxy.user + ":" + proxy.password)) + "\r\n";
  }
  return out + "\r\n";
}

}  // namespace picket::agent
