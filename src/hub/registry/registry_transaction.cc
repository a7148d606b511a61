#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "audit.h"
#include "base/core/identifier.h"
#include "base/core/random.h"
#include "hub/registry.h"
#include "identity_fields.h"
#include "state/outbox.h"

namespace picket::hub {
namespace {

using state::AuthType;
using state::Identities;

constexpr std::array<std::string_view, 4> kAuthNames = {"sas", "selfSigned", "certificateAuthority", "none"};
std::string_view name_of(AuthType type) { return kAuthNames[static_cast<std::size_t>(type)]; }

HubError error_of(const Error& error, std::string_view device_id, std::string_view module_id = {}) {
  const auto name = module_id.empty() ? fmt::format("Device {}", device_id)
                                      : fmt::format("Module {} of device {}", module_id, device_id);
  auto out = from_store(error, error.where == "device" ? fmt::format("Device {}", device_id) : name);
  if (error.where == "module" && error.code == Errc::not_found) out.code = kModuleNotFound;
  if (error.where == "module" && error.code == Errc::exists) out.code = kModuleExists;
  return out;
}

/// HUB_TRY for a Result of the store.
template <class T>
HubResult<T> from(Result<T> result, std::string_view device_id, std::string_view module_id = {}) {
  if (!result) return std::unexpected(error_of(result.error(), device_id, module_id));
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(result);
  }
}

bool matches(std::string_view if_match, std::string_view etag) {
  if (if_match.starts_with("W/")) if_match.remove_prefix(2);
  if (if_match.size() >= 2 && if_match.starts_with('"') && if_match.ends_with('"'))
    if_match = if_match.substr(1, if_match.size() - 2);
  return if_match.empty() || if_match == "*" || if_match == etag;
}

HubResult<> check_etag(std::string_view if_match, std::string_view etag) {
  if (matches(if_match, etag)) return {};
  return hub_fail(kEtagMismatch, "The etag is another one now: read it again.");
}

bool is_thumbprint(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
         });
}

HubResult<> check_name(std::string_view id, std::string_view member) {
  if (is_identifier(id)) return {};
  return invalid(member, "1 to 128 letters, digits and - : . + % _ # * ? ! ( ) , = @ $ '");
}

/// What an identity has of credentials, whatever it is.
struct Held {
  AuthType& type;
  state::Keys& keys;
  state::Thumbprints& thumbprints;
};

HubResult<> apply_keys(const AuthSpec& spec, Held held) {
  const bool fresh = held.keys.primary.empty();
  const auto made = state::make_keys();
  for (const bool primary : {true, false}) {
    const auto& given = primary ? spec.keys.primary : spec.keys.secondary;
    auto& key = primary ? held.keys.primary : held.keys.secondary;
    if (!given.empty() && !state::check_key(given)) return invalid("symmetricKey", "base64 of 16 to 64 bytes");
    if (!given.empty()) {
      key = given;
    } else if (fresh) {
      key = primary ? made.primary : made.secondary;
    }
  }
  return {};
}

HubResult<> apply_thumbprints(const AuthSpec& spec, Held held) {
  const auto& given = spec.thumbprints;
  if (given.primary.empty() && given.secondary.empty()) return invalid("x509Thumbprint", "at least one thumbprint");
  for (const auto* one : {&given.primary, &given.secondary}) {
    if (!one->empty() && !is_thumbprint(*one)) return invalid("x509Thumbprint", "40 or 64 hexadecimal digits");
  }
  held.thumbprints = given;
  return {};
}

HubResult<> apply(const AuthSpec& spec, Held held) {
  if (spec.type != AuthType::sas) held.keys = {};
  if (spec.type != AuthType::self_signed) held.thumbprints = {};
  held.type = spec.type;
  if (spec.type == AuthType::sas) return apply_keys(spec, held);
  if (spec.type == AuthType::self_signed) return apply_thumbprints(spec, held);
  return {};
}

/// IoT Hub makes the scope of an Edge device.
void complete_scope(state::Device& device) {
  if (device.edge && device.scope.empty())
    device.scope = fmt::format("ms-azure-iot-edge://{}-{}", device.device_id, device.generation_id);
}

template <class Identity>
void write_rotation(Audit& audit, const Identity& before, const Identity& after) {
  audit.change("auth", name_of(before.auth), name_of(after.auth));
  if (before.keys.primary != after.keys.primary) audit.field("primary_key_changed", true);
  if (before.keys.secondary != after.keys.secondary) audit.field("secondary_key_changed", true);
  audit.change("thumbprint_primary", std::string_view(before.thumbprints.primary),
               std::string_view(after.thumbprints.primary));
  audit.change("thumbprint_secondary", std::string_view(before.thumbprints.secondary),
               std::string_view(after.thumbprints.secondary));
}

template <class Identity>
bool same_credentials(const Identity& a, const Identity& b) {
  return a.auth == b.auth && a.keys == b.keys && a.thumbprints == b.thumbprints;
}

}  // namespace

