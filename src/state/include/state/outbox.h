// Records that must reach the journal because a change was committed here.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"
#include "state/database.h"

struct sqlite3;

namespace picket::state {

struct OutboxRecord {
  std::int64_t id = 0;
  Timestamp created;
  std::string kind;       ///< e.g. "device.create"
  std::string device_id;  ///< Empty when it is about no device.
  std::string body;       ///< JSON object: actor, object, before and after; no secrets.
};

/// Written in the transaction of the change itself, moved to the journal by the server, removed once durable there. So
/// a change and its record stand or fall together; after a crash a record may be appended twice and is recognised by
/// id.
class Outbox {
 public:
  explicit Outbox(Database& database) : database_(database) {}

  /// Records something that changes nothing here, such as a key that was read.
  Result<> record(std::string_view kind, std::string_view device_id, std::string_view body, Timestamp now);
  /// For use inside Database::write.
  static Result<> add(sqlite3* db, std::string_view kind, std::string_view device_id, std::string_view body,
                      Timestamp now);
  Result<std::vector<OutboxRecord>> pending(std::size_t count_max) const;
  Result<> remove_through(std::int64_t id);
  /// Audit records with an id below `before` (0: from the newest), newest first; kept after they left the outbox.
  Result<std::vector<OutboxRecord>> history(std::int64_t before, std::size_t count_max) const;

 private:
  Database& database_;
};

}  // namespace picket::state
