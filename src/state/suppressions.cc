#include "state/suppressions.h"

#include "audit.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

extern const char* const kSuppressionsSchema;
const char* const kSuppressionsSchema = R"sql(
CREATE TABLE suppression (
  id TEXT PRIMARY KEY, json TEXT NOT NULL, created_by TEXT NOT NULL, created INTEGER NOT NULL,
  changed INTEGER NOT NULL) WITHOUT ROWID;
)sql";

namespace {

// Alerts name the rule that they fell under: hits need no counter of their own.
constexpr std::string_view kSelect =
    "SELECT id, json, created_by, created, changed, (SELECT count(*) FROM alert WHERE suppressed_by = id), (SELECT "
    "coalesce(sum(count), 0) FROM alert WHERE suppressed_by = id), (SELECT coalesce(max(end), 0) FROM alert WHERE "
    "suppressed_by = id) FROM suppression";

SuppressionRow row_from(const Statement& row) {
  return {.id = row.text(0),
          .json = row.text(1),
          .created_by = row.text(2),
          .created = row.time(3),
          .changed = row.time(4),
          .alerts = static_cast<std::uint64_t>(row.integer(5)),
          .hits = static_cast<std::uint64_t>(row.integer(6)),
          .last_hit = row.time(7)};
}

}  // namespace

Result<bool> Suppressions::put(std::string_view id, std::string_view json, const Actor& actor, Timestamp now) {
  bool made = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto count, Statement::prepare(db, "SELECT count(*), coalesce(sum(id = ?1), 0) FROM suppression"));
    TRY_VOID(count.bind(id).step());
    made = count.integer(1) == 0;
    if (made && count.integer(0) >= static_cast<std::int64_t>(kRulesMax)) {
      return fail(Errc::limit_exceeded, "suppressions", kRulesMax);
    }
    TRY(auto insert, Statement::prepare(db,
                                        "INSERT INTO suppression VALUES (?,?,?,?,?) ON CONFLICT (id) DO UPDATE SET "
                                        "json = excluded.json, changed = excluded.changed"));
    TRY_VOID(insert.bind(id, json, actor.user, now, now).run());
    auto body = audit_of(actor, id);
    body.key("resource").raw(json).end_object();
    return Outbox::add(db, "suppression.set", "", body.take(), now);
  }));
  return made;
}

Result<bool> Suppressions::remove(std::string_view id, const Actor& actor, Timestamp now) {
  bool removed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM suppression WHERE id = ?"));
    TRY_VOID(statement.bind(id).run());
    removed = sqlite3_changes(db) > 0;
    if (!removed) return {};
    auto body = audit_of(actor, id);
    body.end_object();
    return Outbox::add(db, "suppression.delete", "", body.take(), now);
  }));
  return removed;
}

Result<SuppressionRow> Suppressions::find(std::string_view id) const {
  Result<SuppressionRow> out = fail(Errc::not_found, "suppression");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, std::string(kSelect) + " WHERE id = ?"));
    TRY(const bool found, row.bind(id).step());
    if (found) out = row_from(row);
    return {};
  }));
  return out;
}

Result<std::vector<SuppressionRow>> Suppressions::list() const {
  std::vector<SuppressionRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, std::string(kSelect) + " ORDER BY id"));
    return row.each([&] { out.push_back(row_from(row)); });
  }));
  return out;
}

}  // namespace picket::state
