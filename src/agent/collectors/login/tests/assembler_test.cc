// From many records to one login.
#include <cstring>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "login/accounting.h"
#include "login/login_assembler.h"

namespace picket::agent {
namespace {

using Kind = LoginRecord::Kind;
using testing::ElementsAre;
using testing::IsEmpty;

// What sshd and PAM write, as on Debian 12 (pids: 105 is the connection, 107 PAM's child).
struct Story {
  Story()
      : assembler(
            {"login", "audit", false},
            [this](const LoginRecord& r) {
              static constexpr const char* kNames[] = {"login ", "failed ", "logout "};
              told.push_back(kNames[static_cast<int>(r.kind)] + std::string(r.user) +
                             (r.by_user.empty() ? "" : " by " + std::string(r.by_user)));
            },
            [this](std::uint32_t pid) { return alive.contains(pid); }, [](std::uint32_t) { return "by-uid"; }) {}

  Story& says(AuditType type, bool success, std::uint32_t pid, std::string account = "ada",
              std::string_view executable = "/usr/sbin/sshd", std::string_view address = "192.0.2.1") {
    AuditLogin login{.type = type, .pid = pid, .account = std::move(account)};
    login.executable = executable;
    login.address = address;
    login.success = success;
    login.auid = 1000;
    assembler.take(login, now);
    return *this;
  }
  Story& after(Duration d) {
    now = {now.wall + d, now.monotonic + d};
    assembler.tick(now);
    return *this;
  }
  Moment now{{1'000'000'000'000}, Duration::seconds(100)};
  std::set<std::uint32_t> alive{105};
  std::vector<std::string> told;
  LoginAssembler assembler;
};

// What su and sudo write: su names the other user throughout, sudo its caller until the session.
AuditLogin asks(AuditType type, std::string_view program, std::string account, std::uint32_t uid = 1000,
                bool success = true) {
  AuditLogin login{.type = type, .pid = 300, .uid = uid, .account = std::move(account)};
  login.executable = program;
  login.success = success;
  return login;
}

TEST(LoginAssembler, SuAndSudoAreLoginsOfWhoSomebodyBecomes) {
  Story su, sudo;
  for (const auto type : {AuditType::user_auth, AuditType::user_acct, AuditType::user_start, AuditType::user_end}) {
    su.assembler.take(asks(type, "/usr/bin/su", "root"), su.now);
  }
  EXPECT_THAT(su.told, ElementsAre("login root by by-uid", "logout root by by-uid"));
  for (const auto type : {AuditType::user_auth, AuditType::user_acct, AuditType::user_cmd}) {
    sudo.assembler.take(asks(type, "/usr/bin/sudo", "by-uid"), sudo.now);
  }
  // Some are root already when they open the session.
  sudo.assembler.take(asks(AuditType::user_start, "/usr/bin/sudo", "root", 0), sudo.now);
  sudo.assembler.take(asks(AuditType::user_end, "/usr/bin/sudo", "root", 0), sudo.now);
  EXPECT_THAT(sudo.told, ElementsAre("login root by by-uid", "logout root by by-uid"));
}

TEST(LoginAssembler, RootBecomesAnybodyWithoutALogin) {
  Story story;
  for (const auto type : {AuditType::user_auth, AuditType::user_acct, AuditType::user_start, AuditType::user_end}) {
    story.assembler.take(asks(type, "/usr/bin/su", "ada", 0), story.now);
    story.assembler.take(asks(type, "/usr/bin/sudo", "ada", 0), story.now);
  }
  EXPECT_THAT(story.told, IsEmpty());
}

TEST(LoginAssembler, ARefusedSudoIsOneFailureForEachWrongPassword) {
  Story story;
  for (int i = 0; i < 3; ++i) {
    story.assembler.take(asks(AuditType::user_auth, "/usr/bin/sudo", "by-uid", 1000, false), story.now);
  }
  story.assembler.take(asks(AuditType::user_cmd, "/usr/bin/sudo", "", 1000, false), story.now);
  EXPECT_THAT(story.told, ElementsAre("failed by-uid", "failed by-uid", "failed by-uid"));
}

TEST(LoginAssembler, ASudoThatIsNotAllowedIsAFailure) {
  Story story;
  story.assembler.take(asks(AuditType::user_auth, "/usr/bin/sudo", "by-uid"), story.now);
  story.assembler.take(asks(AuditType::user_cmd, "/usr/bin/sudo", "", 1000, false), story.now);
  EXPECT_THAT(story.told, ElementsAre("failed by-uid"));
}

TEST(LoginAssembler, WrongPasswordOfAKnownUserIsOneFailure) {
  Story story;
  story.says(AuditType::user_auth, false, 107).after(Duration::seconds(2)).says(AuditType::user_login, false, 105);
  story.alive.clear();
  story.after(Duration::minutes(5));
  EXPECT_THAT(story.told, ElementsAre("failed ada"));
}

TEST(LoginAssembler, UnknownUserIsOneFailureAlthoughSshdSpeaksThreeTimes) {
  Story story;
  story.says(AuditType::user_login, false, 105, "(invalid user)")
      .says(AuditType::user_login, false, 105, "(invalid user)");
  story.after(Duration::seconds(30)).says(AuditType::user_auth, false, 107, "nobody-here");
  story.after(Duration::seconds(2)).says(AuditType::user_login, false, 105, "(invalid user)");
  story.alive.clear();
  story.after(Duration::minutes(5));
  EXPECT_THAT(story.told, ElementsAre("failed nobody-here"));
}

TEST(LoginAssembler, EachWrongPasswordOfOneConnectionCounts) {
  Story story;
  for (int i = 0; i < 3; ++i) {
    story.says(AuditType::user_auth, false, 107).after(Duration::seconds(2)).says(AuditType::user_login, false, 105);
  }
  EXPECT_EQ(story.told.size(), 3u);
}

TEST(LoginAssembler, KeysThatDoNotFitAreOneFailureWhenTheConnectionEnds) {
  Story story;
  for (int i = 0; i < 3; ++i) story.says(AuditType::user_login, false, 105);
  story.after(Duration::seconds(5));
  EXPECT_THAT(story.told, IsEmpty());
  story.alive.clear();
  story.after(Duration::seconds(1));
  EXPECT_THAT(story.told, ElementsAre("failed ada"));
}

TEST(LoginAssembler, KeysThatDoNotFitBeforeOneThatDoesAreNoFailure) {
  Story story;
  story.says(AuditType::user_login, false, 105).says(AuditType::user_login, false, 105);
  story.says(AuditType::user_start, true, 105);
  story.alive.clear();
  story.after(Duration::minutes(5));
  EXPECT_THAT(story.told, ElementsAre("login ada"));
}

TEST(LoginAssembler, ASessionIsOneLoginAndOneLogout) {
  Story story;
  story.says(AuditType::user_auth, true, 107)
      .says(AuditType::user_acct, true, 107)
      .says(AuditType::user_start, true, 105);
  story.says(AuditType::user_login, true, 105, "");
  story.says(AuditType::user_end, true, 105).says(AuditType::user_logout, true, 105);
  EXPECT_THAT(story.told, ElementsAre("login ada", "logout ada"));
}

TEST(LoginAssembler, WithoutPamTheLoginEventCountsAndTheNameComesFromTheUid) {
  Story story;
  story.says(AuditType::user_login, true, 105, "").says(AuditType::user_logout, true, 105, "");
  EXPECT_THAT(story.told, ElementsAre("login by-uid", "logout by-uid"));
}

TEST(LoginAssembler, RightPasswordOfALockedAccountIsAFailure) {
  Story story;
  story.says(AuditType::user_auth, true, 107).says(AuditType::user_acct, false, 107);
  EXPECT_THAT(story.told, ElementsAre("failed ada"));
}

TEST(LoginAssembler, SudoAndCronAreNoLogins) {
  Story story;
  for (const auto* program : {"/usr/bin/sudo", "/usr/sbin/cron", "/lib/systemd/systemd"}) {
    story.says(AuditType::user_start, true, 200, "ada", program).says(AuditType::user_end, true, 200, "ada", program);
    story.says(AuditType::user_auth, false, 200, "ada", program);
  }
  EXPECT_THAT(story.told, IsEmpty());
}

TEST(LoginAssembler, FailuresFromElsewhereDoNotHideOneAnother) {
  Story story;
  story.alive = {};
  story.says(AuditType::user_auth, false, 107, "ada", "/usr/sbin/sshd", "192.0.2.1");
  story.says(AuditType::user_login, false, 300, "bob", "/usr/sbin/sshd", "192.0.2.99").after(Duration::seconds(1));
  EXPECT_THAT(story.told, ElementsAre("failed ada", "failed bob"));
}

TEST(LoginAssembler, AFullTableReportsTheOldestBeforeItForgets) {
  Story story;
  for (std::uint32_t pid = 1; pid <= LoginAssembler::kTableMax + 1; ++pid) {
    story.alive.insert(pid);
    story.says(AuditType::user_login, false, pid, "u" + std::to_string(pid));
  }
  EXPECT_THAT(story.told, ElementsAre("failed u1"));
}

struct Books {
  Books()
      : assembler([this](const LoginRecord& r) { kinds.push_back(r.kind); },
                  [](const AccountingEntry& e) { return e.user == "ada"; },
                  [this](const AccountingEntry& e) { return alive.contains(e.pid); }) {}
  static AccountingEntry entry(AccountingEntry::Type type, std::uint32_t pid, std::string line, std::string user) {
    return {.type = type,
            .pid = pid,
            .line = std::move(line),
            .user = std::move(user),
            .host = "",
            .remote = {},
            .time = {}};
  }
  void btmp(std::uint32_t pid, const char* user) {
    assembler.take_btmp(entry(AccountingEntry::Type::login_process, pid, "ssh:notty", user), now);
  }
  Moment now;
  std::set<std::uint32_t> alive{5};
  std::vector<Kind> kinds;
  AccountingAssembler assembler;
};

TEST(AccountingAssembler, UnknownUserCountsOneLessThanSshdWritesButAtLeastOne) {
  Books books;
  books.btmp(5, "nobody-here");
  EXPECT_THAT(books.kinds, IsEmpty());
  books.btmp(5, "nobody-here");
  books.btmp(5, "nobody-here");
  EXPECT_EQ(books.kinds.size(), 2u);
  books.alive.clear();
  EXPECT_FALSE(books.assembler.tick(books.now));
  EXPECT_EQ(books.kinds.size(), 2u);
  books.btmp(6, "nobody-here");
  books.assembler.tick(books.now);
  EXPECT_EQ(books.kinds.size(), 3u);
}

TEST(AccountingAssembler, KnownUserCountsEachTime) {
  Books books;
  books.btmp(5, "ada");
  books.btmp(5, "ada");
  EXPECT_THAT(books.kinds, ElementsAre(Kind::login_failed, Kind::login_failed));
}

TEST(AccountingAssembler, ASessionEndsByRecordOrByItsProcessButOnce) {
  Books books;
  using Type = AccountingEntry::Type;
  books.assembler.take_wtmp(Books::entry(Type::user_process, 5, "pts/0", "ada"), books.now);
  books.assembler.take_wtmp(Books::entry(Type::dead_process, 5, "pts/0", ""), books.now);
  books.alive.clear();
  books.assembler.tick(books.now);
  EXPECT_THAT(books.kinds, ElementsAre(Kind::login, Kind::logout));
  books.assembler.take_wtmp(Books::entry(Type::user_process, 9, "pts/0", "ada"), books.now);
  books.assembler.tick(books.now);
  EXPECT_THAT(books.kinds, ElementsAre(Kind::login, Kind::logout, Kind::login, Kind::logout));
}

TEST(Accounting, ReadsARecordAndRefusesOtherSizes) {
  Buffer raw(kAccountingBytes);
  raw[0] = std::byte{7};
  raw[4] = std::byte{42};
  std::memcpy(raw.data() + 8, "pts/3", 5);
  std::memcpy(raw.data() + 44, "ada", 3);
  std::memcpy(raw.data() + 76, "host.example", 12);
  raw[343] = std::byte{0x65};  // seconds
  raw[348] = std::byte{192};
  raw[350] = std::byte{2};
  raw[351] = std::byte{1};
  const auto entry = parse_accounting(raw);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->pid, 42u);
  EXPECT_EQ(entry->line, "pts/3");
  EXPECT_EQ(entry->user, "ada");
  EXPECT_EQ(entry->host, "host.example");
  EXPECT_EQ(entry->time.us, 0x65000000 * 1'000'000LL);
  EXPECT_EQ(entry->remote, (IpAddress{{192, 0, 2, 1}, 4}));
  EXPECT_FALSE(parse_accounting(Bytes(raw).first(kAccountingBytes - 1)));
  EXPECT_EQ(accounting_bytes(raw), kAccountingBytes);
  raw[0] = std::byte{1};  // run level
  EXPECT_FALSE(parse_accounting(raw));
}

// As glibc on arm64 and musl on every 64-bit machine write it.
TEST(Accounting, ReadsARecordWithWideTimes) {
  Buffer raw(kAccountingWideBytes);
  raw[0] = std::byte{7};
  raw[4] = std::byte{42};
  std::memcpy(raw.data() + 44, "ada", 3);
  raw[336] = std::byte{3};     // session
  raw[347] = std::byte{0x65};  // seconds
  raw[352] = std::byte{9};     // microseconds
  raw[360] = std::byte{192};
  raw[362] = std::byte{2};
  raw[363] = std::byte{1};
  const auto entry = parse_accounting(raw);
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->user, "ada");
  EXPECT_EQ(entry->time.us, 0x65000000 * 1'000'000LL + 9);
  EXPECT_EQ(entry->remote, (IpAddress{{192, 0, 2, 1}, 4}));
  EXPECT_EQ(accounting_bytes(raw), kAccountingWideBytes);
  EXPECT_EQ(accounting_bytes(Bytes(raw).first(kAccountingHeadBytes)), kAccountingWideBytes);
  EXPECT_FALSE(accounting_bytes(Bytes(raw).first(kAccountingHeadBytes - 1)));
  raw[347] = std::byte{0};  // a clock that was not set
  EXPECT_FALSE(accounting_bytes(raw));
}

}  // namespace
}  // namespace picket::agent
