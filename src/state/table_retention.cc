#include "state/table_retention.h"

#include "audit.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

extern const char* const kTableRetentionSchema;
const char* const kTableRetentionSchema = R"sql(
CREATE TABLE table_retention (
  name TEXT PRIMARY KEY, days INTEGER NOT NULL, archive_days INTEGER NOT NULL, changed_by TEXT NOT NULL,
  changed INTEGER NOT NULL) WITHOUT ROWID;
)sql";

Result<> TableRetentions::put(const TableRetentionRow& row, const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto insert, Statement::prepare(db, "INSERT OR REPLACE INTO table_retention VALUES (?,?,?,?,?)"));
    TRY_VOID(insert.bind(row.table, row.days, row.archive_days, actor.user, now).run());
    auto body = audit_of(actor, row.table);
    body.key("days").value(row.days).key("archiveDays").value(row.archive_days).end_object();
    return Outbox::add(db, "retention.set", "", body.take(), now);
  });
}

Result<bool> TableRetentions::remove(std::string_view table, const Actor& actor, Timestamp now) {
  bool removed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM table_retention WHERE name = ?"));
    TRY_VOID(statement.bind(table).run());
    removed = sqlite3_changes(db) > 0;
    if (!removed) return {};
    auto body = audit_of(actor, table);
    body.end_object();
    return Outbox::add(db, "retention.reset", "", body.take(), now);
  }));
  return removed;
}

Result<std::vector<TableRetentionRow>> TableRetentions::list() const {
  std::vector<TableRetentionRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT name, days, archive_days, changed_by, changed FROM table_retention "
                                     "ORDER BY name"));
    return row.each([&] { out.push_back({row.text(0), row.integer(1), row.integer(2), row.text(3), row.time(4)}); });
  }));
  return out;
}

}  // namespace picket::state
