#include "hub/authentication.h"

#include <algorithm>
#include <array>

#include "authentication_steps.h"
#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/identifier.h"
#include "mqtt/topic.h"

namespace picket::hub {
namespace {

/// Clocks of CAs run ahead; a certificate made this minute must work.
constexpr Duration kNotBeforeTolerance = Duration::minutes(5);

struct CheckName {
  std::string_view name;
  int code;
};
// Index: AuthCheck. Codes: schema/errors.json; 0: IoT Hub documents none.
constexpr std::array<CheckName, kAuthChecks> kChecks = {{{"client_id", 0},
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
                                                         {"store_unavailable", 0},
                                                         {"ip_filter", 401003},
                                                         {"tls_policy", 401003},
                                                         {"token_lifetime", 401003},
                                                         {"certificate_missing", 401003},
                                                         {"certificate_not_trusted", 401003},
                                                         {"certificate_name", 401003},
                                                         {"thumbprint_mismatch", 401003},
                                                         {"certificate_expired", 401003},
                                                         {"certificate_revoked", 401003}}};

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

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::expected<Claim, AuthCheck> claim_of_client_id(std::string_view client_id) {
  const auto slash = client_id.find('/');
  const auto device_id = client_id.substr(0, slash);
  const auto module_id = slash == std::string_view::npos ? std::string_view() : client_id.substr(slash + 1);
  if (!is_identifier(device_id)) return std::unexpected(AuthCheck::client_id);
  if (slash != std::string_view::npos && !is_identifier(module_id)) return std::unexpected(AuthCheck::client_id);
  return Claim{.device_id = std::string(device_id), .module_id = std::string(module_id)};
}

std::expected<Claim, AuthCheck> claim_of(const Credentials& credentials) {
  if (credentials.user_name) return parse_claim(credentials.client_id, *credentials.user_name);
  auto claim = claim_of_client_id(credentials.client_id);
  if (!claim) return claim;
  claim->host = credentials.host;
  if (claim->host.empty()) {
    const auto token = parse_sas_token(credentials.token);
    const auto resource = token ? parse_resource(token->resource) : std::nullopt;
    if (resource) claim->host = resource->host;
  }
  return claim;
}

bool will_is_own_telemetry(const mqtt::Connect& packet, const Claim& claim) {
  return !packet.will || mqtt::publish_topic_of(packet.will->topic, claim.device_id, claim.module_id).kind ==
                             mqtt::PublishKind::telemetry;
}

/// One client being judged. Its steps set what is known so far, so that a refusal tells it.
class Judgement {
 public:
  Judgement(const Credentials& credentials, const AuthContext& context, Timestamp now)
      : credentials_(credentials), context_(context), now_(now) {}

  std::expected<Grant, Refusal> run() {
    if (auto failed = judge()) {
      refusal_.check = *failed;
      if (credentials_.certificate != nullptr) refusal_.certificate = *credentials_.certificate;
      return std::unexpected(std::move(refusal_));
    }
    grant_.identity = refusal_.claimed;
    grant_.identity.generation_id = stored_->generation_id;
    grant_.claim = std::move(claim_);
    return std::move(grant_);
  }

 private:
  using Step = std::optional<AuthCheck>;

  Step judge() {
    refusal_.claimed = {.hub = context_.hubs.default_hub};
    auto claim = claim_of(credentials_);
    if (!claim) return claim.error();
    claim_ = *std::move(claim);
    refusal_.sdk = claim_.sdk;
    refusal_.claimed = {context_.hubs.hub_of(claim_.host, context_.settings), claim_.device_id, claim_.module_id, ""};
    if (context_.settings != nullptr) settings_ = context_.settings->of(refusal_.claimed.hub);
    const HubSettings& settings = settings_ ? *settings_ : default_settings();
    if (auto failed =
            check_connection(settings, {credentials_.source_address, credentials_.tls_version, credentials_.tls_cipher},
                             grant_.ip_rule)) {
      refusal_.ip_rule = grant_.ip_rule;
      return failed;
    }
    if (auto failed = credentials_.token.empty() ? look_up() : judge_token(settings)) return failed;
    if (!proven_) {
      if (auto failed = judge_certificate(settings)) return failed;
    }
    return stored_->enabled ? Step() : AuthCheck::disabled;
  }

