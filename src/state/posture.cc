#include "state/posture.h"

#include <algorithm>
#include <map>

#include "base/core/json_writer.h"
#include "base/core/random.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

// until: 0 is for good. score_day: score in thousandths; security_group '' is the whole hub.
extern const char* const kPostureSchema;
const char* const kPostureSchema = R"sql(
CREATE TABLE exemption (
  id TEXT PRIMARY KEY, type TEXT NOT NULL, hub TEXT NOT NULL, device_id TEXT NOT NULL, security_group TEXT NOT NULL,
  reason TEXT NOT NULL, user TEXT NOT NULL, created INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX exemption_type ON exemption (hub, type);
CREATE TABLE score_day (
  hub TEXT NOT NULL, security_group TEXT NOT NULL, day INTEGER NOT NULL, devices INTEGER NOT NULL,
  score INTEGER NOT NULL, PRIMARY KEY (hub, security_group, day)) WITHOUT ROWID;
)sql";

namespace {

constexpr std::int64_t kDayUs = Duration::days(1).us;
constexpr double kScoreUnit = 1000;

JsonWriter audit_of(const Actor& actor, std::string_view hub, std::string_view object) {
  JsonWriter json;
  json.begin_object().key("actor").value(actor.user).key("source").value(actor.source);
  json.key("hub").value(hub).key("object").value(object);
  return json;
}

// Of IoT_Baseline each failing check counts by itself. ?1 hub, ?2 group, ?3 now.
constexpr std::string_view kScores = R"sql(
SELECT d.device_id, d.security_group,
       sum(r.severity = 'High' AND NOT r.exempt), sum(r.severity = 'Medium' AND NOT r.exempt),
       sum(r.severity = 'Low' AND NOT r.exempt), sum(r.severity = 'Informational' AND NOT r.exempt), sum(r.exempt)
FROM device AS d LEFT JOIN (
  SELECT a.device_id, a.severity, EXISTS (
    SELECT 1 FROM exemption AS e WHERE e.hub = a.hub AND e.type = a.type AND (e.device_id IN ('', a.device_id))
      AND (e.security_group IN ('', g.security_group)) AND (e.until = 0 OR e.until > ?3)) AS exempt
  FROM recommendation AS a JOIN device AS g ON g.hub = a.hub AND g.device_id = a.device_id
  WHERE a.hub = ?1 AND a.state = 'Active' AND a.type <> 'IoT_Baseline') AS r ON r.device_id = d.device_id
WHERE d.hub = ?1 AND (?2 = '' OR d.security_group = ?2) GROUP BY d.device_id
)sql";

}  // namespace

DayScore mean_score(const std::vector<DeviceScore>& devices, Timestamp now) {
  DayScore out{.day = {now.us / kDayUs * kDayUs}, .devices = devices.size()};
  if (devices.empty()) return out;
  double sum = 0;
  for (const DeviceScore& device : devices) sum += device.score();
  out.score = sum / static_cast<double>(devices.size());
  return out;
}

Result<Exemption> Posture::exempt(Exemption exemption, const Actor& actor, Timestamp now) {
  exemption.id = random_uuid();
  exemption.user = actor.user;
  exemption.created = now;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto count, Statement::prepare(db, "SELECT count(*) FROM exemption"));
    TRY_VOID(count.step());
    if (count.integer(0) >= static_cast<std::int64_t>(kExemptionsMax)) {
      return fail(Errc::limit_exceeded, "exemptions", kExemptionsMax);
    }
    TRY(auto statement,
        Statement::prepare(db,
                           "INSERT INTO exemption (id, type, hub, device_id, security_group, reason, user, created, "
                           "until) VALUES (?,?,?,?,?,?,?,?,?)"));
    statement.bind(exemption.id, exemption.type, exemption.hub, exemption.device_id, exemption.security_group,
                   exemption.reason, exemption.user, exemption.created, exemption.until.value_or(Timestamp{}));
    TRY_VOID(statement.run());
    auto body = audit_of(actor, exemption.hub, exemption.id);
    body.key("type").value(exemption.type).key("device").value(exemption.device_id);
    body.key("group").value(exemption.security_group).key("reason").value(exemption.reason);
    if (exemption.until) body.key("until").value(*exemption.until);
    return Outbox::add(db, "exemption.set", "", body.end_object().take(), now);
  }));
  return exemption;
}

Result<bool> Posture::restore(std::string_view hub, std::string_view id, const Actor& actor, Timestamp now) {
  bool removed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM exemption WHERE hub = ? AND id = ?"));
    TRY_VOID(statement.bind(hub, id).run());
    removed = sqlite3_changes(db) > 0;
    if (!removed) return {};
    return Outbox::add(db, "exemption.delete", "", audit_of(actor, hub, id).end_object().take(), now);
  }));
  return removed;
}

Result<std::vector<Exemption>> Posture::exemptions(std::string_view hub) const {
  std::vector<Exemption> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT id, type, hub, device_id, security_group, reason, user, created, until "
                                     "FROM exemption WHERE hub = ? ORDER BY created DESC, id"));
    row.bind(hub);
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) return {};
      Exemption one{.id = row.text(0),
                    .type = row.text(1),
                    .hub = row.text(2),
                    .device_id = row.text(3),
                    .security_group = row.text(4),
                    .reason = row.text(5),
                    .user = row.text(6),
                    .created = row.time(7),
                    .until = std::nullopt};
      if (row.integer(8) != 0) one.until = row.time(8);
      out.push_back(std::move(one));
    }
  }));
  return out;
}

Result<std::vector<DeviceScore>> Posture::scores(std::string_view hub, std::string_view group, Timestamp now) const {
  std::vector<DeviceScore> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, kScores));
    row.bind(hub, group, now);
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) return {};
      const auto number = [&](int column) { return static_cast<std::uint64_t>(row.integer(column)); };
      out.push_back({.device_id = row.text(0),
                     .security_group = row.text(1),
                     .high = number(2),
                     .medium = number(3),
                     .low = number(4),
                     .informational = number(5),
                     .exempt = number(6)});
    }
  }));
  std::ranges::sort(out, [](const DeviceScore& a, const DeviceScore& b) {
    return a.lost() != b.lost() ? a.lost() > b.lost() : a.device_id < b.device_id;
  });
  return out;
}

Result<> Posture::keep_day(std::string_view hub, Timestamp now) {
  TRY(const auto devices, scores(hub, "", now));
  std::map<std::string, std::vector<DeviceScore>> groups;
  for (const DeviceScore& device : devices) {
    groups[""].push_back(device);
    if (!device.security_group.empty()) groups[device.security_group].push_back(device);
  }
  return database_.write([&](sqlite3* db) -> Result<> {
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
    return old.bind(hub, Timestamp{(now - kTrend).us / kDayUs * kDayUs}).run();
  });
}

Result<std::vector<DayScore>> Posture::trend(std::string_view hub, std::string_view group) const {
  std::vector<DayScore> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT day, devices, score FROM score_day WHERE hub = ? AND security_group = ? "
                                     "ORDER BY day"));
    row.bind(hub, group);
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) return {};
      out.push_back(
          {row.time(0), static_cast<std::uint64_t>(row.integer(1)), static_cast<double>(row.integer(2)) / kScoreUnit});
    }
  }));
  return out;
}

}  // namespace picket::state
