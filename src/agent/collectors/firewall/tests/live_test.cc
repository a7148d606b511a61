// Real rules, made by nft and iptables in a network namespace of their own, read back through the kernel.
#include "tests/live.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sched.h>

#include "base/core/file.h"
#include "firewall/nft_dump.h"
#include "firewall/xtables.h"

namespace picket::agent {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class FirewallLive : public testing::Test {
 protected:
  void SetUp() override {
    PICKET_NEEDS_ROOT();
    ASSERT_EQ(unshare(CLONE_NEWNET), 0);
    std::string name = ::testing::TempDir() + "picket-firewall-XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }
  /// Runs a command line; its words must be plain.
  void run(const std::string& line) const {
    const std::string log = folder_ + "/log";
    ASSERT_EQ(std::system((line + " >" + log + " 2>&1").c_str()), 0) << line << "\n"
                                                                     << read_file(log, 4096).value_or("");
  }
  void nft(const std::string& text) const {
    std::ofstream(folder_ + "/rules") << text;
    run("/usr/sbin/nft -f " + folder_ + "/rules");
  }
  static CollectorSettings settings(const char* tier) {
    CollectorSettings out;
    out.procfs = "/proc/thread-self";  // the tables of this thread's namespace
    out.choose("firewall").tier = tier;
    out.choose("firewall").every = Duration::hours(1);
    return out;
  }
  /// The items of a first snapshot, one a line.
  std::string all_rules(const char* tier) const {
    Bench bench("firewall", settings(tier));
    const auto begun = bench.collector.start();
    if (!begun) return describe(begun.error());
    bench.run_until([&] { return !bench.sink.events.empty(); });
    const Counters counters = bench.collector.counters();
    EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_user);
    return lines(bench.sink);
  }
  static std::string lines(const Recorder& sink) {
    std::string out;
    for (const KeptEvent& event : sink.events) {
      EXPECT_EQ(event.record.event.name, "FirewallConfiguration");
      out += event.items + "\n";
    }
    for (std::size_t at = out.find("},{"); at != std::string::npos; at = out.find("},{", at))
      out.replace(at, 3, "}\n{");
    return out;
  }
  static std::string line_with(const std::string& text, std::string_view what) {
    const auto at = text.find(what);
    if (at == std::string::npos) return "nothing with " + std::string(what) + " in:\n" + text;
    const auto begin = text.rfind('\n', at);
    return text.substr(begin + 1, text.find('\n', at) - begin - 1);
  }
  std::string folder_;
};

TEST_F(FirewallLive, NothingFoundIsAnEmptyEvent) {
  EXPECT_EQ(all_rules("netlink"), "\n");
  EXPECT_EQ(all_rules("xtables"), "\n");
}

TEST_F(FirewallLive, RulesOfNftablesWithEveryField) {
  nft(R"(
    table inet guard {
      set admins { type ipv4_addr; elements = { 192.0.2.7, 192.0.2.8 } }
      chain entry {
        type filter hook input priority -10; policy drop;
        ip saddr 10.1.0.0/16 tcp dport 22 accept comment "ssh from the office"
        ip6 saddr 2001:db8::/32 udp sport 53 udp dport != 1000-2000 drop
        tcp dport { 80, 443, 8000-8010 } ip daddr 192.0.2.1 counter accept
        iifname "lo" accept
        ct state established,related accept
        ip saddr @admins tcp dport 1024-65535 reject
        meta l4proto icmp log prefix "ping " limit rate 5/second accept
        jump more
      }
      chain more { ip protocol udp return; }
    }
    table ip sleeping { flags dormant; chain out { type filter hook output priority 0; policy accept; oifname "eth*" drop; }
    }
  )");
  const std::string rules = all_rules("netlink");
  const std::string place =
      R"("Filter":"nftables","Family":"inet","Table":"guard","Hook":"input","HookPriority":"-10")";
  EXPECT_THAT(
      line_with(rules, "ssh from the office"),
      AllOf(HasSubstr(R"({"Enabled":true,"Action":"Allow","Priority":1,"Direction":"In","ChainName":"entry",)"
                      R"("SourceAddress":"10.1.0.0/16","DestinationPort":"22","Protocol":"tcp","Source":"netlink",)"),
            HasSubstr(place), HasSubstr(R"("Comment":"ssh from the office")")));
  EXPECT_THAT(line_with(rules, "2001:db8::/32"),
              AllOf(HasSubstr(R"("Action":"Deny","Priority":2)"), HasSubstr(R"("SourceAddress":"2001:db8::/32")"),
                    HasSubstr(R"("SourcePort":"53")"), HasSubstr(R"("DestinationPort":"!1000-2000")"),
                    HasSubstr(R"("Protocol":"udp")")));
  EXPECT_THAT(line_with(rules, "8000-8010"), AllOf(HasSubstr(R"("DestinationAddress":"192.0.2.1")"),
                                                   HasSubstr(R"("DestinationPort":"80,443,8000-8010")"),
                                                   HasSubstr(R"("Action":"Allow","Priority":3)")));
  EXPECT_THAT(line_with(rules, R"("InInterface":"lo")"), HasSubstr(R"("Priority":4)"));
  EXPECT_THAT(line_with(rules, R"("CtState":"established,related")"), HasSubstr(R"("Action":"Allow","Priority":5)"));
  EXPECT_THAT(line_with(rules, "192.0.2.7,192.0.2.8"),
              AllOf(HasSubstr(R"("Action":"Deny","Priority":6)"), HasSubstr(R"("Verdict":"reject")"),
                    HasSubstr(R"("DestinationPort":"1024-65535")")));
  EXPECT_THAT(line_with(rules, R"("Log":"ping ")"),
              AllOf(HasSubstr(R"("Protocol":"icmp")"), HasSubstr(R"("Match":"limit")")));
  EXPECT_THAT(line_with(rules, "jump more"), HasSubstr(R"("Action":"Other","Priority":8)"));
  EXPECT_THAT(line_with(rules, R"("ChainName":"more")"),
              AllOf(HasSubstr(R"("Protocol":"udp")"), HasSubstr(R"("Verdict":"return")"), Not(HasSubstr("Hook"))));
  EXPECT_THAT(line_with(rules, R"("Priority":9)"),
              AllOf(HasSubstr(R"("Action":"Deny")"), HasSubstr(R"("Rule":"policy")")));
  EXPECT_THAT(line_with(rules, "eth"),
              AllOf(HasSubstr(R"({"Enabled":false,"Action":"Deny","Priority":1,"Direction":"Out")"),
                    HasSubstr(R"("OutInterface":"eth)")));
}

TEST_F(FirewallLive, ARuleThatComesOrGoesIsADifferenceSoon) {
  nft("table ip guard {\n chain entry { type filter hook input priority 0; tcp dport 22 accept; }\n}\n");
  Bench bench("firewall", settings("netlink"));
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(bench.run_until([&] { return !bench.sink.events.empty(); }));
  bench.sink.events.clear();
  nft("insert rule ip guard entry tcp dport 23 drop");
  ASSERT_TRUE(bench.run_until([&] { return !bench.sink.events.empty(); }, 60));
  EXPECT_THAT(
      lines(bench.sink),
      AllOf(HasSubstr(R"("Action":"Deny","Priority":1,"Direction":"In","ChainName":"entry","DestinationPort":"23")"),
            HasSubstr(R"("Change":"added")"), Not(HasSubstr(R"("22")"))));
  EXPECT_EQ(bench.sink.events[0].record.priority, Priority::high);
  bench.sink.events.clear();
  run("/usr/sbin/nft flush chain ip guard entry");
  ASSERT_TRUE(bench.run_until([&] { return !bench.sink.events.empty(); }, 60));
  const std::string gone = lines(bench.sink);
  EXPECT_THAT(
      line_with(gone, R"("DestinationPort":"22")"),
      AllOf(HasSubstr(R"("Action":"Allow")"), HasSubstr(R"("ChainName":"entry")"), HasSubstr(R"("Change":"removed")")));
  EXPECT_THAT(line_with(gone, R"("DestinationPort":"23")"), HasSubstr(R"("Change":"removed")"));
}

TEST_F(FirewallLive, RulesOfIptablesLegacyInBothTiers) {
  const std::string four = "/usr/sbin/iptables-legacy ", six = "/usr/sbin/ip6tables-legacy ";
  run(four + "-P INPUT DROP");
  run(four + "-N guard");
  run(four + "-A guard -p udp --dport 67:68 -j RETURN");
  run(four + "-A INPUT -s 10.2.0.0/16 ! -d 192.0.2.1 -p tcp --sport 1024:65535 --dport 22 -j ACCEPT");
  run(four + "-A INPUT -p tcp -m multiport --dports 80,443,8000:8010 -m comment --comment web -j ACCEPT");
  run(four + "-A INPUT -i lo -j guard");
  run(four + "-A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT");
  run(four + "-A FORWARD -j REJECT");
  run(six + "-A INPUT -s 2001:db8::/32 -p udp --dport 53 -j DROP");
  for (const char* const tier : {"netlink", "xtables"}) {
    SCOPED_TRACE(tier);
    const std::string rules = all_rules(tier);
    EXPECT_THAT(line_with(rules, "10.2.0.0/16"),
                AllOf(HasSubstr(R"({"Enabled":true,"Action":"Allow","Priority":1,"Direction":"In","ChainName":"INPUT",)"
                                R"("SourceAddress":"10.2.0.0/16","SourcePort":"1024-65535",)"
                                R"("DestinationAddress":"!192.0.2.1","DestinationPort":"22","Protocol":"tcp",)"),
                      HasSubstr(R"("Hook":"input","Filter":"iptables","Family":"ip","Table":"filter")")));
    EXPECT_THAT(line_with(rules, R"("Comment":"web")"),
                AllOf(HasSubstr(R"("DestinationPort":"80,443,8000-8010")"), HasSubstr(R"("Priority":2)")));
    EXPECT_THAT(line_with(rules, "jump guard"), HasSubstr(R"("InInterface":"lo")"));
    EXPECT_THAT(line_with(rules, R"("CtState":"established,related")"),
                HasSubstr(R"("Direction":"Out","ChainName":"OUTPUT")"));
    EXPECT_THAT(line_with(rules, R"("ChainName":"FORWARD")"),
                AllOf(HasSubstr(R"("Action":"Deny")"), HasSubstr("reject")));
    EXPECT_THAT(line_with(rules, R"("ChainName":"guard")"),
                AllOf(HasSubstr(R"("DestinationPort":"67-68","Protocol":"udp")"), HasSubstr(R"("Verdict":"return")")));
    EXPECT_THAT(rules.substr(rules.find(R"("ChainName":"guard")") + 1), Not(HasSubstr(R"("ChainName":"guard")")))
        << "the return that ends a chain is nobody's rule";
    EXPECT_THAT(line_with(rules, R"("Priority":4,"Direction":"In")"),
                AllOf(HasSubstr(R"("Action":"Deny")"), HasSubstr(R"("Rule":"policy")")));
    EXPECT_THAT(line_with(rules, "2001:db8::/32"),
                AllOf(HasSubstr(R"("Action":"Deny","Priority":1,"Direction":"In")"), HasSubstr(R"("Family":"ip6")")));
  }
}

TEST_F(FirewallLive, ExtensionsThatIptablesKeepsWithinNftablesAreRead) {
  const std::string command = "/usr/sbin/iptables-nft ";
  run(command + "-A INPUT -p tcp -m multiport --dports 80,443 -m comment --comment web -j ACCEPT");
  run(command + "-A INPUT -s 10.3.0.1 -j REJECT");
  const std::string rules = all_rules("netlink");
  EXPECT_THAT(line_with(rules, R"("Comment":"web")"),
              AllOf(HasSubstr(R"("DestinationPort":"80,443","Protocol":"tcp")"), HasSubstr(R"("Filter":"nftables")")));
  EXPECT_THAT(line_with(rules, "10.3.0.1"), AllOf(HasSubstr(R"("Action":"Deny")"), HasSubstr("reject")));
}

TEST_F(FirewallLive, AHugeSetOfRulesIsBoundedAndCounted) {
  std::string text = "table ip guard {\n chain entry {\n";
  for (std::size_t i = 0; i < kFirewallRulesMax + 50; ++i) text += "tcp dport " + std::to_string(i + 1) + " accept\n";
  nft(text + "}\n}\n");
  Bench bench("firewall", settings("netlink"));
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(bench.run_until([&] { return !bench.sink.events.empty(); }));
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.delivered, kFirewallRulesMax);
  EXPECT_EQ(counters.dropped_user, 50u);
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_user);
}

}  // namespace
}  // namespace picket::agent
