#include "state/rules.h"

#include "audit.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

extern const char* const kRulesSchema;
const char* const kRulesSchema = R"sql(
CREATE TABLE rule_file (name TEXT PRIMARY KEY, yaml TEXT NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE rule_off (rule_id TEXT PRIMARY KEY, changed INTEGER NOT NULL) WITHOUT ROWID;
)sql";

namespace {}  // namespace

Result<bool> Rules::put(std::string_view name, std::string_view yaml, const Actor& actor, Timestamp now) {
  bool made = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto count, Statement::prepare(db, "SELECT count(*), sum(name = ?1) FROM rule_file"));
    TRY_VOID(count.bind(name).step());
    made = count.integer(1) == 0;
    if (made && count.integer(0) >= static_cast<std::int64_t>(kFilesMax)) {
      return fail(Errc::limit_exceeded, "rules", kFilesMax);
    }
    TRY(auto statement, Statement::prepare(db,
                                           "INSERT INTO rule_file (name, yaml, changed) VALUES (?,?,?) ON CONFLICT "
                                           "(name) DO UPDATE SET yaml = excluded.yaml, changed = excluded.changed"));
    TRY_VOID(statement.bind(name, yaml, now).run());
    auto body = audit_of(actor, name);
    body.key("rules").value(yaml).end_object();
    return Outbox::add(db, "rule.set", "", body.take(), now);
  }));
  return made;
}

Result<bool> Rules::remove(std::string_view name, const Actor& actor, Timestamp now) {
  bool removed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM rule_file WHERE name = ?"));
    TRY_VOID(statement.bind(name).run());
    removed = sqlite3_changes(db) > 0;
    if (!removed) return {};
    auto body = audit_of(actor, name);
    body.end_object();
    return Outbox::add(db, "rule.delete", "", body.take(), now);
  }));
  return removed;
}

Result<RuleFileRow> Rules::find(std::string_view name) const {
  Result<RuleFileRow> out = fail(Errc::not_found, "rules");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, "SELECT name, yaml, changed FROM rule_file WHERE name = ?"));
    TRY(const bool found, row.bind(name).step());
    if (found) out = RuleFileRow{row.text(0), row.text(1), row.time(2)};
    return {};
  }));
  return out;
}

Result<std::vector<RuleFileRow>> Rules::list() const {
  std::vector<RuleFileRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, "SELECT name, yaml, changed FROM rule_file ORDER BY name"));
    return row.each([&] { out.push_back({row.text(0), row.text(1), row.time(2)}); });
  }));
  return out;
}

Result<> Rules::set_enabled(std::string_view id, bool enabled, const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    if (enabled) {
      TRY(auto statement, Statement::prepare(db, "DELETE FROM rule_off WHERE rule_id = ?"));
      TRY_VOID(statement.bind(id).run());
    } else {
      TRY(auto statement, Statement::prepare(db, "INSERT OR IGNORE INTO rule_off (rule_id, changed) VALUES (?,?)"));
      TRY_VOID(statement.bind(id, now).run());
    }
    if (sqlite3_changes(db) == 0) return {};  // as it was
    auto body = audit_of(actor, id);
    body.key("enabled").value(enabled).end_object();
    return Outbox::add(db, "rule.set", "", body.take(), now);
  });
}

Result<std::vector<std::string>> Rules::disabled() const {
  std::vector<std::string> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, "SELECT rule_id FROM rule_off ORDER BY rule_id"));
    return row.each([&] { out.push_back(row.text(0)); });
  }));
  return out;
}

}  // namespace picket::state
