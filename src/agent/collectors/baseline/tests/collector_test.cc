// The collector on prepared roots, with the rules that are shipped.
#include "agent/collector.h"

#include <set>

#include <gmock/gmock.h>
#include <sys/stat.h>

#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "baseline/command.h"
#include "baseline/content_file.h"
#include "baseline/tests/content_writer.h"
#include "tests/live.h"

namespace picket::agent {
namespace {

using baseline::ContentWriter;
using baseline::TestRoot;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class BaselineTest : public testing::Test {
 protected:
  BaselineTest() {
    image_.write("/etc/ssh/sshd_config", "PermitRootLogin yes\n");
    settings_.root = image_.path();
    settings_.baseline_content = PICKET_BASELINE_CONTENT;
  }
  static std::string items(const Recorder& sink) {
    std::string out;
    for (const KeptEvent& event : sink.events) out += event.items + "\n";
    return out;
  }
  /// A whole run; what it sent. `until_saved`: and what it sent is remembered.
  std::string look(bool until_saved = false) const {
    Bench bench("baseline", settings_);
    const auto started = bench.collector.start();
    EXPECT_TRUE(started) << (started ? "" : describe(started.error()));
    if (!started) return {};
    const Duration idle = Duration::seconds(until_saved ? 30 : 1);
    EXPECT_TRUE(bench.run_until([&] { return bench.collector.on_timer() > idle; }, 120));
    const Counters counters = bench.collector.counters();
    EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_user);
    return items(bench.sink);
  }
  std::string check(std::string_view id) const { return check_baseline(settings_, id, false).text; }

  TestRoot image_, state_;
  CollectorSettings settings_;
};

TEST_F(BaselineTest, SendsEveryRuleWithWhatWasSeenAndExpected) {
  const std::string all = look();
  EXPECT_THAT(all, HasSubstr(R"({"BaselineCheckId":"PKT-SSH-010","BaselineCheckResult":"FAIL")"));
  EXPECT_THAT(all, HasSubstr(R"("Observed":"PermitRootLogin = yes","Expected":"PermitRootLogin no")"));
  EXPECT_THAT(all, HasSubstr(R"("BaselineCheckRemediation":"Write 'PermitRootLogin no')"));
  EXPECT_THAT(all, HasSubstr(R"("Reference":"5.2.10")"));
  EXPECT_THAT(all, HasSubstr(R"("BaselineCheckId":"PKT-SSH-011","BaselineCheckResult":"PASS")"));
  EXPECT_THAT(all, HasSubstr(R"("BaselineCheckId":"PKT-CRON-002","BaselineCheckResult":"SKIP")"));
  EXPECT_THAT(all, Not(HasSubstr("PKT-SSH-021"))) << "a rule of level 2";
}

TEST_F(BaselineTest, SendsDifferencesAfterTheWhole) {
  settings_.state_dir = state_.path();
  EXPECT_THAT(look(true), Not(HasSubstr("Change")));
  image_.write("/etc/ssh/sshd_config", "PermitRootLogin no\n");
  const std::string changed = look();
  EXPECT_THAT(changed, AllOf(HasSubstr(R"("BaselineCheckId":"PKT-SSH-010","BaselineCheckResult":"PASS")"),
                             HasSubstr(R"("Change":"changed")")));
  EXPECT_THAT(changed, Not(HasSubstr("PKT-SSH-011"))) << "it passed before and still does";
}

/// Each value of a key in the items of events.
std::vector<std::string> values_of(const std::string& all, const std::string& key) {
  std::vector<std::string> out;
  const std::string name = "\"" + key + "\":\"";
  for (std::size_t at = all.find(name); at != std::string::npos; at = all.find(name, at + 1)) {
    out.push_back(all.substr(at + name.size(), all.find('"', at + name.size()) - at - name.size()));
  }
  return out;
}
/// Ids of checks with this result.
std::set<std::string> checks_with(const std::string& all, const std::string& result) {
  std::set<std::string> out;
  const auto ids = values_of(all, "BaselineCheckId"), results = values_of(all, "BaselineCheckResult");
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (results[i] == result) out.insert(ids[i]);
  }
  return out;
}

TEST_F(BaselineTest, ADifferenceAloneTellsAllThatIsWrong) {
  settings_.state_dir = state_.path();
  image_.write("/etc/ssh/sshd_config", "PermitRootLogin yes\nPermitEmptyPasswords yes\n");
  const std::string whole = look(true);
  image_.write("/etc/ssh/sshd_config", "PermitRootLogin no\nPermitEmptyPasswords yes\n");
  const std::string changed = look(true);
  std::set<std::string> still = checks_with(whole, "FAIL");
  ASSERT_EQ(still.erase("PKT-SSH-010"), 1u);
  ASSERT_GT(still.size(), 10u);
  EXPECT_EQ(checks_with(changed, "FAIL"), still);
  EXPECT_EQ(checks_with(changed, "ERROR"), checks_with(whole, "ERROR"));
  EXPECT_EQ(checks_with(changed, "PASS"), std::set<std::string>{"PKT-SSH-010"}) << "of what passes only the news";
  EXPECT_THAT(changed, HasSubstr(R"("Change":"unchanged")"));
  EXPECT_EQ(look(true), "") << "nothing changed: the newest scan with news is still what holds";
  settings_.baseline_checks_disabled = {"PKT-SSH-011"};
  const std::string fewer = look(true);
  EXPECT_THAT(fewer, HasSubstr(R"("Change":"removed")"));
  still.erase("PKT-SSH-011");
  EXPECT_EQ(checks_with(fewer, "FAIL"), still) << "a check that is switched off is news too";
}

TEST_F(BaselineTest, AllItemsOfAScanCarryItsId) {
  settings_.state_dir = state_.path();
  const auto whole = values_of(look(true), "EventId");
  image_.write("/etc/ssh/sshd_config", "PermitRootLogin no\n");
  const std::string second = look(true);
  const auto changed = values_of(second, "EventId");
  EXPECT_EQ(changed.size(), values_of(second, "BaselineCheckId").size());
  EXPECT_EQ(std::set(whole.begin(), whole.end()).size(), 1u);
  EXPECT_EQ(std::set(changed.begin(), changed.end()).size(), 1u);
  EXPECT_NE(whole[0], changed[0]);
}

TEST_F(BaselineTest, TheSelfTestOfTheRetiredAgentWorks) {
  EXPECT_THAT(look(), HasSubstr(R"("BaselineCheckId":"DIoTTest","BaselineCheckResult":"PASS")"));
  image_.write("/tmp/DefenderForIoTOSBaselineTrigger.txt", "");
  EXPECT_THAT(look(), HasSubstr(R"("BaselineCheckId":"DIoTTest","BaselineCheckResult":"FAIL")"));
}

TEST_F(BaselineTest, RulesOfTheCustomerArePinned) {
  ContentWriter writer;
  writer.rule("OURS-1", writer.call("exists", {{"paths", "/etc/ssh/sshd_config"}}));
  const std::string bytes = writer.file();
  state_.write("/ours.bin", bytes);
  settings_.baseline_custom_content = state_.path() + "/ours.bin";
  settings_.baseline_custom_sha256 = to_hex(sha256(as_bytes(bytes)));
  const std::string all = look();
  EXPECT_THAT(all,
              AllOf(HasSubstr(R"("BaselineCheckId":"OURS-1","BaselineCheckResult":"PASS")"), HasSubstr("PKT-SSH-010")));
  state_.write("/ours.bin", bytes + "x");
  Bench bench("baseline", settings_);
  const auto started = bench.collector.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().where, "agent.baseline.custom_sha256");
}

