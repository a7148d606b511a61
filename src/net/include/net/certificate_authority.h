// The installation's private CA and the server's certificate, made on first start.
#pragma once

#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::net {

inline constexpr Duration kCaLifetime = Duration::days(3653);
inline constexpr Duration kServerCertificateLifetime = Duration::days(397);  ///< The longest that browsers accept.
inline constexpr Duration kServerCertificateRenewal = Duration::days(30);    ///< Left when a new one is made.

/// Files in the directory of secrets: ca.crt, ca.key, server.crt, server.key. Keys: ECDSA P-256, PKCS#8, mode 0600.
struct ServerIdentity {
  std::string ca_certificate_pem;
  std::string certificate_pem;
  std::string private_key_pem;
  bool ca_created = false;
  bool certificate_created = false;  ///< New, renewed, or made again since the names have changed.
};

/// Opens what is in `directory`, makes what is missing, renews a server certificate that ends within
/// kServerCertificateRenewal or lacks one of the names. Subject alternative names: localhost, 127.0.0.1, ::1, the
/// host's name and `names` (DNS names or IP addresses). A CA that exists is never replaced. Errors: malformed (a name
/// that is none; a file that is not what it should be), io, internal.
Result<ServerIdentity> open_or_create_server_identity(const std::string& directory,
                                                      const std::vector<std::string>& names, Timestamp now);

}  // namespace picket::net
