// Tier "tracepoint" on the running kernel, as it works there and as on kernels before 5.8: forks and ends; what a
// program had that ends at once.
#include <thread>

#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "tests/live.h"

namespace picket::agent {
namespace {

extern "C" char** environ;

using Kind = ProcessRecord::Kind;

CollectorSettings with_forks(bool old_kernel) {
  // Tracefs is not mounted everywhere: here only for this process.
  static const bool mounted =
      access("/sys/kernel/tracing/events", F_OK) == 0 ||
      (unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
       mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr) == 0);
  EXPECT_TRUE(mounted);
  CollectorSettings settings;
  settings.choose("process").tier = "tracepoint";
  settings.process_fork_exit = true;
  settings.process_old_kernel = old_kernel;
  settings.process_ring_bytes = 4 << 20;  // room for what others do meanwhile
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

/// false: by a ring buffer; true: by buffers of perf events and with the helpers of old kernels.
class TracepointForks : public testing::TestWithParam<bool> {};

TEST_P(TracepointForks, TellsAForkWithItsParentsProgramAndTheSignalThatEndedIt) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_forks(GetParam()));
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

TEST_P(TracepointForks, TellsTheEndOfAProgramWithItsCodeAndArgv) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_forks(GetParam()));
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
TEST_P(TracepointForks, AnExitIsOneWhateverThreadAsksForIt) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_forks(GetParam()));
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

TEST_P(TracepointForks, AccountsForForksAndEnds) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_forks(GetParam()));
  ASSERT_TRUE(bench.collector.start());
  constexpr int kChildren = 200;
  std::vector<pid_t> children;
  for (int i = 0; i < kChildren; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(3);
    children.push_back(child);
    waitpid(child, nullptr, 0);
    if (i % 10 == 0) bench.run_for(0.001);  // others fill the buffer, too
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

// All argv of a storm, however fast programs end; nothing is dropped.
TEST_P(TracepointForks, SeesEveryExecOfAStormWithItsWholeArgv) {
  PICKET_NEEDS_ROOT();
  CollectorSettings settings = with_forks(GetParam());
  settings.process_fork_exit = false;
  Bench bench("process", settings);
  ASSERT_TRUE(bench.collector.start());
  constexpr int kPrograms = 300;
  for (int i = 0; i < kPrograms; ++i) {
    std::string words[] = {"/bin/true", "old storm", std::to_string(getpid()), std::to_string(i)};
    char* argv[] = {words[0].data(), words[1].data(), words[2].data(), words[3].data(), nullptr};
    pid_t pid = -1;
    ASSERT_EQ(posix_spawn(&pid, argv[0], nullptr, nullptr, argv, environ), 0);
    waitpid(pid, nullptr, 0);
    if (i % 10 == 0) bench.run_for(0.001);
  }
  const std::string begin = std::string("/bin/true\0old storm\0", 20) + std::to_string(getpid()) + '\0';
  const auto seen = [&] {
    return std::ranges::count_if(bench.sink.processes,
                                 [&](const KeptProcess& kept) { return kept.argv.starts_with(begin); });
  };
  EXPECT_TRUE(bench.run_until([&] { return seen() == kPrograms; }, 30)) << seen();
  EXPECT_EQ(bench.collector.counters().dropped_kernel, 0u);
}

// The account closes and tells of drops when the reader stops.
TEST_P(TracepointForks, AccountsForWhatAFullBufferRefused) {
  PICKET_NEEDS_ROOT();
  CollectorSettings settings = with_forks(GetParam());
  settings.process_ring_bytes = 16384;
  Bench bench("process", settings);
  ASSERT_TRUE(bench.collector.start());
  constexpr int kChildren = 600;
  cpu_set_t before, one;
  ASSERT_EQ(sched_getaffinity(0, sizeof(before), &before), 0);
  CPU_ZERO(&one);
  CPU_SET(sched_getcpu(), &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);  // one CPU has one buffer
  for (int i = 0; i < kChildren; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(0);
    waitpid(child, nullptr, 0);
  }
  ASSERT_EQ(sched_setaffinity(0, sizeof(before), &before), 0);
  EXPECT_GT(bench.collector.counters().dropped_kernel, 0u);
  Counters after;
  EXPECT_TRUE(bench.run_until(
      [&] {
        after = bench.collector.counters();
        return after.seen == after.delivered + after.dropped_kernel + after.dropped_user;
      },
      30))
      << after.seen << " seen, " << after.delivered << " delivered, " << after.dropped_kernel << " dropped";
  EXPECT_GE(after.seen, 2u * kChildren);
}

INSTANTIATE_TEST_SUITE_P(Kernel, TracepointForks, testing::Bool(),
                         [](const auto& at) { return std::string(at.param ? "Before58" : "Here"); });

}  // namespace
}  // namespace picket::agent
