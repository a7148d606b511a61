#include "state/sessions.h"

#include "statement.h"

namespace picket::state {

// module_id '' is the device itself.
extern const char* const kSessionsSchema;
const char* const kSessionsSchema = R"sql(
CREATE TABLE session (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, module_id TEXT NOT NULL, generation_id TEXT NOT NULL,
  mask INTEGER NOT NULL, PRIMARY KEY (hub, device_id, module_id)) WITHOUT ROWID;
CREATE TRIGGER session_of_device AFTER DELETE ON device BEGIN
  DELETE FROM session WHERE hub = OLD.hub AND device_id = OLD.device_id; END;
CREATE TRIGGER session_of_module AFTER DELETE ON module BEGIN
  DELETE FROM session WHERE hub = OLD.hub AND device_id = OLD.device_id AND module_id = OLD.module_id; END;
)sql";

namespace {

Result<bool> exists(sqlite3* db, const Identity& identity) {
  if (identity.module_id.empty()) {
    TRY(auto device,
        Statement::prepare(db, "SELECT 1 FROM device WHERE hub = ? AND device_id = ? AND generation_id = ?"));
    return device.bind(identity.hub, identity.device_id, identity.generation_id).step();
  }
  TRY(auto module,
      Statement::prepare(
          db, "SELECT 1 FROM module WHERE hub = ? AND device_id = ? AND module_id = ? AND generation_id = ?"));
  return module.bind(identity.hub, identity.device_id, identity.module_id, identity.generation_id).step();
}

}  // namespace

Result<std::uint32_t> SessionTable::load(sqlite3* db, const Identity& identity) {
  TRY(auto statement,
      Statement::prepare(db,
                         "SELECT mask FROM session WHERE hub = ? AND device_id = ? AND module_id = ? AND "
                         "generation_id = ?"));
  TRY(const bool found,
      statement.bind(identity.hub, identity.device_id, identity.module_id, identity.generation_id).step());
  return found ? static_cast<std::uint32_t>(statement.integer(0)) : 0U;
}

Result<> SessionTable::store(sqlite3* db, const Identity& identity, std::uint32_t mask) {
  if (mask == 0) {
    TRY(auto removal, Statement::prepare(db,
                                         "DELETE FROM session WHERE hub = ? AND device_id = ? AND module_id = ? AND "
                                         "generation_id = ?"));
    return removal.bind(identity.hub, identity.device_id, identity.module_id, identity.generation_id).run();
  }
  TRY(const bool there, exists(db, identity));
  if (!there) return fail(Errc::not_found, "session.identity");
  TRY(auto statement,
      Statement::prepare(
          db,
          "INSERT INTO session (hub, device_id, module_id, generation_id, mask) VALUES (?,?,?,?,?) "
          "ON CONFLICT (hub, device_id, module_id) DO UPDATE SET generation_id = excluded.generation_id, "
          "mask = excluded.mask"));
  return statement
      .bind(identity.hub, identity.device_id, identity.module_id, identity.generation_id, std::int64_t{mask})
      .run();
}

}  // namespace picket::state
