#include "state/uploads.h"

#include <sqlite3.h>

#include "statement.h"

namespace picket::state {

// blob_name and name: "{device}/{name}". file: where the bytes are, below the folder of blobs.
extern const char* const kUploadsSchema;
const char* const kUploadsSchema = R"sql(
CREATE TABLE upload (
  correlation_id TEXT PRIMARY KEY, hub TEXT NOT NULL, device_id TEXT NOT NULL, generation_id TEXT NOT NULL,
  blob_name TEXT NOT NULL, host TEXT NOT NULL, created INTEGER NOT NULL, expires INTEGER NOT NULL,
  FOREIGN KEY (hub, device_id) REFERENCES device (hub, device_id) ON DELETE CASCADE) WITHOUT ROWID;
CREATE INDEX upload_device ON upload (hub, device_id, expires);
CREATE INDEX upload_blob ON upload (hub, blob_name);
CREATE INDEX upload_expires ON upload (expires);
CREATE TABLE blob (
  hub TEXT NOT NULL, name TEXT NOT NULL, file TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, content_type TEXT NOT NULL,
  modified INTEGER NOT NULL, PRIMARY KEY (hub, name)) WITHOUT ROWID;
CREATE TABLE file_notification (
  id INTEGER PRIMARY KEY AUTOINCREMENT, hub TEXT NOT NULL, device_id TEXT NOT NULL, blob_uri TEXT NOT NULL,
  blob_name TEXT NOT NULL, last_updated INTEGER NOT NULL, size INTEGER NOT NULL, enqueued INTEGER NOT NULL);
CREATE INDEX file_notification_hub ON file_notification (hub, id);
)sql";

namespace {

StoredUpload upload_row(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2), row.text(3), row.text(4), row.text(5), row.time(6), row.time(7)};
}
StoredBlob blob_row(const Statement& row) {
  return {row.text(0), row.text(1), row.text(2), static_cast<std::uint64_t>(row.integer(3)), row.text(4), row.time(5)};
}

}  // namespace

Result<std::uint64_t> UploadTable::open_count(sqlite3* db, std::string_view hub, std::string_view device_id,
                                              Timestamp now) {
  TRY(auto statement,
      Statement::prepare(db, "SELECT count(*) FROM upload WHERE hub = ? AND device_id = ? AND expires > ?"));
  TRY_VOID(statement.bind(hub, device_id, now).step());
  return static_cast<std::uint64_t>(statement.integer(0));
}

Result<> UploadTable::insert(sqlite3* db, const StoredUpload& upload) {
  TRY(auto statement,
      Statement::prepare(db,
                         "INSERT INTO upload (correlation_id, hub, device_id, generation_id, blob_name, host, created, "
                         "expires) VALUES (?,?,?,?,?,?,?,?)"));
  return statement
      .bind(upload.correlation_id, upload.hub, upload.device_id, upload.generation_id, upload.blob_name, upload.host,
            upload.created, upload.expires)
      .run();
}

Result<std::optional<StoredUpload>> UploadTable::find(sqlite3* db, std::string_view correlation_id) {
  TRY(auto statement,
      Statement::prepare(db,
                         "SELECT correlation_id, hub, device_id, generation_id, blob_name, host, created, expires "
                         "FROM upload WHERE correlation_id = ?"));
  TRY(const bool found, statement.bind(correlation_id).step());
  if (!found) return std::optional<StoredUpload>();
  return std::optional(upload_row(statement));
}

Result<bool> UploadTable::is_open(sqlite3* db, std::string_view hub, std::string_view blob_name, Timestamp now) {
  TRY(auto statement,
      Statement::prepare(db, "SELECT 1 FROM upload WHERE hub = ? AND blob_name = ? AND expires > ? LIMIT 1"));
  return statement.bind(hub, blob_name, now).step();
}

Result<> UploadTable::remove(sqlite3* db, std::string_view correlation_id) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM upload WHERE correlation_id = ?"));
  return statement.bind(correlation_id).run();
}

Result<std::vector<StoredUpload>> UploadTable::expired(sqlite3* db, Timestamp now, std::size_t count_max) {
  TRY(auto statement,
      Statement::prepare(db,
                         "SELECT correlation_id, hub, device_id, generation_id, blob_name, host, created, expires "
                         "FROM upload WHERE expires <= ? ORDER BY expires LIMIT ?"));
  return all_rows(statement.bind(now, static_cast<std::int64_t>(count_max)), upload_row);
}

Result<std::optional<StoredBlob>> BlobTable::find(sqlite3* db, std::string_view hub, std::string_view name) {
  TRY(auto statement,
      Statement::prepare(db,
                         "SELECT hub, name, file, size, content_type, modified FROM blob WHERE hub = ? AND name = ?"));
  TRY(const bool found, statement.bind(hub, name).step());
  if (!found) return std::optional<StoredBlob>();
  return std::optional(blob_row(statement));
}

