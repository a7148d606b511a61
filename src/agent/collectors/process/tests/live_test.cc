// Process collector against the running kernel, each tier forced.
#include "tests/live.h"

#include <fstream>
#include <map>
#include <thread>

#include <fcntl.h>
#include <linux/audit.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/core/file.h"
#include "support/argv_hash.h"
#include "support/audit_socket.h"

namespace picket::agent {
namespace {

extern "C" char** environ;

pid_t spawn(const std::vector<std::string>& argv) {
  std::vector<char*> raw;
  for (const auto& text : argv) raw.push_back(const_cast<char*>(text.c_str()));
  raw.push_back(nullptr);
  pid_t pid = -1;
  EXPECT_EQ(posix_spawn(&pid, raw[0], nullptr, nullptr, raw.data(), environ), 0);
  return pid;
}

std::string joined(const std::vector<std::string>& argv) {
  std::string out;
  for (const auto& text : argv) out += text + '\0';
  return out;
}

// Tier tracepoint needs tracefs, which is not mounted everywhere: here only for this process.
void mount_tracefs() {
  static const bool mounted = [] {
    if (access("/sys/kernel/tracing/events", F_OK) == 0) return true;
    return unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, nullptr) == 0;
  }();
  EXPECT_TRUE(mounted);
}

CollectorSettings forced(const char* tier) {
  if (std::string_view(tier) == "tracepoint" && geteuid() == 0) mount_tracefs();
  CollectorSettings settings;
  settings.choose("process").tier = tier;
  return settings;
}

const KeptProcess* find_exec(const Recorder& sink, pid_t pid) {
  for (const auto& kept : sink.processes) {
    if (kept.record.pid == static_cast<std::uint32_t>(pid) && kept.record.kind == ProcessRecord::Kind::exec)
      return &kept;
  }
  return nullptr;
}

// Runs `count` programs that end at once, each with argv of its own. Returns argv by pid; reads between them.
std::multimap<std::string, pid_t> storm(Bench& bench, int count, bool read_along = true) {
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

int found_with_argv(const Recorder& sink, const std::multimap<std::string, pid_t>& expected) {
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
void expect_storm_whole(const char* tier, int count) {
  Bench bench("process", forced(tier));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  const auto expected = storm(bench, count);
  bench.run_until([&] { return found_with_argv(bench.sink, expected) == count; }, 30);
  EXPECT_EQ(found_with_argv(bench.sink, expected), count);
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.dropped_kernel, 0u);
  EXPECT_EQ(counters.dropped_user, 0u);
}

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

TEST(ProcessTracepoint, SeesEveryExecOfAStormWithItsWholeArgv) {
  PICKET_NEEDS_ROOT();
  expect_storm_whole("tracepoint", 3000);
}

TEST(ProcessTracepoint, CarriesWhatAProgramThatEndsAtOnceHad) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("tracepoint"));
  ASSERT_TRUE(bench.collector.start());
  const std::vector<std::string> argv{"/bin/true", "", "a b", "end"};
  for (const bool environment : {true, false}) {  // where the environment begins, the arguments end
    const pid_t pid = fork();
    if (pid == 0) {
      std::vector<char*> raw;
      for (const auto& text : argv) raw.push_back(const_cast<char*>(text.c_str()));
      raw.push_back(nullptr);
      char* none[] = {nullptr};
      execve(raw[0], raw.data(), environment ? environ : none);
      _exit(1);
    }
    waitpid(pid, nullptr, 0);
    ASSERT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
    const KeptProcess& kept = *find_exec(bench.sink, pid);
    char self[4096] = {};
    ASSERT_GT(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
    EXPECT_EQ(kept.argv, joined(argv));
    EXPECT_EQ(kept.record.argv_bytes, kept.argv.size());
    EXPECT_EQ(kept.record.argv_hash, argv_hash(kept.argv));
    EXPECT_FALSE(kept.record.argv_lost);
    EXPECT_EQ(kept.executable, "/bin/true") << "as called";
    EXPECT_EQ(kept.parent, self);
    EXPECT_EQ(kept.record.ppid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(kept.record.uid, getuid());
    EXPECT_EQ(kept.record.origin.tier, "tracepoint");
  }
}

TEST(ProcessTracepoint, KeepsAPrefixOfALongArgvAndSaysHowLongItWas) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("tracepoint"));
  ASSERT_TRUE(bench.collector.start());
  for (const std::size_t size : {8192U, 8193U, 1'000'000U}) {
    std::vector<std::string> argv{"/bin/true"};
    for (std::size_t left = size - 10; left > 0; left -= argv.back().size() + 1) {
      argv.emplace_back(std::min<std::size_t>(left, 100'000) - 1, 'x');
    }
    const pid_t pid = spawn(argv);
    siginfo_t ended{};
    waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT);  // a zombie has no memory that procfs could show
    ASSERT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
    waitpid(pid, nullptr, 0);
    const KeptProcess& kept = *find_exec(bench.sink, pid);
    EXPECT_GE(kept.record.argv_bytes, std::min<std::size_t>(size, 8192)) << "newer kernels do not tell the rest";
    EXPECT_LE(kept.record.argv_bytes, size);
    EXPECT_EQ(kept.argv, joined(argv).substr(0, 8192));
    EXPECT_EQ(kept.record.argv_truncated, size > 8192);
    EXPECT_EQ(kept.record.argv_hash_of_prefix, size > 8192);
    EXPECT_EQ(kept.record.argv_hash, argv_hash(kept.argv));
  }
}

TEST(ProcessTracepoint, AccountsForEveryExecWhenTheReaderStops) {
  PICKET_NEEDS_ROOT();
  CollectorSettings settings = forced("tracepoint");
  settings.process_ring_bytes = 16384;
  Bench bench("process", settings);
  ASSERT_TRUE(bench.collector.start());
  (void)storm(bench, 500, false);
  const Counters stopped = bench.collector.counters();
  EXPECT_GE(stopped.seen, 500u);
  EXPECT_GT(stopped.dropped_kernel, 0u);
  Counters after;
  bench.run_until(
      [&] {
        after = bench.collector.counters();
        return after.seen == after.delivered + after.dropped_kernel;
      },
      30);
  EXPECT_EQ(after.seen, after.delivered + after.dropped_kernel + after.dropped_user);
  const pid_t pid = spawn({"/bin/true", "after the flood"});
  EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  waitpid(pid, nullptr, 0);
}

TEST(ProcessAudit, SeesEveryExecOfAStormWithItsWholeArgv) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("audit"));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  constexpr int kCount = 3000;
  const auto expected = storm(bench, kCount);
  bench.run_until([&] { return found_with_argv(bench.sink, expected) == kCount; }, 30);
  EXPECT_EQ(found_with_argv(bench.sink, expected), kCount);
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.dropped_kernel, 0u);
  EXPECT_EQ(counters.delivered, bench.sink.processes.size());
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
}

