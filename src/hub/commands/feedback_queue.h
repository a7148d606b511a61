// Feedback of a hub in batches, locked while a service client has one.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hub/command_service.h"
#include "hub/store_gate.h"
#include "state/feedback.h"

namespace picket::hub {

/// Any thread. A batch is a run of records in order; its lock is a range of record numbers.
class FeedbackQueue {
 public:
  FeedbackQueue(state::Database& database, const Clock& clock, const CommandOptions& options);

  /// Records were committed for this hub.
  void added(const std::string& hub);
  void receive(std::string_view hub, Done<std::optional<FeedbackBatch>> done);
  void settle(std::string_view hub, std::string_view token, Settlement settlement, Done<> done);
  void listen(std::function<void(const std::string& hub)> listener);
  /// Tells the listener about hubs with a batch that is ready; trims.
  void run_due();
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }

 private:
  static constexpr std::size_t kLocksMax = 32;  ///< Batches of one hub in the hands of clients.
  struct Lock {
    std::string token;
    std::int64_t first = 0;
    std::int64_t last = 0;
    Duration until;
    bool settling = false;
  };
  using Locks = std::vector<Lock>;

  [[nodiscard]] Result<std::optional<FeedbackBatch>> take(const std::string& hub);
  [[nodiscard]] Result<std::vector<state::FeedbackHead>> heads(const std::string& hub) const;
  /// The oldest run that is free and ready; caller holds the mutex.
  [[nodiscard]] std::vector<state::FeedbackHead> ready(const std::string& hub,
                                                       const std::vector<state::FeedbackHead>& heads);
  void release(const std::string& hub, std::string_view token);
  void trim();

  state::Database& database_;
  const Clock& clock_;
  const CommandOptions& options_;
  std::mutex mutex_;
  std::map<std::string, Locks> locks_;
  std::set<std::string> pending_;  ///< Hubs that may have records.
  std::function<void(const std::string&)> listener_;
  Duration trimmed_;
  std::atomic<std::uint64_t> dropped_ = 0;
  StoreGate gate_;  // last
};

}  // namespace picket::hub
