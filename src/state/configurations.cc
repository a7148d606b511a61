#include "state/configurations.h"

#include "statement.h"

namespace picket::state {

extern const char* const kConfigurationsSchema;
const char* const kConfigurationsSchema = R"sql(
CREATE TABLE configuration (
  hub TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, reads_reported INTEGER NOT NULL, etag TEXT NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, metrics TEXT NOT NULL DEFAULT '{}', PRIMARY KEY (hub, id));
CREATE TABLE configuration_value (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, module_id TEXT NOT NULL, path TEXT NOT NULL, configuration TEXT NOT NULL,
  value TEXT NOT NULL, PRIMARY KEY (hub, device_id, module_id, path),
  FOREIGN KEY (hub, device_id) REFERENCES device (hub, device_id) ON DELETE CASCADE);
CREATE TABLE configuration_target (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, module_id TEXT NOT NULL, configuration TEXT NOT NULL,
  applied INTEGER NOT NULL, PRIMARY KEY (hub, device_id, module_id, configuration),
  FOREIGN KEY (hub, device_id) REFERENCES device (hub, device_id) ON DELETE CASCADE) WITHOUT ROWID;
CREATE INDEX configuration_target_count ON configuration_target (hub, configuration, applied);
CREATE TABLE configuration_dirty (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, mark INTEGER NOT NULL, PRIMARY KEY (hub, device_id)) WITHOUT ROWID;
CREATE TABLE configuration_scan (
  hub TEXT NOT NULL PRIMARY KEY, after TEXT NOT NULL, mark INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER configuration_new_device AFTER INSERT ON device
  WHEN EXISTS (SELECT 1 FROM configuration WHERE hub = NEW.hub) BEGIN
  INSERT INTO configuration_dirty VALUES (NEW.hub, NEW.device_id, 0)
    ON CONFLICT (hub, device_id) DO UPDATE SET mark = mark + 1; END;
CREATE TRIGGER configuration_regrouped AFTER UPDATE OF security_group ON device
  WHEN NEW.security_group <> OLD.security_group AND EXISTS (SELECT 1 FROM configuration WHERE hub = NEW.hub) BEGIN
  INSERT INTO configuration_dirty VALUES (NEW.hub, NEW.device_id, 0)
    ON CONFLICT (hub, device_id) DO UPDATE SET mark = mark + 1; END;
CREATE TRIGGER configuration_new_module AFTER INSERT ON module
  WHEN EXISTS (SELECT 1 FROM configuration WHERE hub = NEW.hub) BEGIN
  INSERT INTO configuration_dirty VALUES (NEW.hub, NEW.device_id, 0)
    ON CONFLICT (hub, device_id) DO UPDATE SET mark = mark + 1; END;
CREATE TRIGGER configuration_lost_module AFTER DELETE ON module BEGIN
  DELETE FROM configuration_value WHERE hub = OLD.hub AND device_id = OLD.device_id AND module_id = OLD.module_id;
  DELETE FROM configuration_target WHERE hub = OLD.hub AND device_id = OLD.device_id AND module_id = OLD.module_id; END;
CREATE TRIGGER configuration_new_twin AFTER INSERT ON twin
  WHEN EXISTS (SELECT 1 FROM configuration WHERE hub = NEW.hub) BEGIN
  INSERT INTO configuration_dirty VALUES (NEW.hub, NEW.device_id, 0)
    ON CONFLICT (hub, device_id) DO UPDATE SET mark = mark + 1; END;
CREATE TRIGGER configuration_tags AFTER UPDATE OF tags ON twin
  WHEN NEW.tags <> OLD.tags AND EXISTS (SELECT 1 FROM configuration WHERE hub = NEW.hub) BEGIN
  INSERT INTO configuration_dirty VALUES (NEW.hub, NEW.device_id, 0)
    ON CONFLICT (hub, device_id) DO UPDATE SET mark = mark + 1; END;
CREATE TRIGGER configuration_reported AFTER UPDATE OF reported ON twin
  WHEN NEW.reported <> OLD.reported AND
       EXISTS (SELECT 1 FROM configuration WHERE hub = NEW.hub AND reads_reported = 1) BEGIN
  INSERT INTO configuration_dirty VALUES (NEW.hub, NEW.device_id, 0)
    ON CONFLICT (hub, device_id) DO UPDATE SET mark = mark + 1; END;
)sql";

namespace {

ConfigurationRow row_from(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2), row.integer(3) != 0,
          row.text(4), row.time(5), row.time(6), row.text(7)};
}