TEST(ProcessAudit, CarriesWhatAProgramThatEndsAtOnceHad) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("audit"));
  ASSERT_TRUE(bench.collector.start());
  const Moment before = moment_of(system_clock());
  const std::vector<std::string> argv{"/bin/true", "", "a b", "quote\"", "n\nl", "\xff\x01", "it's", "=x", "end"};
  const pid_t pid = spawn(argv);
  waitpid(pid, nullptr, 0);  // gone before anybody looks
  ASSERT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  const KeptProcess& kept = *find_exec(bench.sink, pid);
  char self[4096] = {}, cwd[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
  ASSERT_NE(getcwd(cwd, sizeof(cwd)), nullptr);
  EXPECT_EQ(kept.argv, joined(argv));
  EXPECT_EQ(kept.record.argv_bytes, kept.argv.size());
  EXPECT_FALSE(kept.record.argv_lost);
  EXPECT_TRUE(kept.executable.ends_with("/bin/true")) << kept.executable;
  EXPECT_EQ(kept.cwd, cwd);
  EXPECT_EQ(kept.parent, self);
  EXPECT_EQ(kept.record.ppid, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(kept.record.uid, getuid());
  EXPECT_EQ(kept.record.origin.tier, "audit");
  EXPECT_LT(before.wall - kept.record.time.wall, Duration::seconds(1));
  EXPECT_LT(kept.record.time.wall - before.wall, Duration::seconds(30));
}

TEST(ProcessAudit, KeepsAPrefixOfALongArgvAndTheHashOfAllOfIt) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("audit"));
  ASSERT_TRUE(bench.collector.start());
  for (const char fill : {'x', '\n'}) {  // told as it is, and in hexadecimal
    for (const std::size_t size : {8192U, 8193U, 100'000U, 1'000'000U}) {
      std::vector<std::string> argv{"/bin/true"};
      for (std::size_t left = size - 10; left > 0; left -= argv.back().size() + 1) {
        argv.emplace_back(std::min<std::size_t>(left, 100'000) - 1, fill);
      }
      const pid_t pid = spawn(argv);
      ASSERT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; })) << size;
      waitpid(pid, nullptr, 0);
      const KeptProcess& kept = *find_exec(bench.sink, pid);
      EXPECT_EQ(kept.record.argv_bytes, size);
      EXPECT_EQ(kept.argv, joined(argv).substr(0, 8192));
      EXPECT_EQ(kept.record.argv_truncated, size > 8192);
      EXPECT_EQ(kept.record.argv_hash, argv_hash(joined(argv)));
      EXPECT_FALSE(kept.record.argv_lost) << size;
    }
  }
}