TEST_F(BaselineTest, RulesOfTheCustomerCanBeLeftOut) {
  settings_.baseline_custom_content = state_.path() + "/ours.bin";  // not there, and not asked for
  settings_.baseline_custom = false;
  EXPECT_THAT(look(), HasSubstr("PKT-SSH-010"));
}

TEST_F(BaselineTest, WithoutItsRulesItSaysWhatIsMissing) {
  settings_.baseline_content = state_.path() + "/none.bin";
  Bench bench("baseline", settings_);
  const auto started = bench.collector.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::not_found);
  EXPECT_THAT(check_baseline(settings_, "", false).problem, HasSubstr("none.bin"));
}

TEST_F(BaselineTest, PackagesThatCannotBeReadAreAnErrorNeitherThereNorNot) {
  image_.write("/var/lib/dpkg/status", "Package: telnet\nStatus: install ok installed\nVersion: 1\n\n");
  EXPECT_THAT(check("PKT-CLI-002"), HasSubstr("PASS"));
  ASSERT_EQ(mkdir((image_.path() + "/usr").c_str(), 0755), 0);
  for (const char* const folder : {"/usr/lib", "/usr/lib/sysimage", "/usr/lib/sysimage/rpm"}) {
    ASSERT_EQ(mkdir((image_.path() + folder).c_str(), 0755), 0);
  }
  // Nobody writes into this pipe: who opened it to read would wait for ever.
  ASSERT_EQ(mkfifo((image_.path() + "/usr/lib/sysimage/rpm/rpmdb.sqlite").c_str(), 0644), 0);
  EXPECT_THAT(check("PKT-CLI-002"), AllOf(HasSubstr("ERROR"), HasSubstr("rpmdb.sqlite cannot be read")));
  EXPECT_THAT(check("PKT-CLI-004"), HasSubstr("FAIL")) << "what was found is there whatever else is";
}

