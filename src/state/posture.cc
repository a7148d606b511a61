#include "state/posture.h"

#include "audit.h"
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

/// Of an exemption in a hub.
JsonWriter audit_of_exemption(const Actor& actor, std::string_view hub, std::string_view id) {
  JsonWriter json = audit_of(actor, id);
  json.key("hub").value(hub);
  return json;
}

}  // namespace

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
    auto body = audit_of_exemption(actor, exemption.hub, exemption.id);
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
    return Outbox::add(db, "exemption.delete", "", audit_of_exemption(actor, hub, id).end_object().take(), now);
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
    return row.each([&] {
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
    });
  }));
  return out;
}

}  // namespace picket::state