std::size_t our_rules(AuditControl& control) {
  const auto count = control.count_rules();
  return count ? count->ours : 1000;
}

TEST(ProcessAudit, TakesItsRulesAwayAndDoesNotDoubleThoseOfAKilledAgent) {
  PICKET_NEEDS_ROOT();
  auto control = AuditControl::open();
  ASSERT_TRUE(control);
  ASSERT_EQ(our_rules(*control), 0u) << "another agent runs with tier audit";
  std::size_t held = 0;
  {
    Bench bench("process", forced("audit"));
    ASSERT_TRUE(bench.collector.start());
    held = our_rules(*control);
    EXPECT_GT(held, 0u);
  }
  EXPECT_EQ(our_rules(*control), 0u);
  const pid_t killed = fork();
  if (killed == 0) {
    Bench bench("process", forced("audit"));
    if (bench.collector.start()) kill(getpid(), SIGKILL);
    _exit(1);
  }
  int status = 0;
  waitpid(killed, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(our_rules(*control), held) << "they stay behind";
  {
    Bench bench("process", forced("audit"));
    ASSERT_TRUE(bench.collector.start());
    EXPECT_EQ(our_rules(*control), held);
    const pid_t pid = spawn({"/bin/true", "once"});
    waitpid(pid, nullptr, 0);
    EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
    bench.run_for(0.3);
    EXPECT_EQ(std::ranges::count_if(bench.sink.processes,
                                    [&](const auto& kept) { return kept.record.pid == static_cast<unsigned>(pid); }),
              1);
  }
  EXPECT_EQ(our_rules(*control), 0u);
}

// What `picket-agent preflight` does beside a running agent.
TEST(ProcessAudit, ASecondOneLeavesTheRulesToTheFirst) {
  PICKET_NEEDS_ROOT();
  auto control = AuditControl::open();
  ASSERT_TRUE(control);
  Bench first("process", forced("audit"));
  ASSERT_TRUE(first.collector.start());
  const std::size_t held = our_rules(*control);
  {
    Bench second("process", forced("audit"));
    ASSERT_TRUE(second.collector.start());
    EXPECT_EQ(our_rules(*control), held);
  }
  EXPECT_EQ(our_rules(*control), held);
}

// Somebody else's rule stays, and while it is there no record that it asks for is left out.
TEST(ProcessAudit, LeavesTheRulesAndRecordsOfOthersAlone) {
  PICKET_NEEDS_ROOT();
  auto control = AuditControl::open();
  ASSERT_TRUE(control);
  const unsigned sethostname[] = {170};  // of x86-64; elsewhere another call that is as rare
  const AuditRule foreign = audit_call_rule(AUDIT_ARCH_X86_64, sethostname, "other-" + std::to_string(getpid()));
  ASSERT_FALSE(is_our_rule(foreign));
  const auto before = control->count_rules();
  const auto added = control->add(foreign);
  ASSERT_TRUE(added) << describe(added.error());
  {
    Bench bench("process", forced("audit"));
    ASSERT_TRUE(bench.collector.start());
    const auto count = control->count_rules();
    ASSERT_TRUE(count);
    EXPECT_EQ(count->others, before->others + 1);
    for (const std::uint32_t type : {1302U, 1327U}) {
      const auto gone = control->remove(audit_exclusion_rule(type));
      EXPECT_TRUE(gone && !*gone) << "excluded " << type;
    }
  }
  EXPECT_EQ(control->count_rules()->others, before->others + 1);
  EXPECT_TRUE(control->remove(foreign));
  EXPECT_EQ(control->count_rules()->others, before->others);
}

TEST(ProcessConnector, SeesEveryExecOfAStormAndCountsLostArgv) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced("proc-connector"));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  constexpr int kCount = 5000;
  const auto expected = storm(bench, kCount);
  const auto found = [&] {
    int count = 0;
    std::map<std::uint32_t, int> seen;
    for (const auto& kept : bench.sink.processes) ++seen[kept.record.pid];
    for (const auto& [argv, pid] : expected) count += seen.contains(static_cast<std::uint32_t>(pid)) ? 1 : 0;
    return count;
  };
  bench.run_until([&] { return found() == kCount; }, 5);
  EXPECT_EQ(found(), kCount);
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
  std::uint64_t lost = 0;
  for (const auto& kept : bench.sink.processes) lost += kept.record.argv_lost || kept.executable.empty() ? 1 : 0;
  EXPECT_EQ(counters.incomplete, lost);
}

