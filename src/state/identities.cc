#include "state/identities.h"

#include <array>
#include <utility>

#include "base/core/encoding.h"
#include "base/core/random.h"
#include "statement.h"

namespace picket::state {

// Devices and modules get everything that IoT Hub's identity has. auth: 0 sas, 1 selfSigned, 2 certificateAuthority,
// 3 none. status_updated 0: never. identity_count is kept by triggers: counting a million rows takes seconds.
extern const char* const kIdentitiesSchema;
const char* const kIdentitiesSchema = R"sql(
ALTER TABLE device ADD COLUMN etag TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN status_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN status_updated INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN auth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN thumbprint_primary TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN thumbprint_secondary TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN edge INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE device ADD COLUMN parent_scopes TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN etag TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN auth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE module ADD COLUMN thumbprint_primary TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN thumbprint_secondary TEXT NOT NULL DEFAULT '';
ALTER TABLE module ADD COLUMN managed_by TEXT NOT NULL DEFAULT '';
UPDATE device SET etag = hex(randomblob(8));
UPDATE module SET etag = hex(randomblob(8));
CREATE TABLE identity_count (
  hub TEXT NOT NULL, module INTEGER NOT NULL, enabled INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (hub, module, enabled)) WITHOUT ROWID;
INSERT INTO identity_count SELECT hub, 0, enabled, count(*) FROM device GROUP BY hub, enabled;
INSERT INTO identity_count SELECT hub, 1, enabled, count(*) FROM module GROUP BY hub, enabled;
CREATE TRIGGER device_inserted AFTER INSERT ON device BEGIN
  INSERT INTO identity_count VALUES (NEW.hub, 0, NEW.enabled, 1)
    ON CONFLICT (hub, module, enabled) DO UPDATE SET count = count + 1; END;
CREATE TRIGGER device_deleted AFTER DELETE ON device BEGIN
  UPDATE identity_count SET count = count - 1 WHERE hub = OLD.hub AND module = 0 AND enabled = OLD.enabled; END;
CREATE TRIGGER device_switched AFTER UPDATE OF enabled ON device WHEN NEW.enabled <> OLD.enabled BEGIN
  UPDATE identity_count SET count = count - 1 WHERE hub = OLD.hub AND module = 0 AND enabled = OLD.enabled;
  INSERT INTO identity_count VALUES (NEW.hub, 0, NEW.enabled, 1)
    ON CONFLICT (hub, module, enabled) DO UPDATE SET count = count + 1; END;
CREATE TRIGGER module_inserted AFTER INSERT ON module BEGIN
  INSERT INTO identity_count VALUES (NEW.hub, 1, NEW.enabled, 1)
    ON CONFLICT (hub, module, enabled) DO UPDATE SET count = count + 1; END;
CREATE TRIGGER module_deleted AFTER DELETE ON module BEGIN
  UPDATE identity_count SET count = count - 1 WHERE hub = OLD.hub AND module = 1 AND enabled = OLD.enabled; END;
)sql";

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kKeyBytesMin = 16;
constexpr std::size_t kKeyBytesMax = 64;

#define PICKET_DEVICE_COLUMNS                                                                                    \
  "hub, device_id, generation_id, enabled, security_group, key_primary, key_secondary, created, updated, etag, " \
  "status_reason, status_updated, auth, thumbprint_primary, thumbprint_secondary, edge, scope, parent_scopes"
#define PICKET_MODULE_COLUMNS                                                                                \
  "module_id, generation_id, enabled, key_primary, key_secondary, created, etag, auth, thumbprint_primary, " \
  "thumbprint_secondary, managed_by"

std::string make_key() {
  std::array<std::byte, kKeyBytes> key{};
  random_bytes(key);
  return to_base64(key);
}

// Scopes are URIs and hold no line breaks.
std::string join(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out.append(out.empty() ? "" : "\n").append(line);
  return out;
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = text.find('\n');
    out.emplace_back(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return out;
}

AuthType auth_from(std::int64_t number) { return static_cast<AuthType>(number & 3); }
std::int64_t number_of(AuthType auth) { return static_cast<std::int64_t>(auth); }

Device device_from(const Statement& row) {
  Device out;
  out.hub = row.text(0);
  out.device_id = row.text(1);
  out.generation_id = row.text(2);
  out.enabled = row.integer(3) != 0;
  out.group = row.text(4);
  out.keys = {row.text(5), row.text(6)};
  out.created = row.time(7);
  out.updated = row.time(8);
  out.etag = row.text(9);
  out.status_reason = row.text(10);
  out.status_updated = row.time(11);
  out.auth = auth_from(row.integer(12));
  out.thumbprints = {row.text(13), row.text(14)};
  out.edge = row.integer(15) != 0;
  out.scope = row.text(16);
  out.parent_scopes = split(row.text(17));
  return out;
}

Module module_from(const Statement& row) {
  return {.module_id = row.text(0),
          .generation_id = row.text(1),
          .enabled = row.integer(2) != 0,
          .keys = {row.text(3), row.text(4)},
          .created = row.time(5),
          .etag = row.text(6),
          .auth = auth_from(row.integer(7)),
          .thumbprints = {row.text(8), row.text(9)},
          .managed_by = row.text(10)};
}

Result<> run_insert(Statement& statement, std::string_view where) {
  auto done = statement.run();
  if (!done && done.error().code == Errc::exists) return fail(Errc::exists, where);
  return done;
}

Result<> run_one(sqlite3* db, Statement& statement, std::string_view where) {
  TRY_VOID(statement.run());
  if (sqlite3_changes(db) == 0) return fail(Errc::not_found, where);
  return {};
}

}  // namespace

