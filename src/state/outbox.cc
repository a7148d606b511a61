#include "state/outbox.h"

#include <limits>
#include <utility>

#include "statement.h"

namespace picket::state {
namespace {

/// Audit records kept after they were sent; older ones stand in the journal and the workspace.
constexpr std::int64_t kHistoryMax = 10'000;

Result<std::vector<OutboxRecord>> records(Statement statement) {
  std::vector<OutboxRecord> out;
  TRY_VOID(statement.each([&] {
    out.push_back({statement.integer(0), statement.time(1), statement.text(2), statement.text(3), statement.text(4)});
  }));
  return out;
}

}  // namespace

Result<> Outbox::add(sqlite3* db, std::string_view kind, std::string_view device_id, std::string_view body,
                     Timestamp now) {
  TRY(auto statement, Statement::prepare(db, "INSERT INTO outbox (created, kind, device_id, body) VALUES (?,?,?,?)"));
  return statement.bind(now, kind, device_id, body).run();
}

Result<std::vector<OutboxRecord>> Outbox::pending(std::size_t count_max) const {
  std::vector<OutboxRecord> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "SELECT id, created, kind, device_id, body FROM outbox WHERE sent = 0 "
                                           "ORDER BY id LIMIT ?"));
    statement.bind(static_cast<std::int64_t>(count_max));
    TRY(out, records(std::move(statement)));
    return {};
  }));
  return out;
}

Result<> Outbox::remove_through(std::int64_t id) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto sent, Statement::prepare(db, "UPDATE outbox SET sent = 1 WHERE sent = 0 AND id <= ?"));
    TRY_VOID(sent.bind(id).run());
    // Twins change all day; the table HubOperations has them. The audit record is for what people do.
    TRY(auto old, Statement::prepare(db, "DELETE FROM outbox WHERE sent = 1 AND (id <= ? OR kind LIKE 'twin.%')"));
    return old.bind(id - kHistoryMax).run();
  });
}

Result<> Outbox::record(std::string_view kind, std::string_view device_id, std::string_view body, Timestamp now) {
  return database_.write([&](sqlite3* db) { return add(db, kind, device_id, body, now); });
}

Result<std::vector<OutboxRecord>> Outbox::history(std::int64_t before, std::size_t count_max) const {
  std::vector<OutboxRecord> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "SELECT id, created, kind, device_id, body FROM outbox WHERE id < ? "
                                           "ORDER BY id DESC LIMIT ?"));
    statement.bind(before == 0 ? std::numeric_limits<std::int64_t>::max() : before,
                   static_cast<std::int64_t>(count_max));
    TRY(out, records(std::move(statement)));
    return {};
  }));
  return out;
}

}  // namespace picket::state
