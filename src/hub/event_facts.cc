#include "hub/event_facts.h"

namespace picket::hub {
namespace {

PeerCertificate to_peer_certificate(const net::Certificate& certificate) {
  PeerCertificate out{.thumbprint = certificate.sha256_thumbprint,
                      .thumbprint_sha1 = certificate.sha1_thumbprint,
                      .subject = certificate.common_name,
                      .issuer = certificate.issuer,
                      .signature = certificate.signature_algorithm,
                      .not_before = certificate.not_before,
                      .not_after = certificate.not_after};
  for (const char c : certificate.key_kind) {
    out.key.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
  }
  out.key.append(1, ':').append(std::to_string(certificate.key_bits));
  return out;
}

std::string_view reason_of(const Refusal& refusal, Timestamp now) {
  switch (refusal.check) {
    case AuthCheck::thumbprint_mismatch:
      return reason::kCertificateThumbprint;
    case AuthCheck::certificate_not_trusted:
      if (refusal.certificate && refusal.certificate->not_before > now) return reason::kCertificateNotYetValid;
      return reason::kCertificateChain;
    default:
      return to_string(refusal.check);  // the others have the same names
  }
}

}  // namespace

void describe(HubEvent& event, const net::Stream& stream) {
  const auto& peer = stream.peer();
  event.source_address = peer.address;
  event.source_port = peer.port;
  const auto* tls = stream.tls();
  if (tls == nullptr) {
    event.transport = "tcp";
    return;
  }
  event.tls_version = tls->version;
  event.tls_cipher = tls->cipher;
  event.tls_group = tls->group;
  event.server_name = tls->server_name;
  if (!tls->client_certificate) return;
  event.certificate = to_peer_certificate(*tls->client_certificate);
  const auto& issuers = tls->client_certificate->issuer_thumbprints;
  if (!issuers.empty()) event.certificate->issuer_thumbprint = issuers.back();
}

void describe(HubEvent& event, const Grant& grant) {
  const bool x509 = grant.method == AuthMethod::x509_thumbprint || grant.method == AuthMethod::x509_authority;
  event.identity = grant.identity;
  event.authenticated = true;
  event.sdk = grant.claim.sdk;
  event.auth_type = x509 ? "x509" : "sas";
  event.auth_scope = grant.method == AuthMethod::policy ? "hub"
                     : grant.identity.module_id.empty() ? "device"
                                                        : "module";
  event.key_slot = to_string(grant.key_slot);
  if (!x509) event.token_expiry = grant.token_expiry;
  event.policy_name = grant.policy_name;
  event.credential = grant.credential;
}

void describe(HubEvent& event, const Refusal& refusal) {
  event.identity = refusal.claimed;
  event.authenticated = false;
  event.sdk = refusal.sdk;
  event.token_expiry = refusal.token_expiry;
  event.policy_name = refusal.policy_name;
  if (refusal.certificate && !event.certificate) event.certificate = to_peer_certificate(*refusal.certificate);
  event.reason = reason_of(refusal, event.time);
  event.code = hub_code(refusal.check);
}

}  // namespace picket::hub