Keys make_keys() { return {make_key(), make_key()}; }

Result<> check_key(const std::string& key) {
  const auto bytes = from_base64(key);
  if (!bytes || bytes->size() < kKeyBytesMin || bytes->size() > kKeyBytesMax)
    return fail(Errc::malformed, "device.key");
  return {};
}

std::string make_etag() {
  std::array<std::byte, 6> bytes{};  // 8 characters without padding
  random_bytes(bytes);
  return to_base64(bytes);
}

Result<> Identities::insert(sqlite3* db, const Device& device) {
  TRY(auto statement, Statement::prepare(db, "INSERT INTO device (" PICKET_DEVICE_COLUMNS
                                             ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  statement.bind(device.hub, device.device_id, device.generation_id, std::int64_t{device.enabled}, device.group,
                 device.keys.primary, device.keys.secondary, device.created, device.updated, device.etag,
                 device.status_reason, device.status_updated, number_of(device.auth), device.thumbprints.primary,
                 device.thumbprints.secondary, std::int64_t{device.edge}, device.scope, join(device.parent_scopes));
  return run_insert(statement, "device");
}

Result<> Identities::update(sqlite3* db, const Device& device) {
  TRY(auto statement,
      Statement::prepare(db,
                         "UPDATE device SET enabled = ?, security_group = ?, key_primary = ?, key_secondary = ?, "
                         "updated = ?, etag = ?, status_reason = ?, status_updated = ?, auth = ?, thumbprint_primary = "
                         "?, thumbprint_secondary = ?, edge = ?, scope = ?, parent_scopes = ? "
                         "WHERE hub = ? AND device_id = ?"));
  statement.bind(std::int64_t{device.enabled}, device.group, device.keys.primary, device.keys.secondary, device.updated,
                 device.etag, device.status_reason, device.status_updated, number_of(device.auth),
                 device.thumbprints.primary, device.thumbprints.secondary, std::int64_t{device.edge}, device.scope,
                 join(device.parent_scopes), device.hub, device.device_id);
  return run_one(db, statement, "device");
}

Result<> Identities::erase(sqlite3* db, std::string_view hub, std::string_view device_id) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM device WHERE hub = ? AND device_id = ?"));
  return run_one(db, statement.bind(hub, device_id), "device");
}

Result<Device> Identities::find(sqlite3* db, std::string_view hub, std::string_view device_id) {
  TRY(auto statement,
      Statement::prepare(db, "SELECT " PICKET_DEVICE_COLUMNS " FROM device WHERE hub = ? AND device_id = ?"));
  TRY(const bool found, statement.bind(hub, device_id).step());
  if (!found) return fail(Errc::not_found, "device");
  return device_from(statement);
}

Result<> Identities::insert(sqlite3* db, std::string_view hub, std::string_view device_id, const Module& module) {
  TRY(auto statement, Statement::prepare(db, "INSERT INTO module (hub, device_id, " PICKET_MODULE_COLUMNS
                                             ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  statement.bind(hub, device_id, module.module_id, module.generation_id, std::int64_t{module.enabled},
                 module.keys.primary, module.keys.secondary, module.created, module.etag, number_of(module.auth),
                 module.thumbprints.primary, module.thumbprints.secondary, module.managed_by);
  return run_insert(statement, "module");
}

Result<> Identities::update(sqlite3* db, std::string_view hub, std::string_view device_id, const Module& module) {
  TRY(auto statement,
      Statement::prepare(db,
                         "UPDATE module SET key_primary = ?, key_secondary = ?, etag = ?, auth = ?, thumbprint_primary "
                         "= ?, thumbprint_secondary = ?, managed_by = ? "
                         "WHERE hub = ? AND device_id = ? AND module_id = ?"));
  statement.bind(module.keys.primary, module.keys.secondary, module.etag, number_of(module.auth),
                 module.thumbprints.primary, module.thumbprints.secondary, module.managed_by, hub, device_id,
                 module.module_id);
  return run_one(db, statement, "module");
}

Result<> Identities::erase_module(sqlite3* db, std::string_view hub, std::string_view device_id,
                                  std::string_view module_id) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM module WHERE hub = ? AND device_id = ? AND module_id = ?"));
  return run_one(db, statement.bind(hub, device_id, module_id), "module");
}

Result<Module> Identities::find_module(sqlite3* db, std::string_view hub, std::string_view device_id,
                                       std::string_view module_id) {
  TRY(auto statement, Statement::prepare(db, "SELECT " PICKET_MODULE_COLUMNS
                                             " FROM module WHERE hub = ? AND device_id = ? AND module_id = ?"));
  TRY(const bool found, statement.bind(hub, device_id, module_id).step());
  if (!found) return fail(Errc::not_found, "module");
  return module_from(statement);
}

Result<std::vector<Module>> Identities::modules(sqlite3* db, std::string_view hub, std::string_view device_id) {
  TRY(auto statement, Statement::prepare(db, "SELECT " PICKET_MODULE_COLUMNS
                                             " FROM module WHERE hub = ? AND device_id = ? ORDER BY module_id"));
  statement.bind(hub, device_id);
  std::vector<Module> out;
  TRY_VOID(statement.each([&] { out.push_back(module_from(statement)); }));
  return out;
}

Result<IdentityCounts> Identities::count(sqlite3* db, std::string_view hub) {
  TRY(auto statement, Statement::prepare(db, "SELECT module, enabled, count FROM identity_count WHERE hub = ?"));
  statement.bind(hub);
  IdentityCounts out;
  TRY_VOID(statement.each([&] {
    const auto count = static_cast<std::uint64_t>(statement.integer(2));
    const bool module = statement.integer(0) != 0;
    (module ? out.modules : out.devices) += count;
    if (!module && statement.integer(1) != 0) out.enabled_devices += count;
  }));
  return out;
}

Result<Device> Identities::find(std::string_view hub, std::string_view device_id) const {
  Result<Device> out = fail(Errc::not_found, "device");
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    out = find(db, hub, device_id);
    return {};
  }));
  return out;
}

