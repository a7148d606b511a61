// File uploads of devices: open tickets, what is in the object storage, notifications that wait.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

struct sqlite3;

namespace picket::state {

struct StoredUpload {
  std::string correlation_id;
  std::string hub;
  std::string device_id;
  std::string generation_id;
  std::string blob_name;
  std::string host;  ///< By which the device reaches the object storage.
  Timestamp created;
  Timestamp expires;
};

struct StoredBlob {
  std::string hub;
  std::string name;
  std::string file;  ///< Opaque; unique.
  std::uint64_t size_bytes = 0;
  std::string content_type;
  Timestamp modified;
};

struct StoredFileNotification {
  std::int64_t id = 0;
  std::string hub;
  std::string device_id;
  std::string blob_uri;
  std::string blob_name;
  Timestamp last_updated;
  std::uint64_t size_bytes = 0;
  Timestamp enqueued;
};

/// For use inside Database's bodies. Tickets go with their device; blobs and notifications stay.
struct UploadTable {
  /// Those that expire after `now`.
  static Result<std::uint64_t> open_count(sqlite3* db, std::string_view hub, std::string_view device_id, Timestamp now);
  static Result<> insert(sqlite3* db, const StoredUpload& upload);
  static Result<std::optional<StoredUpload>> find(sqlite3* db, std::string_view correlation_id);
  static Result<bool> is_open(sqlite3* db, std::string_view hub, std::string_view blob_name, Timestamp now);
  static Result<> remove(sqlite3* db, std::string_view correlation_id);
  static Result<std::vector<StoredUpload>> expired(sqlite3* db, Timestamp now, std::size_t count_max);
};

struct BlobTable {
  static Result<std::optional<StoredBlob>> find(sqlite3* db, std::string_view hub, std::string_view name);
  static Result<> put(sqlite3* db, const StoredBlob& blob);
  static Result<> remove(sqlite3* db, std::string_view hub, std::string_view name);
  /// Names that begin with `prefix`, after `after`.
  static Result<std::vector<StoredBlob>> list(sqlite3* db, std::string_view hub, std::string_view prefix,
                                              std::string_view after, std::size_t count_max);
  static Result<bool> has_file(sqlite3* db, std::string_view file);
  static Result<std::uint64_t> total_bytes(sqlite3* db);
};

struct FileNotificationTable {
  static Result<> insert(sqlite3* db, const StoredFileNotification& notification);
  /// Oldest first.
  static Result<std::vector<std::int64_t>> ids(sqlite3* db, std::string_view hub, std::size_t count_max);
  static Result<std::optional<StoredFileNotification>> find(sqlite3* db, std::int64_t id);
  static Result<> remove(sqlite3* db, std::int64_t id);
  static Result<std::vector<std::string>> hubs(sqlite3* db);
  /// Removes what is older than `before`, and the oldest above `kept_max` of each hub. Returns how many.
  static Result<std::uint64_t> trim(sqlite3* db, Timestamp before, std::uint64_t kept_max);
};

}  // namespace picket::state
