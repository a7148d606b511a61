#include "state/twins.h"

#include "base/core/json_writer.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

// A table with row ids: rows of many kilobytes do not belong into the index of
// their key.
extern const char* const kTwinsSchema;
const char* const kTwinsSchema = R"sql(
CREATE TABLE twin (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, module_id TEXT NOT NULL, etag TEXT NOT NULL, version INTEGER NOT NULL,
  tags TEXT NOT NULL, desired TEXT NOT NULL, desired_metadata TEXT NOT NULL, desired_version INTEGER NOT NULL,
  reported TEXT NOT NULL, reported_metadata TEXT NOT NULL, reported_version INTEGER NOT NULL, updated INTEGER NOT NULL,
  PRIMARY KEY (hub, device_id, module_id),
  FOREIGN KEY (hub, device_id) REFERENCES device (hub, device_id) ON DELETE CASCADE);
CREATE TRIGGER twin_of_deleted_module AFTER DELETE ON module BEGIN
  DELETE FROM twin WHERE hub = OLD.hub AND device_id = OLD.device_id AND module_id = OLD.module_id; END;
CREATE TRIGGER twin_of_regrouped_device AFTER UPDATE OF security_group ON device
  WHEN NEW.security_group <> OLD.security_group BEGIN
  UPDATE twin SET version = version + 1, etag = hex(randomblob(8))
    WHERE hub = OLD.hub AND device_id = OLD.device_id AND module_id = ''; END;
)sql";

namespace {

#define PICKET_TWIN_COLUMNS                                    \
  "t.version, t.etag, t.tags, t.desired, t.desired_metadata, " \
  "t.desired_version, t.reported, t.reported_metadata, "       \
  "t.reported_version "
#define PICKET_DEVICE_TWIN                                                   \
  "SELECT d.hub, d.device_id, '', d.generation_id, d.etag, d.enabled, "      \
  "d.security_group, d.status_reason, "                                      \
  "d.status_updated, d.auth, d.thumbprint_primary, d.thumbprint_secondary, " \
  "d.edge, d.scope, "                                                        \
  "d.parent_scopes, " PICKET_TWIN_COLUMNS                                    \
  "FROM device d LEFT JOIN twin t ON t.hub = d.hub AND t.device_id = "       \
  "d.device_id AND t.module_id = '' "
#define PICKET_MODULE_TWIN                                             \
  "SELECT d.hub, d.device_id, d.module_id, d.generation_id, d.etag, "  \
  "d.enabled, '', '', 0, d.auth, "                                     \
  "d.thumbprint_primary, d.thumbprint_secondary, 0, '', "              \
  "'', " PICKET_TWIN_COLUMNS                                           \
  "FROM module d LEFT JOIN twin t ON t.hub = d.hub AND t.device_id = " \
  "d.device_id AND t.module_id = d.module_id "

TwinRow row_from(const Statement& row) {
  TwinRow out;
  out.owner = {.hub = row.text(0),
               .device_id = row.text(1),
               .module_id = row.text(2),
               .generation_id = row.text(3),
               .etag = row.text(4),
               .enabled = row.integer(5) != 0,
               .group = row.text(6),
               .status_reason = row.text(7),
               .status_updated = row.time(8),
               .auth = static_cast<int>(row.integer(9)),
               .thumbprint_primary = row.text(10),
               .thumbprint_secondary = row.text(11),
               .edge = row.integer(12) != 0,
               .scope = row.text(13),
               .parent_scopes = row.text(14)};
  const auto version = row.integer(15);
  if (version == 0) return out;  // NULL: no row
  out.stored = true;
  out.version = static_cast<std::uint64_t>(version);
  out.etag = row.text(16);
  out.tags = row.text(17);
  out.desired = row.text(18);
  out.desired_metadata = row.text(19);
  out.desired_version = static_cast<std::uint64_t>(row.integer(20));
  out.reported = row.text(21);
  out.reported_metadata = row.text(22);
  out.reported_version = static_cast<std::uint64_t>(row.integer(23));
  return out;
}

Result<Statement> one_device(sqlite3* db) {
  return Statement::prepare(db, PICKET_DEVICE_TWIN "WHERE d.hub = ? AND d.device_id = ?");
}
Result<Statement> one_module(sqlite3* db) {
  return Statement::prepare(db, PICKET_MODULE_TWIN "WHERE d.hub = ? AND d.device_id = ? AND d.module_id = ?");
}
Result<Statement> page_of_devices(sqlite3* db) {
  return Statement::prepare(db, PICKET_DEVICE_TWIN "WHERE d.hub = ? AND d.device_id > ? ORDER BY d.device_id LIMIT ?");
}
Result<Statement> page_of_modules(sqlite3* db) {
  return Statement::prepare(
      db, PICKET_MODULE_TWIN
      "WHERE d.hub = ? AND (d.device_id, d.module_id) > (?, ?) ORDER BY d.device_id, d.module_id LIMIT ?");
}

}  // namespace

