#include "state/hubs.h"

#include <utility>

#include "statement.h"

namespace picket::state {

// rights: bits of hub::Right. verified: possession of the key was proven; code: what a proof must name.
extern const char* const kHubsSchema;
const char* const kHubsSchema = R"sql(
CREATE TABLE hub (
  name TEXT PRIMARY KEY, location TEXT NOT NULL, tier TEXT NOT NULL, units INTEGER NOT NULL, settings TEXT NOT NULL,
  etag TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE policy (
  hub TEXT NOT NULL REFERENCES hub (name) ON DELETE CASCADE, name TEXT NOT NULL, rights INTEGER NOT NULL,
  key_primary TEXT NOT NULL, key_secondary TEXT NOT NULL, created INTEGER NOT NULL, updated INTEGER NOT NULL,
  PRIMARY KEY (hub, name)) WITHOUT ROWID;
CREATE TABLE ca_certificate (
  hub TEXT NOT NULL REFERENCES hub (name) ON DELETE CASCADE, name TEXT NOT NULL, pem TEXT NOT NULL,
  verified INTEGER NOT NULL, code TEXT NOT NULL, etag TEXT NOT NULL, created INTEGER NOT NULL,
  updated INTEGER NOT NULL, PRIMARY KEY (hub, name)) WITHOUT ROWID;
)sql";

namespace {

constexpr std::string_view kHub = "SELECT name, location, tier, units, settings, etag, created, updated FROM hub ";
constexpr std::string_view kPolicy =
    "SELECT hub, name, rights, key_primary, key_secondary, created, updated FROM policy ";
constexpr std::string_view kCertificate =
    "SELECT hub, name, pem, verified, code, etag, created, updated FROM ca_certificate ";

Hub hub_from(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2), static_cast<std::uint32_t>(row.integer(3)),
          row.text(4), row.text(5), row.time(6), row.time(7)};
}

Policy policy_from(const Statement& row) {
  return {row.text(0), row.text(1), static_cast<std::uint32_t>(row.integer(2)), {row.text(3), row.text(4)},
          row.time(5), row.time(6)};
}

CaCertificate certificate_from(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2), row.integer(3) != 0,
          row.text(4), row.text(5), row.time(6), row.time(7)};
}

Result<> run_insert(Statement& statement, std::string_view where) {
  auto done = statement.run();
  if (!done && done.error().code == Errc::exists) return fail(Errc::exists, where);
  return done;
}

Result<> run_one(sqlite3* db, Statement& statement, std::string_view where) {
  TRY_VOID(statement.run());
  if (sqlite3_changes(db) == 0) return fail(Errc::not_found, where);
  return {};
}

}  // namespace

Result<> Hubs::insert(sqlite3* db, const Hub& hub) {
  TRY(auto statement, Statement::prepare(db, "INSERT INTO hub VALUES (?,?,?,?,?,?,?,?)"));
  statement.bind(hub.name, hub.location, hub.tier, std::int64_t{hub.units}, hub.settings, hub.etag, hub.created,
                 hub.updated);
  return run_insert(statement, "hub");
}

Result<> Hubs::update(sqlite3* db, const Hub& hub) {
  TRY(auto statement, Statement::prepare(db,
                                         "UPDATE hub SET location = ?, tier = ?, units = ?, settings = ?, etag = ?, "
                                         "updated = ? WHERE name = ?"));
  statement.bind(hub.location, hub.tier, std::int64_t{hub.units}, hub.settings, hub.etag, hub.updated, hub.name);
  return run_one(db, statement, "hub");
}

Result<> Hubs::erase(sqlite3* db, std::string_view hub) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM hub WHERE name = ?"));
  return run_one(db, statement.bind(hub), "hub");
}

Result<Hub> Hubs::find(sqlite3* db, std::string_view hub) {
  TRY(auto statement, Statement::prepare(db, std::string(kHub) + "WHERE name = ?"));
  TRY(const bool found, statement.bind(hub).step());
  if (!found) return fail(Errc::not_found, "hub");
  return hub_from(statement);
}

