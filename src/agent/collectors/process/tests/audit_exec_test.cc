// Records of execs as the kernel writes them, whole and not.
#include "process/audit_exec.h"

#include <vector>

#include <gtest/gtest.h>

#include "support/argv_hash.h"
#include "support/audit_socket.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

using namespace std::string_view_literals;

std::string stamped(int serial, std::string_view rest) {
  return "audit(1700000000.123:" + std::to_string(serial) + "): " + std::string(rest);
}

constexpr std::string_view kCall =
    "arch=c000003e syscall=59 success=yes exit=0 a0=5561 a1=5562 a2=5563 a3=8 items=2 ppid=41 pid=42 auid=1000 "
    "uid=1000 "
    "gid=1001 euid=0 suid=0 fsuid=0 egid=1001 sgid=1001 fsgid=1001 tty=pts3 ses=7 comm=\"ls\" exe=\"/usr/bin/ls\" "
    "key=\"picket-process\"";

struct Bench {
  std::vector<AuditExec> told;
  AuditExecAssembler assembler{[this](const AuditExec& exec) { told.push_back(exec); }};
  Duration now = Duration::seconds(100);

  void take(int type, int serial, std::string_view rest) {
    assembler.take(static_cast<std::uint16_t>(type), stamped(serial, rest), now);
  }
  void whole(int serial, std::string_view arguments) {
    take(1300, serial, kCall);
    take(1309, serial, arguments);
    take(1320, serial, "");
  }
};

