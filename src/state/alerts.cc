#include "state/alerts.h"

#include <array>
#include <charconv>
#include <limits>

#include <fmt/format.h>

#include "base/core/encoding.h"
#include "incident_steps.h"
#include "projection.h"
#include "statement.h"

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

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::string_view kColumns =
    "alert_id, alert_type, display_name, severity, status, hub, device_id, module_id, start, end, updated, "
    "change, json, owner, classification, classification_reason, count, suppressed_by, closed";
constexpr int kSortKeyColumn = 19;  // behind kColumns, in lists

Alert alert_from(const Statement& row) {
  return {row.text(0),
          row.text(1),
          row.text(2),
          row.text(3),
          row.text(4),
          row.text(5),
          row.text(6),
          row.text(7),
          row.time(8),
          row.time(9),
          row.time(10),
          static_cast<std::uint32_t>(row.integer(11)),
          row.text(12),
          row.text(13),
          row.text(14),
          row.text(15),
          static_cast<std::uint64_t>(row.integer(16)),
          row.text(17),
          row.time(18)};
}

Result<Alert> find_in(sqlite3* db, std::string_view alert_id) {
  TRY(auto statement, Statement::prepare(db, fmt::format("SELECT {} FROM alert WHERE alert_id = ?", kColumns)));
  TRY(const bool found, statement.bind(alert_id).step());
  if (!found) return fail(Errc::not_found, "alert");
  return alert_from(statement);
}

std::string escape_like(std::string_view text) {
  std::string out = "%";
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + "%";
}

// The WHERE clause of a filter with its values in order; values are bound.
struct Where {
  std::string sql = "WHERE 1";
  std::vector<std::string> values;

  void equals(std::string_view column, const std::string& value) {
    if (value.empty()) return;
    sql += fmt::format(" AND {} = ?", column);
    values.push_back(value);
  }
  void one_of(std::string_view column, const std::vector<std::string>& options) {
    if (options.empty()) return;
    std::string marks;
    for (const std::string& option : options) {
      marks += marks.empty() ? "?" : ",?";
      values.push_back(option);
    }
    sql += fmt::format(" AND {} IN ({})", column, marks);
  }
};

Where where_of(const AlertFilter& filter) {
  Where where;
  where.one_of("status", filter.status);
  where.one_of("severity", filter.severity);
  where.equals("device_id", filter.device_id);
  where.equals("alert_type COLLATE NOCASE", filter.alert_type);  // published ids differ in case between pages
  if (!filter.text.empty()) {
    where.sql +=
        R"( AND (display_name LIKE ? ESCAPE '\' OR alert_type LIKE ? ESCAPE '\' OR device_id LIKE ? ESCAPE '\' OR json LIKE ? ESCAPE '\'))";
    where.values.insert(where.values.end(), 4, escape_like(filter.text));
  }
  where.equals("owner", filter.owner);
  where.equals("classification", filter.classification);
  where.equals("suppressed_by", filter.suppressed_by);
  if (!filter.incident_id.empty()) {
    where.sql += " AND alert_id IN (SELECT alert_id FROM incident_alert WHERE incident_id = ?)";
    where.values.push_back(filter.incident_id);
  }
  if (filter.until) {
    where.sql += " AND start < ?";
    where.values.push_back(std::to_string(filter.until->us));
  }
  // Column "start" is an INTEGER: bound text is converted by its affinity.
  if (filter.since) {
    where.sql += " AND start >= ?";
    where.values.push_back(std::to_string(filter.since->us));
  }
  return where;
}

struct SortKey {
  std::string_view expression;
  bool numeric;
};

SortKey key_of(AlertSort sort) {
  switch (sort) {
    case AlertSort::start:
      return {"start", true};
    case AlertSort::severity:
      return {"(CASE severity WHEN 'High' THEN 3 WHEN 'Medium' THEN 2 WHEN 'Low' THEN 1 ELSE 0 END)", true};
    case AlertSort::status:
      return {"status", false};
    case AlertSort::display_name:
      return {"display_name", false};
    case AlertSort::device_id:
      return {"device_id", false};
  }
  return {"start", true};
}

// Cursor: "<sort key, percent-encoded>/<alert id>" of the last alert of a page. '/' is never left by the encoding.
struct Cursor {
  std::string key;
  std::string alert_id;
};

Result<Cursor> parse_cursor(std::string_view text, bool numeric) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) return fail(Errc::malformed, "alert.cursor");
  auto key = percent_decode(text.substr(0, slash));
  std::int64_t number = 0;
  if (key && numeric) {
    const auto [stop, error] = std::from_chars(key->data(), key->data() + key->size(), number);
    if (error != std::errc{} || stop != key->data() + key->size()) key = fail(Errc::malformed, "alert.cursor");
  }
  if (!key) return fail(Errc::malformed, "alert.cursor");
  return Cursor{*std::move(key), std::string(text.substr(slash + 1))};
}

}  // namespace

