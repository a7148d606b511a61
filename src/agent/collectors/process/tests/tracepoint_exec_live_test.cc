// Execs in tier "tracepoint" on the running kernel; forks and ends are in tracepoint_live_test.cc.
#include "process/tests/process_live.h"
#include "support/argv_hash.h"

namespace picket::agent {
namespace {

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

}  // namespace
}  // namespace picket::agent
