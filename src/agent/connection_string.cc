#include "agent/connection_string.h"

#include <algorithm>
#include <charconv>

#include <arpa/inet.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"

namespace picket::agent {
namespace {

constexpr std::string_view kWhere = "connection string: ";
constexpr std::size_t kBytesMax = 2'048;

std::unexpected<std::string> bad(std::string_view what) { return std::unexpected(std::string(kWhere).append(what)); }

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string resource_of(const ConnectionString& identity) {
  std::string out = identity.host_name + "/devices/" + identity.device_id;
  if (!identity.module_id.empty()) out += "/modules/" + identity.module_id;
  return out;
}

bool is_ipv6(const std::string& text) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, text.c_str(), &address) == 1;
}

}  // namespace

Checked<HostPort> parse_host_port(std::string_view text) {
  HostPort out;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::unexpected("'" + std::string(text) + "': ']' is missing");
    out.host = text.substr(1, end - 1);
    if (!is_ipv6(out.host)) return std::unexpected("'" + out.host + "' is no IPv6 address");
    const std::string_view rest = text.substr(end + 1);
    if (!rest.empty() && !rest.starts_with(':')) return std::unexpected("'" + std::string(text) + "': text after ']'");
    if (rest.empty()) return out;
    port = rest.substr(1);
  } else {
    const auto colon = text.find(':');
    out.host = text.substr(0, colon);
    if (colon != std::string_view::npos && text.find(':', colon + 1) != std::string_view::npos) {
      out.host = text;
      if (is_ipv6(out.host)) return out;
      return std::unexpected("'" + out.host + "': more than one ':' and no IPv6 address");
    }
    if (out.host.empty()) return std::unexpected(std::string("the host name is empty"));
    if (std::ranges::any_of(out.host, [](char c) { return c <= ' ' || c > '~'; })) {
      return std::unexpected(std::string("the host name has a character that no host name has"));
    }
    if (out.host.size() > 253) return std::unexpected(std::string("the host name is longer than 253 characters"));
    if (colon == std::string_view::npos) return out;
    port = text.substr(colon + 1);
  }
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (error != std::errc() || end != port.data() + port.size() || out.port == 0) {
    return std::unexpected("'" + std::string(port) + "' is no port (1 to 65535)");
  }
  return out;
}

Checked<ConnectionString> parse_connection_string(std::string_view text) {
  text = trim(text);
  if (text.empty()) return bad("it is empty; get one with: picket device connection-string DEVICE");
  if (text.size() > kBytesMax) return bad("it is longer than 2048 characters");
  ConnectionString out;
  std::string_view key, gateway, x509;
  while (!text.empty()) {
    const std::string_view part = text.substr(0, text.find(';'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    if (part.empty()) continue;
    const auto equals = part.find('=');
    if (equals == std::string_view::npos) {
      return bad("a part without '='; it must read HostName=…;DeviceId=…;SharedAccessKey=…");
    }
    const std::string_view name = part.substr(0, equals), value = part.substr(equals + 1);
    const auto set = [&](auto& target) -> bool {
      if (!target.empty()) return false;
      target = value;
      return true;
    };
    bool once = true;
    if (name == "HostName") {
      once = set(out.host_name);
    } else if (name == "DeviceId") {
      once = set(out.device_id);
    } else if (name == "ModuleId") {
      once = set(out.module_id);
    } else if (name == "SharedAccessKey") {
      once = set(key);
    } else if (name == "GatewayHostName") {
      once = set(gateway);
    } else if (name == "SharedAccessKeyName") {
      return bad("it belongs to a service policy (SharedAccessKeyName); the agent needs a device's or a module's");
    } else if (name == "x509") {
      once = set(x509);
    } else if (name == "SharedAccessSignature") {
      return bad("a SharedAccessSignature ends and cannot be renewed; use a SharedAccessKey or x509=true");
    } else {
      return bad("unknown key '" + std::string(name.substr(0, 64)) +
                 "'; known are HostName, DeviceId, ModuleId, SharedAccessKey, x509, GatewayHostName");
    }
    if (!once) return bad(std::string(name) + " is there twice");
    if (value.empty()) return bad(std::string(name) + " is empty");
  }
  if (out.host_name.empty()) return bad("HostName is missing");
  if (out.device_id.empty()) return bad("DeviceId is missing");
  if (!x509.empty() && x509 != "true" && x509 != "false") return bad("x509 must be true or false");
  out.x509 = x509 == "true";
  if (out.x509 && !key.empty()) return bad("it has both x509=true and a SharedAccessKey");
  if (!out.x509 && key.empty()) return bad("SharedAccessKey (or x509=true) is missing");
  if (out.device_id.size() > kIdBytesMax) return bad("DeviceId is longer than 128 characters");
  if (out.module_id.size() > kIdBytesMax) return bad("ModuleId is longer than 128 characters");
  if (!out.x509) {
    auto decoded = from_base64(key);
    if (!decoded || decoded->empty()) return bad("SharedAccessKey is not base64; was it cut when it was copied?");
    out.key = *std::move(decoded);
  }
  auto endpoint = parse_host_port(gateway.empty() ? std::string_view(out.host_name) : gateway);
  if (!endpoint) return bad((gateway.empty() ? "HostName " : "GatewayHostName ") + endpoint.error());
  out.endpoint = *std::move(endpoint);
  return out;
}

std::string mqtt_client_id(const ConnectionString& identity) {
  return identity.module_id.empty() ? identity.device_id : identity.device_id + "/" + identity.module_id;
}

std::string mqtt_user_name(const ConnectionString& identity, std::string_view client_type) {
  return identity.host_name + "/" + mqtt_client_id(identity) +
         "/?api-version=2021-04-12&DeviceClientType=" + percent_encode(client_type);
}

std::string telemetry_topic(const ConnectionString& identity) {
  std::string out = "devices/" + identity.device_id;
  if (!identity.module_id.empty()) out += "/modules/" + identity.module_id;
  return out + "/messages/events/";
}

std::string make_sas_token(const ConnectionString& identity, Timestamp expires) {
  const std::string resource = percent_encode(resource_of(identity));
  const std::string until = std::to_string(expires.us / 1'000'000);
  const Sha256 signature = hmac_sha256(identity.key, as_bytes(resource + "\n" + until));
  return "SharedAccessSignature sr=" + resource + "&sig=" + percent_encode(to_base64(signature)) + "&se=" + until;
}

}  // namespace picket::agent
