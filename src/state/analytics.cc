#include "state/analytics.h"

#include "audit.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

extern const char* const kAnalyticsSchema;
// Times that are not known are 0.
const char* const kAnalyticsSchema = R"sql(
CREATE TABLE analytics_rule (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, source TEXT NOT NULL, enabled INTEGER NOT NULL DEFAULT 1,
  changed INTEGER NOT NULL, next_run INTEGER NOT NULL DEFAULT 0, suppressed_until INTEGER NOT NULL DEFAULT 0,
  state TEXT NOT NULL DEFAULT '') WITHOUT ROWID;
CREATE TABLE analytics_run (
  id INTEGER PRIMARY KEY AUTOINCREMENT, rule_id TEXT NOT NULL REFERENCES analytics_rule (id) ON DELETE CASCADE,
  window_start INTEGER NOT NULL, window_end INTEGER NOT NULL, at INTEGER NOT NULL, elapsed_ms INTEGER NOT NULL,
  rows INTEGER NOT NULL, alerts INTEGER NOT NULL, outcome TEXT NOT NULL, message TEXT NOT NULL);
CREATE INDEX analytics_run_rule ON analytics_run (rule_id, id);
)sql";

namespace {

constexpr std::string_view kColumns =
    "SELECT id, name, source, enabled, changed, next_run, suppressed_until, state FROM analytics_rule ";

std::optional<Timestamp> known(Timestamp time) { return time.us == 0 ? std::nullopt : std::optional(time); }

AnalyticsRuleRow row_of(const Statement& row) {
  return {row.text(0), row.text(1),        row.text(2),        row.integer(3) != 0,
          row.time(4), known(row.time(5)), known(row.time(6)), row.text(7)};
}

Result<> audit(sqlite3* db, std::string_view kind, std::string_view id, const Actor& actor, Timestamp now,
               std::optional<bool> enabled = std::nullopt, std::string_view source = {}) {
  JsonWriter json = audit_of(actor, id);
  if (enabled) json.key("enabled").value(*enabled);
  if (!source.empty()) json.key("rule").value(source);
  return Outbox::add(db, kind, "", json.end_object().take(), now);
}

}  // namespace

Result<bool> Analytics::put(std::string_view id, std::string_view name, std::string_view source, const Actor& actor,
                            Timestamp now) {
  bool made = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto count, Statement::prepare(db, "SELECT count(*), sum(id = ?1) FROM analytics_rule"));
    TRY_VOID(count.bind(id).step());
    made = count.integer(1) == 0;
    if (made && count.integer(0) >= static_cast<std::int64_t>(kRulesMax)) {
      return fail(Errc::limit_exceeded, "analytics_rule", kRulesMax);
    }
    TRY(auto statement,
        Statement::prepare(db,
                           "INSERT INTO analytics_rule (id, name, source, changed) VALUES (?,?,?,?) ON CONFLICT (id) "
                           "DO UPDATE SET name = excluded.name, source = excluded.source, changed = "
                           "excluded.changed"));
    TRY_VOID(statement.bind(id, name, source, now).run());
    return audit(db, "analytics_rule.set", id, actor, now, std::nullopt, source);
  }));
  return made;
}

Result<bool> Analytics::remove(std::string_view id, const Actor& actor, Timestamp now) {
  bool removed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM analytics_rule WHERE id = ?"));
    TRY_VOID(statement.bind(id).run());
    removed = sqlite3_changes(db) > 0;
    if (!removed) return {};
    return audit(db, "analytics_rule.delete", id, actor, now);
  }));
  return removed;
}

Result<> Analytics::set_enabled(std::string_view id, bool enabled, const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "UPDATE analytics_rule SET enabled = ? WHERE id = ?"));
    TRY_VOID(statement.bind(std::int64_t{enabled}, id).run());
    if (sqlite3_changes(db) == 0) return fail(Errc::not_found, "analytics_rule");
    return audit(db, "analytics_rule.set", id, actor, now, enabled);
  });
}

Result<AnalyticsRuleRow> Analytics::find(std::string_view id) const {
  Result<AnalyticsRuleRow> out = fail(Errc::not_found, "analytics_rule");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, std::string(kColumns) + "WHERE id = ?"));
    TRY(const bool found, row.bind(id).step());
    if (found) out = row_of(row);
    return {};
  }));
  return out;
}

Result<std::vector<AnalyticsRuleRow>> Analytics::list() const {
  std::vector<AnalyticsRuleRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, std::string(kColumns) + "ORDER BY name, id"));
    return row.each([&] { out.push_back(row_of(row)); });
  }));
  return out;
}

Result<> Analytics::finish(const AnalyticsRun& run, Timestamp next_run, std::optional<Timestamp> suppressed_until,
                           std::string_view state) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto place,
        Statement::prepare(db, "UPDATE analytics_rule SET next_run = ?, suppressed_until = ?, state = ? WHERE id = ?"));
    TRY_VOID(place.bind(next_run, suppressed_until.value_or(Timestamp{}), state, run.rule_id).run());
    if (sqlite3_changes(db) == 0) return {};
    TRY(auto insert, Statement::prepare(db,
                                        "INSERT INTO analytics_run (rule_id, window_start, window_end, at, elapsed_ms, "
                                        "rows, alerts, outcome, message) VALUES (?,?,?,?,?,?,?,?,?)"));
    TRY_VOID(insert
                 .bind(run.rule_id, run.window_start, run.window_end, run.at, run.elapsed_ms, run.rows, run.alerts,
                       run.outcome, run.message)
                 .run());
    TRY(auto forget, Statement::prepare(db,
                                        "DELETE FROM analytics_run WHERE rule_id = ?1 AND id <= (SELECT id FROM "
                                        "analytics_run WHERE rule_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"));
    return forget.bind(run.rule_id, static_cast<std::int64_t>(kRunsKept)).run();
  });
}

Result<std::vector<AnalyticsRun>> Analytics::runs(std::string_view rule_id) const {
  std::vector<AnalyticsRun> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT window_start, window_end, at, elapsed_ms, rows, alerts, outcome, message "
                                     "FROM analytics_run WHERE rule_id = ? ORDER BY id DESC"));
    row.bind(rule_id);
    return row.each([&] {
      out.push_back({.rule_id = std::string(rule_id),
                     .window_start = row.time(0),
                     .window_end = row.time(1),
                     .at = row.time(2),
                     .elapsed_ms = row.integer(3),
                     .rows = row.integer(4),
                     .alerts = row.integer(5),
                     .outcome = row.text(6),
                     .message = row.text(7)});
    });
  }));
  return out;
}

}  // namespace picket::state
