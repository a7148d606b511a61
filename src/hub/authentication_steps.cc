#include "authentication_steps.h"

namespace picket::hub {
namespace {

/// Clients ask their own clock when a token should end.
constexpr Duration kLifetimeTolerance = Duration::minutes(5);

}  // namespace

const HubSettings& default_settings() {
  static const HubSettings settings;
  return settings;
}

std::optional<AuthCheck> check_connection(const HubSettings& settings, std::string_view source_address,
                                          std::string_view tls_version, std::string& rule) {
  if (!source_address.empty()) {
    const auto verdict = evaluate(settings.configuration.ip_rules, source_address);
    if (verdict.rule != nullptr) rule = verdict.rule->name;
    if (!verdict.accepted) return AuthCheck::ip_filter;
  }
  const bool old = !tls_version.empty() && tls_version != "TLSv1.3";
  if (old && settings.configuration.tls_minimum == TlsVersion::tls13) return AuthCheck::tls_policy;
  return std::nullopt;
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