Result<> begin_scan(sqlite3* db, std::string_view hub) {
  TRY(auto statement, Statement::prepare(db,
                                         "INSERT INTO configuration_scan VALUES (?, '', 0) ON CONFLICT (hub) DO UPDATE "
                                         "SET after = '', mark = mark + 1"));
  return statement.bind(hub).run();
}

}  // namespace

Result<std::vector<ConfigurationRow>> Configurations::list(std::string_view hub) const {
  std::vector<ConfigurationRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "SELECT hub, id, body, reads_reported, etag, created, updated, metrics FROM "
                                           "configuration WHERE hub = ? ORDER BY id"));
    statement.bind(hub);
    return statement.each([&] { out.push_back(row_from(statement)); });
  }));
  return out;
}

Result<std::optional<ConfigurationRow>> Configurations::find_in(sqlite3* db, std::string_view hub,
                                                                std::string_view id) {
  TRY(auto statement, Statement::prepare(db,
                                         "SELECT hub, id, body, reads_reported, etag, created, updated, metrics FROM "
                                         "configuration WHERE hub = ? AND id = ?"));
  TRY(const bool found, statement.bind(hub, id).step());
  if (!found) return std::optional<ConfigurationRow>();
  return std::optional(row_from(statement));
}

Result<ConfigurationRow> Configurations::find(std::string_view hub, std::string_view id) const {
  std::optional<ConfigurationRow> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(out, find_in(db, hub, id));
    return {};
  }));
  if (!out) return fail(Errc::not_found, "configuration");
  return *std::move(out);
}

Result<std::vector<std::string>> Configurations::hubs() const {
  std::vector<std::string> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db, "SELECT hub FROM configuration UNION SELECT hub FROM configuration_scan"));
    return statement.each([&] { out.push_back(statement.text(0)); });
  }));
  return out;
}

Result<std::uint64_t> Configurations::count_in(sqlite3* db, std::string_view hub) {
  TRY(auto statement, Statement::prepare(db, "SELECT count(*) FROM configuration WHERE hub = ?"));
  TRY_VOID(statement.bind(hub).step());
  return static_cast<std::uint64_t>(statement.integer(0));
}

Result<> Configurations::put(sqlite3* db, const ConfigurationRow& row) {
  TRY(auto statement,
      Statement::prepare(
          db,
          "INSERT INTO configuration (hub, id, body, reads_reported, etag, created, updated, metrics) VALUES "
          "(?,?,?,?,?,?,?,?) ON CONFLICT (hub, id) DO UPDATE SET body = excluded.body, reads_reported = "
          "excluded.reads_reported, etag = excluded.etag, updated = excluded.updated, metrics = excluded.metrics"));
  TRY_VOID(statement
               .bind(row.hub, row.id, row.body, std::int64_t{row.reads_reported}, row.etag, row.created, row.updated,
                     row.metrics)
               .run());
  return begin_scan(db, row.hub);
}

Result<> Configurations::remove(sqlite3* db, std::string_view hub, std::string_view id) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM configuration WHERE hub = ? AND id = ?"));
  TRY_VOID(statement.bind(hub, id).run());
  return begin_scan(db, hub);
}

Result<std::vector<DirtyDevice>> Configurations::dirty(std::string_view hub, std::size_t count_max) const {
  std::vector<DirtyDevice> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db,
                           "SELECT device_id, mark FROM configuration_dirty WHERE hub = ? ORDER BY device_id LIMIT ?"));
    statement.bind(hub, static_cast<std::int64_t>(count_max));
    return statement.each([&] { out.push_back({statement.text(0), statement.integer(1)}); });
  }));
  return out;
}

Result<> Configurations::clean(std::string_view hub, const std::vector<DirtyDevice>& devices) {
  if (devices.empty()) return {};
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db, "DELETE FROM configuration_dirty WHERE hub = ? AND device_id = ? AND mark = ?"));
    for (const DirtyDevice& one : devices) TRY_VOID(statement.reset().bind(hub, one.device_id, one.mark).run());
    return {};
  });
}

Result<> Configurations::mark_dirty(std::string_view hub, std::string_view device_id) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "INSERT INTO configuration_dirty VALUES (?,?,0) ON CONFLICT (hub, "
                                           "device_id) DO UPDATE SET mark = mark + 1"));
    return statement.bind(hub, device_id).run();
  });
}