class ProcessTier : public testing::TestWithParam<const char*> {};

TEST_P(ProcessTier, DescribesAProgramThatLives) {
  if (std::string_view(GetParam()) != "procfs") PICKET_NEEDS_ROOT();
  Bench bench("process", forced(GetParam()));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  EXPECT_EQ(bench.collector.tier_in_use(), GetParam());
  const std::vector<std::string> argv{"/bin/sleep", "30"};
  const pid_t pid = spawn(argv);
  EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  const KeptProcess* kept = find_exec(bench.sink, pid);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->argv, joined(argv));
  EXPECT_TRUE(kept->executable.ends_with("/sleep"));
  EXPECT_EQ(kept->record.ppid, static_cast<std::uint32_t>(getpid()));
  EXPECT_FALSE(kept->parent.empty());
  EXPECT_EQ(kept->record.uid, getuid());
  EXPECT_EQ(kept->record.origin.sampled, std::string_view(GetParam()) == "procfs");
}

// What a reverse shell does: a socket becomes stdin and stdout, then a shell starts.
TEST_P(ProcessTier, ShowsTheSocketBehindAShell) {
  if (std::string_view(GetParam()) != "procfs") PICKET_NEEDS_ROOT();
  Bench bench("process", forced(GetParam()));
  ASSERT_TRUE(bench.collector.start());
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(pair[0], 0);
    dup2(pair[0], 1);
    execl("/bin/sh", "sh", "-i", nullptr);
    _exit(1);
  }
  close(pair[0]);
  EXPECT_TRUE(bench.run_until([&] {
    const auto* kept = find_exec(bench.sink, pid);
    return kept && kept->record.stdio[0].kind == StdioFact::Kind::socket;
  }));
  kill(pid, SIGKILL);
  close(pair[1]);
  waitpid(pid, nullptr, 0);
  const KeptProcess* kept = find_exec(bench.sink, pid);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->record.stdio[0].kind, StdioFact::Kind::socket);
  EXPECT_EQ(kept->record.stdio[1].kind, StdioFact::Kind::socket);
  EXPECT_EQ(kept->record.stdio[0].inode, kept->record.stdio[1].inode);
  EXPECT_NE(kept->record.stdio[0].inode, 0u);
  EXPECT_NE(kept->record.stdio[2].inode, kept->record.stdio[0].inode);
}

