// TLS of the hub and of the portal under one certificate of the installation's CA, renewed while both run.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "net/certificate_authority.h"
#include "net/tls_context.h"

namespace picket::server {

/// Any thread.
class ServerTls {
 public:
  /// Certificates of CAs that vouch for devices, one PEM after another.
  using Authorities = std::function<std::string()>;

  /// Makes CA and certificate where there are none. Errors: as net::open_or_create_server_identity.
  static Result<std::unique_ptr<ServerTls>> open(std::string secrets, std::vector<std::string> names,
                                                 const Clock& clock);

  /// Asks for client certificates.
  [[nodiscard]] net::TlsContext& hub() const { return *hub_; }
  /// Does not: a browser would ask its user for one.
  [[nodiscard]] net::TlsContext& portal() const { return *portal_; }

  /// Of the hubs, which are known once they run; {}: they end.
  Result<> trust(Authorities authorities);
  /// What trust() was given says something else now. A failure is logged; new connections find what was there before.
  void authorities_changed();
  /// New ticket keys for new connections, and a new certificate when the old one is about to end. Call it daily.
  Result<> renew();

 private:
  ServerTls(std::string secrets, std::vector<std::string> names, const Clock& clock)
      : secrets_(std::move(secrets)), names_(std::move(names)), clock_(clock) {}
  [[nodiscard]] net::TlsOptions hub_options() const;
  [[nodiscard]] net::TlsOptions portal_options() const;

  const std::string secrets_;
  const std::vector<std::string> names_;
  const Clock& clock_;
  std::mutex mutex_;
  net::ServerIdentity identity_;
  Authorities authorities_;
  std::unique_ptr<net::TlsContext> hub_;
  std::unique_ptr<net::TlsContext> portal_;
};

}  // namespace picket::server
