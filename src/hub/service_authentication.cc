#include "hub/service_authentication.h"

#include "authentication_steps.h"

namespace picket::hub {
namespace {

bool covers(std::uint32_t rights, std::uint32_t needed) {
  if ((rights & kRegistryWrite) != 0) rights |= kRegistryRead;
  return (needed & ~rights) == 0;
}

}  // namespace

bool ServiceCaller::may(Right right) const { return covers(rights, right); }

state::Actor ServiceCaller::actor() const { return {.user = "policy/" + policy_name, .source = source_address}; }

std::expected<ServiceCaller, ServiceRefusal> authenticate_service(const ServiceCredentials& credentials,
                                                                  std::uint32_t needed, const HubNames& hubs,
                                                                  const HubSettingsStore& settings, Timestamp now) {
  ServiceRefusal refusal{.hub = hubs.hub_of(credentials.host, &settings)};
  const auto refuse = [&](AuthCheck check) {
    refusal.check = check;
    return std::unexpected(std::move(refusal));
  };
  const auto token = parse_sas_token(credentials.token);
  std::string host(credentials.host);
  if (token && host.empty()) {
    if (const auto resource = parse_resource(token->resource)) host = resource->host;
    refusal.hub = hubs.hub_of(host, &settings);
  }
  const auto found = settings.of(refusal.hub);
  const HubSettings& hub = found ? *found : default_settings();
  if (auto failed = check_connection(hub, {credentials.source_address, credentials.tls_version, credentials.tls_cipher},
                                     refusal.ip_rule))
    return refuse(*failed);
  if (credentials.token.empty()) return refuse(AuthCheck::token_missing);
  if (!token) return refuse(AuthCheck::token_malformed);
  refusal.token_expiry = token->expiry;
  refusal.policy_name = token->policy_name;
  const auto* policy = hub.find_policy(token->policy_name);
  if (policy == nullptr || !covers(policy->rights, needed)) return refuse(AuthCheck::token_policy);
  if (!covers_resource(token->resource, host, credentials.path)) return refuse(AuthCheck::token_resource);
  const auto slot = matching_key(*token, policy->primary_key, policy->secondary_key);
  if (!slot) return refuse(AuthCheck::token_signature);
  if (auto failed = check_token_times(*token, hub, now)) return refuse(*failed);
  return ServiceCaller{
      .hub = refusal.hub,
      .policy_name = policy->name,
      .rights = policy->rights,
      .key_slot = *slot,
      .token_expiry = token->expiry,
      .credential = key_fingerprint(*slot == KeySlot::primary ? policy->primary_key : policy->secondary_key),
      .source_address = std::string(credentials.source_address)};
}

}  // namespace picket::hub
