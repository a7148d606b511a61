// The running agent: collectors, aggregation, spool and uplink on one epoll thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "agent/config.h"
#include "agent/status.h"

namespace picket::agent {

/// Why the agent, or a self test, ended; also the exit code (decisions: errors).
enum class Outcome : std::uint8_t { done = 0, failed = 1, usage = 2, unreachable = 3, denied = 4 };

struct RuntimeOptions {
  bool collect = true;  ///< false: only an uplink, with a spool in memory, for a self test without a running agent.
  /// Gets each log line, without its end. Fixed after construction.
  std::function<void(std::string_view line)> log;
};

/// What a self test waits for. A hub other than Picket's stores the event and confirms no alert.
enum class SelfTestGoal : std::uint8_t { stored, alert };

/// How a self test ended.
struct SelfTestResult {
  Outcome outcome = Outcome::failed;
  bool stored = false;     ///< The hub has acknowledged the event.
  std::string alert_id{};  ///< Of the alert that the server has raised and stored; it says so by a direct method.
  std::string event_id{};
  std::string message_id{};  ///< `$.mid`.
  std::string text{};        ///< For people, when it did not succeed.
};
std::string self_test_json(const SelfTestResult& result);
/// The direct method by which the server confirms the alert of a self test: {"testId":…,"alertId":…}.
inline constexpr std::string_view kSelfTestMethod = "PicketSelfTest";

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