  Step look_up() {
    auto found = context_.identities.find(refusal_.claimed.hub, claim_.device_id, claim_.module_id);
    if (!found) return AuthCheck::store_unavailable;
    known_ = found->has_value();
    stored_ = known_ ? **std::move(found) : nobody();
    return credentials_.token.empty() && !known_ ? Step(AuthCheck::unknown_identity) : Step();
  }

  /// Sets proven_ unless the identity wants a certificate and one is there.
  Step judge_token(const HubSettings& settings) {
    const auto token = parse_sas_token(credentials_.token);
    if (!token) return AuthCheck::token_malformed;
    refusal_.token_expiry = token->expiry;
    refusal_.policy_name = token->policy_name;
    const bool by_policy = !token->policy_name.empty();
    const auto* policy = by_policy ? settings.find_policy(token->policy_name) : nullptr;
    if (by_policy && (policy == nullptr || (policy->rights & kDeviceConnect) == 0)) return AuthCheck::token_policy;
    const bool fits =
        by_policy ? covers_resource(token->resource, claim_.host, identity_path(claim_.device_id, claim_.module_id))
                  : names_identity(token->resource, claim_.host, claim_.device_id, claim_.module_id);
    if (!fits) return AuthCheck::token_resource;
    if (auto failed = look_up()) return failed;
    const bool x509 =
        stored_->auth == state::AuthType::self_signed || stored_->auth == state::AuthType::certificate_authority;
    const bool wants_certificate =
        settings.configuration.client_certificates == ClientCertificatePolicy::required || (x509 && !by_policy);
    if (known_ && wants_certificate) {
      return credentials_.certificate == nullptr ? Step(AuthCheck::certificate_missing) : Step();
    }
    const auto& primary = by_policy ? policy->primary_key : stored_->primary_key;
    const auto& secondary = by_policy ? policy->secondary_key : stored_->secondary_key;
    const auto slot = matching_key(*token, primary, secondary);
    if (!known_) return AuthCheck::unknown_identity;
    if (!slot) return AuthCheck::token_signature;
    if (auto failed = check_token_times(*token, settings, now_)) return failed;
    grant_.key_slot = *slot;
    grant_.token_expiry = token->expiry;
    grant_.method = by_policy ? AuthMethod::policy : AuthMethod::device_key;
    grant_.policy_name = token->policy_name;
    grant_.credential = key_fingerprint(*slot == KeySlot::primary ? primary : secondary);
    proven_ = true;
    return {};
  }

  Step judge_certificate(const HubSettings& settings) {
    using state::AuthType;
    const auto auth = stored_->auth;
    const bool x509 = auth == AuthType::self_signed || auth == AuthType::certificate_authority;
    const bool required = settings.configuration.client_certificates == ClientCertificatePolicy::required;
    if (!x509) return required ? AuthCheck::certificate_missing : AuthCheck::token_missing;
    if (credentials_.certificate == nullptr) return AuthCheck::certificate_missing;
    const auto& certificate = *credentials_.certificate;
    if (settings.configuration.client_certificates == ClientCertificatePolicy::off)
      return AuthCheck::certificate_not_trusted;
    if (is_revoked(certificate, settings)) return AuthCheck::certificate_revoked;
    if (auto failed =
            auth == AuthType::self_signed ? judge_thumbprint(certificate) : judge_chain(certificate, settings))
      return failed;
    if (certificate.not_before > now_ + kNotBeforeTolerance) return AuthCheck::certificate_not_trusted;
    if (grant_.token_expiry <= now_) return AuthCheck::certificate_expired;
    grant_.credential = certificate.sha256_thumbprint;
    return {};
  }

  Step judge_thumbprint(const net::ClientCertificate& certificate) {
    const auto is = [&](const std::string& wanted) {
      return !wanted.empty() &&
             (lower(wanted) == certificate.sha1_thumbprint || lower(wanted) == certificate.sha256_thumbprint);
    };
    if (is(stored_->thumbprints.primary)) {
      grant_.key_slot = KeySlot::primary;
    } else if (is(stored_->thumbprints.secondary)) {
      grant_.key_slot = KeySlot::secondary;
    } else {
      return AuthCheck::thumbprint_mismatch;
    }
    grant_.method = AuthMethod::x509_thumbprint;
    grant_.token_expiry = certificate.not_after;
    return {};
  }

