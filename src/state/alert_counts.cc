#include <array>
#include <limits>

#include <fmt/format.h>

#include "state/alerts.h"
#include "statement.h"

namespace picket::state {
namespace {

constexpr std::int64_t kDayUs = Duration::days(1).us;

}  // namespace

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