TEST(AuditExec, IsPutTogetherOfItsRecords) {
  Bench bench;
  bench.take(1300, 9, kCall);
  bench.take(1309, 9, R"(argc=3 a0="ls" a1="-l" a2=6120620A)");
  bench.take(1307, 9, R"(cwd="/home/a")");
  bench.take(1302, 9, R"(item=0 name="/usr/bin/ls")");
  EXPECT_TRUE(bench.told.empty());
  bench.take(1320, 9, "");
  ASSERT_EQ(bench.told.size(), 1u);
  const AuditExec& exec = bench.told[0];
  EXPECT_EQ(exec.time.us, 1'700'000'000'123'000);
  EXPECT_EQ(exec.pid, 42u);
  EXPECT_EQ(exec.ppid, 41u);
  EXPECT_EQ(exec.uid, 1000u);
  EXPECT_EQ(exec.euid, 0u);
  EXPECT_EQ(exec.gid, 1001u);
  EXPECT_EQ(exec.session, 7u);
  EXPECT_EQ(exec.terminal, "pts3");
  EXPECT_EQ(exec.executable, "/usr/bin/ls");
  EXPECT_EQ(exec.cwd, "/home/a");
  EXPECT_EQ(exec.argv, "ls\0-l\0a b\n\0"sv);
  EXPECT_EQ(exec.argv_bytes, exec.argv.size());
  EXPECT_EQ(exec.argv_hash, argv_hash(exec.argv));
  EXPECT_FALSE(exec.argv_lost);
}

TEST(AuditExec, OfManyProcessorsComesMixed) {
  Bench bench;
  bench.take(1300, 1, kCall);
  bench.take(1300, 2, kCall);
  bench.take(1309, 2, R"(argc=1 a0="two")");
  bench.take(1309, 1, R"(argc=1 a0="one")");
  bench.take(1320, 2, "");
  bench.take(1320, 1, "");
  ASSERT_EQ(bench.told.size(), 2u);
  EXPECT_EQ(bench.told[0].argv, "two\0"sv);
  EXPECT_EQ(bench.told[1].argv, "one\0"sv);
}

TEST(AuditExec, OfMoreProcessorsEndsInAnyOrder) {
  Bench bench;
  constexpr int kCount = static_cast<int>(AuditExecAssembler::kOpenMax);
  for (int serial = 0; serial < kCount; ++serial) bench.take(1300, serial, kCall);
  for (int serial = 0; serial < kCount; ++serial) {
    bench.take(1309, serial, "argc=1 a0=\"" + std::to_string(serial) + "\"");
  }
  for (int i = 0; i < kCount; ++i) bench.take(1320, i * 37 % kCount, "");
  ASSERT_EQ(bench.told.size(), static_cast<std::size_t>(kCount));
  for (int i = 0; i < kCount; ++i) {
    EXPECT_EQ(bench.told[static_cast<std::size_t>(i)].argv, std::to_string(i * 37 % kCount) + '\0');
  }
  EXPECT_FALSE(bench.assembler.tick(bench.now));
}

TEST(AuditExec, JoinsPiecesOfALongArgumentOverRecords) {
  Bench bench;
  bench.take(1300, 1, kCall);
  bench.take(1309, 1, R"(argc=3 a0="x" a1_len=8 a1[0]="abcd")");
  bench.take(1309, 1, R"(a1[1]=0A66 a2="y")");
  bench.take(1320, 1, "");
  ASSERT_EQ(bench.told.size(), 1u);
  EXPECT_EQ(bench.told[0].argv, "x\0abcd\nf\0y\0"sv);
  EXPECT_FALSE(bench.told[0].argv_lost);
}

TEST(AuditExec, KeepsAPrefixAndTheHashOfAll) {
  Bench bench;
  std::string whole = "x";
  whole.push_back('\0');
  bench.take(1300, 1, kCall);
  bench.take(1309, 1, R"(argc=2 a0="x" a1_len=70000)");
  for (int i = 0; i < 10; ++i) {
    const std::string piece(7000, static_cast<char>('a' + i));
    whole += piece;
    bench.take(1309, 1, "a1[" + std::to_string(i) + "]=\"" + piece + "\"");
  }
  bench.take(1320, 1, "");
  whole.push_back('\0');
  ASSERT_EQ(bench.told.size(), 1u);
  EXPECT_EQ(bench.told[0].argv, whole.substr(0, kArgvBytesMax));
  EXPECT_EQ(bench.told[0].argv_bytes, whole.size());
  EXPECT_EQ(bench.told[0].argv_hash, argv_hash(whole));
  EXPECT_FALSE(bench.told[0].argv_lost);
}

TEST(AuditExec, SaysThatArgumentsAreMissing) {
  for (const char* arguments : {R"(argc=2 a0="x")", R"(argc=2 a0="x" a2="z")", R"(argc=1 a0_len=9 a0[0]="short")",
                                R"(argc=1)", R"(a0="x")", R"(argc=1 a0[0]="piece of nothing")"}) {
    Bench bench;
    bench.whole(1, arguments);
    ASSERT_EQ(bench.told.size(), 1u) << arguments;
    EXPECT_TRUE(bench.told[0].argv_lost) << arguments;
  }
}

TEST(AuditExec, CallsThatAreNoExecOrFailedAreNone) {
  Bench bench;
  bench.take(1300, 1, "arch=c000003e syscall=42 success=yes exit=0 pid=4 exe=\"/bin/nc\"");
  bench.take(1320, 1, "");
  bench.take(1300, 2, "arch=c000003e syscall=59 success=no exit=-8 pid=4 exe=\"/bin/sh\"");
  bench.take(1309, 2, R"(argc=1 a0="x")");
  bench.take(1320, 2, "");
  bench.take(1309, 3, R"(argc=1 a0="x")");  // its SYSCALL was lost
  bench.take(1320, 3, "");
  bench.take(1307, 4, R"(cwd="/")");
  bench.take(1320, 4, "");
  EXPECT_TRUE(bench.told.empty());
  EXPECT_FALSE(bench.assembler.tick(bench.now));
}

TEST(AuditExec, IsToldWhenItsEndDoesNotCome) {
  Bench bench;
  bench.take(1300, 1, kCall);
  bench.take(1309, 1, R"(argc=1 a0="x")");
  EXPECT_TRUE(bench.assembler.tick(bench.now + Duration::seconds(1)));
  EXPECT_FALSE(bench.assembler.tick(bench.now + AuditExecAssembler::kOpenFor));
  ASSERT_EQ(bench.told.size(), 1u);
  EXPECT_EQ(bench.assembler.unfinished(), 1u);
}

TEST(AuditExec, TheOldestMakesRoom) {
  Bench bench;
  for (int serial = 0; serial <= static_cast<int>(AuditExecAssembler::kOpenMax); ++serial) {
    EXPECT_TRUE(bench.told.empty());
    bench.take(1300, serial, kCall);
    bench.take(1309, serial, "argc=1 a0=\"" + std::to_string(serial) + "\"");
  }
  ASSERT_EQ(bench.told.size(), 1u);
  EXPECT_EQ(bench.told[0].argv, "0\0"sv);
}

TEST(AuditRule, IsOursByItsKeyOrItsMark) {
  const unsigned calls[] = {59, 322};
  EXPECT_TRUE(is_our_rule(audit_call_rule(0xc000003e, calls, "picket-process")));
  EXPECT_FALSE(is_our_rule(audit_call_rule(0xc000003e, calls, "process")));
  EXPECT_TRUE(is_our_rule(audit_exclusion_rule(1302)));
  const AuditRule whole = audit_call_rule(0xc000003e, calls, "picket-process");
  for (std::size_t n = 0; n + 7 < whole.size(); ++n) EXPECT_FALSE(is_our_rule(Bytes(whole).first(n))) << n;
}

}  // namespace
}  // namespace picket::agent
