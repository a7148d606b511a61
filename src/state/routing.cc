#include "state/routing.h"

#include "audit.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

extern const char* const kRoutingSchema;
const char* const kRoutingSchema = R"sql(
CREATE TABLE routing (hub TEXT PRIMARY KEY, json TEXT NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;
)sql";

Result<std::vector<Routing::Document>> Routing::list() const {
  std::vector<Document> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "SELECT hub, json FROM routing ORDER BY hub"));
    return statement.each([&] { out.push_back({statement.text(0), statement.text(1)}); });
  }));
  return out;
}

Result<> Routing::put(std::string_view hub, std::string_view json, const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(db,
                           "INSERT INTO routing (hub, json, changed) VALUES (?,?,?) "
                           "ON CONFLICT (hub) DO UPDATE SET json = excluded.json, changed = excluded.changed"));
    TRY_VOID(statement.bind(hub, json, now).run());
    JsonWriter body = audit_of(actor);
    body.key("hub").value(hub);
    return Outbox::add(db, "routes.set", "", body.end_object().take(), now);
  });
}

}  // namespace picket::state
