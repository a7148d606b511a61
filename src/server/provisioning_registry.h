// What provisioning asks of the registry: a device with its credentials, its security module and its first twin.
#pragma once

#include "hub/hub_settings.h"
#include "hub/provisioning.h"
#include "hub/registry.h"

namespace picket::server {

class ProvisioningRegistry final : public hub::ProvisioningRegistry {
 public:
  /// `host`: the name by which clients reach this installation. The others outlive it.
  ProvisioningRegistry(hub::Registry& registry, const hub::HubSettingsStore& settings, std::string default_hub,
                       std::string host)
      : registry_(registry), settings_(settings), default_hub_(std::move(default_hub)), host_(std::move(host)) {}

  void provide(hub::DeviceOrder order, const state::Actor& actor, hub::Done<bool> done) override;
  void withdraw(std::string_view hub, std::string_view device_id, const state::Actor& actor, hub::Done<> done) override;
  [[nodiscard]] std::vector<std::string> hubs() const override;
  [[nodiscard]] std::string host_of(std::string_view hub) const override;
  [[nodiscard]] std::optional<std::string> hub_of(std::string_view host) const override;
  [[nodiscard]] std::optional<std::string> verified_ca(std::string_view name) const override;

 private:
  hub::Registry& registry_;
  const hub::HubSettingsStore& settings_;
  std::string default_hub_;
  std::string host_;
};

}  // namespace picket::server
