#include "authentication_steps.h"

#include <algorithm>

namespace picket::hub {
namespace {

/// Clients ask their own clock when a token should end.
constexpr Duration kLifetimeTolerance = Duration::minutes(5);

/// OpenSSL's names of TLS 1.2 and 1.3.
bool is_strict_cipher(std::string_view name) {
  return name.contains("AES256-GCM") || name.contains("AES_256_GCM") || name.contains("CHACHA20");
}

}  // namespace

const HubSettings& default_settings() {
  static const HubSettings settings;
  return settings;
}

std::optional<AuthCheck> check_connection(const HubSettings& settings, const Arrival& arrival, std::string& rule) {
  const auto& configuration = settings.configuration;
  if (!arrival.source_address.empty()) {
    const auto verdict = evaluate(configuration.ip_rules, arrival.source_address);
    if (verdict.rule != nullptr) rule = verdict.rule->name;
    if (!verdict.accepted) return AuthCheck::ip_filter;
  }
  const bool old = !arrival.tls_version.empty() && arrival.tls_version != "TLSv1.3";
  if (old && configuration.tls_minimum == TlsVersion::tls13) return AuthCheck::tls_policy;
  const bool weak = !arrival.tls_cipher.empty() && !is_strict_cipher(arrival.tls_cipher);
  if (weak && configuration.ciphers == CipherPolicy::strict) return AuthCheck::tls_policy;
  return std::nullopt;
}

bool is_revoked(const net::ClientCertificate& certificate, const HubSettings& settings) {
  return settings.has_revoked(certificate.sha256_thumbprint) || settings.has_revoked(certificate.sha1_thumbprint) ||
         std::ranges::any_of(certificate.issuer_thumbprints, [&](const auto& one) { return settings.has_revoked(one); });
}

std::optional<KeySlot> matching_key(const SasToken& token, Bytes primary, Bytes secondary) {
  const bool first = signature_matches(token, primary);
  const bool second = signature_matches(token, secondary);
  if (first) return KeySlot::primary;
  if (second) return KeySlot::secondary;
  return std::nullopt;
}

std::optional<AuthCheck> check_token_times(const SasToken& token, const HubSettings& settings, Timestamp now) {
  if (token.expiry <= now) return AuthCheck::token_expired;
  const auto longest = settings.configuration.sas_lifetime_max;
  if (longest && token.expiry > now + *longest + kLifetimeTolerance) return AuthCheck::token_lifetime;
  return std::nullopt;
}

}  // namespace picket::hub
