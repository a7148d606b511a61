// Words for tests against the running kernel.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include "agent/collector.h"

namespace picket::agent {

/// A record that outlives its emit(): the texts its views showed.
struct KeptProcess {
  ProcessRecord record;
  std::string executable, parent, cwd, argv, grandparent, container, terminal;
};
struct KeptConnection {
  ConnectionRecord record;
  std::string executable, argv, interface;
};
struct KeptLogin {
  LoginRecord record;
  std::string user, executable, terminal, operation, host, by;
};

/// `items` as sent: JSON objects joined by commas.
struct KeptEvent {
  EventRecord record;
  std::string identity, items;
};

class Recorder final : public RecordSink {
 public:
  void emit(const ProcessRecord& r) override {
    processes.push_back({r, std::string(r.executable), std::string(r.parent_executable), std::string(r.cwd),
                         std::string(r.argv), std::string(r.grandparent_executable), std::string(r.container),
                         std::string(r.terminal)});
  }
  void emit(const ConnectionRecord& r) override {
    connections.push_back({r, std::string(r.executable), std::string(r.argv), std::string(r.interface)});
  }
  void emit(const LoginRecord& r) override {
    logins.push_back({r, std::string(r.user), std::string(r.executable), std::string(r.terminal),
                      std::string(r.operation), std::string(r.remote_host), std::string(r.by_user)});
  }
  void emit(const SystemRecord&) override { ++systems; }
  void emit(const HeartbeatRecord& r) override { heartbeats.push_back(r.count); }
  void emit(const StatisticsRecord&) override {}
  void emit(const EventRecord& r) override { events.push_back({r, std::string(r.identity), std::string(r.items)}); }

  std::vector<KeptProcess> processes;
  std::vector<KeptConnection> connections;
  std::vector<KeptLogin> logins;
  std::vector<KeptEvent> events;
  std::vector<std::uint64_t> heartbeats;
  int systems = 0;
};

inline const CollectorSpec& spec_named(std::string_view name) {
  for (const CollectorSpec& spec : collector_table()) {
    if (spec.name == name) return spec;
  }
  std::abort();
}

/// One collector with its loop and its sink.
struct Bench {
  explicit Bench(std::string_view name, CollectorSettings with = {})
      : settings(std::move(with)), collector(spec_named(name), {settings, system_clock(), sink}) {}

  /// Runs the loop until `done` or `seconds` have passed. Returns done().
  bool run_until(const std::function<bool()>& done, double seconds = 60) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    Duration due = collector.on_timer();
    auto due_at = std::chrono::steady_clock::now() + std::chrono::microseconds(due.us);
    while (!done() && std::chrono::steady_clock::now() < end) {
      std::vector<pollfd> fds;
      for (const int fd : collector.fds()) fds.push_back({.fd = fd, .events = POLLIN, .revents = 0});
      const auto wait =
          std::chrono::duration_cast<std::chrono::milliseconds>(due_at - std::chrono::steady_clock::now());
      const int ms = static_cast<int>(std::clamp<std::int64_t>(wait.count(), 1, 50));
      poll(fds.data(), fds.size(), ms);
      bool ready = false;
      for (const pollfd& fd : fds) {
        if (!(fd.revents & POLLIN)) continue;
        due = collector.on_ready(fd.fd);
        ready = true;
      }
      if (!ready && std::chrono::steady_clock::now() >= due_at) {
        due = collector.on_timer();
        ready = true;
      }
      if (ready) due_at = std::chrono::steady_clock::now() + std::chrono::microseconds(due.us);
    }
    return done();
  }
  void run_for(double seconds) {
    run_until([] { return false; }, seconds);
  }

  CollectorSettings settings;
  Recorder sink;
  Collector collector;
};

/// Live tests need root. Without it they fail, unless PICKET_TEST_UNPRIVILEGED=1 says that this is meant.
inline bool unprivileged_is_meant() {
  const char* value = std::getenv("PICKET_TEST_UNPRIVILEGED");
  return value && std::string_view(value) == "1";
}

#define PICKET_NEEDS_ROOT()                                                                        \
  do {                                                                                             \
    if (geteuid() != 0) {                                                                          \
      if (unprivileged_is_meant()) GTEST_SKIP() << "needs root (PICKET_TEST_UNPRIVILEGED=1)";      \
      FAIL() << "this live test needs root; set PICKET_TEST_UNPRIVILEGED=1 to skip it on purpose"; \
    }                                                                                              \
  } while (false)

}  // namespace picket::agent
