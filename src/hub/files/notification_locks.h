// Which notifications service clients hold right now. In memory: a restart forgets, and hands them out again.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/time.h"

namespace picket::hub {

/// Any thread. At most kLocksMax of a hub.
class NotificationLocks {
 public:
  static constexpr std::size_t kLocksMax = 256;

  /// The first of `ids` that nobody holds, and its lock.
  std::optional<std::pair<std::int64_t, std::string>> take(const std::string& hub, const std::vector<std::int64_t>& ids,
                                                           Duration now, Duration until);
  /// Whether take() would find one.
  bool any_free(const std::string& hub, const std::vector<std::int64_t>& ids, Duration now);
  /// nullopt: lost.
  std::optional<std::int64_t> begin_settling(const std::string& hub, std::string_view token, Duration now);
  void release(const std::string& hub, std::int64_t id);

 private:
  struct Lock {
    std::int64_t id = 0;
    std::string token;
    Duration until;
    bool settling = false;
  };
  std::vector<Lock>& alive(const std::string& hub, Duration now);
  static std::optional<std::int64_t> first_free(const std::vector<Lock>& locks, const std::vector<std::int64_t>& ids);

  std::mutex mutex_;
  std::map<std::string, std::vector<Lock>> hubs_;
};

}  // namespace picket::hub
