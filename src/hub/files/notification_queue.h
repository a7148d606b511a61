// Notifications of uploads, until a service client has taken them.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "hub/file_service.h"
#include "hub/store_gate.h"
#include "notification_locks.h"

namespace picket::hub {

/// Any thread. Rows are written by whoever ends an upload, in the same transaction.
class NotificationQueue {
 public:
  NotificationQueue(state::Database& database, const Clock& clock, const FileOptions& options);

  /// A row was committed for this hub.
  void added(const std::string& hub);
  void receive(std::string_view hub, Done<std::optional<FileNotification>> done);
  void settle(std::string_view hub, std::string_view token, Settlement settlement, Done<> done);
  void listen(std::function<void(const std::string& hub)> listener);
  /// Tells the listener about hubs where one waits.
  void tell_listener();
  /// Removes what is too old or too much.
  void trim();
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  [[nodiscard]] Result<std::vector<std::int64_t>> ids(std::string_view hub) const;

  state::Database& database_;
  const Clock& clock_;
  const FileOptions& options_;
  NotificationLocks locks_;
  std::mutex mutex_;
  std::function<void(const std::string&)> listener_;
  std::set<std::string> pending_;  ///< Hubs that may have some.
  std::atomic<std::uint64_t> dropped_ = 0;
  StoreGate gate_;  // last
};

}  // namespace picket::hub
