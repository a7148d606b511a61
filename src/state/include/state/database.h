// The transactional state: one SQLite file for identities, users, alerts under triage and the outbox.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/core/result.h"

struct sqlite3;

namespace picket::state {

/// Number of the schema this program writes. Older files are upgraded on open, newer ones refused.
inline constexpr int kSchemaVersion = 10;

class GroupCommit;
class StatementCache;

struct DatabaseStats {
  std::uint64_t submitted = 0;
  std::uint64_t refused = 0;  ///< Submits that found the queue full.
  std::uint64_t commits = 0;  ///< Of submitted bodies: far fewer than bodies under load.
  std::uint64_t failed_commits = 0;
  std::uint64_t waiting = 0;  ///< Now.
};

/// One SQLite file in WAL mode with synchronous=FULL: what was committed survives power loss. Thread-safe: one
/// connection writes, one reads, one looks up, each behind its own lock. Stores (Devices, Users, Alerts, Outbox) borrow
/// it and go before it.
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
  /// One transaction for everything that `body` writes and reads on this thread: each write() of it is a savepoint, and
  /// what it reads is what it wrote. All of it is taken back when `body` returns an error. For projections, which can
  /// do a batch again; other writers wait meanwhile, so a batch is short. Not within itself or write().
  Result<> write_together(const std::function<Result<>()>& body);
  /// For I/O threads: never waits for the disk. `body` runs on the database's writing thread, in one transaction with
  /// those of other callers, each in a savepoint: one that fails spoils no other. `done` is called once on that thread,
  /// after COMMIT, with the body's error or that of the transaction. At most 16,384 wait; above that, and while the
  /// database closes, `done` gets unavailable "state.submit" at once, on the calling thread. The destructor runs what
  /// still waits. Bodies run in the order in which they were submitted.
  void submit(std::move_only_function<Result<>(sqlite3*)> body, std::move_only_function<void(Result<>)> done);
  [[nodiscard]] DatabaseStats stats() const;
  /// Runs `body` on the reading connection: sees one consistent state.
  Result<> read(const std::function<Result<>(sqlite3*)>& body);
  /// The same on a connection kept for indexed look-ups: a device that connects never waits for somebody's long list.
  Result<> look_up(const std::function<Result<>(sqlite3*)>& body);

 private:
  Database();
  [[nodiscard]] bool is_together() const;

  sqlite3* writer_ = nullptr;
  sqlite3* reader_ = nullptr;
  sqlite3* finder_ = nullptr;
  std::mutex writer_mutex_;
  std::mutex reader_mutex_;
  std::mutex finder_mutex_;
  std::unique_ptr<StatementCache> caches_[3];
  std::unique_ptr<GroupCommit> group_commit_;
  std::atomic<std::thread::id> together_;  ///< The thread that is within write_together.
};

}  // namespace picket::state
