// Execs while nobody reads: what the full ring refuses is counted in the kernel, and told when the reader is back.
#include <algorithm>
#include <map>

#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "tests/live.h"

namespace picket::agent {
namespace {

extern "C" char** environ;

CollectorSettings with_ring(std::uint32_t bytes) {
  CollectorSettings settings;
  settings.choose("process").tier = "ebpf";
  settings.process_ring_bytes = bytes;
  return settings;
}

std::string tag() { return "overload-" + std::to_string(getpid()); }

void start_and_wait(const std::string& number) {
  std::string words[] = {"/bin/true", tag(), number};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t pid = -1;
  ASSERT_EQ(posix_spawn(&pid, argv[0], nullptr, nullptr, argv, environ), 0);
  waitpid(pid, nullptr, 0);
}

/// Happenings of ours by their number.
std::map<std::string, std::uint64_t> told(const Recorder& sink) {
  std::map<std::string, std::uint64_t> out;
  const std::string begin = std::string("/bin/true") + '\0' + tag() + '\0';
  for (const auto& kept : sink.processes) {
    if (kept.argv.starts_with(begin)) out[kept.argv.substr(begin.size())] += kept.record.count;
  }
  return out;
}

std::uint64_t sum(const std::map<std::string, std::uint64_t>& counts) {
  std::uint64_t sum = 0;
  for (const auto& [number, count] : counts) sum += count;
  return sum;
}

/// Reads until the account has no gap; others execute meanwhile.
::testing::AssertionResult closes(Bench& bench) {
  Counters counters;
  const bool closed = bench.run_until(
      [&] {
        counters = bench.collector.counters();
        return counters.seen == counters.delivered + counters.dropped_kernel + counters.dropped_user;
      },
      30);
  if (closed) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << counters.seen << " seen, " << counters.delivered << " delivered, "
                                       << counters.dropped_kernel << " dropped in the kernel";
}

TEST(ProcessOverload, EveryRepeatIsCountedWhileTheReaderIsStopped) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_ring(128 << 10));
  ASSERT_TRUE(bench.collector.start());
  constexpr std::uint64_t kExecs = 1200, kCommands = 20;
  for (std::uint64_t i = 0; i < kExecs; ++i) start_and_wait(std::to_string(i % kCommands));
  EXPECT_GT(bench.collector.counters().dropped_kernel, 300u) << "the ring holds a few hundred";
  EXPECT_TRUE(bench.run_until([&] { return sum(told(bench.sink)) == kExecs; }, 30)) << sum(told(bench.sink));
  for (const auto& [number, count] : told(bench.sink)) EXPECT_EQ(count, kExecs / kCommands) << number;
  EXPECT_TRUE(closes(bench));
}

TEST(ProcessOverload, ACountedRecordSaysWhatAnyOtherSays) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_ring(64 << 10));
  ASSERT_TRUE(bench.collector.start());
  for (int i = 0; i < 1000; ++i) start_and_wait("same");
  ASSERT_TRUE(bench.run_until([&] { return sum(told(bench.sink)) == 1000; }, 30)) << sum(told(bench.sink));
  const KeptProcess *first = nullptr, *counted = nullptr;
  for (const auto& kept : bench.sink.processes) {
    if (!kept.argv.contains(tag())) continue;
    if (first == nullptr) first = &kept;
    if (kept.record.count > 1) counted = &kept;
  }
  ASSERT_NE(counted, nullptr);
  EXPECT_EQ(first->record.count, 1u);
  EXPECT_EQ(counted->executable, first->executable);
  EXPECT_EQ(counted->parent, first->parent);
  EXPECT_EQ(counted->cwd, first->cwd);
  EXPECT_EQ(counted->argv, first->argv);
  EXPECT_EQ(counted->record.argv_hash, first->record.argv_hash) << "or they would be told apart";
  EXPECT_EQ(counted->record.ppid, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(counted->record.uid, getuid());
  EXPECT_GT(counted->record.time.monotonic, first->record.time.monotonic);
  EXPECT_GT(counted->record.spread.us, 0);
  EXPECT_LE(counted->record.time.monotonic + counted->record.spread, system_clock().monotonic());
}

TEST(ProcessOverload, MoreKindsThanThereArePlacesForAreDroppedAndCounted) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_ring(16 << 10));
  ASSERT_TRUE(bench.collector.start());
  constexpr std::uint64_t kExecs = 600;
  for (std::uint64_t i = 0; i < kExecs; ++i) start_and_wait(std::to_string(i));
  bench.run_until([&] { return told(bench.sink).contains(std::string("599") + '\0'); }, 30);
  EXPECT_TRUE(closes(bench));
  const auto numbers = told(bench.sink);
  EXPECT_LT(sum(numbers), kExecs) << "the table has 64 places";
  for (const auto& [number, count] : numbers) EXPECT_EQ(count, 1u) << number;
  EXPECT_GE(sum(numbers) + bench.collector.counters().dropped_kernel, kExecs) << "lost and not counted";
}

TEST(ProcessOverload, AShellOnASocketIsNeverCountedAsOneWithout) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", with_ring(64 << 10));
  ASSERT_TRUE(bench.collector.start());
  for (int i = 0; i < 600; ++i) start_and_wait("noise");
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  posix_spawn_file_actions_t on_socket;
  posix_spawn_file_actions_init(&on_socket);
  posix_spawn_file_actions_adddup2(&on_socket, pair[0], 0);
  std::string words[] = {"/bin/true", tag(), "noise"};
  char* argv[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  pid_t pid = -1;
  ASSERT_EQ(posix_spawn(&pid, argv[0], &on_socket, nullptr, argv, environ), 0);
  waitpid(pid, nullptr, 0);
  posix_spawn_file_actions_destroy(&on_socket);
  close(pair[0]);
  close(pair[1]);
  EXPECT_TRUE(bench.run_until(
      [&] {
        return std::ranges::any_of(bench.sink.processes, [](const KeptProcess& kept) {
          return kept.argv.contains(tag()) && kept.record.stdio[0].kind == StdioFact::Kind::socket;
        });
      },
      30));
}

}  // namespace
}  // namespace picket::agent
