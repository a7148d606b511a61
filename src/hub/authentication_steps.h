// Checks that devices and service callers share. Private to this module.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hub/authentication.h"
#include "hub/sas_token.h"

namespace picket::hub {

/// Of a hub that the store does not know.
const HubSettings& default_settings();

/// How a client has come; empty: not known, not judged.
struct Arrival {
  std::string_view source_address;
  std::string_view tls_version;
  std::string_view tls_cipher;
};

/// IP filter, TLS minimum and cipher policy. `rule` gets the name of the rule that decided about the address.
std::optional<AuthCheck> check_connection(const HubSettings& settings, const Arrival& arrival, std::string& rule);

/// Both are tried, so that time does not tell which one it was.
std::optional<KeySlot> matching_key(const SasToken& token, Bytes primary, Bytes secondary);

/// token_expired, token_lifetime.
std::optional<AuthCheck> check_token_times(const SasToken& token, const HubSettings& settings, Timestamp now);

/// It, or one above it, is in the hub's list of revoked certificates.
bool is_revoked(const net::ClientCertificate& certificate, const HubSettings& settings);

}  // namespace picket::hub
