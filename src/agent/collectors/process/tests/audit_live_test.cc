// Tier "audit" of the process collector on the running kernel.
#include <algorithm>

#include <linux/audit.h>

#include "process/tests/process_live.h"
#include "support/argv_hash.h"
#include "support/audit_socket.h"

namespace picket::agent {
namespace {

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

}  // namespace
}  // namespace picket::agent
