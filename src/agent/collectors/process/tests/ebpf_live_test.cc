// Tier "ebpf" of the process collector on the running kernel.
#include <algorithm>
#include <thread>

#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "base/core/file.h"
#include "process/tests/process_live.h"
#include "support/argv_hash.h"

namespace picket::agent {
namespace {

TEST(ProcessEbpf, SeesEveryExecOfAStormWithItsWholeArgv) {
  PICKET_NEEDS_ROOT();
  expect_storm_whole("ebpf", 5000);
}

TEST(ProcessEbpf, CarriesPathParentCwdIdsAndTimes) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  const Moment before = moment_of(system_clock());
  const pid_t pid = spawn({"/bin/sleep", "0.01"});
  ASSERT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  waitpid(pid, nullptr, 0);
  const KeptProcess& kept = *find_exec(bench.sink, pid);
  char self[4096] = {}, cwd[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
  ASSERT_NE(getcwd(cwd, sizeof(cwd)), nullptr);
  EXPECT_TRUE(kept.executable == "/bin/sleep" || kept.executable == "/usr/bin/sleep") << kept.executable;
  EXPECT_EQ(kept.parent, self);
  EXPECT_EQ(kept.cwd, cwd);
  EXPECT_EQ(kept.record.ppid, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(kept.record.uid, getuid());
  EXPECT_TRUE(kept.record.credentials_known);
  EXPECT_EQ(kept.record.origin.tier, "ebpf");
  EXPECT_FALSE(kept.record.origin.sampled);
  EXPECT_GE(kept.record.time.monotonic, before.monotonic);
  EXPECT_LT(kept.record.time.monotonic - before.monotonic, Duration::seconds(5));
  EXPECT_LT(before.wall - kept.record.time.wall, Duration::seconds(5));
  EXPECT_GE(kept.record.time.monotonic, kept.record.start);
}

TEST(ProcessEbpf, KeepsAPrefixOfALongArgvAndSaysHowLongItWas) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  for (const std::size_t size : {8192U, 8193U, 100'000U, 1'000'000U}) {
    // "/bin/true" NUL argument NUL … makes `size` bytes; one argument has at most 128 KiB.
    std::vector<std::string> argv{"/bin/true"};
    for (std::size_t left = size - 10; left > 0; left -= argv.back().size() + 1) {
      argv.emplace_back(std::min<std::size_t>(left, 100'000) - 1, 'x');
    }
    const pid_t pid = spawn(argv);
    ASSERT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
    waitpid(pid, nullptr, 0);
    const KeptProcess& kept = *find_exec(bench.sink, pid);
    EXPECT_EQ(kept.record.argv_bytes, size);
    EXPECT_EQ(kept.argv, joined(argv).substr(0, 8192));
    EXPECT_EQ(kept.record.argv_truncated, size > 8192);
    EXPECT_FALSE(kept.record.argv_lost);
    EXPECT_EQ(kept.record.argv_hash, argv_hash(joined(argv))) << "of the whole";
    EXPECT_FALSE(kept.record.argv_hash_of_prefix);
  }
}

TEST(ProcessEbpf, AccountsForEveryExecWhenTheReaderStops) {
  PICKET_NEEDS_ROOT();
  CollectorSettings settings = forced("ebpf");
  settings.process_ring_bytes = 16384;
  Bench bench("process", settings);
  ASSERT_TRUE(bench.collector.start());
  const auto expected = storm(bench, 500, false);
  const Counters stopped = bench.collector.counters();
  EXPECT_GE(stopped.seen, 500u);
  EXPECT_GT(stopped.dropped_kernel, 0u) << "a ring of 16 KiB cannot hold 500 execs";
  // Others execute meanwhile: the account is looked at when nothing is between kernel and sink.
  Counters after;
  std::uint64_t recorded = 0;
  bench.run_until(
      [&] {
        after = bench.collector.counters();
        recorded = 0;
        for (const auto& kept : bench.sink.processes) recorded += kept.record.count;
        return after.seen == after.delivered + after.dropped_kernel;
      },
      30);
  EXPECT_EQ(after.seen, after.delivered + after.dropped_kernel + after.dropped_user);
  EXPECT_EQ(after.delivered, recorded);
  // And the reader recovers.
  const pid_t pid = spawn({"/bin/true", "after the flood"});
  EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  waitpid(pid, nullptr, 0);
}

TEST(ProcessEbpf, WakesASleepingReaderWithTheFirstRecord) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  bench.run_for(0.3);  // it has gone to sleep, unless others execute all the time
  const pid_t pid = spawn({"/bin/true", "wake"});
  pollfd fd{.fd = bench.collector.fds()[0], .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&fd, 1, 5000), 1);
  waitpid(pid, nullptr, 0);
}

const KeptProcess* find_kind(const Recorder& sink, pid_t pid, ProcessRecord::Kind kind) {
  for (const auto& kept : sink.processes) {
    if (kept.record.pid == static_cast<std::uint32_t>(pid) && kept.record.kind == kind) return &kept;
  }
  return nullptr;
}

TEST(ProcessEbpf, ReportsForksAndExitsWhenAsked) {
  PICKET_NEEDS_ROOT();
  CollectorSettings settings = forced("ebpf");
  settings.process_fork_exit = true;
  Bench bench("process", settings);
  ASSERT_TRUE(bench.collector.start());
  char self[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
  const pid_t child = fork();
  if (child == 0) {
    pause();
    _exit(0);
  }
  using Kind = ProcessRecord::Kind;
  ASSERT_TRUE(bench.run_until([&] { return find_kind(bench.sink, child, Kind::fork) != nullptr; }));
  EXPECT_EQ(find_kind(bench.sink, child, Kind::fork)->executable, self);
  EXPECT_EQ(find_kind(bench.sink, child, Kind::fork)->record.ppid, static_cast<std::uint32_t>(getpid()));
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(bench.run_until([&] { return find_kind(bench.sink, child, Kind::exit) != nullptr; }));
  const KeptProcess& killed = *find_kind(bench.sink, child, Kind::exit);
  EXPECT_TRUE(WIFSIGNALED(killed.record.exit_status));
  EXPECT_EQ(WTERMSIG(killed.record.exit_status), SIGKILL);
  EXPECT_EQ(killed.executable, self);

  const std::vector<std::string> argv{"/bin/sh", "-c", "exit 7"};
  const pid_t shell = spawn(argv);
  waitpid(shell, nullptr, 0);
  ASSERT_TRUE(bench.run_until([&] { return find_kind(bench.sink, shell, Kind::exit) != nullptr; }));
  const KeptProcess& ended = *find_kind(bench.sink, shell, Kind::exit);
  EXPECT_EQ(WEXITSTATUS(ended.record.exit_status), 7);
  EXPECT_EQ(ended.executable, find_exec(bench.sink, shell)->executable);
  EXPECT_EQ(ended.argv, joined(argv));
  EXPECT_GE(ended.record.time.monotonic, ended.record.start);
}

// exit_group() of any thread ends all, with its code; the kernel tells it once.
TEST(ProcessEbpf, AnExitIsOneWhateverThreadAsksForIt) {
  PICKET_NEEDS_ROOT();
  CollectorSettings settings = forced("ebpf");
  settings.process_fork_exit = true;
  Bench bench("process", settings);
  ASSERT_TRUE(bench.collector.start());
  const pid_t child = fork();
  if (child == 0) {
    std::thread([] { _exit(9); }).join();
    _exit(1);
  }
  waitpid(child, nullptr, 0);
  using Kind = ProcessRecord::Kind;
  ASSERT_TRUE(bench.run_until([&] { return find_kind(bench.sink, child, Kind::exit) != nullptr; }));
  bench.run_for(0.2);
  const auto exits = std::ranges::count_if(bench.sink.processes, [&](const KeptProcess& kept) {
    return kept.record.kind == Kind::exit && kept.record.pid == static_cast<std::uint32_t>(child);
  });
  EXPECT_EQ(exits, 1);
  EXPECT_EQ(WEXITSTATUS(find_kind(bench.sink, child, Kind::exit)->record.exit_status), 9);
}

TEST(ProcessEbpf, NamesADeletedProgramAsProcfsDoes) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  const int fd = static_cast<int>(memfd_create("picket-test", MFD_CLOEXEC));
  const auto program = read_file("/bin/true", 4 << 20);
  ASSERT_TRUE(program);
  ASSERT_TRUE(write_all(fd, as_bytes(*program)));
  const pid_t pid = fork();
  if (pid == 0) {
    char name[] = "hidden";
    char* argv[] = {name, nullptr};
    fexecve(fd, argv, environ);
    _exit(1);
  }
  ASSERT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  waitpid(pid, nullptr, 0);
  close(fd);
  EXPECT_EQ(find_exec(bench.sink, pid)->executable, "/memfd:picket-test (deleted)");
  EXPECT_TRUE(find_exec(bench.sink, pid)->record.executable_deleted);
  EXPECT_TRUE(find_exec(bench.sink, pid)->record.executable_memfd);
}

TEST(ProcessEbpf, KnowsThePeerOfAShellsTcpSocket) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  const UniqueFd listener{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) _exit(2);
    for (int i = 0; i < 3; ++i) dup2(fd, i);
    execl("/bin/true", "sh", nullptr);
    _exit(1);
  }
  ASSERT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  waitpid(pid, nullptr, 0);
  const StdioFact& in = find_exec(bench.sink, pid)->record.stdio[0];
  EXPECT_EQ(in.kind, StdioFact::Kind::socket);
  EXPECT_EQ(in.family, AF_INET);
  EXPECT_EQ(in.remote.port, ntohs(address.sin_port));
  EXPECT_EQ(in.remote.address, (IpAddress{{127, 0, 0, 1}, 4}));
}

}  // namespace
}  // namespace picket::agent
