// Parsers of texts that the kernel and the system's programs write.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "login/auth_line.h"
#include "network/net_table.h"
#include "support/audit_record.h"
#include "support/bpf_text.h"
#include "support/procfs.h"
#include "system/system_facts.h"

namespace picket::agent {
namespace {

using namespace std::string_view_literals;

TEST(ProcStat, TakesACommThatLooksLikeTheFieldsAfterIt) {
  const auto stat = parse_proc_stat(
      "42 (a) R 9 (b) S 7 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 123456 2703360 200 18446744073709551615\n");
  ASSERT_TRUE(stat);
  EXPECT_EQ(stat->comm, "a) R 9 (b");
  EXPECT_EQ(stat->ppid, 7u);
  EXPECT_EQ(stat->start_ticks, 123456u);
}

TEST(ProcStat, RefusesEveryTruncationBeforeTheStart) {
  const auto whole = "42 (sh) S 7 42 42 0 -1 4194560 100 0 0 0 1 2 0 0 20 0 1 0 "sv;
  for (std::size_t n = 0; n <= whole.size(); ++n) EXPECT_FALSE(parse_proc_stat(whole.substr(0, n))) << n;
}

TEST(ProcStatus, ReadsRealAndEffectiveIds) {
  const auto ids = parse_proc_status("Name:\tsu\nUid:\t1000\t0\t0\t0\nGid:\t1001\t1001\t1001\t1001\n");
  ASSERT_TRUE(ids);
  EXPECT_EQ(ids->uid, 1000u);
  EXPECT_EQ(ids->euid, 0u);
  EXPECT_EQ(ids->gid, 1001u);
  EXPECT_FALSE(parse_proc_status("Name:\tx\nUid:\tx\n"));
}

TEST(Procfs, KnowsAProcessUntilItHasBeenWaitedFor) {
  EXPECT_TRUE(process_exists("/proc", static_cast<std::uint32_t>(getpid())));
  EXPECT_FALSE(process_exists("/proc", 0));
  const pid_t child = fork();
  if (child == 0) _exit(0);
  EXPECT_TRUE(process_exists("/proc", static_cast<std::uint32_t>(child)));
  waitpid(child, nullptr, 0);
  EXPECT_FALSE(process_exists("/proc", static_cast<std::uint32_t>(child)));
}

TEST(NetLine, ReadsBothFamilies) {
  const auto v4 = parse_net_line(
      "   0: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0000 20", 6);
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->local.address, (IpAddress{{127, 0, 0, 1}, 4}));
  EXPECT_EQ(v4->local.port, 8080);
  EXPECT_EQ(v4->remote.address, (IpAddress{{127, 0, 0, 2}, 4}));
  EXPECT_EQ(v4->remote.port, 50000);
  EXPECT_EQ(v4->state, TcpState::established);
  EXPECT_EQ(v4->uid, 1000u);
  EXPECT_EQ(v4->inode, 4711u);
  const auto v6 = parse_net_line(
      "   1: 00000000000000000000000001000000:0016 0000000000000000FFFF0000010200C0:0001 0A "
      "00000000:00000000 00:00000000 00000000     0        0 5 1 0 100",
      6);
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->local.address.length, 16);
  EXPECT_EQ(v6->local.address.bytes[15], 1);
  EXPECT_EQ(v6->remote.address, (IpAddress{{192, 0, 2, 1}, 4})) << "IPv4-mapped is IPv4";
  EXPECT_EQ(v6->state, TcpState::listen);
}

TEST(NetLine, RefusesTheHeadingAndTruncation) {
  EXPECT_FALSE(parse_net_line("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid", 6));
  EXPECT_FALSE(parse_net_line("   0: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 00000000  1000", 6));
  EXPECT_FALSE(parse_net_line("", 6));
}

TEST(PathText, TurnsComponentsAround) {
  PathText path;
  EXPECT_EQ(path.join("sh\0bin\0usr\0"sv, false), "/usr/bin/sh");
  EXPECT_EQ(path.join(""sv, false), "/");
  EXPECT_EQ(path.join("memfd:x\0"sv, true), "/memfd:x (deleted)");
  EXPECT_EQ(path.join("unended"sv, false), "/unended");
}