TEST_F(BaselineTest, AccountsBehindTheBoundAreNotTakenForFine) {
  std::string passwd = "root:x:0:0::/root:/bin/sh\n";
  for (int i = 1; i < 4'096; ++i) passwd += "u" + std::to_string(i) + ":x:" + std::to_string(i) + ":0:::\n";
  image_.write("/etc/group", "root:x:0:\n");
  image_.write("/etc/passwd", passwd);
  EXPECT_THAT(check("PKT-USR-004"), HasSubstr("PASS"));
  image_.write("/etc/passwd", passwd + "toor:x:0:0::/root:/bin/sh\n");
  EXPECT_THAT(check("PKT-USR-004"), AllOf(HasSubstr("ERROR"), HasSubstr("more than 4096 entries")));
}

TEST_F(BaselineTest, AnEmptyPackageDatabaseIsNone) {
  image_.write("/var/lib/dpkg/status", "");
  image_.write("/usr/bin/telnet", "x");
  EXPECT_THAT(check("PKT-CLI-004"), AllOf(HasSubstr("FAIL"), HasSubstr("/usr/bin/telnet is there")));
}

TEST_F(BaselineTest, FoldersThatNobodySawAreNotTakenForFine) {
  image_.write("/deep/x", "");
  EXPECT_THAT(check("PKT-FILE-013"), HasSubstr("PASS"));
  std::string path = image_.path() + "/deep";
  for (int i = 0; i < 300; ++i) ASSERT_EQ(mkdir((path += "/d").c_str(), 0755), 0);
  EXPECT_THAT(check("PKT-FILE-013"), AllOf(HasSubstr("ERROR"), HasSubstr("1 folders could not be looked into")));
  image_.write("/open", "");
  ASSERT_EQ(chmod((image_.path() + "/open").c_str(), 0666), 0);
  EXPECT_THAT(check("PKT-FILE-013"), AllOf(HasSubstr("FAIL"), HasSubstr("/open"))) << "what was found is there";
}

TEST_F(BaselineTest, AProgramOfAnImageWithoutPackagesIsFoundInEveryFolderOfPrograms) {
  for (const char* const place : {"/bin/telnetd", "/usr/local/sbin/telnetd"}) {
    const TestRoot image;
    settings_.root = image.path();
    EXPECT_THAT(check("PKT-SRV-008"), HasSubstr("PASS"));
    image.write(place, "x");
    EXPECT_THAT(check("PKT-SRV-008"), AllOf(HasSubstr("FAIL"), HasSubstr(place)));
  }
}

/// A rule, and a file that it must read, which is here too large to be read.
struct Unreadable {
  const char* rule;
  const char* path;
};
class TooLarge : public BaselineTest, public testing::WithParamInterface<Unreadable> {};

TEST_P(TooLarge, FileIsAnErrorNeitherPassNorFail) {
  image_.write("/etc/sudoers", "Defaults use_pty\n");
  image_.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n");
  image_.write("/etc/audit/auditd.conf", "x\n");
  image_.write("/etc/pam.d/x", "\n");
  image_.write(GetParam().path, std::string((512 << 10) + 1, 'x'));
  settings_.baseline_level = 2;
  EXPECT_THAT(check(GetParam().rule), AllOf(HasSubstr("ERROR"), HasSubstr(GetParam().path)));
}
INSTANTIATE_TEST_SUITE_P(
    Procedures, TooLarge,
    testing::Values(Unreadable{"PKT-SSH-010", "/etc/ssh/sshd_config"}, Unreadable{"PKT-SUDO-001", "/etc/sudoers"},
                    Unreadable{"PKT-BAN-001", "/etc/motd"}, Unreadable{"PKT-AUD-006", "/etc/audit/auditd.conf"},
                    Unreadable{"PKT-AUD-012", "/etc/audit/audit.rules"}, Unreadable{"PKT-USR-004", "/etc/passwd"},
                    Unreadable{"PKT-USR-001", "/etc/shadow"}, Unreadable{"PKT-PAM-005", "/etc/pam.d/common-password"}),
    [](const auto& each) {
      std::string name = each.param.rule;
      std::erase(name, '-');
      return name;
    });

TEST_F(BaselineTest, TheRunningDeviceIsLookedAtWithoutAnError) {
  settings_.root = "";
  settings_.baseline_level = 2;
  // Rules that need no walk, so that the disk of the machine does not matter.
  for (const char* const id : {"PKT-PROC-003", "PKT-NET-021", "PKT-FS-001", "PKT-FS-033", "PKT-USR-004", "PKT-FILE-001",
                               "PKT-TIME-001", "PKT-FW-006", "PKT-SRV-034"}) {
    EXPECT_THAT(check(id), AllOf(HasSubstr(id), Not(HasSubstr("1 ERROR")), Not(HasSubstr("not there; not there"))));
  }
}

}  // namespace
}  // namespace picket::agent
