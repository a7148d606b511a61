#include "attestation.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "hub/sas_token.h"

namespace picket::hub {
namespace {

std::unexpected<Disproof> disproof(std::string_view text) { return std::unexpected(Disproof(text)); }

Buffer decoded(std::string_view key) { return from_base64(key).value_or(Buffer()); }

/// The client may have percent-encoded the resource as a whole, or not at all; signed is what it sent.
bool names_registration(std::string_view resource, std::string_view scope, std::string_view id) {
  const auto wanted = fmt::format("{}/registrations/{}", scope, id);
  if (resource == wanted) return true;
  const auto plain = percent_decode(resource);
  return plain && *plain == wanted;
}

std::expected<SasToken, Disproof> check_token(const ProvisioningClaim& claim, std::string_view scope, Timestamp now) {
  auto token = parse_sas_token(claim.token);
  if (!token) return disproof("the token is malformed");
  if (!names_registration(token->resource, scope, claim.registration_id)) return disproof("the token names another");
  if (token->expiry <= now) return disproof("the token has expired");
  return *std::move(token);
}

ProvisioningGrant grant_for(const ProvisioningClaim& claim, std::string_view enrollment, bool group,
                            std::string_view method) {
  return {.registration_id = claim.registration_id,
          .enrollment = std::string(enrollment),
          .group = group,
          .method = std::string(method),
          .primary_key = {},
          .secondary_key = {},
          .thumbprint = {},
          .source = claim.source};
}

std::expected<ProvisioningGrant, Disproof> by_key(const ProvisioningClaim& claim, std::string_view scope,
                                                  const std::optional<Enrollment>& individual, const GroupSet& groups,
                                                  Timestamp now) {
  const auto token = check_token(claim, scope, now);
  if (!token) return std::unexpected(token.error());
  if (individual) {
    if (individual->attestation != Attestation::symmetric_key) return disproof("enrolled with a certificate");
    if (!signature_matches(*token, decoded(individual->primary_key)) &&
        !signature_matches(*token, decoded(individual->secondary_key))) {
      return disproof("neither key matches");
    }
    auto grant = grant_for(claim, individual->id, false, "symmetricKey");
    grant.primary_key = individual->primary_key;
    grant.secondary_key = individual->secondary_key;
    return grant;
  }
  for (const auto& group : groups.symmetric) {
    const auto primary = derived_key(group.primary_key, claim.registration_id);
    const auto secondary = derived_key(group.secondary_key, claim.registration_id);
    if (!signature_matches(*token, decoded(primary)) && !signature_matches(*token, decoded(secondary))) continue;
    if (!group.enabled) return disproof(fmt::format("the group {} is disabled", group.id));
    auto grant = grant_for(claim, group.id, true, "symmetricKey");
    grant.primary_key = primary;
    grant.secondary_key = secondary;
    return grant;
  }
  return disproof("no enrollment's key matches");
}

/// The anchors that the names in the client's chain lead to: verifying against each of a thousand would be slow.
std::vector<const GroupSet::Anchor*> named_anchors(const CertificateFacts& leaf, std::span<const Buffer> chain,
                                                   const GroupSet& groups) {
  std::vector<std::string> issuers = {leaf.issuer};
  for (const auto& der : chain.first(std::min(chain.size(), kChainMax))) {
    if (const auto facts = parse_certificate_der(der)) issuers.push_back(facts->issuer);
  }
  std::vector<const GroupSet::Anchor*> out;
  for (const auto& anchor : groups.anchors) {
    if (std::ranges::find(issuers, anchor.subject) != issuers.end()) out.push_back(&anchor);
  }
  return out;
}

std::expected<ProvisioningGrant, Disproof> by_certificate(const ProvisioningClaim& claim,
                                                          const std::optional<Enrollment>& individual,
                                                          const GroupSet& groups, Timestamp now) {
  const auto leaf = parse_certificate_der(claim.certificate->leaf_der);
  if (!leaf) return disproof("not a certificate");
  if (leaf->common_name != claim.registration_id) return disproof("the certificate's name is another");
  if (now < leaf->not_before || leaf->not_after < now) return disproof("the certificate is not valid now");
  if (individual) {
    if (individual->attestation != Attestation::x509) return disproof("enrolled with a symmetric key");
    for (const auto& enrolled : individual->certificates) {
      if (enrolled.sha256 != leaf->sha256) continue;
      auto grant = grant_for(claim, individual->id, false, "x509");
      grant.thumbprint = leaf->sha256;
      return grant;
    }
    return disproof("another certificate is enrolled");
  }
  std::string why;
  const auto candidates = named_anchors(*leaf, claim.certificate->chain_der, groups);
  std::vector<Buffer> anchors;
  for (const auto* candidate : candidates) anchors.push_back(candidate->der);
  const auto nearest = verify_chain(leaf->der, claim.certificate->chain_der, anchors, now, why);
  if (!nearest) return disproof(why);
  const auto& group = *candidates[*nearest];
  if (!group.enabled) return disproof(fmt::format("the group {} is disabled", group.group_id));
  auto grant = grant_for(claim, group.group_id, true, "x509");
  grant.thumbprint = leaf->sha256;
  return grant;
}

}  // namespace

std::string derived_key(Bytes group_key, std::string_view registration_id) {
  if (group_key.empty()) return {};
  return to_base64(hmac_sha256(group_key, as_bytes(registration_id)));
}

std::expected<ProvisioningGrant, Disproof> attest(const ProvisioningClaim& claim, std::string_view scope,
                                                  const std::optional<Enrollment>& individual, const GroupSet& groups,
                                                  Timestamp now) {
  if (claim.scope != scope) return disproof("another id scope");
  if (!is_registration_id(claim.registration_id)) return disproof("not a registration id");
  if (individual && !individual->enabled) return disproof("the enrollment is disabled");
  if (!claim.token.empty()) return by_key(claim, scope, individual, groups, now);
  if (claim.certificate) return by_certificate(claim, individual, groups, now);
  return disproof("neither token nor certificate");
}

}  // namespace picket::hub