Result<TwinRow> Twins::find_in(sqlite3* db, std::string_view hub, std::string_view device_id,
                               std::string_view module_id) {
  TRY(auto statement, module_id.empty() ? one_device(db) : one_module(db));
  statement.bind(hub, device_id);
  if (!module_id.empty()) statement.bind(module_id);
  TRY(const bool found, statement.step());
  if (!found) return fail(Errc::not_found, "twin");
  return row_from(statement);
}

Result<TwinRow> Twins::find(std::string_view hub, std::string_view device_id, std::string_view module_id) const {
  Result<TwinRow> out = fail(Errc::not_found, "twin");
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    out = find_in(db, hub, device_id, module_id);
    return {};
  }));
  return out;
}

Result<std::vector<TwinRow>> Twins::list(std::string_view hub, TwinKind kind, std::string_view after_device,
                                         std::string_view after_module, std::size_t count_max) const {
  std::vector<TwinRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, kind == TwinKind::devices ? page_of_devices(db) : page_of_modules(db));
    statement.bind(hub, after_device);
    if (kind == TwinKind::modules) statement.bind(after_module);
    statement.bind(static_cast<std::int64_t>(count_max));
    return statement.each([&] { out.push_back(row_from(statement)); });
  }));
  return out;
}

Result<> Twins::save(sqlite3* db, const TwinRow& row, Timestamp now) {
  TRY(auto statement,
      Statement::prepare(
          db,
          "INSERT INTO twin (hub, device_id, module_id, etag, version, tags, desired, desired_metadata, "
          "desired_version, reported, reported_metadata, reported_version, updated) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) "
          "ON CONFLICT (hub, device_id, module_id) DO UPDATE SET etag = excluded.etag, version = excluded.version, "
          "tags = excluded.tags, desired = excluded.desired, desired_metadata = excluded.desired_metadata, "
          "desired_version = excluded.desired_version, reported = excluded.reported, reported_metadata = "
          "excluded.reported_metadata, reported_version = excluded.reported_version, updated = excluded.updated"));
  return statement
      .bind(row.owner.hub, row.owner.device_id, row.owner.module_id, row.etag, static_cast<std::int64_t>(row.version),
            row.tags, row.desired, row.desired_metadata, static_cast<std::int64_t>(row.desired_version), row.reported,
            row.reported_metadata, static_cast<std::int64_t>(row.reported_version), now)
      .run();
}

Result<> Twins::set_group(sqlite3* db, const TwinOwner& owner, std::string_view group, std::string_view user,
                          std::string_view source, Timestamp now) {
  TRY(auto statement,
      Statement::prepare(db, "UPDATE device SET security_group = ?, updated = ? WHERE hub = ? AND device_id = ?"));
  TRY_VOID(statement.bind(group, now, owner.hub, owner.device_id).run());
  JsonWriter body;
  body.begin_object().key("actor").value(user).key("source").value(source).key("hub").value(owner.hub);
  body.key("group_before").value(owner.group).key("group").value(group).end_object();
  return Outbox::add(db, "device.update", owner.device_id, body.take(), now);
}

Result<std::vector<TwinRow>> Twins::modules(std::string_view hub, std::string_view device_id) const {
  std::vector<TwinRow> out;
  TRY_VOID(database_.look_up([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db, PICKET_MODULE_TWIN "WHERE d.hub = ? AND d.device_id = ? ORDER BY d.module_id"));
    statement.bind(hub, device_id);
    return statement.each([&] { out.push_back(row_from(statement)); });
  }));
  return out;
}

}  // namespace picket::state
