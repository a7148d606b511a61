#include "state/intelligence.h"

#include "audit.h"
#include "state/outbox.h"
#include "statement.h"

namespace picket::state {

extern const char* const kIntelligenceSchema;
const char* const kIntelligenceSchema = R"sql(
CREATE TABLE ti_feed (
  name TEXT PRIMARY KEY, settings TEXT NOT NULL, status TEXT NOT NULL DEFAULT '{}', changed INTEGER NOT NULL)
  WITHOUT ROWID;
CREATE TABLE ti_indicator (
  kind TEXT NOT NULL, value TEXT NOT NULL, confidence INTEGER NOT NULL, allowed INTEGER NOT NULL, until INTEGER NOT NULL,
  threat TEXT NOT NULL, reference TEXT NOT NULL, user TEXT NOT NULL, added INTEGER NOT NULL,
  PRIMARY KEY (kind, value)) WITHOUT ROWID;
CREATE TABLE ti_set (
  version TEXT PRIMARY KEY, made INTEGER NOT NULL, sequence INTEGER NOT NULL, indicators INTEGER NOT NULL,
  added INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE ti_hunt (
  id TEXT PRIMARY KEY, version TEXT NOT NULL, days INTEGER NOT NULL, status TEXT NOT NULL, started INTEGER NOT NULL,
  finished INTEGER NOT NULL, hits INTEGER NOT NULL, note TEXT NOT NULL) WITHOUT ROWID;
)sql";

namespace {

Result<std::int64_t> count_of(sqlite3* db, std::string_view sql) {
  TRY(auto statement, Statement::prepare(db, sql));
  TRY_VOID(statement.step());
  return statement.integer(0);
}

FeedRow feed_of(const Statement& row) { return {row.text(0), row.text(1), row.text(2), row.time(3)}; }

}  // namespace

Result<bool> Intelligence::put_feed(std::string_view name, std::string_view settings, const Actor& actor,
                                    Timestamp now) {
  bool made = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto there, Statement::prepare(db, "SELECT 1 FROM ti_feed WHERE name = ?"));
    TRY(const bool found, there.bind(name).step());
    made = !found;
    TRY(const auto count, count_of(db, "SELECT count(*) FROM ti_feed"));
    if (made && count >= static_cast<std::int64_t>(kFeedsMax)) {
      return fail(Errc::limit_exceeded, "intelligence.feeds", kFeedsMax);
    }
    TRY(auto statement,
        Statement::prepare(db,
                           "INSERT INTO ti_feed (name, settings, changed) VALUES (?,?,?) ON CONFLICT (name) DO UPDATE "
                           "SET settings = excluded.settings, changed = excluded.changed"));
    TRY_VOID(statement.bind(name, settings, now).run());
    auto body = audit_of(actor, name);
    body.key("settings").raw(settings).end_object();
    return Outbox::add(db, "intelligence.feed.set", "", body.take(), now);
  }));
  return made;
}

Result<bool> Intelligence::remove_feed(std::string_view name, const Actor& actor, Timestamp now) {
  bool removed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM ti_feed WHERE name = ?"));
    TRY_VOID(statement.bind(name).run());
    removed = sqlite3_changes(db) > 0;
    if (!removed) return {};
    auto body = audit_of(actor, name);
    body.end_object();
    return Outbox::add(db, "intelligence.feed.delete", "", body.take(), now);
  }));
  return removed;
}

Result<> Intelligence::set_status(std::string_view name, std::string_view status) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "UPDATE ti_feed SET status = ? WHERE name = ?"));
    return statement.bind(status, name).run();
  });
}

Result<FeedRow> Intelligence::find_feed(std::string_view name) const {
  Result<FeedRow> out = fail(Errc::not_found, "intelligence.feed");
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, "SELECT name, settings, status, changed FROM ti_feed WHERE name = ?"));
    TRY(const bool found, row.bind(name).step());
    if (found) out = feed_of(row);
    return {};
  }));
  return out;
}

Result<std::vector<FeedRow>> Intelligence::feeds() const {
  std::vector<FeedRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db, "SELECT name, settings, status, changed FROM ti_feed ORDER BY name"));
    return row.each([&] { out.push_back(feed_of(row)); });
  }));
  return out;
}

