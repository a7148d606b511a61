#include <charconv>

#include <fmt/format.h>

#include "alert_row.h"
#include "base/core/encoding.h"

namespace picket::state {
namespace {

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
                                        kAlertColumns, where.sql, key.expression, direction);
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
      page.alerts.push_back(alert_of(row));
      last_key = row.text(kAlertColumnCount);
    }
  }));
  return page;
}

}  // namespace picket::state
