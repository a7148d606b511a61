#include "state/alerts.h"

#include "alert_row.h"
#include "alert_triage.h"
#include "incident_steps.h"
#include "projection.h"

namespace picket::state {

// What alert life added to the tables of the first release. A group that is dismissed stays so for its day.
extern const char* const kAlertLifeSchema;
const char* const kAlertLifeSchema = R"sql(
ALTER TABLE alert ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN classification TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN classification_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN count INTEGER NOT NULL DEFAULT 1;
ALTER TABLE alert ADD COLUMN suppressed_by TEXT NOT NULL DEFAULT '';
ALTER TABLE alert ADD COLUMN closed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX alert_start ON alert (start, alert_type);
CREATE INDEX alert_suppressed ON alert (suppressed_by) WHERE suppressed_by <> '';
ALTER TABLE triage ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE triage ADD COLUMN owner TEXT;
ALTER TABLE triage ADD COLUMN classification TEXT;
ALTER TABLE triage ADD COLUMN classification_reason TEXT;
CREATE INDEX triage_sequence ON triage (sequence);
CREATE TABLE dismissed_group (
  alert_type TEXT NOT NULL COLLATE NOCASE, day INTEGER NOT NULL, user TEXT NOT NULL,
  PRIMARY KEY (alert_type, day)) WITHOUT ROWID;
)sql";

namespace {

constexpr std::int64_t kDayUs = Duration::days(1).us;

std::int64_t day_of(Timestamp time) { return time.us - ((time.us % kDayUs) + kDayUs) % kDayUs; }

/// Who dismissed an alert before it came; empty: nobody.
Result<std::string> dismissed_by(sqlite3* db, const Alert& alert) {
  if (!alert.suppressed_by.empty()) return "suppression " + alert.suppressed_by;
  TRY(auto row, Statement::prepare(db, "SELECT user FROM dismissed_group WHERE alert_type = ? AND day = ?"));
  TRY(const bool found, row.bind(alert.alert_type, day_of(alert.start)).step());
  return found ? row.text(0) : std::string();
}

Result<> insert_alert(sqlite3* db, const Alert& alert, std::uint64_t sequence) {
  TRY(const auto dismissed, dismissed_by(db, alert));
  const std::string status = dismissed.empty() ? alert.status : "Dismissed";
  TRY(auto insert,
      Statement::prepare(db,
                         "INSERT INTO alert (alert_id, alert_type, display_name, severity, status, hub, device_id, "
                         "module_id, start, end, updated, change, json, count, suppressed_by, closed) "
                         "VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  TRY_VOID(insert
               .bind(alert.alert_id, alert.alert_type, alert.display_name, alert.severity, status, alert.hub,
                     alert.device_id, alert.module_id, alert.start, alert.end, alert.updated,
                     std::int64_t{alert.change}, alert.json, static_cast<std::int64_t>(alert.count),
                     alert.suppressed_by, dismissed.empty() ? Timestamp{} : alert.updated)
               .run());
  if (dismissed.empty()) return {};
  return add_triage(db, {.alert_id = alert.alert_id,
                         .status = status,
                         .user = dismissed,
                         .comment = "",
                         .time = alert.updated,
                         .sequence = sequence});
}

/// Triage belongs to people: a change touches the status only of a resolved alert that goes on.
Result<> update_alert(sqlite3* db, const Alert& alert, const Alert& known, std::uint64_t sequence) {
  TRY(auto update, Statement::prepare(
                       db,
                       "UPDATE alert SET display_name = ?, severity = ?, start = ?, end = ?, updated = ?, change = ?, "
                       "json = ?, count = ? WHERE alert_id = ?"));
  TRY_VOID(update
               .bind(alert.display_name, alert.severity, alert.start, alert.end, alert.updated,
                     std::int64_t{alert.change}, alert.json, static_cast<std::int64_t>(alert.count), alert.alert_id)
               .run());
  if (known.status != "Resolved" || alert.end <= known.closed) return {};
  TRY(auto reopen, Statement::prepare(db, "UPDATE alert SET status = 'New', closed = 0 WHERE alert_id = ?"));
  TRY_VOID(reopen.bind(alert.alert_id).run());
  TRY_VOID(add_triage(db, {.alert_id = alert.alert_id,
                           .status = "New",
                           .user = "picket",
                           .comment = "It happened again after it was resolved.",
                           .time = alert.updated,
                           .sequence = sequence}));
  return follow_alert(db, alert.alert_id, true, sequence, alert.updated);
}

}  // namespace

Result<bool> Alerts::apply(const Alert& alert, std::string_view position, std::uint64_t sequence) {
  bool changed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(keep_position(db, kAlertsProjection, position));
    const auto known = find_alert(db, alert.alert_id);
    if (!known && known.error().code != Errc::not_found) return std::unexpected(known.error());
    changed = !known || alert.change > known->change;
    if (!changed) return {};
    return known ? update_alert(db, alert, *known, sequence) : insert_alert(db, alert, sequence);
  }));
  return changed;
}

Result<std::string> Alerts::position() const { return position_of(database_, kAlertsProjection); }

Result<> Alerts::set_position(std::string_view position) {
  return database_.write([&](sqlite3* db) { return keep_position(db, kAlertsProjection, position); });
}

Result<Alert> Alerts::find(std::string_view alert_id) const {
  Result<Alert> out = fail(Errc::not_found, "alert");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    out = find_alert(db, alert_id);
    return {};
  }));
  return out;
}

}  // namespace picket::state
