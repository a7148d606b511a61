#include "hub/sas_token.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "base/core/crypto.h"
#include "base/core/encoding.h"

namespace picket::hub {
namespace {

constexpr std::string_view kScheme = "SharedAccessSignature ";
constexpr std::size_t kExpiryDigitsMax = 12;
constexpr std::size_t kSegmentsMax = 8;
constexpr std::size_t kFingerprintBytes = 8;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

Result<Timestamp> parse_expiry(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (text.empty() || text.size() > kExpiryDigitsMax || error != std::errc() || end != text.data() + text.size() ||
      seconds < 0) {
    return fail(Errc::malformed, "hub.sas.se");
  }
  return Timestamp{seconds * 1'000'000};
}

Result<Buffer> parse_signature(std::string_view text) {
  const auto decoded = percent_decode(text);
  if (!decoded) return fail(Errc::malformed, "hub.sas.sig");
  auto bytes = from_base64(*decoded);
  if (!bytes || bytes->size() != Sha256{}.size()) return fail(Errc::malformed, "hub.sas.sig");
  return *std::move(bytes);
}

std::string signed_text(std::string_view resource, std::string_view expiry) {
  return std::string(resource).append("\n").append(expiry);
}

bool covers(std::string_view resource, std::string_view host, std::string_view path) {
  if (resource.size() < host.size() || !equal_without_case(resource.substr(0, host.size()), host)) return false;
  auto rest = resource.substr(host.size());
  if (rest.ends_with('/')) rest.remove_suffix(1);
  return path.starts_with(rest) && (rest.size() == path.size() || path[rest.size()] == '/');
}

std::string sign(std::string_view encoded_resource, std::string_view policy_name, Bytes key, Timestamp expiry) {
  const auto se = std::to_string(expiry.us / 1'000'000);
  const auto signature = to_base64(hmac_sha256(key, as_bytes(signed_text(encoded_resource, se))));
  auto token =
      std::string(kScheme) + "sr=" + std::string(encoded_resource) + "&sig=" + percent_encode(signature) + "&se=" + se;
  if (!policy_name.empty()) token += "&skn=" + percent_encode(policy_name);
  return token;
}

}  // namespace

std::string identity_path(std::string_view device_id, std::string_view module_id) {
  std::string path = "/devices/";
  path.append(device_id);
  if (!module_id.empty()) path.append("/modules/").append(module_id);
  return path;
}

Result<SasToken> parse_sas_token(std::string_view text) {
  if (text.size() > kSasTokenBytesMax) return fail(Errc::limit_exceeded, "hub.sas");
  if (!text.starts_with(kScheme)) return fail(Errc::malformed, "hub.sas.scheme");
  text.remove_prefix(kScheme.size());
  std::optional<std::string_view> sr, sig, se, skn;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto field = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    const auto equals = field.find('=');
    if (equals == std::string_view::npos) return fail(Errc::malformed, "hub.sas.field");
    const auto name = field.substr(0, equals);
    auto* const target = name == "sr"    ? &sr
                         : name == "sig" ? &sig
                         : name == "se"  ? &se
                         : name == "skn" ? &skn
                                         : nullptr;
    if (target == nullptr || target->has_value()) return fail(Errc::malformed, "hub.sas.field");
    *target = field.substr(equals + 1);
  }
  if (!sr || sr->empty()) return fail(Errc::malformed, "hub.sas.sr");
  if (!sig) return fail(Errc::malformed, "hub.sas.sig");
  if (!se) return fail(Errc::malformed, "hub.sas.se");
  SasToken token{.resource = *sr, .expiry_text = *se};
  TRY(token.signature, parse_signature(*sig));
  TRY(token.expiry, parse_expiry(*se));
  const auto policy = percent_decode(skn.value_or(""));
  if (!policy) return fail(Errc::malformed, "hub.sas.skn");
  token.policy_name = *policy;
  return token;
}

bool signature_matches(const SasToken& token, Bytes key) {
  if (key.empty()) return false;
  const auto expected = hmac_sha256(key, as_bytes(signed_text(token.resource, token.expiry_text)));
  return equal_constant_time(expected, token.signature);
}

bool names_identity(std::string_view resource, std::string_view host, std::string_view device_id,
                    std::string_view module_id) {
  const auto path = identity_path(device_id, module_id);
  const auto matches = [&](std::string_view text) {
    return text.size() == host.size() + path.size() && equal_without_case(text.substr(0, host.size()), host) &&
           text.substr(host.size()) == path;
  };
  if (host.empty()) return false;
  const auto decoded = percent_decode(resource);
  return matches(resource) || (decoded && matches(*decoded));
}

bool covers_resource(std::string_view resource, std::string_view host, std::string_view path) {
  if (host.empty()) return false;
  const auto decoded = percent_decode(resource);
  return covers(resource, host, path) || (decoded && covers(*decoded, host, path));
}

std::optional<ResourceName> parse_resource(std::string_view resource) {
  // An encoded resource holds no '/'; one with '/' is not encoded, and its '%' are characters of an id.
  std::string text(resource);
  if (!resource.contains('/')) {
    const auto decoded = percent_decode(resource);
    if (!decoded) return std::nullopt;
    text = *decoded;
  }
  std::vector<std::string_view> parts;
  for (std::string_view rest = text; parts.size() < kSegmentsMax;) {
    const auto slash = rest.find('/');
    parts.push_back(rest.substr(0, slash));
    if (slash == std::string_view::npos) break;
    rest = rest.substr(slash + 1);
  }
  if (parts[0].empty()) return std::nullopt;
  ResourceName out{.host = std::string(parts[0])};
  if (parts.size() < 3 || parts[1] != "devices") return out;
  out.device_id = parts[2];
  if (parts.size() >= 5 && parts[3] == "modules") out.module_id = parts[4];
  return out;
}

std::string key_fingerprint(Bytes key) {
  return to_hex(Bytes(hmac_sha256(key, as_bytes("picket credential"))).first(kFingerprintBytes));
}

std::string make_policy_token(std::string_view resource, std::string_view policy_name, Bytes key, Timestamp expiry) {
  return sign(percent_encode(resource), policy_name, key, expiry);
}

std::string make_sas_token(std::string_view host, std::string_view device_id, std::string_view module_id, Bytes key,
                           Timestamp expiry) {
  return sign(percent_encode(std::string(host) + identity_path(device_id, module_id)), "", key, expiry);
}

}  // namespace picket::hub
