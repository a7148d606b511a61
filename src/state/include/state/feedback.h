// What became of cloud-to-device messages, until a service client has taken it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "base/core/time.h"

struct sqlite3;

namespace picket::state {

struct StoredFeedback {
  std::int64_t id = 0;  ///< Rises with the time of the result; never used again.
  std::string hub;
  Timestamp created;
  std::string original_message_id;
  std::string status;
  std::string description;
  std::string device_id;
  std::string generation_id;
};

struct FeedbackHead {
  std::int64_t id = 0;
  Timestamp created;
};

/// For use inside Database's bodies. Rows outlive their device.
struct FeedbackTable {
  static Result<> insert(sqlite3* db, const StoredFeedback& feedback);
  /// Oldest first.
  static Result<std::vector<FeedbackHead>> heads(sqlite3* db, std::string_view hub, std::size_t count_max);
  /// Those from `first` to `last` that are still there.
  static Result<std::vector<StoredFeedback>> range(sqlite3* db, std::string_view hub, std::int64_t first,
                                                   std::int64_t last);
  static Result<std::uint64_t> remove_range(sqlite3* db, std::string_view hub, std::int64_t first, std::int64_t last);
  static Result<std::vector<std::string>> hubs(sqlite3* db);
  /// Removes what is older than `before`, and the oldest above `kept_max` of each hub. Returns how many.
  static Result<std::uint64_t> trim(sqlite3* db, Timestamp before, std::uint64_t kept_max);
};

}  // namespace picket::state
