#include "state/saved_queries.h"

#include "audit.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

extern const char* const kSavedQueriesSchema;
const char* const kSavedQueriesSchema = R"sql(
CREATE TABLE saved_query (
  kind TEXT NOT NULL, name TEXT NOT NULL, category TEXT NOT NULL, description TEXT NOT NULL, text TEXT NOT NULL,
  user TEXT NOT NULL, changed INTEGER NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
)sql";

namespace {

constexpr std::string_view kColumns = "SELECT name, category, description, text, user, changed FROM saved_query ";

SavedQuery row_of(SavedKind kind, const Statement& row) {
  return {kind, row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.time(5)};
}

Result<> audit(sqlite3* db, std::string_view what, const SavedQuery& query, const Actor& actor, Timestamp now) {
  JsonWriter json = audit_of(actor, query.name);
  // A workbook is too large to be written down with each change.
  if (!query.text.empty() && query.kind != SavedKind::workbook) json.key("text").value(query.text);
  return Outbox::add(db, std::string(to_string(query.kind)) + "." + std::string(what), "", json.end_object().take(),
                     now);
}

}  // namespace

std::string_view to_string(SavedKind kind) {
  switch (kind) {
    case SavedKind::query:
      return "query";
    case SavedKind::function:
      return "function";
    case SavedKind::workbook:
      return "workbook";
  }
  return "";
}

Result<bool> SavedQueries::put(const SavedQuery& query, const Actor& actor, Timestamp now) {
  bool made = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto count, Statement::prepare(db, "SELECT count(*), sum(name = ?1) FROM saved_query WHERE kind = ?2"));
    TRY_VOID(count.bind(query.name, to_string(query.kind)).step());
    made = count.integer(1) == 0;
    const std::size_t count_max = query.kind == SavedKind::workbook ? kWorkbooksMax : kCountMax;
    if (made && count.integer(0) >= static_cast<std::int64_t>(count_max)) {
      return fail(Errc::limit_exceeded, "saved_query", count_max);
    }
    TRY(auto statement,
        Statement::prepare(db,
                           "INSERT OR REPLACE INTO saved_query (kind, name, category, description, text, user, "
                           "changed) VALUES (?,?,?,?,?,?,?)"));
    TRY_VOID(
        statement
            .bind(to_string(query.kind), query.name, query.category, query.description, query.text, actor.user, now)
            .run());
    return audit(db, "save", query, actor, now);
  }));
  return made;
}

Result<bool> SavedQueries::remove(SavedKind kind, std::string_view name, const Actor& actor, Timestamp now) {
  bool removed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM saved_query WHERE kind = ? AND name = ?"));
    TRY_VOID(statement.bind(to_string(kind), name).run());
    removed = sqlite3_changes(db) > 0;
    if (!removed) return {};
    return audit(db, "delete", {.kind = kind, .name = std::string(name)}, actor, now);
  }));
  return removed;
}

Result<SavedQuery> SavedQueries::find(SavedKind kind, std::string_view name) const {
  Result<SavedQuery> out = fail(Errc::not_found, "saved_query");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, std::string(kColumns) + "WHERE kind = ? AND name = ?"));
    TRY(const bool found, row.bind(to_string(kind), name).step());
    if (found) out = row_of(kind, row);
    return {};
  }));
  return out;
}

Result<std::vector<SavedQuery>> SavedQueries::list(SavedKind kind) const {
  std::vector<SavedQuery> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, std::string(kColumns) + "WHERE kind = ? ORDER BY name"));
    row.bind(to_string(kind));
    return row.each([&] { out.push_back(row_of(kind, row)); });
  }));
  return out;
}

}  // namespace picket::state
