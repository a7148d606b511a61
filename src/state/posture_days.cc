// Scores of past days: of all devices, of groups, and of each device.
#include <map>

#include "state/posture.h"
#include "statement.h"

namespace picket::state {

// A row says how many points a device had lost from that day on, until its next row.
extern const char* const kDeviceScoresSchema;
const char* const kDeviceScoresSchema = R"sql(
CREATE TABLE device_score_day (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, day INTEGER NOT NULL, lost INTEGER NOT NULL,
  PRIMARY KEY (hub, device_id, day)) WITHOUT ROWID;
CREATE TRIGGER device_score_of_nobody AFTER DELETE ON device BEGIN
  DELETE FROM device_score_day WHERE hub = old.hub AND device_id = old.device_id;
END;
)sql";

namespace {

constexpr std::int64_t kDayUs = Duration::days(1).us;
constexpr double kScoreUnit = 1000;

Timestamp day_of(Timestamp time) { return {time.us / kDayUs * kDayUs}; }
/// The oldest day of a device's trend.
Timestamp first_day(Timestamp now) { return {day_of(now).us - (Posture::kDeviceTrendDays - 1) * kDayUs}; }

/// What was last kept of each device.
Result<std::map<std::string, std::uint64_t>> kept_of(sqlite3* db, std::string_view hub) {
  std::map<std::string, std::uint64_t> out;
  TRY(auto row, Statement::prepare(db,
                                   "SELECT d.device_id, (SELECT s.lost FROM device_score_day AS s WHERE s.hub = d.hub "
                                   "AND s.device_id = d.device_id ORDER BY s.day DESC LIMIT 1) AS lost "
                                   "FROM device AS d WHERE d.hub = ? AND lost IS NOT NULL"));
  row.bind(hub);
  TRY_VOID(row.each([&] { out.emplace(row.text(0), static_cast<std::uint64_t>(row.integer(1))); }));
  return out;
}

/// A device that was deleted meanwhile gets no row. The newest of the rows that are too old stays: it says how the
/// oldest day began.
Result<> keep_devices(sqlite3* db, std::string_view hub, const std::vector<DeviceScore>& changed, Timestamp now) {
  TRY(auto keep, Statement::prepare(db,
                                    "INSERT INTO device_score_day (hub, device_id, day, lost) SELECT hub, device_id, "
                                    "?3, ?4 FROM device WHERE hub = ?1 AND device_id = ?2 "
                                    "ON CONFLICT (hub, device_id, day) DO UPDATE SET lost = excluded.lost"));
  TRY(auto old, Statement::prepare(db,
                                   "DELETE FROM device_score_day WHERE hub = ?1 AND device_id = ?2 AND day < (SELECT "
                                   "max(day) FROM device_score_day WHERE hub = ?1 AND device_id = ?2 AND day <= ?3)"));
  for (const DeviceScore& device : changed) {
    keep.bind(hub, device.device_id, day_of(now), static_cast<std::int64_t>(device.lost()));
    TRY_VOID(keep.run());
    keep.reset();
    old.bind(hub, device.device_id, first_day(now));
    TRY_VOID(old.run());
    old.reset();
  }
  return {};
}

Result<> keep_means(sqlite3* db, std::string_view hub, const std::vector<DeviceScore>& devices, Timestamp now) {
  std::map<std::string, std::vector<DeviceScore>> groups;
  for (const DeviceScore& device : devices) {
    groups[""].push_back(device);
    if (!device.security_group.empty()) groups[device.security_group].push_back(device);
  }
  TRY(auto keep, Statement::prepare(db,
                                    "INSERT INTO score_day (hub, security_group, day, devices, score) VALUES "
                                    "(?,?,?,?,?) ON CONFLICT (hub, security_group, day) DO UPDATE SET "
                                    "devices = excluded.devices, score = excluded.score"));
  for (const auto& [group, members] : groups) {
    const DayScore mean = mean_score(members, now);
    keep.bind(hub, group, mean.day, static_cast<std::int64_t>(mean.devices),
              static_cast<std::int64_t>(mean.score * kScoreUnit));
    TRY_VOID(keep.run());
    keep.reset();
  }
  TRY(auto old, Statement::prepare(db, "DELETE FROM score_day WHERE hub = ? AND day < ?"));
  return old.bind(hub, day_of(now - Posture::kTrend)).run();
}

}  // namespace

DayScore mean_score(const std::vector<DeviceScore>& devices, Timestamp now) {
  DayScore out{.day = day_of(now), .devices = devices.size()};
  if (devices.empty()) return out;
  double sum = 0;
  for (const DeviceScore& device : devices) sum += device.score();
  out.score = sum / static_cast<double>(devices.size());
  return out;
}

Result<> Posture::keep_day(std::string_view hub, Timestamp now) {
  TRY(const auto devices, scores(hub, "", now));
  // What changed is found by reading, so that nobody waits to write.
  std::map<std::string, std::uint64_t> kept;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(kept, kept_of(db, hub));
    return {};
  }));
  std::vector<DeviceScore> changed;
  for (const DeviceScore& device : devices) {
    const auto before = kept.find(device.device_id);
    if (before == kept.end() || before->second != device.lost()) changed.push_back(device);
  }
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY_VOID(keep_means(db, hub, devices, now));
    return keep_devices(db, hub, changed, now);
  });
}

Result<std::vector<DayScore>> Posture::trend(std::string_view hub, std::string_view group) const {
  std::vector<DayScore> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT day, devices, score FROM score_day WHERE hub = ? AND security_group = ? "
                                     "ORDER BY day"));
    row.bind(hub, group);
    return row.each([&] {
      out.push_back(
          {row.time(0), static_cast<std::uint64_t>(row.integer(1)), static_cast<double>(row.integer(2)) / kScoreUnit});
    });
  }));
  return out;
}

Result<std::vector<DeviceDay>> Posture::device_trend(std::string_view hub, std::string_view device_id,
                                                     std::uint64_t now_lost, Timestamp now) const {
  std::vector<DeviceDay> rows;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT day, lost FROM device_score_day WHERE hub = ? AND device_id = ? "
                                     "ORDER BY day"));
    row.bind(hub, device_id);
    return row.each([&] { rows.push_back({row.time(0), static_cast<std::uint64_t>(row.integer(1))}); });
  }));
  std::vector<DeviceDay> out;
  const Timestamp today = day_of(now);
  Timestamp day = rows.empty() ? today : std::max(rows.front().day, first_day(now));
  std::size_t next = 0;
  for (std::uint64_t lost = 0; day < today; day.us += kDayUs) {
    for (; next < rows.size() && rows[next].day <= day; ++next) lost = rows[next].lost;
    out.push_back({day, lost});
  }
  out.push_back({today, now_lost});
  return out;
}

}  // namespace picket::state
