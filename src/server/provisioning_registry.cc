#include "provisioning_registry.h"

#include "initial_twin.h"
#include "state/twins.h"

namespace picket::server {
namespace {

hub::AuthSpec auth_of(const hub::DeviceOrder& order) {
  hub::AuthSpec out;
  if (!order.primary_key.empty()) {
    out.keys = {order.primary_key, order.secondary_key};
  } else if (!order.primary_thumbprint.empty()) {
    out.type = state::AuthType::self_signed;
    out.thumbprints = {order.primary_thumbprint, order.secondary_thumbprint};
  } else {
    out.type = state::AuthType::certificate_authority;
  }
  return out;
}

/// In one transaction: device, security module, first twin. True: the device is new.
hub::HubResult<bool> make(hub::RegistryTransaction& transaction, const hub::DeviceOrder& order) {
  const bool exists = transaction.device(order.device_id).has_value();
  // A device that an operator has disabled stays disabled when it registers again.
  hub::DeviceSpec device{.device_id = order.device_id, .auth = auth_of(order), .edge = order.edge};
  const auto made = transaction.put(device, hub::PutMode::create_or_update);
  if (!made) return std::unexpected(made.error());
  if (order.security_module) {
    const hub::ModuleSpec module{
        .device_id = order.device_id, .module_id = std::string(state::kSecurityModule), .auth = auth_of(order)};
    const auto added = transaction.put(module, hub::PutMode::create_or_update);
    if (!added) return std::unexpected(added.error());
  }
  InitialTwin twin{order.tags_json, order.desired_json};
  if (!exists && !order.migrate_from_hub.empty()) {
    const auto row = state::Twins::find_in(transaction.database(), order.migrate_from_hub, order.device_id, "");
    if (row) twin = {row->tags, row->desired};  // gone meanwhile: it begins like any new device
  }
  const auto put = put_initial_twin(transaction.database(), {transaction.hub(), order.device_id, ""}, twin,
                                    transaction.actor(), transaction.now());
  if (!put) return std::unexpected(put.error());
  return !exists;
}

}  // namespace

void ProvisioningRegistry::provide(hub::DeviceOrder order, const state::Actor& actor, hub::Done<bool> done) {
  const std::string hub = order.hub;
  registry_.submit<bool>(
      hub, actor,
      [order = std::move(order)](hub::RegistryTransaction& transaction) { return make(transaction, order); },
      std::move(done));
}

void ProvisioningRegistry::withdraw(std::string_view hub, std::string_view device_id, const state::Actor& actor,
                                    hub::Done<> done) {
  registry_.remove({std::string(hub), std::string(device_id), ""}, "", actor,
                   [done = std::move(done)](hub::HubResult<> removed) mutable {
                     if (!removed && removed.error().code == hub::kDeviceNotFound) return done({});
                     done(std::move(removed));
                   });
}

std::vector<std::string> ProvisioningRegistry::hubs() const {
  std::vector<std::string> out;
  for (const auto& settings : settings_.all()) out.push_back(settings->name);
  if (out.empty()) out.push_back(default_hub_);
  return out;
}

/// The default hub is the installation's own name; another one stands as a label before it.
std::string ProvisioningRegistry::host_of(std::string_view hub) const {
  return hub == default_hub_ ? host_ : std::string(hub) + "." + host_;
}

std::optional<std::string> ProvisioningRegistry::hub_of(std::string_view host) const {
  host = host.substr(0, host.find(':'));
  if (host == host_) return default_hub_;
  if (const auto settings = settings_.of_host(host)) return settings->name;
  return std::nullopt;
}

/// A proven CA of any hub: enrolment groups belong to the installation.
std::optional<std::string> ProvisioningRegistry::verified_ca(std::string_view name) const {
  for (const auto& settings : settings_.all()) {
    for (const auto& authority : settings->authorities) {
      if (authority.name == name) return authority.pem;
    }
  }
  return std::nullopt;
}

}  // namespace picket::server