Result<bool> Intelligence::put_indicator(const OwnIndicatorRow& one, const Actor& actor) {
  bool made = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto there, Statement::prepare(db, "SELECT 1 FROM ti_indicator WHERE kind = ? AND value = ?"));
    TRY(const bool found, there.bind(one.kind, one.value).step());
    made = !found;
    TRY(const auto count, count_of(db, "SELECT count(*) FROM ti_indicator"));
    if (made && count >= static_cast<std::int64_t>(kOwnIndicatorsMax)) {
      return fail(Errc::limit_exceeded, "intelligence.indicators", kOwnIndicatorsMax);
    }
    TRY(auto statement, Statement::prepare(db,
                                           "INSERT OR REPLACE INTO ti_indicator (kind, value, confidence, allowed, "
                                           "until, threat, reference, user, added) VALUES (?,?,?,?,?,?,?,?,?)"));
    TRY_VOID(statement
                 .bind(one.kind, one.value, std::int64_t{one.confidence}, std::int64_t{one.allowed ? 1 : 0}, one.until,
                       one.threat, one.reference, actor.user, one.added)
                 .run());
    auto body = audit_of(actor, one.value);
    body.key("type").value(one.kind).key("allowed").value(one.allowed);
    body.key("confidence").value(std::uint64_t{one.confidence}).end_object();
    return Outbox::add(db, "intelligence.indicator.set", "", body.take(), one.added);
  }));
  return made;
}

Result<bool> Intelligence::remove_indicator(std::string_view kind, std::string_view value, const Actor& actor,
                                            Timestamp now) {
  bool removed = false;
  TRY_VOID(database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM ti_indicator WHERE kind = ? AND value = ?"));
    TRY_VOID(statement.bind(kind, value).run());
    removed = sqlite3_changes(db) > 0;
    if (!removed) return {};
    auto body = audit_of(actor, value);
    body.key("type").value(kind).end_object();
    return Outbox::add(db, "intelligence.indicator.delete", "", body.take(), now);
  }));
  return removed;
}

Result<std::vector<OwnIndicatorRow>> Intelligence::indicators(std::string_view after_kind, std::string_view after_value,
                                                              std::size_t count_max) const {
  std::vector<OwnIndicatorRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row,
        Statement::prepare(db,
                           "SELECT kind, value, confidence, allowed, until, threat, reference, user, added FROM "
                           "ti_indicator WHERE (kind, value) > (?, ?) ORDER BY kind, value LIMIT ?"));
    row.bind(after_kind, after_value, static_cast<std::int64_t>(count_max));
    return row.each([&] {
      out.push_back({row.text(0), row.text(1), static_cast<std::uint8_t>(row.integer(2)), row.integer(3) != 0,
                     row.time(4), row.text(5), row.text(6), row.text(7), row.time(8)});
    });
  }));
  return out;
}

Result<> Intelligence::add_set(const IndicatorSetRow& one) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement,
        Statement::prepare(
            db, "INSERT OR REPLACE INTO ti_set (version, made, sequence, indicators, added) VALUES (?,?,?,?,?)"));
    return statement
        .bind(one.version, one.made, static_cast<std::int64_t>(one.sequence), static_cast<std::int64_t>(one.indicators),
              static_cast<std::int64_t>(one.added))
        .run();
  });
}

Result<> Intelligence::remove_set(std::string_view version) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, "DELETE FROM ti_set WHERE version = ?"));
    return statement.bind(version).run();
  });
}

Result<std::vector<IndicatorSetRow>> Intelligence::sets() const {
  std::vector<IndicatorSetRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(
                      db, "SELECT version, made, sequence, indicators, added FROM ti_set ORDER BY sequence, version"));
    return row.each([&] {
      out.push_back({row.text(0), row.time(1), static_cast<std::uint64_t>(row.integer(2)),
                     static_cast<std::uint64_t>(row.integer(3)), static_cast<std::uint64_t>(row.integer(4))});
    });
  }));
  return out;
}

Result<> Intelligence::put_hunt(const RetroHuntRow& one) {
  return database_.write([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db,
                                           "INSERT OR REPLACE INTO ti_hunt (id, version, days, status, started, "
                                           "finished, hits, note) VALUES (?,?,?,?,?,?,?,?)"));
    TRY_VOID(statement
                 .bind(one.id, one.version, std::int64_t{one.days}, one.status, one.started, one.finished,
                       static_cast<std::int64_t>(one.hits), one.note)
                 .run());
    TRY(auto old,
        Statement::prepare(
            db, "DELETE FROM ti_hunt WHERE id NOT IN (SELECT id FROM ti_hunt ORDER BY started DESC LIMIT ?)"));
    return old.bind(static_cast<std::int64_t>(kHuntsKept)).run();
  });
}

Result<std::vector<RetroHuntRow>> Intelligence::hunts() const {
  std::vector<RetroHuntRow> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto row, Statement::prepare(db,
                                     "SELECT id, version, days, status, started, finished, hits, note FROM ti_hunt "
                                     "ORDER BY started DESC, id DESC"));
    return row.each([&] {
      out.push_back({row.text(0), row.text(1), static_cast<std::uint32_t>(row.integer(2)), row.text(3), row.time(4),
                     row.time(5), static_cast<std::uint64_t>(row.integer(6)), row.text(7)});
    });
  }));
  return out;
}

}  // namespace picket::state