HubResult<> RegistryTransaction::check_room() {
  HUB_TRY(const auto counts, from(Identities::count(db_, hub_), ""));
  if (counts.devices + counts.modules < options_.identities_max) return {};
  return hub_fail(kQuotaExceeded,
                  fmt::format("The hub holds {} devices and modules, as many as it may.", options_.identities_max));
}

HubResult<state::Device> RegistryTransaction::device(std::string_view device_id) const {
  return from(Identities::find(db_, hub_, device_id), device_id);
}

HubResult<state::Module> RegistryTransaction::module(std::string_view device_id, std::string_view module_id) const {
  return from(Identities::find_module(db_, hub_, device_id, module_id), device_id, module_id);
}

HubResult<state::Device> RegistryTransaction::put(const DeviceSpec& spec, PutMode mode, std::string_view if_match) {
  HUB_TRY_VOID(check_name(spec.device_id, "deviceId"));
  auto found = Identities::find(db_, hub_, spec.device_id);
  if (!found && found.error().code != Errc::not_found) return std::unexpected(error_of(found.error(), spec.device_id));
  if (!found) {
    if (mode == PutMode::update) return std::unexpected(error_of(found.error(), spec.device_id));
    return create(spec);
  }
  if (mode == PutMode::create) return std::unexpected(error_of(Error{Errc::exists, "device"}, spec.device_id));
  HUB_TRY_VOID(check_etag(if_match, found->etag));
  return update(*std::move(found), spec);
}

HubResult<state::Device> RegistryTransaction::create(const DeviceSpec& spec) {
  HUB_TRY_VOID(check_room());
  state::Device device{.hub = hub_,
                       .device_id = spec.device_id,
                       .generation_id = random_uuid(),
                       .enabled = spec.enabled.value_or(true),
                       .group = spec.group && !spec.group->empty() ? *spec.group : std::string(state::kDefaultGroup),
                       .created = now_,
                       .updated = now_,
                       .etag = state::make_etag(),
                       .status_reason = spec.status_reason.value_or(""),
                       .edge = spec.edge.value_or(false),
                       .scope = spec.scope.value_or(""),
                       .parent_scopes = spec.parent_scopes.value_or(std::vector<std::string>())};
  HUB_TRY_VOID(check_name(device.group, "SecurityGroup"));
  HUB_TRY_VOID(apply(spec.auth.value_or(AuthSpec{}), {device.auth, device.keys, device.thumbprints}));
  complete_scope(device);
  HUB_TRY_VOID(from(Identities::insert(db_, device), spec.device_id));
  Audit audit(actor_, hub_);
  audit.field("generation", device.generation_id).field("auth", name_of(device.auth)).field("enabled", device.enabled);
  audit.field("group", device.group);
  HUB_TRY_VOID(from(state::Outbox::add(db_, "device.create", device.device_id, audit.take(), now_), spec.device_id));
  return device;
}

HubResult<state::Device> RegistryTransaction::update(state::Device device, const DeviceSpec& spec) {
  const auto before = device;
  device.enabled = spec.enabled.value_or(device.enabled);
  device.status_reason = spec.status_reason.value_or(device.status_reason);
  device.edge = spec.edge.value_or(device.edge);
  device.scope = spec.scope.value_or(device.scope);
  device.parent_scopes = spec.parent_scopes.value_or(device.parent_scopes);
  if (spec.group) device.group = spec.group->empty() ? std::string(state::kDefaultGroup) : *spec.group;
  HUB_TRY_VOID(check_name(device.group, "SecurityGroup"));
  if (spec.auth) HUB_TRY_VOID(apply(*spec.auth, {device.auth, device.keys, device.thumbprints}));
  complete_scope(device);
  if (device.enabled != before.enabled || device.status_reason != before.status_reason) device.status_updated = now_;
  device.updated = now_;
  device.etag = state::make_etag();
  HUB_TRY_VOID(from(Identities::update(db_, device), spec.device_id));

  Audit audit(actor_, hub_);
  audit.field("generation", device.generation_id).change("enabled", before.enabled, device.enabled);
  audit.change("group", before.group, device.group).change("auth", name_of(before.auth), name_of(device.auth));
  HUB_TRY_VOID(from(state::Outbox::add(db_, "device.update", device.device_id, audit.take(), now_), spec.device_id));
  const bool rotated = !same_credentials(before, device);
  if (rotated) {
    Audit rotation(actor_, hub_);
    write_rotation(rotation, before, device);
    HUB_TRY_VOID(from(state::Outbox::add(db_, "key.rotate", device.device_id, rotation.take(), now_), spec.device_id));
  }
  if (rotated || (before.enabled && !device.enabled)) revoked_.push_back({hub_, device.device_id, ""});
  return device;
}

