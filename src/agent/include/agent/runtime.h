// The running agent: collectors, aggregation, spool and uplink on one epoll thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/config.h"
#include "agent/self_test.h"
#include "agent/status.h"

namespace picket::agent {

struct RuntimeOptions {
  bool collect = true;  ///< false: only an uplink, with a spool in memory, for a self test without a running agent.
  /// Gets each log line, without its end. Fixed after construction.
  std::function<void(std::string_view line)> log;
};

class Runtime {
 public:
  /// Opens everything but the collectors. The error is a text for people. `config` and `clock` outlive the runtime.
  static Checked<std::unique_ptr<Runtime>> create(const Config& config, const Clock& clock, RuntimeOptions options);
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Until SIGTERM or SIGINT: then everything gathered goes to the spool, what the hub takes within a second is sent,
  /// and the epoch is closed.
  Outcome run();
  /// Sends a SelfTest event over a connection of its own and waits for the goal.
  SelfTestResult run_self_test(std::string_view test_id, SelfTestGoal goal, Duration patience);
  [[nodiscard]] AgentStatus status() const;

 private:
  struct Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace picket::agent
