// What happens to fleets by itself: configurations kept true, jobs run when
// their time comes.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/core/time.h"
#include "hub/configurations.h"
#include "hub/jobs.h"

namespace picket::hub {

/// Owns the thread on which both work. Everything else is theirs.
class Automation {
 public:
  static constexpr std::size_t kDevicesPerStep = 256;

  /// All outlive it.
  Automation(state::Database& database, Twins& twins, MethodInvoker& methods, const Clock& clock);
  /// Stops.
  ~Automation();
  Automation(const Automation&) = delete;
  Automation& operator=(const Automation&) = delete;

  Configurations& configurations() { return configurations_; }
  Jobs& jobs() { return jobs_; }

  /// Everything that is due at `now`, one step of each. False: nothing was left
  /// to do. For tests instead of start(); recover() once before.
  Result<bool> run_due(Timestamp now);
  Result<> recover() { return jobs_.recover(); }
  /// Recovers, then works until stop(): at once while there is something to do,
  /// else every 250 ms and when woken.
  void start();
  void stop();

 private:
  void run(const std::stop_token& stopping);
  void wake();

  Configurations configurations_;
  Jobs jobs_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable_any woken_;
  bool wake_ = false;
  std::jthread thread_;
};

}  // namespace picket::hub
