#include "hub/registry.h"

#include <algorithm>

#include "audit.h"
#include "base/core/json_writer.h"
#include "identity_fields.h"
#include "state/outbox.h"

namespace picket::hub {
namespace {

constexpr std::size_t kPageMax = 1000;

HubError store_error(const Error& error, const IdentityKey& key) {
  const bool module = error.where == "module";
  auto out =
      from_store(error, module ? "Module " + key.module_id + " of device " + key.device_id : "Device " + key.device_id);
  if (module && error.code == Errc::not_found) out.code = kModuleNotFound;
  return out;
}

}  // namespace

Registry::Registry(state::Database& database, const Clock& clock, RegistryOptions options)
    : database_(database), clock_(clock), options_(options) {}
Registry::~Registry() = default;

IdentityActivity Registry::activity(const IdentityKey& key) const {
  return activity_ ? activity_(key) : IdentityActivity{};
}

void Registry::tell_revoked(const RegistryTransaction& transaction) {
  if (!listener_) return;
  for (const IdentityKey& key : transaction.revoked()) listener_(key);
}

HubResult<state::Device> Registry::device(std::string_view hub, std::string_view device_id) const {
  auto found = state::Identities(database_).find(hub, device_id);
  if (!found) return std::unexpected(store_error(found.error(), {std::string(hub), std::string(device_id), ""}));
  return *std::move(found);
}

HubResult<state::Module> Registry::module(const IdentityKey& key) const {
  auto found = state::Identities(database_).find_module(key.hub, key.device_id, key.module_id);
  if (found) return *std::move(found);
  if (found.error().code == Errc::not_found) {
    HUB_TRY_VOID(device(key.hub, key.device_id));
  }
  return std::unexpected(store_error(found.error(), key));
}

HubResult<std::vector<state::Module>> Registry::modules(std::string_view hub, std::string_view device_id) const {
  HUB_TRY_VOID(device(hub, device_id));
  auto found = state::Identities(database_).modules(hub, device_id);
  if (!found) return std::unexpected(from_store(found.error(), "The list of modules"));
  return *std::move(found);
}

HubResult<DevicePage> Registry::devices(std::string_view hub, std::string_view after, std::size_t count_max) const {
  count_max = std::clamp<std::size_t>(count_max, 1, kPageMax);
  auto found = state::Identities(database_).list(hub, after, count_max);
  if (!found) return std::unexpected(from_store(found.error(), "The list of devices"));
  DevicePage out{.devices = *std::move(found)};
  if (out.devices.size() == count_max) out.next = out.devices.back().device_id;
  return out;
}

HubResult<state::IdentityCounts> Registry::counts(std::string_view hub) const {
  auto found = state::Identities(database_).count(hub);
  if (!found) return std::unexpected(from_store(found.error(), "The statistics"));
  return *found;
}

std::string Registry::to_json(std::string_view hub, const state::Device& device) const {
  return hub::to_json(device, activity({std::string(hub), device.device_id, ""}));
}

std::string Registry::to_json(std::string_view hub, std::string_view device_id, const state::Module& module) const {
  return hub::to_json(device_id, module, activity({std::string(hub), std::string(device_id), module.module_id}));
}

/// Reading a secret is recorded before it is given.
void Registry::audited_read(std::string hub, std::string device_id, std::string module_id, std::uint64_t count,
                            state::Actor actor, std::string json, Done<std::string> done) {
  submit<std::string>(
      std::move(hub), std::move(actor),
      [device_id = std::move(device_id), module_id = std::move(module_id), count,
       json = std::move(json)](RegistryTransaction& transaction) mutable -> HubResult<std::string> {
        Audit audit(transaction.actor(), transaction.hub());
        if (!module_id.empty()) audit.field("module", module_id);
        if (count != 1) audit.field("identities", count);
        const auto recorded =
            state::Outbox::add(transaction.database(), "key.read", device_id, audit.take(), transaction.now());
        if (!recorded) return std::unexpected(from_store(recorded.error(), "The audit record"));
        return std::move(json);
      },
      std::move(done));
}

void Registry::show_device(const IdentityKey& key, state::Actor actor, Done<std::string> done) {
  const auto found = device(key.hub, key.device_id);
  if (!found) return done(std::unexpected(found.error()));
  audited_read(key.hub, key.device_id, "", 1, std::move(actor), to_json(key.hub, *found), std::move(done));
}

void Registry::show_module(const IdentityKey& key, state::Actor actor, Done<std::string> done) {
  const auto found = module(key);
  if (!found) return done(std::unexpected(found.error()));
  audited_read(key.hub, key.device_id, key.module_id, 1, std::move(actor), to_json(key.hub, key.device_id, *found),
               std::move(done));
}

void Registry::show_modules(const IdentityKey& device, state::Actor actor, Done<std::string> done) {
  const auto found = modules(device.hub, device.device_id);
  if (!found) return done(std::unexpected(found.error()));
  JsonWriter json;
  json.begin_array();
  for (const auto& module : *found) json.raw(to_json(device.hub, device.device_id, module));
  audited_read(device.hub, device.device_id, "", found->size(), std::move(actor), json.end_array().take(),
               std::move(done));
}

void Registry::show_devices(std::string hub, std::string after, std::size_t count_max, state::Actor actor,
                            Done<std::string> done) {
  const auto page = devices(hub, after, count_max);
  if (!page) return done(std::unexpected(page.error()));
  JsonWriter json;
  json.begin_array();
  for (const auto& device : page->devices) json.raw(to_json(hub, device));
  audited_read(std::move(hub), "", "", page->devices.size(), std::move(actor), json.end_array().take(),
               std::move(done));
}

void Registry::put(std::string hub, DeviceSpec spec, PutMode mode, std::string if_match, state::Actor actor,
                   Done<state::Device> done) {
  submit<state::Device>(
      std::move(hub), std::move(actor),
      [spec = std::move(spec), mode, if_match = std::move(if_match)](RegistryTransaction& transaction) {
        return transaction.put(spec, mode, if_match);
      },
      std::move(done));
}

void Registry::put(std::string hub, ModuleSpec spec, PutMode mode, std::string if_match, state::Actor actor,
                   Done<state::Module> done) {
  submit<state::Module>(
      std::move(hub), std::move(actor),
      [spec = std::move(spec), mode, if_match = std::move(if_match)](RegistryTransaction& transaction) {
        return transaction.put(spec, mode, if_match);
      },
      std::move(done));
}

void Registry::remove(const IdentityKey& key, std::string if_match, state::Actor actor, Done<> done) {
  submit<void>(
      key.hub, std::move(actor),
      [key, if_match = std::move(if_match)](RegistryTransaction& transaction) {
        return key.module_id.empty() ? transaction.remove_device(key.device_id, if_match)
                                     : transaction.remove_module(key.device_id, key.module_id, if_match);
      },
      std::move(done));
}

void Registry::rotate_key(const IdentityKey& key, bool primary, state::Actor actor, Done<> done) {
  submit<void>(
      key.hub, std::move(actor),
      [key, primary](RegistryTransaction& transaction) -> HubResult<> {
        const auto made = state::make_keys();
        AuthSpec auth;
        (primary ? auth.keys.primary : auth.keys.secondary) = primary ? made.primary : made.secondary;
        const auto check = [](state::AuthType type) -> HubResult<> {
          if (type == state::AuthType::sas) return {};
          return hub_fail(kArgumentInvalid, "This identity proves itself without symmetric keys.");
        };
        if (key.module_id.empty()) {
          HUB_TRY(const auto device, transaction.device(key.device_id));
          HUB_TRY_VOID(check(device.auth));
          HUB_TRY_VOID(transaction.put(DeviceSpec{.device_id = key.device_id, .auth = auth}, PutMode::update));
          return {};
        }
        HUB_TRY(const auto module, transaction.module(key.device_id, key.module_id));
        HUB_TRY_VOID(check(module.auth));
        HUB_TRY_VOID(transaction.put(ModuleSpec{.device_id = key.device_id, .module_id = key.module_id, .auth = auth},
                                     PutMode::update));
        return {};
      },
      std::move(done));
}

}  // namespace picket::hub
