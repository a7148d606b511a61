// Tells an agent that the alert of its self test stands: the last step of the way that the test proves.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "hub/methods.h"
#include "state/alerts.h"

namespace picket::server {

/// Any thread.
class SelfTestConfirmer {
 public:
  /// The hub is made after the alerts. nullptr: nobody can be told; agents say so after their time limit.
  void attach(hub::Methods* methods);
  /// A stored alert; only those of self tests matter. Returns at once.
  void raised(const state::Alert& alert);
  [[nodiscard]] std::uint64_t confirmed() const { return *confirmed_; }

 private:
  std::mutex mutex_;
  hub::Methods* methods_ = nullptr;
  std::shared_ptr<std::atomic<std::uint64_t>> confirmed_ =
      std::make_shared<std::atomic<std::uint64_t>>(0);  ///< Shared with calls that have not ended.
};

}  // namespace picket::server
