#include "server_tls.h"

#include "base/server/log.h"

namespace picket::server {

Result<std::unique_ptr<ServerTls>> ServerTls::open(std::string secrets, std::vector<std::string> names,
                                                   const Clock& clock) {
  std::unique_ptr<ServerTls> out(new ServerTls(std::move(secrets), std::move(names), clock));
  TRY(out->identity_, net::open_or_create_server_identity(out->secrets_, out->names_, clock.now()));
  TRY(out->hub_, net::TlsContext::create(out->hub_options()));
  TRY(out->portal_, net::TlsContext::create(out->portal_options()));
  return out;
}

net::TlsOptions ServerTls::hub_options() const {
  return {.certificate_pem = identity_.certificate_pem,
          .private_key_pem = identity_.private_key_pem,
          .request_client_certificate = true,
          .client_ca_pem = authorities_ ? authorities_() : ""};
}

net::TlsOptions ServerTls::portal_options() const {
  return {.certificate_pem = identity_.certificate_pem, .private_key_pem = identity_.private_key_pem};
}

Result<> ServerTls::trust(Authorities authorities) {
  const std::scoped_lock lock(mutex_);
  authorities_ = std::move(authorities);
  return hub_->replace(hub_options());
}

void ServerTls::authorities_changed() {
  const std::scoped_lock lock(mutex_);
  if (const auto done = hub_->replace(hub_options()); !done)
    log::error("server", "TLS of the hub: {}", describe(done.error()));
}

Result<> ServerTls::renew() {
  const std::scoped_lock lock(mutex_);
  TRY(identity_, net::open_or_create_server_identity(secrets_, names_, clock_.now()));
  if (identity_.certificate_created) log::info("server", "the server certificate was renewed");
  if (const auto done = hub_->replace(hub_options()); !done)
    log::error("server", "TLS of the hub: {}", describe(done.error()));
  return portal_->replace(portal_options());
}

}  // namespace picket::server