// The mount of a hierarchy of control groups, by what /proc/mounts says of it; empty: not there.
std::string cgroup_mount(std::string_view type, std::string_view option) {
  std::ifstream mounts("/proc/mounts");
  std::string device, path, kind, options, rest;
  while (mounts >> device >> path >> kind >> options && std::getline(mounts, rest)) {
    if (kind == type && ("," + options + ",").find("," + std::string(option) + ",") != std::string::npos) return path;
  }
  return {};
}

// A group that is named like a container's; gone again with the last process in it.
class ContainerGroup {
 public:
  ContainerGroup(const std::string& mount, const std::string& name) : path_(mount + "/" + name) {
    if (mount.empty() || mkdir(path_.c_str(), 0755) != 0) {
      path_.clear();
      return;
    }
    for (const char* file : {"cpuset.cpus", "cpuset.mems"}) {  // version 1 takes no process without them
      if (const auto above = read_file(mount + "/" + file, 4096)) std::ofstream(path_ + "/" + file) << *above;
    }
  }
  ~ContainerGroup() {
    for (int i = 0; !path_.empty() && rmdir(path_.c_str()) != 0 && errno == EBUSY && i < 500; ++i) usleep(10'000);
  }
  bool made() const { return !path_.empty(); }
  void enter() const { std::ofstream(path_ + "/cgroup.procs") << getpid(); }

 private:
  std::string path_;
};

const std::string kContainer = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

// A login makes a session and a terminal, an engine a control group; the program is a grandchild of ours.
TEST_P(ProcessTier, TellsWhereAProgramRuns) {
  PICKET_NEEDS_ROOT();
  const ContainerGroup group(cgroup_mount("cgroup2", "rw"), "docker-" + kContainer + ".scope");
  ASSERT_TRUE(group.made()) << "a cgroup2 tree is needed";
  Bench bench("process", forced(GetParam()));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  int told[2];
  ASSERT_EQ(pipe(told), 0);
  int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  ASSERT_EQ(grantpt(terminal), 0);
  ASSERT_EQ(unlockpt(terminal), 0);
  char slave[64];
  ASSERT_EQ(ptsname_r(terminal, slave, sizeof(slave)), 0);
  const pid_t parent = fork();
  if (parent == 0) {
    setsid();
    const int fd = open(slave, O_RDWR);
    ioctl(fd, TIOCSCTTY, 0);
    group.enter();
    std::ofstream("/proc/self/loginuid") << getuid();
    std::uint32_t session = 0;
    std::ifstream("/proc/self/sessionid") >> session;
    const pid_t child = fork();
    if (child == 0) {
      execl("/bin/sleep", "/bin/sleep", "30", nullptr);
      _exit(1);
    }
    const std::uint32_t words[2] = {static_cast<std::uint32_t>(child), session};
    if (write(told[1], words, sizeof(words)) < 0) _exit(1);
    signal(SIGHUP, SIG_IGN);
    waitpid(child, nullptr, 0);
    _exit(0);
  }
  std::uint32_t words[2] = {};
  ASSERT_EQ(read(told[0], words, sizeof(words)), static_cast<ssize_t>(sizeof(words)));
  const auto pid = static_cast<pid_t>(words[0]);
  EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  kill(pid, SIGKILL);
  waitpid(parent, nullptr, 0);
  for (const int fd : {told[0], told[1], terminal}) close(fd);
  const KeptProcess* kept = find_exec(bench.sink, pid);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->container, kContainer);
  EXPECT_EQ(kept->terminal, std::string_view(slave).substr(5)) << "without /dev/";
  ASSERT_NE(words[1], 0xffffffffU);
  EXPECT_EQ(kept->record.session, words[1]);
  char self[4096] = {};
  ASSERT_GT(readlink("/proc/self/exe", self, sizeof(self) - 1), 0);
  EXPECT_EQ(kept->parent, self);
  EXPECT_EQ(kept->grandparent, self);
  EXPECT_EQ(kept->record.ppid, static_cast<std::uint32_t>(parent));
}

