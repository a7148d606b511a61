#include "state/incidents.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "incident_steps.h"
#include "projection.h"
#include "statement.h"

namespace picket::state {

extern const char* const kIncidentsSchema;
const char* const kIncidentsSchema = R"sql(
CREATE TABLE incident (
  incident_id TEXT PRIMARY KEY, number INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL, title TEXT NOT NULL,
  severity TEXT NOT NULL, status TEXT NOT NULL, owner TEXT NOT NULL, classification TEXT NOT NULL,
  classification_reason TEXT NOT NULL, hub TEXT NOT NULL, device_id TEXT NOT NULL, start INTEGER NOT NULL,
  end INTEGER NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL, closed INTEGER NOT NULL,
  change INTEGER NOT NULL, merged_into TEXT NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE incident_alert (
  incident_id TEXT NOT NULL, alert_id TEXT NOT NULL, PRIMARY KEY (incident_id, alert_id)) WITHOUT ROWID;
CREATE INDEX incident_alert_alert ON incident_alert (alert_id);
CREATE TABLE incident_step (
  id INTEGER PRIMARY KEY AUTOINCREMENT, incident_id TEXT NOT NULL, sequence INTEGER NOT NULL, time INTEGER NOT NULL,
  user TEXT NOT NULL, change TEXT NOT NULL, status TEXT NOT NULL, owner TEXT NOT NULL, classification TEXT NOT NULL,
  classification_reason TEXT NOT NULL, comment TEXT NOT NULL);
CREATE INDEX incident_step_incident ON incident_step (incident_id);
CREATE INDEX incident_step_sequence ON incident_step (sequence);
)sql";

namespace {

constexpr std::string_view kColumns =
    "incident_id, number, kind, title, severity, status, owner, classification, classification_reason, hub, device_id, "
    "start, end, created, updated, closed, change, merged_into, json";

Incident incident_from(const Statement& row) {
  return {.incident_id = row.text(0),
          .number = row.integer(1),
          .kind = row.text(2),
          .title = row.text(3),
          .severity = row.text(4),
          .status = row.text(5),
          .owner = row.text(6),
          .classification = row.text(7),
          .classification_reason = row.text(8),
          .hub = row.text(9),
          .device_id = row.text(10),
          .start = row.time(11),
          .end = row.time(12),
          .created = row.time(13),
          .updated = row.time(14),
          .closed = row.time(15),
          .change = static_cast<std::uint32_t>(row.integer(16)),
          .merged_into = row.text(17),
          .json = row.text(18),
          .alerts = {}};
}

Result<std::vector<std::string>> texts(sqlite3* db, std::string_view sql, std::string_view value) {
  TRY(auto row, Statement::prepare(db, sql));
  row.bind(value);
  std::vector<std::string> out;
  TRY_VOID(row.each([&] { out.push_back(row.text(0)); }));
  return out;
}

Result<std::vector<std::string>> alerts_in(sqlite3* db, std::string_view incident_id) {
  return texts(db, "SELECT alert_id FROM incident_alert WHERE incident_id = ? ORDER BY alert_id", incident_id);
}

Result<Incident> find_in(sqlite3* db, std::string_view id) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  const bool by_number = error == std::errc{} && end == id.data() + id.size();
  TRY(auto row, Statement::prepare(db, fmt::format("SELECT {} FROM incident WHERE {} = ?", kColumns,
                                                   by_number ? "number" : "incident_id")));
  by_number ? row.bind(number) : row.bind(id);
  TRY(const bool found, row.step());
  if (!found) return fail(Errc::not_found, "incident");
  Incident out = incident_from(row);
  TRY(out.alerts, alerts_in(db, out.incident_id));
  return out;
}

Result<> add_step(sqlite3* db, const Incident& after, std::string_view change, std::string_view user,
                  std::string_view comment, std::uint64_t sequence, Timestamp time) {
  TRY(auto insert, Statement::prepare(db,
                                      "INSERT INTO incident_step (incident_id, sequence, time, user, change, status, "
                                      "owner, classification, classification_reason, comment) "
                                      "VALUES (?,?,?,?,?,?,?,?,?,?)"));
  return insert
      .bind(after.incident_id, static_cast<std::int64_t>(sequence), time, user, change, after.status, after.owner,
            after.classification, after.classification_reason, comment)
      .run();
}

Result<> write_decision(sqlite3* db, const Incident& incident) {
  TRY(auto update,
      Statement::prepare(db,
                         "UPDATE incident SET status = ?, owner = ?, classification = ?, classification_reason = ?, "
                         "closed = ?, updated = ? WHERE incident_id = ?"));
  return update
      .bind(incident.status, incident.owner, incident.classification, incident.classification_reason, incident.closed,
            incident.updated, incident.incident_id)
      .run();
}

Result<> set_status(sqlite3* db, Incident& incident, std::string_view status, std::string_view change,
                    std::string_view comment, std::uint64_t sequence, Timestamp time) {
  incident.status = status;
  incident.closed = status == "Closed" ? time : Timestamp{};
  incident.updated = std::max(incident.updated, time);
  TRY_VOID(write_decision(db, incident));
  return add_step(db, incident, change, "picket", comment, sequence, time);
}

Result<> write_alerts(sqlite3* db, const Incident& incident) {
  TRY(auto insert, Statement::prepare(db, "INSERT OR IGNORE INTO incident_alert VALUES (?,?)"));
  for (const std::string& alert : incident.alerts) {
    TRY_VOID(insert.reset().bind(incident.incident_id, alert).run());
  }
  return {};
}

Result<> insert_incident(sqlite3* db, Incident incident, std::uint64_t sequence) {
  TRY(auto next, Statement::prepare(db, "SELECT coalesce(max(number), 0) + 1 FROM incident"));
  TRY_VOID(next.step());
  incident.number = next.integer(0);
  TRY(auto insert, Statement::prepare(db, fmt::format("INSERT INTO incident ({}) VALUES "
                                                      "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
                                                      kColumns)));
  TRY_VOID(insert
               .bind(incident.incident_id, incident.number, incident.kind, incident.title, incident.severity,
                     incident.status, incident.owner, incident.classification, incident.classification_reason,
                     incident.hub, incident.device_id, incident.start, incident.end, incident.updated, incident.updated,
                     incident.closed, std::int64_t{incident.change}, incident.merged_into, incident.json)
               .run());
  TRY_VOID(write_alerts(db, incident));
  return add_step(db, incident, "made", "picket", "", sequence, incident.updated);
}

Result<> update_incident(sqlite3* db, const Incident& incident, Incident known, std::uint64_t sequence) {
  TRY(auto update,
      Statement::prepare(db,
                         "UPDATE incident SET title = ?, severity = ?, start = ?, end = ?, updated = ?, change = ?, "
                         "merged_into = ?, json = ? WHERE incident_id = ?"));
  TRY_VOID(update
               .bind(incident.title, incident.severity, incident.start, incident.end, incident.updated,
                     std::int64_t{incident.change}, incident.merged_into, incident.json, incident.incident_id)
               .run());
  TRY_VOID(write_alerts(db, incident));
  known.updated = incident.updated;
  const bool grown = std::ranges::any_of(incident.alerts, [&](const std::string& id) {
    return std::ranges::find(known.alerts, id) == known.alerts.end();
  });
  std::string_view change = grown ? "grown" : "updated";
  if (incident.merged_into != known.merged_into) change = incident.merged_into.empty() ? "unmerged" : "merged";
  TRY_VOID(add_step(db, known, change, "picket", incident.merged_into, sequence, incident.updated));
  if (known.status != "Closed" || (!grown && incident.end <= known.closed)) return {};
  return set_status(db, known, "Active", "reopened", "It went on after it was closed.", sequence, incident.updated);
}

IncidentStep step_from(const Statement& row) {
  return {.incident_id = row.text(0),
          .sequence = static_cast<std::uint64_t>(row.integer(1)),
          .time = row.time(2),
          .user = row.text(3),
          .change = row.text(4),
          .status = row.text(5),
          .owner = row.text(6),
          .classification = row.text(7),
          .classification_reason = row.text(8),
          .comment = row.text(9)};
}

constexpr std::string_view kStepColumns =
    "incident_id, sequence, time, user, change, status, owner, classification, classification_reason, comment";

std::string marks(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += i == 0 ? "?" : ",?";
  return out;
}

}  // namespace