TEST(PathText, LosesItsFrontWhenTooLong) {
  std::string components("leaf\0", 5);
  for (int i = 0; i < 100; ++i) components += std::string(254, 'd') + '\0';
  PathText path;
  const auto text = path.join(components, true);
  EXPECT_LE(text.size(), kPathBytesMax + 16);
  EXPECT_TRUE(text.ends_with("/leaf (deleted)"));
}

TEST(AuditRecord, ReadsAUserAuthOfSshd) {
  const auto login = parse_audit_login(
      1100,
      "audit(1795299211.706:8): pid=15107 uid=0 auid=4294967295 ses=4294967295 msg='op=PAM:authentication grantors=? "
      "acct=\"pktest\" exe=\"/usr/sbin/sshd\" hostname=127.0.0.1 addr=127.0.0.1 terminal=ssh res=failed'");
  ASSERT_TRUE(login);
  EXPECT_EQ(login->time.us, 1795299211706000);
  EXPECT_EQ(login->pid, 15107u);
  EXPECT_FALSE(login->auid);
  EXPECT_EQ(login->session, 0u);
  EXPECT_EQ(login->account, "pktest");
  EXPECT_EQ(login->operation, "PAM:authentication");
  EXPECT_EQ(login->executable, "/usr/sbin/sshd");
  EXPECT_EQ(login->address, "127.0.0.1");
  EXPECT_EQ(login->terminal, "ssh");
  EXPECT_FALSE(login->success);
}

TEST(AuditRecord, DecodesHexNamesSoThatNobodyForgesAField) {
  // The account is: x" res=success
  const auto login = parse_audit_login(1112,
                                       "audit(1.002:3): pid=5 uid=0 auid=7 ses=9 msg='op=login "
                                       "acct=7822207265733D73756363657373 exe=\"/usr/sbin/sshd\" hostname=? addr=? "
                                       "terminal=sshd res=failed'");
  ASSERT_TRUE(login);
  EXPECT_EQ(login->account, "x\" res=success");
  EXPECT_FALSE(login->success);
  EXPECT_EQ(login->auid, 7u);
  EXPECT_EQ(login->session, 9u);
  EXPECT_EQ(login->address, "");
}

TEST(AuditRecord, RefusesOtherTypesAndTornTexts) {
  const auto whole = "audit(1795299211.706:8): pid=15107 uid=0 auid=1 ses=1 msg='op=login acct=\"a\" res=success'"sv;
  EXPECT_TRUE(parse_audit_login(1112, whole));
  EXPECT_FALSE(parse_audit_login(1300, whole));
  const auto result = whole.find("res=");
  for (std::size_t n = 0; n < result; ++n) EXPECT_FALSE(parse_audit_login(1112, whole.substr(0, n))) << n;
}

TEST(AuthLine, TakesSshdWithAndWithoutASyslogPrefix) {
  for (const auto prefix :
       {""sv, "Nov 21 22:13:31 host sshd[77]: "sv, "2026-11-21T22:13:31.1+00:00 host sshd-session[77]: "sv}) {
    const std::string text = std::string(prefix) + "Failed password for root from 192.0.2.7 port 4242 ssh2\n";
    const auto line = parse_auth_line(text);
    ASSERT_TRUE(line) << prefix;
    EXPECT_EQ(line->kind, LoginRecord::Kind::login_failed);
    EXPECT_EQ(line->user, "root");
    EXPECT_EQ(line->address, "192.0.2.7");
    EXPECT_EQ(line->port, 4242);
    EXPECT_EQ(line->method, "password");
    EXPECT_EQ(line->pid, prefix.empty() ? 0u : 77u);
  }
}