Result<> BlobTable::put(sqlite3* db, const StoredBlob& blob) {
  TRY(auto statement,
      Statement::prepare(db,
                         "INSERT INTO blob (hub, name, file, size, content_type, modified) VALUES (?,?,?,?,?,?) "
                         "ON CONFLICT (hub, name) DO UPDATE SET file = excluded.file, size = excluded.size, "
                         "content_type = excluded.content_type, modified = excluded.modified"));
  return statement
      .bind(blob.hub, blob.name, blob.file, static_cast<std::int64_t>(blob.size_bytes), blob.content_type,
            blob.modified)
      .run();
}

Result<> BlobTable::remove(sqlite3* db, std::string_view hub, std::string_view name) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM blob WHERE hub = ? AND name = ?"));
  return statement.bind(hub, name).run();
}

Result<std::vector<StoredBlob>> BlobTable::list(sqlite3* db, std::string_view hub, std::string_view prefix,
                                                std::string_view after, std::size_t count_max) {
  // A range and not LIKE or GLOB: ids may hold their wildcards.
  std::string end(prefix.empty() ? "\xFF" : prefix);
  if (!prefix.empty()) ++end.back();
  TRY(auto statement,
      Statement::prepare(db,
                         "SELECT hub, name, file, size, content_type, modified FROM blob WHERE hub = ? AND name > ? "
                         "AND name >= ? AND name < ? ORDER BY name LIMIT ?"));
  return all_rows(statement.bind(hub, after, prefix, end, static_cast<std::int64_t>(count_max)), blob_row);
}

Result<bool> BlobTable::has_file(sqlite3* db, std::string_view file) {
  TRY(auto statement, Statement::prepare(db, "SELECT 1 FROM blob WHERE file = ?"));
  return statement.bind(file).step();
}

Result<std::uint64_t> BlobTable::total_bytes(sqlite3* db) {
  TRY(auto statement, Statement::prepare(db, "SELECT coalesce(sum(size), 0) FROM blob"));
  TRY_VOID(statement.step());
  return static_cast<std::uint64_t>(statement.integer(0));
}

Result<> FileNotificationTable::insert(sqlite3* db, const StoredFileNotification& row) {
  TRY(auto statement,
      Statement::prepare(db,
                         "INSERT INTO file_notification (hub, device_id, blob_uri, blob_name, last_updated, size, "
                         "enqueued) VALUES (?,?,?,?,?,?,?)"));
  return statement
      .bind(row.hub, row.device_id, row.blob_uri, row.blob_name, row.last_updated,
            static_cast<std::int64_t>(row.size_bytes), row.enqueued)
      .run();
}

Result<std::vector<std::int64_t>> FileNotificationTable::ids(sqlite3* db, std::string_view hub, std::size_t count_max) {
  TRY(auto statement, Statement::prepare(db, "SELECT id FROM file_notification WHERE hub = ? ORDER BY id LIMIT ?"));
  return all_rows(statement.bind(hub, static_cast<std::int64_t>(count_max)),
                  [](const Statement& row) { return row.integer(0); });
}

Result<std::optional<StoredFileNotification>> FileNotificationTable::find(sqlite3* db, std::int64_t id) {
  TRY(auto statement,
      Statement::prepare(db,
                         "SELECT id, hub, device_id, blob_uri, blob_name, last_updated, size, enqueued FROM "
                         "file_notification WHERE id = ?"));
  TRY(const bool found, statement.bind(id).step());
  if (!found) return std::optional<StoredFileNotification>();
  return std::optional(StoredFileNotification{statement.integer(0), statement.text(1), statement.text(2),
                                              statement.text(3), statement.text(4), statement.time(5),
                                              static_cast<std::uint64_t>(statement.integer(6)), statement.time(7)});
}

Result<> FileNotificationTable::remove(sqlite3* db, std::int64_t id) {
  TRY(auto statement, Statement::prepare(db, "DELETE FROM file_notification WHERE id = ?"));
  return statement.bind(id).run();
}

Result<std::vector<std::string>> FileNotificationTable::hubs(sqlite3* db) {
  TRY(auto statement, Statement::prepare(db, "SELECT DISTINCT hub FROM file_notification"));
  return all_rows(statement, [](const Statement& row) { return row.text(0); });
}

Result<std::uint64_t> FileNotificationTable::trim(sqlite3* db, Timestamp before, std::uint64_t kept_max) {
  TRY(auto old, Statement::prepare(db, "DELETE FROM file_notification WHERE enqueued < ?"));
  TRY_VOID(old.bind(before).run());
  auto removed = static_cast<std::uint64_t>(sqlite3_changes(db));
  TRY(const auto names, hubs(db));
  for (const auto& hub : names) {
    TRY(auto surplus, Statement::prepare(db,
                                         "DELETE FROM file_notification WHERE hub = ?1 AND id <= (SELECT id FROM "
                                         "file_notification WHERE hub = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)"));
    TRY_VOID(surplus.bind(hub, static_cast<std::int64_t>(kept_max)).run());
    removed += static_cast<std::uint64_t>(sqlite3_changes(db));
  }
  return removed;
}

}  // namespace picket::state
