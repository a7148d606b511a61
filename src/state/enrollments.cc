#include "state/enrollments.h"

#include "statement.h"

namespace picket::state {

extern const char* const kEnrollmentsSchema;
const char* const kEnrollmentsSchema = R"sql(
CREATE TABLE enrollment (
  is_group INTEGER NOT NULL, id TEXT NOT NULL, etag TEXT NOT NULL, enabled INTEGER NOT NULL, attestation TEXT NOT NULL,
  key_primary TEXT NOT NULL, key_secondary TEXT NOT NULL, document TEXT NOT NULL, created INTEGER NOT NULL,
  updated INTEGER NOT NULL, PRIMARY KEY (is_group, id)) WITHOUT ROWID;
CREATE TABLE registration (
  registration_id TEXT PRIMARY KEY, is_group INTEGER NOT NULL, enrollment_id TEXT NOT NULL, operation_id TEXT NOT NULL,
  status TEXT NOT NULL, substatus TEXT NOT NULL, hub TEXT NOT NULL, device_id TEXT NOT NULL,
  error_code INTEGER NOT NULL, error_message TEXT NOT NULL, payload TEXT NOT NULL, etag TEXT NOT NULL,
  created INTEGER NOT NULL, updated INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX registration_enrollment ON registration (is_group, enrollment_id, registration_id);
CREATE TABLE provisioning_scope (one INTEGER PRIMARY KEY CHECK (one = 1), scope TEXT NOT NULL);
)sql";

namespace {

#define PICKET_ENROLLMENT_COLUMNS \
  "SELECT is_group, id, etag, enabled, attestation, key_primary, key_secondary, document, created, updated "
#define PICKET_REGISTRATION_COLUMNS                                                                                \
  "SELECT registration_id, is_group, enrollment_id, operation_id, status, substatus, hub, device_id, error_code, " \
  "error_message, payload, etag, created, updated "

StoredEnrollment enrollment_row(const Statement& row) {
  return {row.integer(0) != 0, row.text(1), row.text(2), row.integer(3) != 0, row.text(4),
          row.text(5),         row.text(6), row.text(7), row.time(8),         row.time(9)};
}
StoredRegistration registration_row(const Statement& row) {
  return {row.text(0), row.integer(1) != 0, row.text(2), row.text(3),  row.text(4),  row.text(5),  row.text(6),
          row.text(7), row.integer(8),      row.text(9), row.text(10), row.text(11), row.time(12), row.time(13)};
}

}  // namespace

Result<std::optional<StoredEnrollment>> EnrollmentTable::find(sqlite3* db, bool group, std::string_view id) {
  TRY(auto statement,
      Statement::prepare(db, PICKET_ENROLLMENT_COLUMNS "FROM enrollment WHERE is_group = ? AND id = ?"));
  TRY(const bool found, statement.bind(std::int64_t{group}, id).step());
  if (!found) return std::optional<StoredEnrollment>();
  return std::optional(enrollment_row(statement));
}

Result<> EnrollmentTable::put(sqlite3* db, const StoredEnrollment& row) {
  TRY(auto statement,
      Statement::prepare(db,
                         "INSERT OR REPLACE INTO enrollment (is_group, id, etag, enabled, attestation, key_primary, "
                         "key_secondary, document, created, updated) VALUES (?,?,?,?,?,?,?,?,?,?)"));
  return statement
      .bind(std::int64_t{row.group}, row.id, row.etag, std::int64_t{row.enabled}, row.attestation, row.key_primary,
            row.key_secondary, row.document, row.created, row.updated)
      .run();
}

Result<bool> EnrollmentTable::remove(sqlite3* db, bool group, std::string_view id) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM enrollment WHERE is_group = ? AND id = ? RETURNING 1"));
  TRY(const bool removed, statement.bind(std::int64_t{group}, id).step());
  if (removed) TRY_VOID(statement.run());
  return removed;
}

Result<std::vector<StoredEnrollment>> EnrollmentTable::list(sqlite3* db, bool group, std::string_view after,
                                                            std::size_t count_max) {
  TRY(auto statement, Statement::prepare(db, PICKET_ENROLLMENT_COLUMNS
                                         "FROM enrollment WHERE is_group = ? AND id > ? ORDER BY id LIMIT ?"));
  return all_rows(statement.bind(std::int64_t{group}, after, static_cast<std::int64_t>(count_max)), enrollment_row);
}

Result<std::uint64_t> EnrollmentTable::count(sqlite3* db, bool group) {
  TRY(auto statement, Statement::prepare(db, "SELECT count(*) FROM enrollment WHERE is_group = ?"));
  TRY_VOID(statement.bind(std::int64_t{group}).step());
  return static_cast<std::uint64_t>(statement.integer(0));
}

Result<std::optional<StoredRegistration>> RegistrationTable::find(sqlite3* db, std::string_view registration_id) {
  TRY(auto statement,
      Statement::prepare(db, PICKET_REGISTRATION_COLUMNS "FROM registration WHERE registration_id = ?"));
  TRY(const bool found, statement.bind(registration_id).step());
  if (!found) return std::optional<StoredRegistration>();
  return std::optional(registration_row(statement));
}

Result<> RegistrationTable::put(sqlite3* db, const StoredRegistration& row) {
  TRY(auto statement, Statement::prepare(db,
                                         "INSERT OR REPLACE INTO registration (registration_id, is_group, "
                                         "enrollment_id, operation_id, status, substatus, hub, device_id, error_code, "
                                         "error_message, payload, etag, created, updated) VALUES "
                                         "(?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
  return statement
      .bind(row.registration_id, std::int64_t{row.group}, row.enrollment_id, row.operation_id, row.status,
            row.substatus, row.hub, row.device_id, row.error_code, row.error_message, row.payload, row.etag,
            row.created, row.updated)
      .run();
}

Result<bool> RegistrationTable::remove(sqlite3* db, std::string_view registration_id) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM registration WHERE registration_id = ? RETURNING 1"));
  TRY(const bool removed, statement.bind(registration_id).step());
  if (removed) TRY_VOID(statement.run());
  return removed;
}

Result<std::vector<StoredRegistration>> RegistrationTable::list(sqlite3* db, std::string_view group_id,
                                                                std::string_view after, std::size_t count_max) {
  TRY(auto statement,
      Statement::prepare(db, PICKET_REGISTRATION_COLUMNS
                         "FROM registration WHERE is_group = 1 AND enrollment_id = ? AND registration_id > ? "
                         "ORDER BY registration_id LIMIT ?"));
  return all_rows(statement.bind(group_id, after, static_cast<std::int64_t>(count_max)), registration_row);
}

Result<std::string> provisioning_scope(sqlite3* db, std::string_view made) {
  TRY(auto insert, Statement::prepare(db, "INSERT OR IGNORE INTO provisioning_scope (one, scope) VALUES (1, ?)"));
  TRY_VOID(insert.bind(made).run());
  TRY(auto statement, Statement::prepare(db, "SELECT scope FROM provisioning_scope"));
  TRY_VOID(statement.step());
  return statement.text(0);
}

}  // namespace picket::state
