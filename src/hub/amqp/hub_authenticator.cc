#include "hub_authenticator.h"

#include "address.h"
#include "base/core/encoding.h"
#include "hub/event_facts.h"
#include "hub/sas_token.h"
#include "hub/service_authentication.h"

namespace picket::hub::amqp {
namespace {

std::string_view tls_version(const PeerFacts& peer) {
  return peer.tls == nullptr ? std::string_view() : std::string_view(peer.tls->version);
}

std::string_view tls_cipher(const PeerFacts& peer) {
  return peer.tls == nullptr ? std::string_view() : std::string_view(peer.tls->cipher);
}

std::string_view scope_of(const Grant& grant) {
  if (grant.method == AuthMethod::policy) return "hub";
  return grant.identity.module_id.empty() ? "device" : "module";
}

AccessRefusal refusal_of(const Refusal& from, Timestamp now) {
  HubEvent event{.time = now};
  describe(event, from);  // the names that detections read
  return {.claimed = from.claimed,
          .reason = std::move(event.reason),
          .code = hub_code(from.check),
          .expiry = from.token_expiry,
          .policy = from.policy_name,
          .sdk = from.sdk,
          .object = from.ip_rule};
}

/// The name that the SDKs of Event Hubs give their tokens and audiences; IoT Hub's have no scheme.
bool of_event_hub(std::string_view resource) {
  const auto text =
      resource.find('/') == std::string_view::npos ? percent_decode(resource).value_or("") : std::string(resource);
  return text.starts_with("sb://") || (text.starts_with("amqps://") && text.find("/devices/") == std::string::npos);
}

std::string without_scheme(std::string_view resource) {
  const auto at = resource.find("://");
  return std::string(at == std::string_view::npos ? resource : resource.substr(at + 3));
}

}  // namespace

std::expected<Access, AccessRefusal> HubAuthenticator::token(std::string_view resource, std::string_view token,
                                                             const PeerFacts& peer, Timestamp now) const {
  if (of_event_hub(resource)) return event_hub(resource, token, peer, now);
  const auto name = without_scheme(resource);
  auto wanted = parse_resource(name);
  if (!wanted) {
    return std::unexpected(AccessRefusal{.claimed = {hub_of(peer.host), "", "", ""}, .reason = "token_resource"});
  }
  if (wanted->device_id.empty()) return service(wanted->host, token, peer, now);
  // The Java SDK names the device also for a module; which module it is stands in the token, and is proven by its key.
  if (const auto signed_for = parse_sas_token(token); wanted->module_id.empty() && signed_for) {
    const auto meant = parse_resource(signed_for->resource);
    if (meant && meant->device_id == wanted->device_id) wanted->module_id = meant->module_id;
  }
  const auto id = wanted->module_id.empty() ? wanted->device_id : wanted->device_id + "/" + wanted->module_id;
  Credentials credentials{.client_id = id, .host = wanted->host, .token = token};
  credentials.certificate =
      peer.tls != nullptr && peer.tls->client_certificate ? &*peer.tls->client_certificate : nullptr;
  credentials.tls_version = tls_version(peer);
  credentials.tls_cipher = tls_cipher(peer);
  credentials.source_address = peer.source_address;
  return device(credentials, now);
}

std::expected<Access, AccessRefusal> HubAuthenticator::certificate(std::string_view device_id,
                                                                   std::string_view module_id, const PeerFacts& peer,
                                                                   Timestamp now) const {
  std::string id(device_id);
  if (!module_id.empty()) id.append("/").append(module_id);
  Credentials credentials{.client_id = id, .host = peer.host};
  if (credentials.host.empty() && peer.tls != nullptr) credentials.host = peer.tls->server_name;
  credentials.certificate =
      peer.tls != nullptr && peer.tls->client_certificate ? &*peer.tls->client_certificate : nullptr;
  credentials.tls_version = tls_version(peer);
  credentials.tls_cipher = tls_cipher(peer);
  credentials.source_address = peer.source_address;
  return device(credentials, now);
}

std::expected<Access, AccessRefusal> HubAuthenticator::device(const Credentials& credentials, Timestamp now) const {
  auto grant = authenticate(credentials, {hubs_, identities_, settings_}, now);
  if (!grant) return std::unexpected(refusal_of(grant.error(), now));
  const bool x509 = grant->method == AuthMethod::x509_thumbprint || grant->method == AuthMethod::x509_authority;
  return Access{.device = DeviceGrant{.identity = grant->identity,
                                      .auth_method = std::string(auth_method(*grant)),
                                      .auth_type = x509 ? "x509" : "sas",
                                      .auth_scope = scope_of(*grant),
                                      .key_slot = to_string(grant->key_slot),
                                      .policy = grant->policy_name,
                                      .credential = grant->credential,
                                      .expiry = grant->token_expiry},
                .service = {}};
}

std::expected<Access, AccessRefusal> HubAuthenticator::service(std::string_view host, std::string_view token,
                                                               const PeerFacts& peer, Timestamp now) const {
  static const HubSettingsStore kNone;
  const auto caller = authenticate_service({.token = token,
                                            .host = host,
                                            .tls_version = tls_version(peer),
                                            .tls_cipher = tls_cipher(peer),
                                            .source_address = peer.source_address},
                                           0, hubs_, settings_ == nullptr ? kNone : *settings_, now);
  if (!caller) {
    const auto& from = caller.error();
    return std::unexpected(AccessRefusal{.claimed = {from.hub, "", "", ""},
                                         .reason = std::string(to_string(from.check)),
                                         .code = hub_code(from.check),
                                         .expiry = from.token_expiry,
                                         .policy = from.policy_name,
                                         .sdk = {},
                                         .object = from.ip_rule});
  }
  return Access{.device = {},
                .service = ServiceGrant{.hub = caller->hub,
                                        .policy = caller->policy_name,
                                        .key_slot = to_string(caller->key_slot),
                                        .credential = caller->credential,
                                        .service_connect = caller->may(kServiceConnect),
                                        .expiry = caller->token_expiry}};
}

/// The Event-Hub-compatible endpoint: the same policies, but those SDKs sign with the key's text instead of its bytes,
/// and name a resource below the host.
std::expected<Access, AccessRefusal> HubAuthenticator::event_hub(std::string_view resource, std::string_view text,
                                                                 const PeerFacts& peer, Timestamp now) const {
  const auto wanted = split_resource(resource);
  AccessRefusal refusal{.claimed = {hub_of(wanted.host), "", "", ""}};
  const auto refuse = [&](AuthCheck check) {
    refusal.reason = to_string(check);
    refusal.code = hub_code(check);
    return std::unexpected(std::move(refusal));
  };
  const auto token = parse_sas_token(text);
  if (!token) return refuse(text.empty() ? AuthCheck::token_missing : AuthCheck::token_malformed);
  refusal.expiry = token->expiry;
  refusal.policy = token->policy_name;
  const auto settings = settings_ == nullptr ? nullptr : settings_->of(refusal.claimed.hub);
  const auto* policy = settings ? settings->find_policy(token->policy_name) : nullptr;
  if (policy == nullptr) return refuse(AuthCheck::token_policy);
  const auto& rules = settings->configuration;
  if (!evaluate(rules.ip_rules, peer.source_address).accepted) return refuse(AuthCheck::ip_filter);
  if (rules.tls_minimum == TlsVersion::tls13 && peer.tls != nullptr && peer.tls->version != "TLSv1.3") {
    return refuse(AuthCheck::tls_policy);
  }
  if (!covers(token->resource, resource)) return refuse(AuthCheck::token_resource);
  const auto signs = [&](const Buffer& key) {
    const auto text_key = to_base64(key);
    const bool by_bytes = signature_matches(*token, key);
    return (!key.empty() && signature_matches(*token, as_bytes(text_key))) || by_bytes;
  };
  const bool primary = signs(policy->primary_key);
  const bool secondary = signs(policy->secondary_key);
  if (!primary && !secondary) return refuse(AuthCheck::token_signature);
  if (token->expiry <= now) return refuse(AuthCheck::token_expired);
  if (rules.sas_lifetime_max && token->expiry > now + *rules.sas_lifetime_max) return refuse(AuthCheck::token_lifetime);
  return Access{
      .device = {},
      .service = ServiceGrant{.hub = settings->name,
                              .policy = policy->name,
                              .key_slot = primary ? "primary" : "secondary",
                              .credential = key_fingerprint(primary ? policy->primary_key : policy->secondary_key),
                              .service_connect = (policy->rights & kServiceConnect) != 0,
                              .expiry = token->expiry}};
}

}  // namespace picket::hub::amqp
