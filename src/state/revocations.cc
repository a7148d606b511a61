#include "state/revocations.h"

#include "statement.h"

namespace picket::state {

extern const char* const kRevocationsSchema;
const char* const kRevocationsSchema = R"sql(
CREATE TABLE revoked_certificate (
  hub TEXT NOT NULL REFERENCES hub (name) ON DELETE CASCADE, thumbprint TEXT NOT NULL, name TEXT NOT NULL,
  reason TEXT NOT NULL, revoked INTEGER NOT NULL, PRIMARY KEY (hub, thumbprint)) WITHOUT ROWID;
CREATE TABLE hub_day (
  hub TEXT PRIMARY KEY REFERENCES hub (name) ON DELETE CASCADE, day INTEGER NOT NULL,
  blocks INTEGER NOT NULL) WITHOUT ROWID;
)sql";

Result<> Revocations::insert(sqlite3* db, const Revocation& revocation) {
  TRY(auto statement, Statement::prepare(db, "INSERT INTO revoked_certificate VALUES (?,?,?,?,?)"));
  statement.bind(revocation.hub, revocation.thumbprint, revocation.name, revocation.reason, revocation.revoked);
  auto done = statement.run();
  if (!done && done.error().code == Errc::exists) return fail(Errc::exists, "revocation");
  return done;
}

Result<> Revocations::erase(sqlite3* db, std::string_view hub, std::string_view thumbprint) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM revoked_certificate WHERE hub = ? AND thumbprint = ?"));
  TRY_VOID(statement.bind(hub, thumbprint).run());
  if (sqlite3_changes(db) == 0) return fail(Errc::not_found, "revocation");
  return {};
}

Result<std::vector<Revocation>> Revocations::list(std::string_view hub) const {
  std::vector<Revocation> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "SELECT hub, thumbprint, name, reason, revoked FROM revoked_certificate "
                                           "WHERE hub = ? ORDER BY thumbprint"));
    statement.bind(hub);
    return statement.each([&] {
      out.push_back({statement.text(0), statement.text(1), statement.text(2), statement.text(3), statement.time(4)});
    });
  }));
  return out;
}

Result<> HubDays::put(const std::vector<HubDay>& days) {
  return database_.write([&](sqlite3* db) -> Result<> {
    for (const HubDay& day : days) {
      // A hub that was removed meanwhile has no day.
      TRY(auto statement, Statement::prepare(db,
                                             "INSERT INTO hub_day SELECT name, ?, ? FROM hub WHERE name = ? "
                                             "ON CONFLICT (hub) DO UPDATE SET day = excluded.day, blocks = "
                                             "excluded.blocks"));
      TRY_VOID(statement.bind(day.day, static_cast<std::int64_t>(day.blocks), day.hub).run());
    }
    return {};
  });
}

Result<std::vector<HubDay>> HubDays::list() const {
  std::vector<HubDay> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "SELECT hub, day, blocks FROM hub_day"));
    return statement.each([&] {
      out.push_back({statement.text(0), statement.integer(1), static_cast<std::uint64_t>(statement.integer(2))});
    });
  }));
  return out;
}

}  // namespace picket::state
