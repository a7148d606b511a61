#include "hub/authentication.h"

#include <algorithm>
#include <array>

#include "base/core/encoding.h"
#include "base/core/identifier.h"
#include "hub/sas_token.h"
#include "mqtt/topic.h"

namespace picket::hub {
namespace {

struct CheckName {
  std::string_view name;
  int code;
};
// Index: AuthCheck. Codes: schema/errors.json; 0: IoT Hub documents none.
constexpr std::array<CheckName, 12> kChecks = {{{"client_id", 0},
                                                {"user_name", 401003},
                                                {"token_missing", 401003},
                                                {"token_malformed", 401003},
                                                {"token_policy", 401003},
                                                {"token_resource", 401003},
                                                {"unknown_identity", 404001},
                                                {"token_signature", 401003},
                                                {"token_expired", 401003},
                                                {"disabled", 403012},
                                                {"will_topic", 0},
                                                {"store_unavailable", 0}}};

/// A look-up that finds nothing costs the same HMAC as one that does, so that time does not tell which devices exist.
const StoredIdentity& nobody() {
  static const StoredIdentity identity{.primary_key = Buffer(32), .secondary_key = Buffer(32)};
  return identity;
}

/// What may follow `{host}/{client id}`: nothing, or '/' and parameters. Anything else belongs to a longer client id.
bool is_parameters(std::string_view rest) {
  if (rest.empty() || rest == "/") return true;
  if (!rest.starts_with('/')) return false;
  rest.remove_prefix(1);
  return rest.starts_with('?') || rest.starts_with("api-version=") || rest.starts_with("DeviceClientType=");
}

std::string sdk_of(std::string_view parameters) {
  constexpr std::string_view kName = "DeviceClientType=";
  const auto at = parameters.find(kName);
  if (at == std::string_view::npos) return {};
  parameters.remove_prefix(at + kName.size());
  auto decoded = percent_decode(parameters.substr(0, parameters.find('&')));
  if (!decoded || !is_utf8(*decoded)) return {};
  decoded->resize(std::min(decoded->size(), Claim::kSdkBytesMax));
  return *decoded;
}

std::optional<KeySlot> matching_key(const SasToken& token, const StoredIdentity& stored) {
  // Both are tried, so that time does not tell which one it was.
  const bool primary = signature_matches(token, stored.primary_key);
  const bool secondary = signature_matches(token, stored.secondary_key);
  if (primary) return KeySlot::primary;
  if (secondary) return KeySlot::secondary;
  return std::nullopt;
}

bool will_is_own_telemetry(const mqtt::Connect& packet, const Claim& claim) {
  return !packet.will || mqtt::publish_topic_of(packet.will->topic, claim.device_id, claim.module_id).kind ==
                             mqtt::PublishKind::telemetry;
}

}  // namespace

std::string_view to_string(AuthCheck check) { return kChecks[static_cast<std::size_t>(check)].name; }
int hub_code(AuthCheck check) { return kChecks[static_cast<std::size_t>(check)].code; }

const std::string& HubNames::hub_of(std::string_view host) const {
  std::string lower(host);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  const auto found = hub_of_host.find(lower);
  return found == hub_of_host.end() ? default_hub : found->second;
}

std::expected<Claim, AuthCheck> parse_claim(std::string_view client_id, std::string_view user_name) {
  const auto slash = client_id.find('/');
  const auto device_id = client_id.substr(0, slash);
  const auto module_id = slash == std::string_view::npos ? std::string_view() : client_id.substr(slash + 1);
  if (!is_identifier(device_id)) return std::unexpected(AuthCheck::client_id);
  if (slash != std::string_view::npos && !is_identifier(module_id)) return std::unexpected(AuthCheck::client_id);
  const auto host_end = user_name.find('/');
  if (host_end == std::string_view::npos || host_end == 0) return std::unexpected(AuthCheck::user_name);
  auto rest = user_name.substr(host_end + 1);
  if (!rest.starts_with(client_id)) return std::unexpected(AuthCheck::user_name);
  rest.remove_prefix(client_id.size());
  if (!is_parameters(rest)) return std::unexpected(AuthCheck::user_name);
  return Claim{.host = std::string(user_name.substr(0, host_end)),
               .device_id = std::string(device_id),
               .module_id = std::string(module_id),
               .sdk = sdk_of(rest)};
}

std::expected<Grant, Refusal> authenticate(const mqtt::Connect& packet, const HubNames& hubs,
                                           const IdentityStore& store, Timestamp now) {
  Refusal refusal{.claimed = {.hub = hubs.default_hub}};
  const auto refuse = [&](AuthCheck check) {
    refusal.check = check;
    return std::unexpected(std::move(refusal));
  };
  auto claim = parse_claim(packet.client_id, packet.user_name.value_or(""));
  if (!claim) return refuse(claim.error());
  refusal.claimed = {hubs.hub_of(claim->host), claim->device_id, claim->module_id, ""};
  refusal.sdk = claim->sdk;

  if (!packet.password || packet.password->bytes.empty()) return refuse(AuthCheck::token_missing);
  const auto token = parse_sas_token(as_text(packet.password->bytes));
  if (!token) return refuse(AuthCheck::token_malformed);
  refusal.token_expiry = token->expiry;
  refusal.policy_name = token->policy_name;
  if (!token->policy_name.empty()) return refuse(AuthCheck::token_policy);
  if (!names_identity(token->resource, claim->host, claim->device_id, claim->module_id)) {
    return refuse(AuthCheck::token_resource);
  }

  const auto stored = store.find(refusal.claimed.hub, claim->device_id, claim->module_id);
  if (!stored) return refuse(AuthCheck::store_unavailable);
  const auto slot = matching_key(*token, *stored ? **stored : nobody());
  if (!*stored) return refuse(AuthCheck::unknown_identity);
  if (!slot) return refuse(AuthCheck::token_signature);
  if (token->expiry <= now) return refuse(AuthCheck::token_expired);
  if (!(*stored)->enabled) return refuse(AuthCheck::disabled);
  if (!will_is_own_telemetry(packet, *claim)) return refuse(AuthCheck::will_topic);

  Identity identity = refusal.claimed;
  identity.generation_id = (*stored)->generation_id;
  return Grant{std::move(identity), *std::move(claim), *slot, token->expiry};
}

std::string_view auth_method(const Grant& grant) {
  return grant.identity.module_id.empty() ? R"({"scope":"device","type":"sas","issuer":"iothub"})"
                                          : R"({"scope":"module","type":"sas","issuer":"iothub"})";
}

}  // namespace picket::hub