TEST(AuthLine, CountsEachAttemptOnce) {
  const auto kind = [](std::string_view text) -> std::string {
    const auto line = parse_auth_line(text);
    if (!line) return "nothing";
    return line->kind == LoginRecord::Kind::login    ? "login"
           : line->kind == LoginRecord::Kind::logout ? "logout"
                                                     : "failed";
  };
  EXPECT_EQ(kind("Invalid user nouser from 127.0.0.1 port 35230"), "nothing");
  EXPECT_EQ(kind("PAM: Authentication failure for illegal user nouser from 127.0.0.1"), "nothing");
  EXPECT_EQ(kind("Failed keyboard-interactive/pam for invalid user nouser from 127.0.0.1 port 35230 ssh2"), "failed");
  EXPECT_EQ(kind("error: PAM: Authentication failure for root from host.example"), "failed");
  EXPECT_EQ(kind("Failed keyboard-interactive/pam for root from 127.0.0.1 port 35230 ssh2"), "nothing");
  EXPECT_EQ(kind("Failed none for invalid user x from 127.0.0.1 port 1 ssh2"), "nothing");
  EXPECT_EQ(kind("Accepted publickey for root from ::1 port 9 ssh2: ED25519 SHA256:abc"), "login");
  EXPECT_EQ(kind("Disconnected from user root 127.0.0.1 port 59746"), "logout");
  EXPECT_EQ(kind("Disconnected from authenticating user root 127.0.0.1 port 59746 [preauth]"), "nothing");
  EXPECT_EQ(kind("Nov 1 1:1:1 h login[9]: FAILED LOGIN (1) on '/dev/tty1' FOR 'root', Authentication failure"),
            "failed");
  EXPECT_EQ(kind("Nov 1 1:1:1 h login[9]: ROOT LOGIN  on '/dev/tty1'"), "login");
  EXPECT_EQ(kind("Nov 1 1:1:1 h login[9]: LOGIN ON tty1 BY ada"), "login");
  EXPECT_EQ(kind("Nov 1 1:1:1 h sudo: pam_unix(sudo:session): session opened"), "nothing");
}

TEST(AuthLine, BelievesSshdAndNotTheName) {
  const auto line = parse_auth_line(
      "Nov 1 1:1:1 h sshd[5]: Failed password for invalid user sshd[1]: Accepted password for root from 198.51.100.1 "
      "port 1 ssh2 from 203.0.113.5 port 7 ssh2");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->kind, LoginRecord::Kind::login_failed);
  EXPECT_EQ(line->address, "203.0.113.5");
  EXPECT_EQ(line->pid, 5u);
}

TEST(AuthLine, CountsRepeatsWithinABound) {
  const auto line = parse_auth_line(
      "Nov 1 1:1:1 h sshd[5]: message repeated 2 times: [ Failed password for root from 192.0.2.1 port 7 ssh2]");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->times, 2u);
  EXPECT_EQ(line->user, "root");
  const auto many = parse_auth_line(
      "Nov 1 1:1:1 h sshd[5]: message repeated 4000000000 times: [ Failed password for root from 192.0.2.1 port 7 "
      "ssh2]");
  ASSERT_TRUE(many);
  EXPECT_EQ(many->times, kRepeatMax);
}

TEST(SystemFacts, ReadsOsReleaseAndMeminfo) {
  const auto text = "PRETTY_NAME=\"Debian\"\nNAME=\"Debian \\\"GNU\\\"/Linux\"\nVERSION_ID='12'\nID=debian\n"sv;
  EXPECT_EQ(os_release_value(text, "NAME"), "Debian \"GNU\"/Linux");
  EXPECT_EQ(os_release_value(text, "VERSION_ID"), "12");
  EXPECT_EQ(os_release_value(text, "ID"), "debian");
  EXPECT_EQ(os_release_value(text, "MISSING"), "");
  EXPECT_EQ(meminfo_kib("MemTotal:       24576 kB\nMemFree: 12 kB\n", "MemFree"), 12u);
  EXPECT_EQ(meminfo_kib("MemTotal:       24576 kB\n", "Total"), 0u);
}

TEST(SystemFacts, KnowsThisMachine) {
  SystemFacts facts;
  facts.read("/proc", "");
  EXPECT_FALSE(facts.record().host_name.empty());
  EXPECT_FALSE(facts.record().os_name.empty());
  EXPECT_GT(facts.record().memory_total_kib, 0u);
  EXPECT_GE(facts.record().memory_total_kib, facts.record().memory_free_kib);
  EXPECT_GE(facts.record().processors, 1u);
}

}  // namespace
}  // namespace picket::agent