Result<Module> Identities::find_module(std::string_view hub, std::string_view device_id,
                                       std::string_view module_id) const {
  Result<Module> out = fail(Errc::not_found, "module");
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    out = find_module(db, hub, device_id, module_id);
    return {};
  }));
  return out;
}

Result<std::vector<Module>> Identities::modules(std::string_view hub, std::string_view device_id) const {
  Result<std::vector<Module>> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    out = modules(db, hub, device_id);
    return {};
  }));
  return out;
}

Result<std::vector<Device>> Identities::list(std::string_view hub, std::string_view after,
                                             std::size_t count_max) const {
  std::vector<Device> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "SELECT " PICKET_DEVICE_COLUMNS
                                               " FROM device WHERE hub = ? AND device_id > ? ORDER BY device_id "
                                               "LIMIT ?"));
    statement.bind(hub, after, static_cast<std::int64_t>(count_max));
    return statement.each([&] { out.push_back(device_from(statement)); });
  }));
  return out;
}

Result<IdentityCounts> Identities::count(std::string_view hub) const {
  Result<IdentityCounts> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    out = count(db, hub);
    return {};
  }));
  return out;
}

Result<std::optional<IdentitySecrets>> Identities::secrets(std::string_view hub, std::string_view device_id,
                                                           std::string_view module_id) const {
  std::optional<IdentitySecrets> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    constexpr std::string_view kDevice =
        "SELECT generation_id, enabled, auth, key_primary, key_secondary, thumbprint_primary, thumbprint_secondary "
        "FROM device WHERE hub = ? AND device_id = ?";
    constexpr std::string_view kModule =
        "SELECT m.generation_id, m.enabled AND d.enabled, m.auth, m.key_primary, m.key_secondary, "
        "m.thumbprint_primary, m.thumbprint_secondary FROM module m JOIN device d USING (hub, device_id) "
        "WHERE m.hub = ? AND m.device_id = ? AND m.module_id = ?";
    TRY(auto statement, Statement::prepare(db, module_id.empty() ? kDevice : kModule));
    statement.bind(hub, device_id);
    if (!module_id.empty()) statement.bind(module_id);
    TRY(const bool found, statement.step());
    if (!found) return {};
    out = IdentitySecrets{statement.text(0),
                          statement.integer(1) != 0,
                          auth_from(statement.integer(2)),
                          {statement.text(3), statement.text(4)},
                          {statement.text(5), statement.text(6)}};
    return {};
  }));
  return out;
}

}  // namespace picket::state
