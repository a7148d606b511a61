#include "state/recommendations.h"

#include "audit.h"
#include "projection.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

// source, change: name of the newest change applied. recommendation_off: types that are switched off.
extern const char* const kRecommendationsSchema;
const char* const kRecommendationsSchema = R"sql(
CREATE TABLE recommendation (
  recommendation_id TEXT PRIMARY KEY, type TEXT NOT NULL, display_name TEXT NOT NULL, severity TEXT NOT NULL,
  state TEXT NOT NULL, hub TEXT NOT NULL, device_id TEXT NOT NULL, first INTEGER NOT NULL, updated INTEGER NOT NULL,
  source INTEGER NOT NULL, change INTEGER NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX recommendation_device ON recommendation (hub, device_id);
CREATE TABLE recommendation_off (type TEXT PRIMARY KEY, changed INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE device_security_group (
  hub TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL, changed INTEGER NOT NULL,
  PRIMARY KEY (hub, name)) WITHOUT ROWID;
)sql";

namespace {

// Empty texts stand for "all".
#define PICKET_RECOMMENDATION_COLUMNS \
  "recommendation_id, type, display_name, severity, state, hub, device_id, first, updated, source, change, json"
#define PICKET_RECOMMENDATION_WHERE                                                                         \
  " FROM recommendation WHERE (?1 = '' OR hub = ?1) AND (?2 = '' OR state = ?2) AND (?3 = '' OR type = ?3 " \
  "COLLATE NOCASE) AND (?4 = '' OR device_id = ?4) AND (?5 = '' OR severity = ?5)"

Recommendation recommendation_from(const Statement& row) {
  return {.recommendation_id = row.text(0),
          .type = row.text(1),
          .display_name = row.text(2),
          .severity = row.text(3),
          .state = row.text(4),
          .hub = row.text(5),
          .device_id = row.text(6),
          .first = row.time(7),
          .updated = row.time(8),
          .source = static_cast<std::uint64_t>(row.integer(9)),
          .change = static_cast<std::uint32_t>(row.integer(10)),
          .json = row.text(11)};
}

}  // namespace

Result<bool> Recommendations::apply(const Recommendation& recommendation, std::string_view position) {
  bool changed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(
            db, "INSERT INTO recommendation (" PICKET_RECOMMENDATION_COLUMNS
                ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT (recommendation_id) DO UPDATE SET "
                "display_name = excluded.display_name, severity = excluded.severity, state = excluded.state, "
                "first = excluded.first, updated = excluded.updated, source = excluded.source, "
                "change = excluded.change, json = excluded.json "
                "WHERE (excluded.source, excluded.change) > (recommendation.source, recommendation.change)"));
    TRY_VOID(statement
                 .bind(recommendation.recommendation_id, recommendation.type, recommendation.display_name,
                       recommendation.severity, recommendation.state, recommendation.hub, recommendation.device_id,
                       recommendation.first, recommendation.updated, static_cast<std::int64_t>(recommendation.source),
                       std::int64_t{recommendation.change}, recommendation.json)
                 .run());
    changed = sqlite3_changes(db) > 0;
    return keep_position(db, kRecommendationsProjection, position);
  }));
  return changed;
}

Result<std::string> Recommendations::position() const { return position_of(database_, kRecommendationsProjection); }

Result<> Recommendations::set_position(std::string_view position) {
  return database_.write([&](sqlite3* db) { return keep_position(db, kRecommendationsProjection, position); });
}

Result<Recommendation> Recommendations::find(std::string_view recommendation_id) const {
  Result<Recommendation> out = fail(Errc::not_found, "recommendation");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(
                      db, "SELECT " PICKET_RECOMMENDATION_COLUMNS " FROM recommendation WHERE recommendation_id = ?"));
    TRY(const bool found, row.bind(recommendation_id).step());
    if (found) out = recommendation_from(row);
    return {};
  }));
  return out;
}

Result<RecommendationPage> Recommendations::list(const RecommendationFilter& filter, std::string_view cursor,
                                                 std::size_t count_max) const {
  RecommendationPage page;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto total, Statement::prepare(db, "SELECT count(*)" PICKET_RECOMMENDATION_WHERE));
    total.bind(filter.hub, filter.state, filter.type, filter.device_id, filter.severity);
    TRY_VOID(total.step());
    page.total = static_cast<std::uint64_t>(total.integer(0));
    TRY(auto row, Statement::prepare(db, "SELECT " PICKET_RECOMMENDATION_COLUMNS PICKET_RECOMMENDATION_WHERE
                                         " AND recommendation_id > ?6 ORDER BY recommendation_id LIMIT ?7"));
    row.bind(filter.hub, filter.state, filter.type, filter.device_id, filter.severity, cursor,
             static_cast<std::int64_t>(count_max) + 1);
    for (;;) {
      TRY(const bool more, row.step());
      if (!more) return {};
      if (page.recommendations.size() == count_max) {
        if (count_max > 0) page.next = page.recommendations.back().recommendation_id;
        return {};
      }
      page.recommendations.push_back(recommendation_from(row));
    }
  }));
  return page;
}