HubResult<state::Module> RegistryTransaction::put(const ModuleSpec& spec, PutMode mode, std::string_view if_match) {
  HUB_TRY_VOID(check_name(spec.device_id, "deviceId"));
  HUB_TRY_VOID(check_name(spec.module_id, "moduleId"));
  auto found = Identities::find_module(db_, hub_, spec.device_id, spec.module_id);
  if (!found && found.error().code != Errc::not_found)
    return std::unexpected(error_of(found.error(), spec.device_id, spec.module_id));
  if (!found) {
    HUB_TRY_VOID(from(Identities::find(db_, hub_, spec.device_id), spec.device_id));
    if (mode == PutMode::update) return std::unexpected(error_of(found.error(), spec.device_id, spec.module_id));
    return create(spec);
  }
  if (mode == PutMode::create)
    return std::unexpected(error_of(Error{Errc::exists, "module"}, spec.device_id, spec.module_id));
  HUB_TRY_VOID(check_etag(if_match, found->etag));
  return update(*std::move(found), spec);
}

HubResult<state::Module> RegistryTransaction::create(const ModuleSpec& spec) {
  HUB_TRY_VOID(check_room());
  HUB_TRY(const auto others, from(Identities::modules(db_, hub_, spec.device_id), spec.device_id));
  if (others.size() >= options_.modules_per_device_max)
    return hub_fail(kQuotaExceeded, fmt::format("Device {} has {} modules, as many as it may.", spec.device_id,
                                                options_.modules_per_device_max));
  state::Module module{.module_id = spec.module_id,
                       .generation_id = random_uuid(),
                       .created = now_,
                       .etag = state::make_etag(),
                       .managed_by = spec.managed_by.value_or("")};
  HUB_TRY_VOID(apply(spec.auth.value_or(AuthSpec{}), {module.auth, module.keys, module.thumbprints}));
  HUB_TRY_VOID(from(Identities::insert(db_, hub_, spec.device_id, module), spec.device_id, spec.module_id));
  Audit audit(actor_, hub_);
  audit.field("module", module.module_id).field("generation", module.generation_id).field("auth", name_of(module.auth));
  HUB_TRY_VOID(from(state::Outbox::add(db_, "module.create", spec.device_id, audit.take(), now_), spec.device_id));
  return module;
}

HubResult<state::Module> RegistryTransaction::update(state::Module module, const ModuleSpec& spec) {
  const auto before = module;
  if (spec.auth) HUB_TRY_VOID(apply(*spec.auth, {module.auth, module.keys, module.thumbprints}));
  module.managed_by = spec.managed_by.value_or(module.managed_by);
  module.etag = state::make_etag();
  HUB_TRY_VOID(from(Identities::update(db_, hub_, spec.device_id, module), spec.device_id, spec.module_id));
  Audit audit(actor_, hub_);
  audit.field("module", module.module_id).field("generation", module.generation_id);
  audit.change("auth", name_of(before.auth), name_of(module.auth))
      .change("managed_by", before.managed_by, module.managed_by);
  HUB_TRY_VOID(from(state::Outbox::add(db_, "module.update", spec.device_id, audit.take(), now_), spec.device_id));
  if (same_credentials(before, module)) return module;
  Audit rotation(actor_, hub_);
  rotation.field("module", module.module_id);
  write_rotation(rotation, before, module);
  HUB_TRY_VOID(from(state::Outbox::add(db_, "key.rotate", spec.device_id, rotation.take(), now_), spec.device_id));
  revoked_.push_back({hub_, spec.device_id, module.module_id});
  return module;
}

HubResult<> RegistryTransaction::remove_device(std::string_view device_id, std::string_view if_match) {
  HUB_TRY(const auto found, device(device_id));
  HUB_TRY_VOID(check_etag(if_match, found.etag));
  HUB_TRY_VOID(from(Identities::erase(db_, hub_, device_id), device_id));
  Audit audit(actor_, hub_);
  audit.field("generation", found.generation_id);
  HUB_TRY_VOID(from(state::Outbox::add(db_, "device.delete", device_id, audit.take(), now_), device_id));
  revoked_.push_back({hub_, std::string(device_id), ""});
  return {};
}

HubResult<> RegistryTransaction::remove_module(std::string_view device_id, std::string_view module_id,
                                               std::string_view if_match) {
  auto found = module(device_id, module_id);
  if (!found && found.error().code == kModuleNotFound) HUB_TRY_VOID(device(device_id));
  if (!found) return std::unexpected(found.error());
  HUB_TRY_VOID(check_etag(if_match, found->etag));
  HUB_TRY_VOID(from(Identities::erase_module(db_, hub_, device_id, module_id), device_id, module_id));
  Audit audit(actor_, hub_);
  audit.field("module", module_id).field("generation", found->generation_id);
  HUB_TRY_VOID(from(state::Outbox::add(db_, "module.delete", device_id, audit.take(), now_), device_id));
  revoked_.push_back({hub_, std::string(device_id), std::string(module_id)});
  return {};
}

}  // namespace picket::hub
