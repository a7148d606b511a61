// Words for tests of the process collector against the running kernel, each tier forced.
#pragma once

#include <map>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/live.h"

extern "C" char** environ;

namespace picket::agent {

inline pid_t spawn(const std::vector<std::string>& argv) {
  std::vector<char*> raw;
  for (const auto& text : argv) raw.push_back(const_cast<char*>(text.c_str()));
  raw.push_back(nullptr);
  pid_t pid = -1;
  EXPECT_EQ(posix_spawn(&pid, raw[0], nullptr, nullptr, raw.data(), environ), 0);
  return pid;
}

inline std::string joined(const std::vector<std::string>& argv) {
  std::string out;
  for (const auto& text : argv) out += text + '\0';
  return out;
}

// Tier tracepoint needs tracefs, which is not mounted everywhere: here only for this process.
inline void mount_tracefs() {
  static const bool mounted = [] {
    if (access("/sys/kernel/tracing/events", F_OK) == 0) return true;
    return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr) == 0;
  }();
  EXPECT_TRUE(mounted);
}

inline CollectorSettings forced(const char* tier) {
  if (std::string_view(tier) == "tracepoint" && geteuid() == 0) mount_tracefs();
  CollectorSettings settings;
  settings.choose("process").tier = tier;
  return settings;
}

inline const KeptProcess* find_exec(const Recorder& sink, pid_t pid) {
  for (const auto& kept : sink.processes) {
    if (kept.record.pid == static_cast<std::uint32_t>(pid) && kept.record.kind == ProcessRecord::Kind::exec)
      return &kept;
  }
  return nullptr;
}

// Runs `count` programs that end at once, each with argv of its own. Returns argv by pid; reads between them.
inline std::multimap<std::string, pid_t> storm(Bench& bench, int count, bool read_along = true) {
  std::multimap<std::string, pid_t> expected;
  for (int i = 0; i < count; ++i) {
    const std::vector<std::string> argv{"/bin/true", "storm", std::to_string(getpid()), std::to_string(i)};
    const pid_t pid = spawn(argv);
    expected.emplace(joined(argv), pid);
    int status = 0;
    waitpid(pid, &status, 0);
    if (read_along && i % 50 == 0) {
      for (const int fd : bench.collector.fds()) bench.collector.on_ready(fd);
    }
  }
  return expected;
}

inline int found_with_argv(const Recorder& sink, const std::multimap<std::string, pid_t>& expected) {
  std::map<std::string, int> seen;
  for (const auto& kept : sink.processes) ++seen[kept.argv];
  int found = 0;
  for (const auto& [argv, pid] : expected) {
    if (const auto at = seen.find(argv); at != seen.end() && at->second > 0) {
      --at->second;
      ++found;
    }
  }
  return found;
}

/// Every exec of a storm, with its whole argv and nothing dropped.
inline void expect_storm_whole(const char* tier, int count) {
  Bench bench("process", forced(tier));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  const auto expected = storm(bench, count);
  bench.run_until([&] { return found_with_argv(bench.sink, expected) == count; }, 30);
  EXPECT_EQ(found_with_argv(bench.sink, expected), count);
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.dropped_kernel, 0u);
  EXPECT_EQ(counters.dropped_user, 0u);
}

}  // namespace picket::agent
