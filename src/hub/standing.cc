#include "hub/standing.h"

#include <algorithm>

#include "authentication_steps.h"
#include "net/stream.h"

namespace picket::hub {
namespace {

bool policy_stands(const PolicyUse& use, const HubSettings& settings) {
  const auto* policy = settings.find_policy(use.policy);
  if (policy == nullptr) return false;
  if (use.as_device && (policy->rights & kDeviceConnect) == 0) return false;
  return use.credential == key_fingerprint(policy->primary_key) ||
         use.credential == key_fingerprint(policy->secondary_key);
}

/// The identity is read only when its kind of proof decides.
bool certificate_stands(const Standing& standing, const HubSettings& settings, const IdentityStore& identities) {
  const auto* tls = standing.stream->tls();
  const auto* certificate = tls != nullptr && tls->client_certificate ? &*tls->client_certificate : nullptr;
  const auto wanted = settings.configuration.client_certificates;
  if (certificate == nullptr) return wanted != ClientCertificatePolicy::required;
  const bool revoked = is_revoked(*certificate, settings);
  const bool trusted =
      certificate->chained &&
      std::ranges::any_of(certificate->issuer_thumbprints, [&](const auto& one) { return settings.trusts(one); });
  if (!revoked && trusted && wanted != ClientCertificatePolicy::off) return true;
  const auto found =
      identities.find(standing.identity->hub, standing.identity->device_id, standing.identity->module_id);
  if (!found || !found->has_value()) return true;  // who was deleted is closed as such
  const auto auth = (*found)->auth;
  const bool x509 = auth == state::AuthType::self_signed || auth == state::AuthType::certificate_authority;
  if (!x509) return wanted != ClientCertificatePolicy::required;
  if (revoked || wanted == ClientCertificatePolicy::off) return false;
  return trusted || auth == state::AuthType::self_signed;
}

}  // namespace

bool still_stands(const Standing& standing, const HubSettings& settings, const IdentityStore& identities) {
  std::string rule;
  Arrival arrival{.source_address = standing.stream->peer().address};
  if (const auto* tls = standing.stream->tls()) {
    arrival.tls_version = tls->version;
    arrival.tls_cipher = tls->cipher;
  }
  if (check_connection(settings, arrival, rule)) return false;
  if (standing.policy != nullptr) return policy_stands(*standing.policy, settings);
  return certificate_stands(standing, settings, identities);
}

}  // namespace picket::hub
