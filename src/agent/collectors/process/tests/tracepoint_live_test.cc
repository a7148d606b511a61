// Forks and ends as tier "tracepoint" tells them, on the running kernel.
#include <thread>

#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/live.h"

namespace picket::agent {
namespace {

extern "C" char** environ;

using Kind = ProcessRecord::Kind;

CollectorSettings with_forks() {
  // Tracefs is not mounted everywhere: here only for this process.
  static const bool mounted =
      access("/sys/kernel/tracing/events", F_OK) == 0 ||
      (unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
       mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr) == 0);
  EXPECT_TRUE(mounted);
  CollectorSettings settings;
  settings.choose("process").tier = "tracepoint";
  settings.process_fork_exit = true;
  return settings;
}

std::vector<const KeptProcess*> kinds(const Recorder& sink, pid_t pid, Kind kind) {
  std::vector<const KeptProcess*> out;
  for (const KeptProcess& kept : sink.processes) {
    if (kept.record.pid == static_cast<std::uint32_t>(pid) && kept.record.kind == kind) out.push_back(&kept);
  }
  return out;
}

/// The one end of `pid`, which is waited for; also tells that no second one came with it.
const KeptProcess* end_of(Bench& bench, pid_t pid) {
  waitpid(pid, nullptr, 0);
  if (!bench.run_until([&] { return !kinds(bench.sink, pid, Kind::exit).empty(); })) return nullptr;
  const auto found = kinds(bench.sink, pid, Kind::exit);
  EXPECT_EQ(found.size(), 1u);
  return found.front();
}

std::string self() {
  char path[4096] = {};
  EXPECT_GT(readlink("/proc/self/exe", path, sizeof(path) - 1), 0);
  return path;
}

TEST(ProcessTracepoint, TellsAForkWithItsParentsProgramAndTheSignalThatEndedIt) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_forks());
  ASSERT_TRUE(bench.collector.start());
  for (const int signal : {SIGKILL, SIGTERM}) {
    const pid_t child = fork();
    if (child == 0) {
      pause();
      _exit(0);
    }
    ASSERT_TRUE(bench.run_until([&] { return !kinds(bench.sink, child, Kind::fork).empty(); }));
    const KeptProcess& forked = *kinds(bench.sink, child, Kind::fork).front();
    EXPECT_EQ(forked.executable, self());
    EXPECT_EQ(forked.record.ppid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(forked.record.uid, getuid());
    EXPECT_EQ(forked.record.origin.tier, "tracepoint");
    kill(child, SIGWINCH);  // ends nobody
    kill(child, signal);
    const KeptProcess* ended = end_of(bench, child);
    ASSERT_NE(ended, nullptr);
    EXPECT_TRUE(WIFSIGNALED(ended->record.exit_status));
    EXPECT_EQ(WTERMSIG(ended->record.exit_status), signal);
    EXPECT_EQ(ended->executable, self());
    EXPECT_EQ(ended->record.ppid, static_cast<std::uint32_t>(getpid()));
  }
}

TEST(ProcessTracepoint, TellsTheEndOfAProgramWithItsCodeAndArgv) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_forks());
  ASSERT_TRUE(bench.collector.start());
  std::string words[] = {"/bin/sh", "-c", "exit 7"};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t shell = -1;
  ASSERT_EQ(posix_spawn(&shell, argv[0], nullptr, nullptr, argv, environ), 0);
  const KeptProcess* ended = end_of(bench, shell);
  ASSERT_NE(ended, nullptr);
  EXPECT_TRUE(WIFEXITED(ended->record.exit_status));
  EXPECT_EQ(WEXITSTATUS(ended->record.exit_status), 7);
  EXPECT_EQ(ended->argv, std::string("/bin/sh\0-c\0exit 7\0", 18));
  EXPECT_EQ(ended->executable, kinds(bench.sink, shell, Kind::exec).front()->executable);
}

// Threads that end are no ends, and exit_group() of any of them is the end of all, with its code.
TEST(ProcessTracepoint, AnExitIsOneWhateverThreadAsksForIt) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_forks());
  ASSERT_TRUE(bench.collector.start());
  const pid_t child = fork();
  if (child == 0) {
    std::thread([] {}).join();
    std::thread([] { _exit(9); }).join();
    _exit(1);
  }
  const KeptProcess* ended = end_of(bench, child);
  ASSERT_NE(ended, nullptr);
  EXPECT_TRUE(WIFEXITED(ended->record.exit_status));
  EXPECT_EQ(WEXITSTATUS(ended->record.exit_status), 9);
  EXPECT_EQ(kinds(bench.sink, child, Kind::fork).size(), 1u);
}

TEST(ProcessTracepoint, AccountsForForksAndEnds) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_forks());
  ASSERT_TRUE(bench.collector.start());
  constexpr int kChildren = 300;
  std::vector<pid_t> children;
  for (int i = 0; i < kChildren; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(3);
    children.push_back(child);
    waitpid(child, nullptr, 0);
  }
  const auto told = [&] {
    return std::ranges::all_of(children, [&](pid_t child) {
      return !kinds(bench.sink, child, Kind::fork).empty() && !kinds(bench.sink, child, Kind::exit).empty();
    });
  };
  EXPECT_TRUE(bench.run_until(told, 30));
  Counters after;
  EXPECT_TRUE(bench.run_until(
      [&] {
        after = bench.collector.counters();
        return after.seen == after.delivered + after.dropped_kernel + after.dropped_user;
      },
      30))
      << after.seen << " seen, " << after.delivered << " delivered, " << after.dropped_kernel << " dropped";
}

}  // namespace
}  // namespace picket::agent
