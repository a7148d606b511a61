#include "state/devices.h"

#include <array>
#include <utility>

#include "base/core/encoding.h"
#include "base/core/identifier.h"
#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {
namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kKeyBytesMin = 16;
constexpr std::size_t kKeyBytesMax = 64;

Result<> check_key(const std::string& key) {
  TRY(const Buffer bytes, from_base64(key));
  if (bytes.size() < kKeyBytesMin || bytes.size() > kKeyBytesMax) return fail(Errc::malformed, "device.key");
  return {};
}

std::string make_key() {
  std::array<std::byte, kKeyBytes> key{};
  random_bytes(key);
  return to_base64(key);
}

Keys make_keys() { return {make_key(), make_key()}; }

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

Result<> insert_module(sqlite3* db, std::string_view hub, std::string_view device_id, const Module& module) {
  TRY(auto statement,
      Statement::prepare(db,
                         "INSERT INTO module (hub, device_id, module_id, generation_id, enabled, key_primary, "
                         "key_secondary, created) VALUES (?,?,?,?,?,?,?,?)"));
  return statement
      .bind(hub, device_id, module.module_id, module.generation_id, std::int64_t{module.enabled}, module.keys.primary,
            module.keys.secondary, module.created)
      .run();
}

Module make_module(std::string_view module_id, Timestamp now) {
  return {std::string(module_id), random_uuid(), true, make_keys(), now};
}

Result<std::vector<Module>> modules_of(sqlite3* db, std::string_view hub, std::string_view device_id) {
  TRY(auto statement,
      Statement::prepare(db,
                         "SELECT module_id, generation_id, enabled, key_primary, key_secondary, created FROM module "
                         "WHERE hub = ? AND device_id = ? ORDER BY module_id"));
  statement.bind(hub, device_id);
  std::vector<Module> out;
  for (;;) {
    TRY(const bool row, statement.step());
    if (!row) return out;
    out.push_back({statement.text(0),
                   statement.text(1),
                   statement.integer(2) != 0,
                   {statement.text(3), statement.text(4)},
                   statement.time(5)});
  }
}

constexpr std::string_view kDeviceColumns =
    "SELECT hub, device_id, generation_id, enabled, security_group, key_primary, key_secondary, created, updated "
    "FROM device ";

Result<Device> device_from(sqlite3* db, const Statement& row) {
  Device out{row.text(0), row.text(1), row.text(2), row.integer(3) != 0, row.text(4), {row.text(5), row.text(6)},
             row.time(7), row.time(8), {}};
  TRY(out.modules, modules_of(db, out.hub, out.device_id));
  return out;
}

Result<Device> find_in(sqlite3* db, std::string_view hub, std::string_view device_id) {
  TRY(auto statement, Statement::prepare(db, std::string(kDeviceColumns) + "WHERE hub = ? AND device_id = ?"));
  TRY(const bool found, statement.bind(hub, device_id).step());
  if (!found) return fail(Errc::not_found, "device");
  return device_from(db, statement);
}

}  // namespace

Result<> check_device_id(std::string_view id) { return check_id(id, "device.id"); }

Result<Device> Devices::add(std::string_view hub, std::string_view device_id, std::string_view group,
                            const Actor& actor, Timestamp now, const std::optional<Keys>& keys) {
  TRY_VOID(check_device_id(device_id));
  if (keys) {
    TRY_VOID(check_key(keys->primary));
    TRY_VOID(check_key(keys->secondary));
  }
  const std::string_view in_group = group.empty() ? kDefaultGroup : group;
  TRY_VOID(check_id(in_group, "device.group"));
  Device device{std::string(hub),
                std::string(device_id),
                random_uuid(),
                true,
                std::string(in_group),
                keys.value_or(make_keys()),
                now,
                now,
                {make_module(kSecurityModule, now)}};
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db,
                           "INSERT INTO device (hub, device_id, generation_id, enabled, security_group, key_primary, "
                           "key_secondary, created, updated) VALUES (?,?,?,1,?,?,?,?,?)"));
    auto inserted = statement
                        .bind(hub, device_id, device.generation_id, device.group, device.keys.primary,
                              device.keys.secondary, now, now)
                        .run();
    if (!inserted && inserted.error().code == Errc::exists) return fail(Errc::exists, "device");
    TRY_VOID(std::move(inserted));
    TRY_VOID(insert_module(db, hub, device_id, device.modules.front()));
    return Outbox::add(db, "device.create", device_id, Audit(actor, hub).field("group", device.group).take(), now);
  }));
  return device;
}

Result<Module> Devices::add_module(std::string_view hub, std::string_view device_id, std::string_view module_id,
                                   const Actor& actor, Timestamp now) {
  TRY_VOID(check_id(module_id, "module.id"));
  Module module = make_module(module_id, now);
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(find_in(db, hub, device_id));
    auto inserted = insert_module(db, hub, device_id, module);
    if (!inserted && inserted.error().code == Errc::exists) return fail(Errc::exists, "module");
    TRY_VOID(std::move(inserted));
    return Outbox::add(db, "module.create", device_id, Audit(actor, hub).field("module", module_id).take(), now);
  }));
  return module;
}

Result<> Devices::remove_module(std::string_view hub, std::string_view device_id, std::string_view module_id,
                                const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM module WHERE hub = ? AND device_id = ? AND module_id = ?"));
    TRY_VOID(statement.bind(hub, device_id, module_id).run());
    if (sqlite3_changes(db) == 0) return fail(Errc::not_found, "module");
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
    }
    if (change.group && *change.group != device.group) {
      audit.field("group_before", device.group).field("group", *change.group);
      device.group = *change.group;
    }
    device.updated = now;
    TRY(auto statement, Statement::prepare(db,
                                           "UPDATE device SET enabled = ?, security_group = ?, updated = ? "
                                           "WHERE hub = ? AND device_id = ?"));
    TRY_VOID(statement.bind(std::int64_t{device.enabled}, device.group, now, hub, device_id).run());
    TRY_VOID(Outbox::add(db, "device.update", device_id, audit.take(), now));
    out = std::move(device);
    return {};
  }));
  return out;
}

Result<> Devices::remove(std::string_view hub, std::string_view device_id, const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(find_in(db, hub, device_id));
    TRY(auto statement, Statement::prepare(db, "DELETE FROM device WHERE hub = ? AND device_id = ?"));
    TRY_VOID(statement.bind(hub, device_id).run());
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
  std::vector<Device> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, std::string(kDeviceColumns) +
                                                   "WHERE hub = ? AND device_id > ? ORDER BY device_id LIMIT ?"));
    statement.bind(hub, after, static_cast<std::int64_t>(count_max));
    for (;;) {
      TRY(const bool row, statement.step());
      if (!row) return {};
      TRY(Device device, device_from(db, statement));
      out.push_back(std::move(device));
    }
  }));
  return out;
}

Result<std::uint64_t> Devices::count(std::string_view hub) const {
  std::uint64_t out = 0;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "SELECT count(*) FROM device WHERE hub = ?"));
    TRY_VOID(statement.bind(hub).step());
    out = static_cast<std::uint64_t>(statement.integer(0));
    return {};
  }));
  return out;
}

}  // namespace picket::state