Result<std::optional<ConfigurationScan>> Configurations::scan(std::string_view hub) const {
  std::optional<ConfigurationScan> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "SELECT after, mark FROM configuration_scan WHERE hub = ?"));
    TRY(const bool found, statement.bind(hub).step());
    if (found) out = ConfigurationScan{statement.text(0), statement.integer(1)};
    return {};
  }));
  return out;
}

Result<> Configurations::move_scan(std::string_view hub, const ConfigurationScan& scan) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "UPDATE configuration_scan SET after = ? WHERE hub = ? AND mark = ?"));
    return statement.bind(scan.after, hub, scan.mark).run();
  });
}

Result<> Configurations::end_scan(std::string_view hub, const ConfigurationScan& scan) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM configuration_scan WHERE hub = ? AND mark = ?"));
    return statement.bind(hub, scan.mark).run();
  });
}

Result<std::map<std::string, ConfigurationValue>> Configurations::values_of(std::string_view hub,
                                                                            std::string_view device_id,
                                                                            std::string_view module_id) const {
  std::map<std::string, ConfigurationValue> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "SELECT path, configuration, value FROM configuration_value WHERE hub = ? "
                                           "AND device_id = ? AND module_id = ?"));
    statement.bind(hub, device_id, module_id);
    return statement.each([&] { out[statement.text(0)] = {statement.text(1), statement.text(2)}; });
  }));
  return out;
}

Result<> Configurations::set_values(sqlite3* db, std::string_view hub, std::string_view device_id,
                                    std::string_view module_id,
                                    const std::map<std::string, ConfigurationValue>& values) {
  TRY(auto old,
      Statement::prepare(db, "DELETE FROM configuration_value WHERE hub = ? AND device_id = ? AND module_id = ?"));
  TRY_VOID(old.bind(hub, device_id, module_id).run());
  TRY(auto statement, Statement::prepare(db,
                                         "INSERT INTO configuration_value (hub, device_id, module_id, path, "
                                         "configuration, value) VALUES (?,?,?,?,?,?)"));
  for (const auto& [path, value] : values) {
    TRY_VOID(statement.reset().bind(hub, device_id, module_id, path, value.configuration, value.value).run());
  }
  return {};
}

Result<std::map<std::string, bool>> Configurations::targets_of(std::string_view hub, std::string_view device_id,
                                                               std::string_view module_id) const {
  std::map<std::string, bool> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "SELECT configuration, applied FROM configuration_target WHERE hub = ? AND "
                                           "device_id = ? AND module_id = ?"));
    statement.bind(hub, device_id, module_id);
    return statement.each([&] { out[statement.text(0)] = statement.integer(1) != 0; });
  }));
  return out;
}

Result<> Configurations::set_targets(sqlite3* db, std::string_view hub, std::string_view device_id,
                                     std::string_view module_id, const std::map<std::string, bool>& targets) {
  TRY(auto old,
      Statement::prepare(db, "DELETE FROM configuration_target WHERE hub = ? AND device_id = ? AND module_id = ?"));
  TRY_VOID(old.bind(hub, device_id, module_id).run());
  TRY(auto statement,
      Statement::prepare(
          db,
          "INSERT INTO configuration_target (hub, device_id, module_id, configuration, applied) VALUES (?,?,?,?,?)"));
  for (const auto& [id, applied] : targets) {
    TRY_VOID(statement.reset().bind(hub, device_id, module_id, id, std::int64_t{applied}).run());
  }
  return {};
}

Result<Configurations::Counts> Configurations::counts(std::string_view hub, std::string_view id) const {
  Counts out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "SELECT count(*), coalesce(sum(applied), 0) FROM configuration_target WHERE "
                                           "hub = ? AND configuration = ?"));
    TRY_VOID(statement.bind(hub, id).step());
    out = {static_cast<std::uint64_t>(statement.integer(0)), static_cast<std::uint64_t>(statement.integer(1))};
    return {};
  }));
  return out;
}

Result<> Configurations::set_metrics(std::string_view hub, std::string_view id, std::string_view metrics) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "UPDATE configuration SET metrics = ? WHERE hub = ? AND id = ?"));
    return statement.bind(metrics, hub, id).run();
  });
}

}  // namespace picket::state
