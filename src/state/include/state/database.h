// The transactional state: one SQLite file for identities, users, alerts under triage and the outbox.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/core/result.h"

struct sqlite3;

namespace picket::state {

/// Number of the schema this program writes. Older files are upgraded on open, newer ones refused.
inline constexpr int kSchemaVersion = 1;

class Statement;

/// One SQLite file in WAL mode with synchronous=FULL: what was committed survives power loss. Thread-safe: one
/// connection writes, one reads, one looks up, each behind its own lock. Stores (Devices, Users, Alerts, Outbox) borrow
/// it.
class Database {
 public:
  /// Opens or creates `path` (0600) and upgrades its schema. Errors: io; unsupported with where
  /// "state.schema_version" when the file was made by a newer Picket; internal for an SQLite failure (logged).
  static Result<std::unique_ptr<Database>> open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs `body` in one transaction: committed when it returns a value, rolled back when it returns an error.
  Result<> write(const std::function<Result<>(sqlite3*)>& body);
  /// Runs `body` on the reading connection: sees one consistent state.
  Result<> read(const std::function<Result<>(sqlite3*)>& body);
  /// The same on a connection kept for indexed look-ups: a device that connects never waits for somebody's long list.
  Result<> look_up(const std::function<Result<>(sqlite3*)>& body);

 private:
  Database() = default;
  sqlite3* writer_ = nullptr;
  sqlite3* reader_ = nullptr;
  sqlite3* finder_ = nullptr;
  std::mutex writer_mutex_;
  std::mutex reader_mutex_;
  std::mutex finder_mutex_;
};

}  // namespace picket::state
