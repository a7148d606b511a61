#include "alert_triage.h"

#include <fmt/format.h>

#include "alert_row.h"
#include "incident_steps.h"
#include "projection.h"

namespace picket::state {
namespace {

constexpr Duration kDay = Duration::days(1);

bool is_open(std::string_view status) { return status == "New" || status == "Active"; }

Result<> triage_one(sqlite3* db, const Triage& triage, const Alert& known) {
  const bool open = is_open(triage.status);
  TRY(auto update, Statement::prepare(db,
                                      "UPDATE alert SET status = ?, owner = ?, classification = ?, "
                                      "classification_reason = ?, closed = ? WHERE alert_id = ?"));
  const Timestamp closed = open ? Timestamp{} : is_open(known.status) ? triage.time : known.closed;
  TRY_VOID(update
               .bind(triage.status, triage.owner.value_or(known.owner),
                     triage.classification.value_or(known.classification),
                     triage.classification_reason.value_or(known.classification_reason), closed, known.alert_id)
               .run());
  Triage step = triage;
  step.alert_id = known.alert_id;
  TRY_VOID(add_triage(db, step));
  if (open == is_open(known.status)) return {};
  return follow_alert(db, known.alert_id, open, triage.sequence, triage.time);
}

/// Those that a step for a whole group changes: of one type, of one day, not suppressed.
Result<std::vector<Alert>> alerts_of_group(sqlite3* db, const Triage& triage) {
  TRY(auto row, Statement::prepare(db, fmt::format("SELECT {} FROM alert WHERE alert_type = ? COLLATE NOCASE AND "
                                                   "start >= ? AND start < ? AND status <> ? AND suppressed_by = '' "
                                                   "ORDER BY alert_id",
                                                   kAlertColumns)));
  row.bind(triage.group_type, triage.group_day, triage.group_day + kDay, triage.status);
  return all_rows(row, alert_of);
}

Result<Alert> triage_group(sqlite3* db, const Triage& triage) {
  const bool dismissed = triage.status == "Dismissed";
  TRY(auto group, Statement::prepare(db, dismissed ? "INSERT OR REPLACE INTO dismissed_group VALUES (?,?,?)"
                                                   : "DELETE FROM dismissed_group WHERE alert_type = ? AND day = ?"));
  group.bind(triage.group_type, triage.group_day);
  if (dismissed) group.bind(triage.user);
  TRY_VOID(group.run());
  TRY(const auto alerts, alerts_of_group(db, triage));
  for (const Alert& alert : alerts) TRY_VOID(triage_one(db, triage, alert));
  if (alerts.empty()) return fail(Errc::not_found, "alert");
  return find_alert(db, alerts.front().alert_id);
}

}  // namespace

Result<> add_triage(sqlite3* db, const Triage& triage) {
  TRY(auto insert, Statement::prepare(db,
                                      "INSERT INTO triage (alert_id, status, user, comment, time, sequence, owner, "
                                      "classification, classification_reason) VALUES (?,?,?,?,?,?,nullif(?,char(0)),"
                                      "nullif(?,char(0)),nullif(?,char(0)))"));
  const std::string none(1, '\0');
  return insert
      .bind(triage.alert_id, triage.status, triage.user, triage.comment, triage.time,
            static_cast<std::int64_t>(triage.sequence), triage.owner.value_or(none),
            triage.classification.value_or(none), triage.classification_reason.value_or(none))
      .run();
}

Result<Alert> Alerts::apply(const Triage& triage, std::string_view position) {
  Result<Alert> out = fail(Errc::not_found, "alert");
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(keep_position(db, kAlertsProjection, position));
    if (triage.sequence > 0) {  // a record that was applied before changes nothing
      TRY(auto row, Statement::prepare(db, "SELECT alert_id FROM triage WHERE sequence = ? AND user = ? LIMIT 1"));
      TRY(const bool seen, row.bind(static_cast<std::int64_t>(triage.sequence), triage.user).step());
      if (seen) {
        out = find_alert(db, row.text(0));
        return {};
      }
    }
    if (triage.alert_id.empty()) {
      out = triage_group(db, triage);
      return out || out.error().code == Errc::not_found ? Result<>{} : Result<>(std::unexpected(out.error()));
    }
    const auto known = find_alert(db, triage.alert_id);
    if (!known) {
      out = known;
      return {};
    }
    TRY_VOID(triage_one(db, triage, *known));
    out = find_alert(db, triage.alert_id);
    return {};
  }));
  return out;
}

Result<std::vector<Triage>> Alerts::triage_of(std::string_view alert_id) const {
  std::vector<Triage> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT alert_id, status, user, comment, time, owner, classification, "
                                     "classification_reason, sequence, owner IS NULL, classification IS NULL, "
                                     "classification_reason IS NULL FROM triage WHERE alert_id = ? ORDER BY id"));
    row.bind(alert_id);
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) return {};
      const auto said = [&](int column) {
        return row.integer(column + 4) != 0 ? std::nullopt : std::optional(row.text(column));
      };
      out.push_back({.alert_id = row.text(0),
                     .status = row.text(1),
                     .user = row.text(2),
                     .comment = row.text(3),
                     .time = row.time(4),
                     .owner = said(5),
                     .classification = said(6),
                     .classification_reason = said(7),
                     .sequence = static_cast<std::uint64_t>(row.integer(8))});
    }
  }));
  return out;
}

Result<std::string> Alerts::status_at(std::string_view alert_id, std::uint64_t sequence) const {
  std::string out = "New";
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT status FROM triage WHERE alert_id = ? AND sequence <= ? "
                                     "ORDER BY id DESC LIMIT 1"));
    TRY(const bool found, row.bind(alert_id, static_cast<std::int64_t>(sequence)).step());
    if (found) out = row.text(0);
    return {};
  }));
  return out;
}

Result<std::vector<Alert>> Alerts::triaged_by(std::uint64_t sequence) const {
  std::vector<Alert> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, fmt::format("SELECT {} FROM alert WHERE alert_id IN (SELECT alert_id FROM "
                                                     "triage WHERE sequence = ?) ORDER BY alert_id",
                                                     kAlertColumns)));
    row.bind(static_cast<std::int64_t>(sequence));
    return row.each([&] { out.push_back(alert_of(row)); });
  }));
  return out;
}

}  // namespace picket::state
