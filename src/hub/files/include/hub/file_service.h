// Files over the state and a folder: construction, what it needs, what it counts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "hub/files.h"
#include "state/database.h"

namespace picket::hub {

/// What happened to an upload; for the operations log and its counts per identity.
enum class FileEvent : std::uint8_t {
  opened,
  completed,  ///< The device reported success.
  failed,     ///< The device reported a failure.
  expired,    ///< Never reported.
};
std::string_view to_string(FileEvent event);

struct FileOperation {
  FileEvent event{};
  Timestamp time;
  Identity device;
  std::string blob_name;
  std::uint64_t size_bytes = 0;  ///< completed.
};

struct FileStats {
  std::uint64_t opened = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t expired = 0;
  std::uint64_t refused_open = 0;       ///< 403006
  std::uint64_t refused_room = 0;       ///< 403002
  std::uint64_t refused_signature = 0;  ///< 401003 of the object storage.
  std::uint64_t blobs_written = 0;
  std::uint64_t bytes_written = 0;
  std::uint64_t bytes_used = 0;             ///< Now, with what is on its way.
  std::uint64_t orphans_removed = 0;        ///< Files that no blob needs, found after a crash.
  std::uint64_t notifications_dropped = 0;  ///< Too old, or over their bound.
};

struct FileOptions {
  std::string directory;  ///< DIR/blobs; made if missing. Nobody else writes there.
  std::string key_file;   ///< DIR/secrets/blob.key; made on first start, 0600.
  /// The host in the URIs of notifications: by which service clients reach the hub. Empty: the one that the device
  /// used.
  std::string public_host;
  std::uint64_t bytes_max = 16ULL << 30;          ///< Of all blobs and blocks.
  std::uint64_t disk_reserve_bytes = 1ULL << 30;  ///< Left free on the file system.
  Duration block_lifetime = Duration::hours(2);   ///< Blocks that no list has joined.
  Duration notification_lock = Duration::seconds(60);
  Duration notification_kept = Duration::hours(48);
  std::uint64_t notifications_max = 100'000;  ///< Of one hub; above it the oldest go.
  /// Called after it is durable, on any thread; must be quick. May be empty.
  std::function<void(const FileOperation&)> on_operation;
};

class FileService : public Files {
 public:
  /// Ends tickets whose time is over, removes old blocks and notifications, tells the listener. About once a second.
  virtual void run_due() = 0;
  [[nodiscard]] virtual FileStats stats() const = 0;
};

/// Everything outlives it; destroy it after the heads and their BlobUploads, before the database. Errors: io; malformed
/// "files.key" when the key file is not one.
Result<std::unique_ptr<FileService>> make_files(state::Database& database, const Clock& clock, FileOptions options);

}  // namespace picket::hub