namespace {

bool is_open(std::string_view status) { return status == "New" || status == "Active"; }

std::int64_t day_of(Timestamp time) { return time.us - ((time.us % kDayUs) + kDayUs) % kDayUs; }

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

Result<Alert> triage_group(sqlite3* db, const Triage& triage) {
  const bool dismissed = triage.status == "Dismissed";
  TRY(auto group, Statement::prepare(db, dismissed ? "INSERT OR REPLACE INTO dismissed_group VALUES (?,?,?)"
                                                   : "DELETE FROM dismissed_group WHERE alert_type = ? AND day = ?"));
  group.bind(triage.group_type, triage.group_day);
  if (dismissed) group.bind(triage.user);
  TRY_VOID(group.run());
  std::vector<Alert> alerts;
  {
    TRY(auto row, Statement::prepare(db, fmt::format("SELECT {} FROM alert WHERE alert_type = ? COLLATE NOCASE AND "
                                                     "start >= ? AND start < ? AND status <> ? AND suppressed_by = '' "
                                                     "ORDER BY alert_id",
                                                     kColumns)));
    row.bind(triage.group_type, triage.group_day, triage.group_day + Duration{kDayUs}, triage.status);
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) break;
      alerts.push_back(alert_from(row));
    }
  }
  for (const Alert& alert : alerts) TRY_VOID(triage_one(db, triage, alert));
  if (alerts.empty()) return fail(Errc::not_found, "alert");
  return find_in(db, alerts.front().alert_id);
}

}  // namespace

Result<bool> Alerts::apply(const Alert& alert, std::string_view position, std::uint64_t sequence) {
  bool changed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(keep_position(db, kAlertsProjection, position));
    const auto known = find_in(db, alert.alert_id);
    if (!known && known.error().code != Errc::not_found) return std::unexpected(known.error());
    changed = !known || alert.change > known->change;
    if (!changed) return {};
    return known ? update_alert(db, alert, *known, sequence) : insert_alert(db, alert, sequence);
  }));
  return changed;
}

Result<Alert> Alerts::apply(const Triage& triage, std::string_view position) {
  Result<Alert> out = fail(Errc::not_found, "alert");
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(keep_position(db, kAlertsProjection, position));
    if (triage.sequence > 0) {  // a record that was applied before changes nothing
      TRY(auto row, Statement::prepare(db, "SELECT alert_id FROM triage WHERE sequence = ? AND user = ? LIMIT 1"));
      TRY(const bool seen, row.bind(static_cast<std::int64_t>(triage.sequence), triage.user).step());
      if (seen) {
        out = find_in(db, row.text(0));
        return {};
      }
    }
    if (triage.alert_id.empty()) {
      out = triage_group(db, triage);
      return out || out.error().code == Errc::not_found ? Result<>{} : Result<>(std::unexpected(out.error()));
    }
    const auto known = find_in(db, triage.alert_id);
    if (!known) {
      out = known;
      return {};
    }
    TRY_VOID(triage_one(db, triage, *known));
    out = find_in(db, triage.alert_id);
    return {};
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
                                                     kColumns)));
    row.bind(static_cast<std::int64_t>(sequence));
    return row.each([&] { out.push_back(alert_from(row)); });
  }));
  return out;
}

Result<std::pair<std::vector<AlertGroup>, std::uint64_t>> Alerts::groups(const AlertGroupFilter& filter,
                                                                         std::size_t skip,
                                                                         std::size_t count_max) const {
  std::pair<std::vector<AlertGroup>, std::uint64_t> out;
  constexpr std::string_view kRank =
      "max(CASE severity WHEN 'High' THEN 3 WHEN 'Medium' THEN 2 WHEN 'Low' THEN 1 ELSE 0 END)";
  const std::string sql = fmt::format(
      "SELECT alert_type, max(display_name), {0} AS device, start / {1} AS day, {2} AS rank, count(*), sum(count), "
      "count(DISTINCT device_id), sum(status IN ('New', 'Active')) AS open, min(start), max(end), count(*) OVER () "
      "FROM alert WHERE suppressed_by = '' AND (?1 = '' OR alert_type = ?1 COLLATE NOCASE) AND (?2 = '' OR device_id = "
      "?2) AND start >= ?3 AND start < ?4 GROUP BY alert_type, device, day {3} ORDER BY day DESC, rank DESC, "
      "alert_type, "
      "device LIMIT ?5 OFFSET ?6",
      filter.by_device ? "device_id" : "''", kDayUs, kRank, filter.open_only ? "HAVING open > 0" : "");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, sql));
    row.bind(filter.alert_type, filter.device_id, filter.since.value_or(Timestamp{0}),
             filter.until.value_or(Timestamp{std::numeric_limits<std::int64_t>::max()}),
             static_cast<std::int64_t>(count_max), static_cast<std::int64_t>(skip));
    constexpr std::array<std::string_view, 4> kSeverities{"Informational", "Low", "Medium", "High"};
    return row.each([&] {
      out.first.push_back({.alert_type = row.text(0),
                           .display_name = row.text(1),
                           .device_id = row.text(2),
                           .day = {row.integer(3) * kDayUs},
                           .severity = std::string(kSeverities[static_cast<std::size_t>(row.integer(4)) % 4]),
                           .alerts = static_cast<std::uint64_t>(row.integer(5)),
                           .count = static_cast<std::uint64_t>(row.integer(6)),
                           .devices = static_cast<std::uint64_t>(row.integer(7)),
                           .open = static_cast<std::uint64_t>(row.integer(8)),
                           .start = row.time(9),
                           .end = row.time(10)});
      out.second = static_cast<std::uint64_t>(row.integer(11));
    });
  }));
  return out;
}