Result<> Hubs::insert(sqlite3* db, const Policy& policy) {
  TRY(auto statement, Statement::prepare(db, "INSERT INTO policy VALUES (?,?,?,?,?,?,?)"));
  statement.bind(policy.hub, policy.name, std::int64_t{policy.rights}, policy.keys.primary, policy.keys.secondary,
                 policy.created, policy.updated);
  return run_insert(statement, "policy");
}

Result<> Hubs::update(sqlite3* db, const Policy& policy) {
  TRY(auto statement, Statement::prepare(db,
                                         "UPDATE policy SET rights = ?, key_primary = ?, key_secondary = ?, "
                                         "updated = ? WHERE hub = ? AND name = ?"));
  statement.bind(std::int64_t{policy.rights}, policy.keys.primary, policy.keys.secondary, policy.updated, policy.hub,
                 policy.name);
  return run_one(db, statement, "policy");
}

Result<> Hubs::erase_policy(sqlite3* db, std::string_view hub, std::string_view name) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM policy WHERE hub = ? AND name = ?"));
  return run_one(db, statement.bind(hub, name), "policy");
}

Result<Policy> Hubs::find_policy(sqlite3* db, std::string_view hub, std::string_view name) {
  TRY(auto statement, Statement::prepare(db, std::string(kPolicy) + "WHERE hub = ? AND name = ?"));
  TRY(const bool found, statement.bind(hub, name).step());
  if (!found) return fail(Errc::not_found, "policy");
  return policy_from(statement);
}

Result<> Hubs::insert(sqlite3* db, const CaCertificate& certificate) {
  TRY(auto statement, Statement::prepare(db, "INSERT INTO ca_certificate VALUES (?,?,?,?,?,?,?,?)"));
  statement.bind(certificate.hub, certificate.name, certificate.pem, std::int64_t{certificate.verified},
                 certificate.code, certificate.etag, certificate.created, certificate.updated);
  return run_insert(statement, "certificate");
}

Result<> Hubs::update(sqlite3* db, const CaCertificate& certificate) {
  TRY(auto statement, Statement::prepare(db,
                                         "UPDATE ca_certificate SET pem = ?, verified = ?, code = ?, etag = ?, "
                                         "updated = ? WHERE hub = ? AND name = ?"));
  statement.bind(certificate.pem, std::int64_t{certificate.verified}, certificate.code, certificate.etag,
                 certificate.updated, certificate.hub, certificate.name);
  return run_one(db, statement, "certificate");
}

Result<> Hubs::erase_certificate(sqlite3* db, std::string_view hub, std::string_view name) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM ca_certificate WHERE hub = ? AND name = ?"));
  return run_one(db, statement.bind(hub, name), "certificate");
}

Result<CaCertificate> Hubs::find_certificate(sqlite3* db, std::string_view hub, std::string_view name) {
  TRY(auto statement, Statement::prepare(db, std::string(kCertificate) + "WHERE hub = ? AND name = ?"));
  TRY(const bool found, statement.bind(hub, name).step());
  if (!found) return fail(Errc::not_found, "certificate");
  return certificate_from(statement);
}

Result<std::vector<Hub>> Hubs::list() const {
  std::vector<Hub> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, std::string(kHub) + "ORDER BY name"));
    TRY(out, all_rows(statement, hub_from));
    return {};
  }));
  return out;
}

Result<std::vector<Policy>> Hubs::policies(std::string_view hub) const {
  std::vector<Policy> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, std::string(kPolicy) + "WHERE hub = ? ORDER BY name"));
    statement.bind(hub);
    TRY(out, all_rows(statement, policy_from));
    return {};
  }));
  return out;
}

Result<std::vector<CaCertificate>> Hubs::certificates(std::string_view hub) const {
  std::vector<CaCertificate> out;
  TRY_VOID(database_.read([&](sqlite3* db) -> Result<> {
    TRY(auto statement, Statement::prepare(db, std::string(kCertificate) + "WHERE hub = ? ORDER BY name"));
    statement.bind(hub);
    TRY(out, all_rows(statement, certificate_from));
    return {};
  }));
  return out;
}

}  // namespace picket::state