  Step judge_chain(const net::ClientCertificate& certificate, const HubSettings& settings) {
    const bool trusted =
        certificate.chained &&
        std::ranges::any_of(certificate.issuer_thumbprints, [&](const auto& one) { return settings.trusts(one); });
    if (!trusted) return AuthCheck::certificate_not_trusted;
    const auto name = claim_.module_id.empty() ? claim_.device_id : claim_.device_id + "/" + claim_.module_id;
    if (certificate.common_name != name) return AuthCheck::certificate_name;
    grant_.method = AuthMethod::x509_authority;
    grant_.token_expiry = std::min(certificate.not_after, certificate.chain_not_after);
    return {};
  }

  const Credentials& credentials_;
  const AuthContext& context_;
  Timestamp now_;
  Claim claim_;
  std::shared_ptr<const HubSettings> settings_;
  std::optional<StoredIdentity> stored_;
  bool known_ = false;
  bool proven_ = false;  ///< By a token.
  Grant grant_;
  Refusal refusal_;
};

}  // namespace

std::string_view to_string(AuthCheck check) { return kChecks[static_cast<std::size_t>(check)].name; }
int hub_code(AuthCheck check) { return kChecks[static_cast<std::size_t>(check)].code; }
std::string_view to_string(KeySlot slot) { return slot == KeySlot::primary ? "primary" : "secondary"; }

const std::string& HubNames::hub_of(std::string_view host) const {
  const auto found = hub_of_host.find(lower(host));
  return found == hub_of_host.end() ? default_hub : found->second;
}

std::string HubNames::hub_of(std::string_view host, const HubSettingsStore* settings) const {
  const auto found = hub_of_host.find(lower(host));
  if (found != hub_of_host.end()) return found->second;
  const auto named = settings == nullptr ? nullptr : settings->of_host(host);
  return named ? named->name : default_hub;
}

std::expected<Claim, AuthCheck> parse_claim(std::string_view client_id, std::string_view user_name) {
  auto claim = claim_of_client_id(client_id);
  if (!claim) return claim;
  const auto host_end = user_name.find('/');
  if (host_end == std::string_view::npos || host_end == 0) return std::unexpected(AuthCheck::user_name);
  auto rest = user_name.substr(host_end + 1);
  if (!rest.starts_with(client_id)) return std::unexpected(AuthCheck::user_name);
  rest.remove_prefix(client_id.size());
  if (!is_parameters(rest)) return std::unexpected(AuthCheck::user_name);
  claim->host = user_name.substr(0, host_end);
  claim->sdk = sdk_of(rest);
  return claim;
}

std::expected<Grant, Refusal> authenticate(const Credentials& credentials, const AuthContext& context, Timestamp now) {
  return Judgement(credentials, context, now).run();
}

std::expected<Grant, Refusal> authenticate(const mqtt::Connect& packet, const Credentials& peer,
                                           const AuthContext& context, Timestamp now) {
  Credentials credentials = peer;
  credentials.client_id = packet.client_id;
  credentials.user_name = packet.user_name.value_or("");
  credentials.token = packet.password ? as_text(packet.password->bytes) : std::string_view();
  auto grant = authenticate(credentials, context, now);
  if (!grant || will_is_own_telemetry(packet, grant->claim)) return grant;
  return std::unexpected(Refusal{.check = AuthCheck::will_topic,
                                 .claimed = {grant->identity.hub, grant->claim.device_id, grant->claim.module_id, ""},
                                 .sdk = grant->claim.sdk,
                                 .token_expiry = grant->token_expiry,
                                 .policy_name = grant->policy_name});
}

std::expected<Grant, Refusal> authenticate(const mqtt::Connect& packet, const HubNames& hubs,
                                           const IdentityStore& store, Timestamp now) {
  return authenticate(packet, Credentials{}, AuthContext{hubs, store}, now);
}

std::string_view auth_method(const Grant& grant) {
  const bool module = !grant.identity.module_id.empty();
  switch (grant.method) {
    case AuthMethod::policy:
      return R"({"scope":"hub","type":"sas","issuer":"iothub"})";
    case AuthMethod::x509_thumbprint:
    case AuthMethod::x509_authority:
      return module ? R"({"scope":"module","type":"x509","issuer":"iothub"})"
                    : R"({"scope":"device","type":"x509","issuer":"iothub"})";
    case AuthMethod::device_key:
      break;
  }
  return module ? R"({"scope":"module","type":"sas","issuer":"iothub"})"
                : R"({"scope":"device","type":"sas","issuer":"iothub"})";
}

}  // namespace picket::hub
