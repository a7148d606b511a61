#include "state/routing.h"

#include "base/core/json_writer.h"
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
    for (;;) {
      TRY(const bool row, statement.step());
      if (!row) return {};
      out.push_back({statement.text(0), statement.text(1)});
    }
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
    JsonWriter body;
    body.begin_object().key("actor").value(actor.user).key("source").value(actor.source).key("hub").value(hub);
    return Outbox::add(db, "routes.set", "", body.end_object().take(), now);
  });
}

}  // namespace picket::state
