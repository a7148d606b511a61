#include "state/commands.h"

#include <utility>

#include "statement.h"

namespace picket::state {

// properties and body are bytes of outside. AUTOINCREMENT: a sequence is never used again, so that a late settlement
// cannot hit another command.
extern const char* const kCommandsSchema;
const char* const kCommandsSchema = R"sql(
CREATE TABLE command (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT, hub TEXT NOT NULL, device_id TEXT NOT NULL, generation_id TEXT NOT NULL,
  message_id TEXT NOT NULL, properties TEXT NOT NULL, body TEXT NOT NULL, feedback INTEGER NOT NULL,
  enqueued INTEGER NOT NULL, expiry INTEGER NOT NULL, delivery_count INTEGER NOT NULL,
  FOREIGN KEY (hub, device_id) REFERENCES device (hub, device_id) ON DELETE CASCADE);
CREATE INDEX command_device ON command (hub, device_id, sequence, expiry);
CREATE INDEX command_expiry ON command (expiry);
)sql";

namespace {

// Order of the columns in row().
#define PICKET_COMMAND_COLUMNS \
  "SELECT sequence, hub, device_id, generation_id, message_id, feedback, enqueued, expiry, delivery_count"

StoredCommand row(const Statement& statement) {
  StoredCommand out;
  out.sequence = statement.integer(0);
  out.hub = statement.text(1);
  out.device_id = statement.text(2);
  out.generation_id = statement.text(3);
  out.message_id = statement.text(4);
  out.feedback = static_cast<int>(statement.integer(5));
  out.enqueued = statement.time(6);
  out.expiry = statement.time(7);
  out.delivery_count = static_cast<std::uint32_t>(statement.integer(8));
  return out;
}

}  // namespace

Result<std::string> CommandTable::generation(sqlite3* db, std::string_view hub, std::string_view device_id) {
  TRY(auto statement, Statement::prepare(db, "SELECT generation_id FROM device WHERE hub = ? AND device_id = ?"));
  TRY(const bool found, statement.bind(hub, device_id).step());
  if (!found) return fail(Errc::not_found, "command.device");
  return statement.text(0);
}

Result<std::int64_t> CommandTable::insert(sqlite3* db, const StoredCommand& command) {
  TRY(auto statement,
      Statement::prepare(db,
                         "INSERT INTO command (hub, device_id, generation_id, message_id, properties, body, feedback, "
                         "enqueued, expiry, delivery_count) VALUES (?,?,?,?,?,?,?,?,?,?) RETURNING sequence"));
  statement.bind(command.hub, command.device_id, command.generation_id, command.message_id, command.properties,
                 command.body, std::int64_t{command.feedback}, command.enqueued, command.expiry,
                 std::int64_t{command.delivery_count});
  TRY(const bool inserted, statement.step());
  if (!inserted) return fail(Errc::internal, "command.insert");
  return statement.integer(0);
}

Result<std::uint64_t> CommandTable::count(sqlite3* db, std::string_view hub, std::string_view device_id) {
  TRY(auto statement, Statement::prepare(db, "SELECT count(*) FROM command WHERE hub = ? AND device_id = ?"));
  TRY_VOID(statement.bind(hub, device_id).step());
  return static_cast<std::uint64_t>(statement.integer(0));
}

Result<std::vector<CommandHead>> CommandTable::heads(sqlite3* db, std::string_view hub, std::string_view device_id,
                                                     std::size_t count_max) {
  TRY(auto statement, Statement::prepare(db,
                                         "SELECT sequence, expiry FROM command WHERE hub = ? AND device_id = ? "
                                         "ORDER BY sequence LIMIT ?"));
  statement.bind(hub, device_id, static_cast<std::int64_t>(count_max));
  std::vector<CommandHead> out;
  TRY_VOID(statement.each([&] { out.push_back({statement.integer(0), statement.time(1)}); }));
  return out;
}

Result<std::optional<StoredCommand>> CommandTable::find(sqlite3* db, std::int64_t sequence) {
  TRY(auto statement,
      Statement::prepare(db, PICKET_COMMAND_COLUMNS ", properties, body FROM command WHERE sequence = ?"));
  TRY(const bool found, statement.bind(sequence).step());
  if (!found) return std::optional<StoredCommand>();
  auto out = row(statement);
  out.properties = statement.text(9);
  out.body = statement.text(10);
  return std::optional(std::move(out));
}

Result<std::vector<StoredCommand>> CommandTable::expired(sqlite3* db, Timestamp now, std::size_t count_max) {
  TRY(auto statement,
      Statement::prepare(db, PICKET_COMMAND_COLUMNS " FROM command WHERE expiry <= ? ORDER BY expiry LIMIT ?"));
  return all_rows(statement.bind(now, static_cast<std::int64_t>(count_max)), row);
}

Result<std::vector<StoredCommand>> CommandTable::list(sqlite3* db, std::string_view hub, std::string_view device_id) {
  TRY(auto statement,
      Statement::prepare(db, PICKET_COMMAND_COLUMNS " FROM command WHERE hub = ? AND device_id = ? ORDER BY sequence"));
  return all_rows(statement.bind(hub, device_id), row);
}

Result<bool> CommandTable::remove(sqlite3* db, std::int64_t sequence) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM command WHERE sequence = ? RETURNING 1"));
  TRY(const bool removed, statement.bind(sequence).step());
  if (removed) TRY_VOID(statement.run());
  return removed;
}

Result<> CommandTable::set_delivery_count(sqlite3* db, std::int64_t sequence, std::uint32_t count) {
  TRY(auto statement, Statement::prepare(db, "UPDATE command SET delivery_count = ? WHERE sequence = ?"));
  return statement.bind(std::int64_t{count}, sequence).run();
}

}  // namespace picket::state