Result<> follow_alert(sqlite3* db, std::string_view alert_id, bool open, std::uint64_t sequence, Timestamp time) {
  TRY(const auto ids,
      texts(db, "SELECT incident_id FROM incident_alert WHERE alert_id = ? ORDER BY incident_id", alert_id));
  for (const std::string& id : ids) {
    TRY(Incident incident, find_in(db, id));
    if (open && incident.status == "Closed") {
      TRY_VOID(set_status(db, incident, "Active", "reopened", "One of its alerts is open again.", sequence, time));
    }
    if (open || incident.status == "Closed") continue;
    TRY(auto left, Statement::prepare(db,
                                      "SELECT 1 FROM incident_alert JOIN alert USING (alert_id) WHERE incident_id = ? "
                                      "AND status IN ('New', 'Active') LIMIT 1"));
    TRY(const bool some, left.bind(id).step());
    if (!some) TRY_VOID(set_status(db, incident, "Closed", "closed", "All of its alerts are closed.", sequence, time));
  }
  return {};
}

Result<bool> Incidents::apply(const Incident& incident, std::string_view position, std::uint64_t sequence) {
  bool changed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(keep_position(db, kAlertsProjection, position));
    auto known = find_in(db, incident.incident_id);
    if (!known && known.error().code != Errc::not_found) return std::unexpected(known.error());
    changed = !known || incident.change > known->change;
    if (!changed) return {};
    return known ? update_incident(db, incident, *std::move(known), sequence) : insert_incident(db, incident, sequence);
  }));
  return changed;
}

