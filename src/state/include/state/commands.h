// Cloud-to-device messages that wait for their devices.
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

struct StoredCommand {
  std::int64_t sequence = 0;  ///< Rises over all devices; never used again.
  std::string hub;
  std::string device_id;
  std::string generation_id;
  std::string message_id;
  std::string properties;  ///< Bytes; the writer's own encoding.
  std::string body;        ///< Bytes.
  int feedback = 0;        ///< The writer's own number.
  Timestamp enqueued;
  Timestamp expiry;
  std::uint32_t delivery_count = 0;
};

/// The part that decides about delivery.
struct CommandHead {
  std::int64_t sequence = 0;
  Timestamp expiry;
};

/// For use inside Database's bodies. Rows go with their device.
struct CommandTable {
  /// The generation that commands for this device belong to. Errors: not_found "command.device".
  static Result<std::string> generation(sqlite3* db, std::string_view hub, std::string_view device_id);
  static Result<std::int64_t> insert(sqlite3* db, const StoredCommand& command);
  static Result<std::uint64_t> count(sqlite3* db, std::string_view hub, std::string_view device_id);
  /// Oldest first; at most `count_max`.
  static Result<std::vector<CommandHead>> heads(sqlite3* db, std::string_view hub, std::string_view device_id,
                                                std::size_t count_max);
  static Result<std::optional<StoredCommand>> find(sqlite3* db, std::int64_t sequence);
  /// Any device's, without body; those whose expiry is not after `now`.
  static Result<std::vector<StoredCommand>> expired(sqlite3* db, Timestamp now, std::size_t count_max);
  /// Of one device, without body.
  static Result<std::vector<StoredCommand>> list(sqlite3* db, std::string_view hub, std::string_view device_id);
  /// False: it was not there.
  static Result<bool> remove(sqlite3* db, std::int64_t sequence);
  static Result<> set_delivery_count(sqlite3* db, std::int64_t sequence, std::uint32_t count);
};

}  // namespace picket::state
