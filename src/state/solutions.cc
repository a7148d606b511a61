#include "state/solutions.h"

#include "audit.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

extern const char* const kSolutionsSchema;
const char* const kSolutionsSchema = R"sql(
CREATE TABLE security_solution (
  name TEXT PRIMARY KEY COLLATE NOCASE, json TEXT NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;
)sql";

namespace {

Result<> audit(sqlite3* db, std::string_view kind, std::string_view name, std::string_view json, const Actor& actor,
               Timestamp now) {
  JsonWriter body = audit_of(actor, name);
  if (!json.empty()) body.key("resource").raw(json);
  body.end_object();
  return Outbox::add(db, kind, "", body.take(), now);
}

}  // namespace

Result<bool> Solutions::put(std::string_view name, std::string_view json, const Actor& actor, Timestamp now) {
  bool made = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto count, Statement::prepare(db,
                                       "SELECT count(*), coalesce(sum(name = ?1 COLLATE NOCASE), 0) FROM "
                                       "security_solution"));
    TRY_VOID(count.bind(name).step());
    made = count.integer(1) == 0;
    if (made && count.integer(0) >= static_cast<std::int64_t>(kSolutionsMax)) {
      return fail(Errc::limit_exceeded, "solutions", kSolutionsMax);
    }
    TRY(auto insert, Statement::prepare(db,
                                        "INSERT INTO security_solution VALUES (?,?,?) ON CONFLICT (name) DO UPDATE SET "
                                        "json = excluded.json, changed = excluded.changed"));
    TRY_VOID(insert.bind(name, json, now).run());
    return audit(db, "solution.set", name, json, actor, now);
  }));
  return made;
}

Result<bool> Solutions::remove(std::string_view name, const Actor& actor, Timestamp now) {
  bool removed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM security_solution WHERE name = ? COLLATE NOCASE"));
    TRY_VOID(statement.bind(name).run());
    removed = sqlite3_changes(db) > 0;
    return removed ? audit(db, "solution.delete", name, "", actor, now) : Result<>{};
  }));
  return removed;
}

Result<Solutions::Stored> Solutions::find(std::string_view name) const {
  Result<Stored> out = fail(Errc::not_found, "solution");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row,
        Statement::prepare(db, "SELECT name, json, changed FROM security_solution WHERE name = ? COLLATE NOCASE"));
    TRY(const bool found, row.bind(name).step());
    if (found) out = Stored{row.text(0), row.text(1), row.time(2)};
    return {};
  }));
  return out;
}

Result<std::vector<Solutions::Stored>> Solutions::list() const {
  std::vector<Stored> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, "SELECT name, json, changed FROM security_solution ORDER BY name"));
    return row.each([&] { out.push_back({row.text(0), row.text(1), row.time(2)}); });
  }));
  return out;
}

}  // namespace picket::state