Result<Incident> Incidents::apply(const IncidentTriage& triage, std::string_view position) {
  Result<Incident> out = fail(Errc::not_found, "incident");
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(keep_position(db, kAlertsProjection, position));
    out = find_in(db, triage.incident_id);
    if (!out) return {};
    TRY(auto row, Statement::prepare(db,
                                     "SELECT 1 FROM incident_step WHERE sequence = ? AND incident_id = ? AND "
                                     "change = 'triaged'"));
    TRY(const bool seen, row.bind(static_cast<std::int64_t>(triage.sequence), out->incident_id).step());
    if (seen && triage.sequence > 0) return {};
    const bool was_closed = out->status == "Closed";
    out->status = triage.status.value_or(out->status);
    out->owner = triage.owner.value_or(out->owner);
    out->classification = triage.classification.value_or(out->classification);
    out->classification_reason = triage.classification_reason.value_or(out->classification_reason);
    if (out->status != "Closed") out->closed = {};
    if (out->status == "Closed" && !was_closed) out->closed = triage.time;
    out->updated = std::max(out->updated, triage.time);
    TRY_VOID(write_decision(db, *out));
    return add_step(db, *out, "triaged", triage.user, triage.comment, triage.sequence, triage.time);
  }));
  return out;
}

Result<Incident> Incidents::find(std::string_view id_or_number) const {
  Result<Incident> out = fail(Errc::not_found, "incident");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    out = find_in(db, id_or_number);
    return {};
  }));
  return out;
}

Result<IncidentPage> Incidents::list(const IncidentFilter& filter, std::string_view cursor,
                                     std::size_t count_max) const {
  std::string where = " FROM incident WHERE 1";
  std::vector<std::string> values;
  const auto add = [&](std::string_view condition, const std::string& value) {
    if (value.empty()) return;
    where += fmt::format(" AND {}", condition);
    values.push_back(value);
  };
  if (!filter.merged) where += " AND merged_into = ''";
  for (const auto& [column, options] : {std::pair("status", &filter.status), std::pair("severity", &filter.severity)}) {
    if (options->empty()) continue;
    where += fmt::format(" AND {} IN ({})", column, marks(options->size()));
    values.insert(values.end(), options->begin(), options->end());
  }
  add("owner = ?", filter.owner);
  add("kind = ?", filter.kind);
  add("incident_id IN (SELECT incident_id FROM incident_alert WHERE alert_id = ?)", filter.alert_id);
  add("incident_id IN (SELECT incident_id FROM incident_alert JOIN alert USING (alert_id) WHERE alert.device_id = ?)",
      filter.device_id);
  if (filter.since) add("end >= ?", std::to_string(filter.since->us));
  IncidentPage page;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto total, Statement::prepare(db, "SELECT count(*)" + where));
    for (const std::string& value : values) total.bind(value);
    TRY_VOID(total.step());
    page.total = static_cast<std::uint64_t>(total.integer(0));
    std::int64_t before = std::numeric_limits<std::int64_t>::max();
    if (!cursor.empty()) {
      const auto [end, error] = std::from_chars(cursor.data(), cursor.data() + cursor.size(), before);
      if (error != std::errc{} || end != cursor.data() + cursor.size()) return fail(Errc::malformed, "incident.cursor");
    }
    TRY(auto row, Statement::prepare(
                      db, fmt::format("SELECT {}{} AND number < ? ORDER BY number DESC LIMIT ?", kColumns, where)));
    for (const std::string& value : values) row.bind(value);
    row.bind(before, static_cast<std::int64_t>(count_max) + 1);
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) break;
      if (page.incidents.size() == count_max) {
        page.next = std::to_string(page.incidents.back().number);
        break;
      }
      page.incidents.push_back(incident_from(row));
    }
    for (Incident& incident : page.incidents) {
      TRY(incident.alerts, alerts_in(db, incident.incident_id));
    }
    return {};
  }));
  return page;
}

Result<std::vector<IncidentStep>> Incidents::steps_of(std::string_view incident_id) const {
  std::vector<IncidentStep> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(
                      db, fmt::format("SELECT {} FROM incident_step WHERE incident_id = ? ORDER BY id", kStepColumns)));
    row.bind(incident_id);
    return row.each([&] { out.push_back(step_from(row)); });
  }));
  return out;
}

Result<std::vector<IncidentStep>> Incidents::steps_by(std::uint64_t sequence) const {
  std::vector<IncidentStep> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(
                      db, fmt::format("SELECT {} FROM incident_step WHERE sequence = ? ORDER BY id", kStepColumns)));
    row.bind(static_cast<std::int64_t>(sequence));
    return row.each([&] { out.push_back(step_from(row)); });
  }));
  return out;
}

}  // namespace picket::state
