#include "state/database.h"

#include <fcntl.h>
#include <sqlite3.h>

#include "base/core/file.h"
#include "base/server/log.h"
#include "statement.h"

namespace picket::state {
namespace {

// Schema 1. Times are microseconds UTC; keys are base64; text ids are case-sensitive (BINARY collation, the default).
constexpr const char* kCreate = R"sql(
CREATE TABLE device (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, generation_id TEXT NOT NULL, enabled INTEGER NOT NULL,
  security_group TEXT NOT NULL, key_primary TEXT NOT NULL, key_secondary TEXT NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL, PRIMARY KEY (hub, device_id)) WITHOUT ROWID;
CREATE TABLE module (
  hub TEXT NOT NULL, device_id TEXT NOT NULL, module_id TEXT NOT NULL, generation_id TEXT NOT NULL,
  enabled INTEGER NOT NULL, key_primary TEXT NOT NULL, key_secondary TEXT NOT NULL, created INTEGER NOT NULL,
  PRIMARY KEY (hub, device_id, module_id),
  FOREIGN KEY (hub, device_id) REFERENCES device (hub, device_id) ON DELETE CASCADE) WITHOUT ROWID;
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT, created INTEGER NOT NULL, kind TEXT NOT NULL, device_id TEXT NOT NULL,
  body TEXT NOT NULL, sent INTEGER NOT NULL DEFAULT 0);
CREATE INDEX outbox_unsent ON outbox (id) WHERE sent = 0;
CREATE TABLE user (
  name TEXT PRIMARY KEY, role TEXT NOT NULL, secret_hash TEXT NOT NULL, created INTEGER NOT NULL,
  secret_changed INTEGER NOT NULL, last_sign_in INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE token (
  hash TEXT PRIMARY KEY, kind INTEGER NOT NULL, user TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
  csrf TEXT NOT NULL, label TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX token_user ON token (user);
CREATE TABLE alert (
  alert_id TEXT PRIMARY KEY, alert_type TEXT NOT NULL, display_name TEXT NOT NULL, severity TEXT NOT NULL,
  status TEXT NOT NULL, hub TEXT NOT NULL, device_id TEXT NOT NULL, module_id TEXT NOT NULL, start INTEGER NOT NULL,
  end INTEGER NOT NULL, updated INTEGER NOT NULL, change INTEGER NOT NULL, json TEXT NOT NULL);
CREATE INDEX alert_updated ON alert (updated, alert_id);
CREATE INDEX alert_device ON alert (hub, device_id, status);
CREATE TABLE triage (
  id INTEGER PRIMARY KEY AUTOINCREMENT, alert_id TEXT NOT NULL, status TEXT NOT NULL, user TEXT NOT NULL,
  comment TEXT NOT NULL, time INTEGER NOT NULL);
CREATE INDEX triage_alert ON triage (alert_id);
CREATE TABLE projection (name TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;
PRAGMA user_version = 1;
)sql";

Result<> execute(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return sqlite_failed(db, "state.execute");
  return {};
}

Result<sqlite3*> connect(const std::string& path) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr) != SQLITE_OK) {
    auto failed = sqlite_failed(db, "state.open");
    sqlite3_close(db);
    return failed;
  }
  sqlite3_busy_timeout(db, 5'000);
  if (auto done = execute(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"); !done) {
    sqlite3_close(db);
    return std::unexpected(done.error());
  }
  return db;
}

Result<> read_on(sqlite3* db, const std::function<Result<>(sqlite3*)>& body) {
  TRY_VOID(execute(db, "BEGIN"));
  auto done = body(db);
  TRY_VOID(execute(db, "COMMIT"));
  return done;
}

Result<int> schema_version(sqlite3* db) {
  TRY(auto statement, Statement::prepare(db, "PRAGMA user_version"));
  TRY_VOID(statement.step());
  return static_cast<int>(statement.integer(0));
}

Result<> upgrade(sqlite3* db) {
  TRY(const int version, schema_version(db));
  if (version > kSchemaVersion) {
    log::error("state", "the state has schema {}, this program knows up to {}: use a newer Picket", version,
               kSchemaVersion);
    return fail(Errc::unsupported, "state.schema_version");
  }
  if (version == 0) {
    TRY_VOID(execute(db, "BEGIN IMMEDIATE"));
    TRY_VOID(execute(db, kCreate));
    TRY_VOID(execute(db, "COMMIT"));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
  // Made here and not by SQLite, so that the file with the keys never has a moment of other permissions. The -wal and
  // -shm files take theirs from it.
  {
    TRY(const UniqueFd created, open_file(path, O_RDWR | O_CREAT, 0600));
  }
  std::unique_ptr<Database> out(new Database);
  TRY(out->writer_, connect(path));
  TRY_VOID(upgrade(out->writer_));
  TRY(out->reader_, connect(path));
  TRY(out->finder_, connect(path));
  return out;
}

Database::~Database() {
  sqlite3_close(finder_);
  sqlite3_close(reader_);
  sqlite3_close(writer_);
}

Result<> Database::write(const std::function<Result<>(sqlite3*)>& body) {
  const std::scoped_lock lock(writer_mutex_);
  TRY_VOID(execute(writer_, "BEGIN IMMEDIATE"));
  auto done = body(writer_);
  if (done) done = execute(writer_, "COMMIT");
  if (!done && sqlite3_get_autocommit(writer_) == 0) TRY_VOID(execute(writer_, "ROLLBACK"));
  return done;
}

Result<> Database::read(const std::function<Result<>(sqlite3*)>& body) {
  const std::scoped_lock lock(reader_mutex_);
  return read_on(reader_, body);
}

Result<> Database::look_up(const std::function<Result<>(sqlite3*)>& body) {
  const std::scoped_lock lock(finder_mutex_);
  return read_on(finder_, body);
}

}  // namespace picket::state
