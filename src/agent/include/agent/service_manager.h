// What the agent tells the service manager that started it: sd_notify(3)'s datagrams, without its library. systemd
// speaks it, and so do s6, dinit and supervisors of containers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/core/file.h"
#include "base/core/time.h"

namespace picket::agent {

/// Texts as in the environment; empty: not set. Each comes from who started the agent.
struct ServiceEnvironment {
  std::string_view notify_socket;  ///< NOTIFY_SOCKET: a path, or @ and an abstract name.
  std::string_view watchdog_usec;  ///< WATCHDOG_USEC: silence after which the manager ends the agent, microseconds.
  std::string_view watchdog_pid;   ///< WATCHDOG_PID: whom it is meant for; empty: us.
};
/// Of this process. The views last as long as the environment is not changed.
ServiceEnvironment service_environment();

/// Says nothing when nobody asked. Never blocks, never fails loudly: a manager that does not listen shall not stop the
/// agent. One thread; no bound is needed, nothing is kept.
class ServiceManager {
 public:
  /// `pid` is the agent's own. What cannot be understood is taken as not set.
  ServiceManager(const ServiceEnvironment& environment, long pid);

  /// Collectors run and hardening is in force.
  void ready();
  /// The loop still turns; call it every `alive_every()`.
  void alive();
  void stopping();
  /// One line for people, e.g. of `systemctl status`; cut at kStatusBytesMax, control characters become spaces.
  void status(std::string_view text);
  static constexpr std::size_t kStatusBytesMax = 256;

  /// Half of the time that the manager waits, at least 100 ms. nullopt: nobody waits.
  [[nodiscard]] std::optional<Duration> alive_every() const { return alive_every_; }
  [[nodiscard]] bool present() const { return socket_.valid(); }

 private:
  void send(std::string_view text);

  UniqueFd socket_;
  std::string address_;  ///< Without the mark of an abstract name.
  bool abstract_ = false;
  std::optional<Duration> alive_every_;
};

}  // namespace picket::agent
