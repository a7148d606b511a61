// The hub's common authentication, asked in AMQP's terms.
#pragma once

#include <utility>

#include "access.h"
#include "hub/authentication.h"
#include "hub/hub_settings.h"
#include "hub/identity_store.h"

namespace picket::hub::amqp {

class HubAuthenticator final : public Authenticator {
 public:
  /// Both outlive it; `settings` may be nullptr.
  HubAuthenticator(HubNames hubs, const IdentityStore& identities, const HubSettingsStore* settings)
      : hubs_(std::move(hubs)), identities_(identities), settings_(settings) {}
  [[nodiscard]] std::expected<Access, AccessRefusal> token(std::string_view resource, std::string_view token,
                                                           const PeerFacts& peer, Timestamp now) const override;
  [[nodiscard]] std::expected<Access, AccessRefusal> certificate(std::string_view device_id, std::string_view module_id,
                                                                 const PeerFacts& peer, Timestamp now) const override;
  [[nodiscard]] std::string hub_of(std::string_view host) const override { return hubs_.hub_of(host, settings_); }

 private:
  [[nodiscard]] std::expected<Access, AccessRefusal> device(const Credentials& credentials, Timestamp now) const;
  [[nodiscard]] std::expected<Access, AccessRefusal> service(std::string_view host, std::string_view token,
                                                             const PeerFacts& peer, Timestamp now) const;
  [[nodiscard]] std::expected<Access, AccessRefusal> event_hub(std::string_view resource, std::string_view token,
                                                               const PeerFacts& peer, Timestamp now) const;
  const HubNames hubs_;
  const IdentityStore& identities_;
  const HubSettingsStore* settings_;
};

}  // namespace picket::hub::amqp