Result<std::vector<RecommendationCount>> Recommendations::count_by_type(std::string_view hub) const {
  std::vector<RecommendationCount> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT type, max(display_name), max(severity), sum(state = 'Active') AS active, "
                                     "sum(state <> 'Active') FROM recommendation WHERE (?1 = '' OR hub = ?1) "
                                     "GROUP BY type ORDER BY active DESC, type"));
    row.bind(hub);
    return row.each([&] {
      out.push_back({row.text(0), row.text(1), row.text(2), static_cast<std::uint64_t>(row.integer(3)),
                     static_cast<std::uint64_t>(row.integer(4))});
    });
  }));
  return out;
}

Result<> Recommendations::set_enabled(std::string_view type, bool enabled, const Actor& actor, Timestamp now) {
  return database_.write([&](sqlite3* db) -> Result<> {
    if (enabled) {
      TRY(auto statement, Statement::prepare(db, "DELETE FROM recommendation_off WHERE type = ?"));
      TRY_VOID(statement.bind(type).run());
    } else {
      TRY(auto statement,
          Statement::prepare(db, "INSERT OR IGNORE INTO recommendation_off (type, changed) VALUES (?,?)"));
      TRY_VOID(statement.bind(type, now).run());
    }
    if (sqlite3_changes(db) == 0) return {};  // as it was
    auto body = audit_of(actor);
    body.key("type").value(type).key("enabled").value(enabled).end_object();
    return Outbox::add(db, "recommendation.set", "", body.take(), now);
  });
}

Result<std::vector<std::string>> Recommendations::disabled() const {
  std::vector<std::string> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, "SELECT type FROM recommendation_off ORDER BY type"));
    return row.each([&] { out.push_back(row.text(0)); });
  }));
  return out;
}

Result<bool> SecurityGroups::put(std::string_view hub, std::string_view name, std::string_view resource,
                                 const Actor& actor, Timestamp now) {
  bool made = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto count,
        Statement::prepare(db, "SELECT count(*), sum(name = ?2) FROM device_security_group WHERE hub = ?1"));
    TRY_VOID(count.bind(hub, name).step());
    made = count.integer(1) == 0;
    if (made && count.integer(0) >= static_cast<std::int64_t>(kGroupsMax)) {
      return fail(Errc::limit_exceeded, "security_group", kGroupsMax);
    }
    TRY(auto statement,
        Statement::prepare(db,
                           "INSERT INTO device_security_group (hub, name, json, changed) VALUES (?,?,?,?) "
                           "ON CONFLICT (hub, name) DO UPDATE SET json = excluded.json, "
                           "changed = excluded.changed"));
    TRY_VOID(statement.bind(hub, name, resource, now).run());
    auto body = audit_of(actor);
    body.key("hub").value(hub).key("object").value(name).key("resource").raw(resource).end_object();
    return Outbox::add(db, "security_group.set", "", body.take(), now);
  }));
  return made;
}

Result<bool> SecurityGroups::remove(std::string_view hub, std::string_view name, const Actor& actor, Timestamp now) {
  bool removed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM device_security_group WHERE hub = ? AND name = ?"));
    TRY_VOID(statement.bind(hub, name).run());
    removed = sqlite3_changes(db) > 0;
    if (!removed) return {};
    auto body = audit_of(actor);
    body.key("hub").value(hub).key("object").value(name).end_object();
    return Outbox::add(db, "security_group.delete", "", body.take(), now);
  }));
  return removed;
}

Result<SecurityGroups::Stored> SecurityGroups::find(std::string_view hub, std::string_view name) const {
  Result<Stored> out = fail(Errc::not_found, "security_group");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, "SELECT name, json FROM device_security_group WHERE hub = ? AND name = ?"));
    TRY(const bool found, row.bind(hub, name).step());
    if (found) out = Stored{row.text(0), row.text(1)};
    return {};
  }));
  return out;
}

Result<std::vector<SecurityGroups::Stored>> SecurityGroups::list(std::string_view hub) const {
  std::vector<Stored> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, "SELECT name, json FROM device_security_group WHERE hub = ? ORDER BY name"));
    row.bind(hub);
    return row.each([&] { out.push_back({row.text(0), row.text(1)}); });
  }));
  return out;
}

}  // namespace picket::state
