#include "state/devices.h"

#include <utility>

#include "base/core/encoding.h"
#include "base/core/identifier.h"
#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "state/identities.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {
namespace {

Result<> check_id(std::string_view id, std::string_view where) {
  if (id.size() > kDeviceIdBytesMax) return fail(Errc::limit_exceeded, where, kDeviceIdBytesMax);
  if (!is_identifier(id)) return fail(Errc::malformed, where);
  return {};
}

// Body of an audit record: who, and the fields that changed. Keys never appear.
class Audit {
 public:
  Audit(const Actor& actor, std::string_view hub) {
    json_.begin_object().key("actor").value(actor.user).key("source").value(actor.source).key("hub").value(hub);
  }
  Audit& field(std::string_view name, std::string_view value) {
    json_.key(name).value(value);
    return *this;
  }
  Audit& field(std::string_view name, bool value) {
    json_.key(name).value(value);
    return *this;
  }
  std::string take() { return json_.end_object().take(); }

 private:
  JsonWriter json_;
};

Module make_module(std::string_view module_id, Timestamp now) {
  return {.module_id = std::string(module_id),
          .generation_id = random_uuid(),
          .keys = make_keys(),
          .created = now,
          .etag = make_etag()};
}

bool is_thumbprint(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) && from_hex(text).has_value();
}

Result<> check_proof(const X509Proof& proof) {
  const auto& [primary, secondary] = proof.thumbprints;
  if (proof.type == AuthType::certificate_authority && primary.empty() && secondary.empty()) return {};
  const bool good = proof.type == AuthType::self_signed && (!primary.empty() || !secondary.empty()) &&
                    (primary.empty() || is_thumbprint(primary)) && (secondary.empty() || is_thumbprint(secondary));
  if (good) return {};
  return fail(Errc::malformed, "device.thumbprint");
}

Result<Device> find_in(sqlite3* db, std::string_view hub, std::string_view device_id) {
  TRY(Device out, Identities::find(db, hub, device_id));
  TRY(out.modules, Identities::modules(db, hub, device_id));
  return out;
}

}  // namespace

Result<> check_device_id(std::string_view id) { return check_id(id, "device.id"); }

Result<Device> Devices::add(std::string_view hub, std::string_view device_id, std::string_view group,
                            const Actor& actor, Timestamp now, const std::optional<Keys>& keys,
                            const std::optional<X509Proof>& x509) {
  TRY_VOID(check_device_id(device_id));
  if (x509) TRY_VOID(check_proof(*x509));
  if (keys) {
    TRY_VOID(check_key(keys->primary));
    TRY_VOID(check_key(keys->secondary));
  }
  const std::string_view in_group = group.empty() ? kDefaultGroup : group;
  TRY_VOID(check_id(in_group, "device.group"));
  Device device{.hub = std::string(hub),
                .device_id = std::string(device_id),
                .generation_id = random_uuid(),
                .group = std::string(in_group),
                .keys = keys.value_or(make_keys()),
                .created = now,
                .updated = now,
                .modules = {make_module(kSecurityModule, now)},
                .etag = make_etag()};
  if (x509) {
    device.keys = device.modules.front().keys = {};
    device.auth = device.modules.front().auth = x509->type;
    device.thumbprints = device.modules.front().thumbprints = x509->thumbprints;
  }
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(Identities::insert(db, device));
    TRY_VOID(Identities::insert(db, hub, device_id, device.modules.front()));
    return Outbox::add(db, "device.create", device_id, Audit(actor, hub).field("group", device.group).take(), now);
  }));
  return device;
}

Result<Module> Devices::add_module(std::string_view hub, std::string_view device_id, std::string_view module_id,
                                   const Actor& actor, Timestamp now) {
  TRY_VOID(check_id(module_id, "module.id"));
  Module module = make_module(module_id, now);
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(Identities::find(db, hub, device_id));
    TRY_VOID(Identities::insert(db, hub, device_id, module));
    return Outbox::add(db, "module.create", device_id, Audit(actor, hub).field("module", module_id).take(), now);
  }));
  return module;
}

Result<> Devices::remove_module(std::string_view hub, std::string_view device_id, std::string_view module_id,
                                const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(Identities::erase_module(db, hub, device_id, module_id));
    return Outbox::add(db, "module.delete", device_id, Audit(actor, hub).field("module", module_id).take(), now);
  });
}

Result<Device> Devices::change(std::string_view hub, std::string_view device_id, const DeviceChange& change,
                               const Actor& actor, Timestamp now) {
  if (change.group) TRY_VOID(check_id(*change.group, "device.group"));
  Result<Device> out = fail(Errc::not_found, "device");
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(Device device, find_in(db, hub, device_id));
    Audit audit(actor, hub);
    if (change.enabled && *change.enabled != device.enabled) {
      audit.field("enabled_before", device.enabled).field("enabled", *change.enabled);
      device.enabled = *change.enabled;
      device.status_updated = now;
    }
    if (change.group && *change.group != device.group) {
      audit.field("group_before", device.group).field("group", *change.group);
      device.group = *change.group;
    }
    device.updated = now;
    device.etag = make_etag();
    TRY_VOID(Identities::update(db, device));
    TRY_VOID(Outbox::add(db, "device.update", device_id, audit.take(), now));
    out = std::move(device);
    return {};
  }));
  return out;
}

Result<> Devices::remove(std::string_view hub, std::string_view device_id, const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(Identities::erase(db, hub, device_id));
    return Outbox::add(db, "device.delete", device_id, Audit(actor, hub).take(), now);
  });
}

Result<Device> Devices::find(std::string_view hub, std::string_view device_id) const {
  Result<Device> out = fail(Errc::not_found, "device");
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    out = find_in(db, hub, device_id);
    return {};
  }));
  return out;
}

Result<std::vector<Device>> Devices::list(std::string_view hub, std::string_view after, std::size_t count_max) const {
  TRY(auto out, Identities(database_).list(hub, after, count_max));
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    for (Device& device : out) {
      TRY(device.modules, Identities::modules(db, hub, device.device_id));
    }
    return {};
  }));
  return out;
}

Result<std::vector<std::string>> Devices::ids_of_group(std::string_view hub, std::string_view group) const {
  std::vector<std::string> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "SELECT device_id FROM device WHERE hub = ? AND security_group = ?"));
    statement.bind(hub, group);
    for (;;) {
      TRY(const bool found, statement.step());
      if (!found) return {};
      out.push_back(statement.text(0));
    }
  }));
  return out;
}

Result<std::uint64_t> Devices::count(std::string_view hub) const {
  TRY(const auto counts, Identities(database_).count(hub));
  return counts.devices;
}

}  // namespace picket::state
