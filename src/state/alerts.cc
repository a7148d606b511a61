#include "state/alerts.h"

#include <charconv>

#include <fmt/format.h>

#include "base/core/encoding.h"
#include "statement.h"

namespace picket::state {
namespace {

constexpr std::string_view kProjection = "alerts";
constexpr std::string_view kColumns =
    "alert_id, alert_type, display_name, severity, status, hub, device_id, module_id, start, end, updated, "
    "change, json";
constexpr int kSortKeyColumn = 13;  // behind kColumns, in lists

Alert alert_from(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4),  row.text(5),
          row.text(6), row.text(7), row.time(8), row.time(9), row.time(10), static_cast<std::uint32_t>(row.integer(11)),
          row.text(12)};
}

Result<Alert> find_in(sqlite3* db, std::string_view alert_id) {
  TRY(auto statement, Statement::prepare(db, fmt::format("SELECT {} FROM alert WHERE alert_id = ?", kColumns)));
  TRY(const bool found, statement.bind(alert_id).step());
  if (!found) return fail(Errc::not_found, "alert");
  return alert_from(statement);
}

Result<> keep_position(sqlite3* db, std::string_view position) {
  TRY(auto statement, Statement::prepare(db,
                                         "INSERT INTO projection (name, position) VALUES (?,?) "
                                         "ON CONFLICT (name) DO UPDATE SET position = excluded.position"));
  return statement.bind(kProjection, position).run();
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

Result<bool> Alerts::apply(const Alert& alert, std::string_view position) {
  bool changed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    // Triage belongs to people: a change record never touches the status of an alert that exists.
    TRY(auto statement,
        Statement::prepare(
            db,
            "INSERT INTO alert (alert_id, alert_type, display_name, severity, status, hub, device_id, module_id, "
            "start, "
            "end, updated, change, json) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (alert_id) DO UPDATE SET "
            "display_name = excluded.display_name, severity = excluded.severity, start = excluded.start, "
            "end = excluded.end, updated = excluded.updated, change = excluded.change, json = excluded.json "
            "WHERE excluded.change > alert.change"));
    TRY_VOID(statement
                 .bind(alert.alert_id, alert.alert_type, alert.display_name, alert.severity, alert.status, alert.hub,
                       alert.device_id, alert.module_id, alert.start, alert.end, alert.updated,
                       std::int64_t{alert.change}, alert.json)
                 .run());
    changed = sqlite3_changes(db) > 0;
    return keep_position(db, position);
  }));
  return changed;
}

Result<Alert> Alerts::apply(const Triage& triage, std::string_view position) {
  Result<Alert> out = fail(Errc::not_found, "alert");
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(keep_position(db, position));
    out = find_in(db, triage.alert_id);
    if (!out) return {};
    TRY(auto update, Statement::prepare(db, "UPDATE alert SET status = ? WHERE alert_id = ?"));
    TRY_VOID(update.bind(triage.status, triage.alert_id).run());
    TRY(auto insert, Statement::prepare(db,
                                        "INSERT INTO triage (alert_id, status, user, comment, time) "
                                        "VALUES (?,?,?,?,?)"));
    TRY_VOID(insert.bind(triage.alert_id, triage.status, triage.user, triage.comment, triage.time).run());
    out->status = triage.status;
    return {};
  }));
  return out;
}

Result<std::string> Alerts::position() const {
  std::string out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "SELECT position FROM projection WHERE name = ?"));
    TRY(const bool found, statement.bind(kProjection).step());
    if (found) out = statement.text(0);
    return {};
  }));
  return out;
}

Result<> Alerts::set_position(std::string_view position) {
  return database_.write([&](sqlite3* db) { return keep_position(db, position); });
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
    TRY(auto row, Statement::prepare(
                      db, "SELECT alert_id, status, user, comment, time FROM triage WHERE alert_id = ? ORDER BY id"));
    row.bind(alert_id);
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) return {};
      out.push_back({row.text(0), row.text(1), row.text(2), row.text(3), row.time(4)});
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
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) return {};
      out.push_back({row.text(0), static_cast<std::uint64_t>(row.integer(1))});
    }
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
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) return {};
      if (out.empty() || out.back().device_id != row.text(0)) out.push_back({row.text(0), {}});
      out.back().severities.push_back({row.text(1), static_cast<std::uint64_t>(row.integer(2))});
    }
  }));
  return out;
}

}  // namespace picket::state