Result<std::string> Alerts::position() const { return position_of(database_, kAlertsProjection); }

Result<> Alerts::set_position(std::string_view position) {
  return database_.write([&](sqlite3* db) { return keep_position(db, kAlertsProjection, position); });
}

Result<Alert> Alerts::find(std::string_view alert_id) const {
  Result<Alert> out = fail(Errc::not_found, "alert");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    out = find_in(db, alert_id);
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

Result<AlertPage> Alerts::list(const AlertFilter& filter, std::string_view cursor, std::size_t count_max) const {
  AlertPage page;
  Where where = where_of(filter);
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto total, Statement::prepare(db, "SELECT count(*) FROM alert " + where.sql));
    for (const std::string& value : where.values) total.bind(value);
    TRY_VOID(total.step());
    page.total = static_cast<std::uint64_t>(total.integer(0));

    const SortKey key = key_of(filter.sort);
    const std::string_view direction = filter.descending ? "DESC" : "ASC";
    if (!cursor.empty()) {
      TRY(const Cursor from, parse_cursor(cursor, key.numeric));
      where.sql += fmt::format(" AND ({}, alert_id) {} ({}, ?)", key.expression, filter.descending ? '<' : '>',
                               key.numeric ? "CAST(? AS INTEGER)" : "?");
      where.values.insert(where.values.end(), {from.key, from.alert_id});
    }
    const std::string sql = fmt::format("SELECT {0}, {2} FROM alert {1} ORDER BY {2} {3}, alert_id {3} LIMIT ?",
                                        kColumns, where.sql, key.expression, direction);
    TRY(auto row, Statement::prepare(db, sql));
    for (const std::string& value : where.values) row.bind(value);
    row.bind(static_cast<std::int64_t>(count_max) + 1);
    std::string last_key;
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) return {};
      if (page.alerts.size() == count_max) {
        page.next = percent_encode(last_key) + "/" + page.alerts.back().alert_id;
        return {};
      }
      page.alerts.push_back(alert_from(row));
      last_key = row.text(kSortKeyColumn);
    }
  }));
  return page;
}

Result<std::vector<SeverityCount>> Alerts::open_by_severity() const {
  std::vector<SeverityCount> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT severity, count(*) FROM alert WHERE status IN ('New', 'Active') "
                                     "GROUP BY severity ORDER BY severity"));
    return row.each([&] { out.push_back({row.text(0), static_cast<std::uint64_t>(row.integer(1))}); });
  }));
  return out;
}

Result<std::vector<DeviceCount>> Alerts::open_by_device(std::string_view hub) const {
  std::vector<DeviceCount> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row,
        Statement::prepare(db,
                           "SELECT device_id, severity, count(*), sum(count(*)) OVER (PARTITION BY device_id) "
                           "AS total FROM alert WHERE hub = ? AND status IN ('New', 'Active') "
                           "GROUP BY device_id, severity ORDER BY total DESC, device_id, severity"));
    row.bind(hub);
    return row.each([&] {
      if (out.empty() || out.back().device_id != row.text(0)) out.push_back({row.text(0), {}});
      out.back().severities.push_back({row.text(1), static_cast<std::uint64_t>(row.integer(2))});
    });
  }));
  return out;
}

Result<std::vector<SeverityCount>> Alerts::open_of_device(std::string_view hub, std::string_view device_id) const {
  std::vector<SeverityCount> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT severity, count(*) FROM alert WHERE hub = ? AND device_id = ? AND "
                                     "status IN ('New', 'Active') GROUP BY severity"));
    row.bind(hub, device_id);
    return row.each([&] { out.push_back({row.text(0), static_cast<std::uint64_t>(row.integer(1))}); });
  }));
  return out;
}

}  // namespace picket::state