TEST_P(ProcessTier, KnowsAContainerOfTheOlderHierarchies) {
  PICKET_NEEDS_ROOT();
  const std::string mount = cgroup_mount("cgroup", "cpuset");
  if (mount.empty()) return;  // Version 2 only: nothing of it could be missed here; container_id_test has the paths.
  const ContainerGroup group(mount, "docker-" + kContainer + ".scope");
  ASSERT_TRUE(group.made());
  Bench bench("process", forced(GetParam()));
  ASSERT_TRUE(bench.collector.start());
  const pid_t pid = fork();
  if (pid == 0) {
    group.enter();
    execl("/bin/sleep", "/bin/sleep", "30", nullptr);
    _exit(1);
  }
  EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
  kill(pid, SIGKILL);
  waitpid(pid, nullptr, 0);
  const KeptProcess* kept = find_exec(bench.sink, pid);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(kept->container, kContainer);
  EXPECT_EQ(kept->terminal, "");
}

TEST_P(ProcessTier, TellsADeletedProgramFromOneThatIsNamedSo) {
  PICKET_NEEDS_ROOT();
  Bench bench("process", forced(GetParam()));
  ASSERT_TRUE(bench.collector.start());
  const auto program = read_file("/bin/sleep", 4 << 20);
  ASSERT_TRUE(program);
  const std::string path = "/tmp/picket-test-" + std::to_string(getpid()) + " (deleted)";
  for (const bool deleted : {false, true}) {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    ASSERT_TRUE(write_all(fd, as_bytes(*program)));
    close(fd);
    const int run = open(path.c_str(), O_RDONLY);  // an exec of a path that is gone needs a descriptor
    if (deleted) unlink(path.c_str());
    const pid_t pid = fork();
    if (pid == 0) {
      char name[] = "sleep", time[] = "30";
      char* argv[] = {name, time, nullptr};
      fexecve(run, argv, environ);
      _exit(1);
    }
    close(run);
    EXPECT_TRUE(bench.run_until([&] { return find_exec(bench.sink, pid) != nullptr; }));
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    unlink(path.c_str());
    const KeptProcess* kept = find_exec(bench.sink, pid);
    ASSERT_NE(kept, nullptr);
    EXPECT_EQ(kept->executable, deleted ? path + " (deleted)" : path);
    EXPECT_EQ(kept->record.executable_deleted, deleted);
    EXPECT_FALSE(kept->record.executable_memfd);
  }
}

INSTANTIATE_TEST_SUITE_P(EachForced, ProcessTier,
                         testing::Values("ebpf", "tracepoint", "audit", "proc-connector", "procfs"),
                         [](const auto& at) {
                           return at.param == std::string_view("proc-connector") ? "connector" : at.param;
                         });

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

TEST(Collector, FallsBackInOrderAndSaysWhy) {
  CollectorSettings settings;
  settings.process_ring_bytes = 1000;  // no ring has that size: the first tier refuses
  Bench bench("process", settings);
  ASSERT_TRUE(bench.collector.start());
  ASSERT_FALSE(bench.collector.refusals().empty());
  EXPECT_EQ(bench.collector.refusals()[0].tier, "ebpf");
  EXPECT_EQ(bench.collector.refusals()[0].error.where, "agent.settings.ring_bytes");
  if (geteuid() == 0) EXPECT_EQ(bench.collector.tier_in_use(), "audit");
}

TEST(Collector, RefusesATierThatIsNotInItsTable) {
  Bench bench("process", forced("telepathy"));
  const auto started = bench.collector.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::not_found);
  EXPECT_FALSE(bench.collector.running());
}

TEST(Collector, ForcedTierHasNoFallBack) {
  CollectorSettings settings = forced("ebpf");
  settings.process_ring_bytes = 1000;
  Bench bench("process", settings);
  EXPECT_FALSE(bench.collector.start());
}

}  // namespace
}  // namespace picket::agent
