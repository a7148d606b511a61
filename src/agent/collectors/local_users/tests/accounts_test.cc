#include "local_users/accounts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::agent {
namespace {

using testing::SizeIs;

Accounts small_device() {
  Accounts out;
  out.read_passwd(
      "root:x:0:0:root:/root:/bin/bash\n"
      "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
      "guest::1001:1001::/home/guest:/bin/sh\n"
      "operator:x:1002:1002:,,,:/home/operator:\n");
  out.read_group("root:x:0:\ndaemon:x:1:\nsudo:x:27:operator,guest\ndocker:x:998:operator\noperator:x:1002:operator\n");
  out.read_shadow(
      "root:$y$j9T$abcdefghijklmnop$0123456789:19700:0:99999:7:::\n"
      "daemon:*:19600:0:99999:7:::\n"
      "operator::20000:0:99999:7::21000:\n");
  return out;
}

TEST(Accounts, PasswordsAreSetLockedOrEmptyAndTheirHashesAreNotKept) {
  const Accounts device = small_device();
  ASSERT_THAT(device.accounts(), SizeIs(4));
  EXPECT_EQ(device.accounts()[0].password, PasswordState::set);
  EXPECT_EQ(device.accounts()[1].password, PasswordState::locked);
  EXPECT_EQ(device.accounts()[2].password, PasswordState::empty) << "passwd itself says so";
  EXPECT_EQ(device.accounts()[3].password, PasswordState::empty) << "shadow says so";
  EXPECT_EQ(device.malformed(), 0u);
  for (const std::string_view locked : {"!", "!!", "*", "!$6$salt$hash0123456789", "x", "NP"}) {
    EXPECT_EQ(password_state(locked), PasswordState::locked) << locked;
  }
  EXPECT_EQ(password_state("ab0123456789."), PasswordState::set) << "DES, 13 characters";
}

TEST(Accounts, WithoutShadowNothingIsSaidOfPasswords) {
  Accounts device;
  device.read_passwd("root:x:0:0:root:/root:/bin/bash\n");
  EXPECT_EQ(device.accounts()[0].password, PasswordState::unknown);
  EXPECT_EQ(to_string(PasswordState::unknown), "");
}

TEST(Accounts, GroupsAreTheOwnOneFirstThenThoseThatListTheAccount) {
  const Accounts device = small_device();
  const auto groups = device.groups_of(device.accounts()[3]);
  EXPECT_EQ(groups.ids, "1002;27;998");
  EXPECT_EQ(groups.names, "operator;sudo;docker");
  const auto guest = device.groups_of(device.accounts()[2]);
  EXPECT_EQ(guest.ids, "1001;27");
  EXPECT_EQ(guest.names, ";sudo") << "a group without a name keeps its place";
}

TEST(Accounts, DatesOfShadowAreDays) {
  const Accounts device = small_device();
  EXPECT_EQ(date_text(device.accounts()[3].password_changed_days), "2024-10-04");
  EXPECT_EQ(date_text(device.accounts()[3].expires_days), "2027-07-01");
  EXPECT_EQ(device.accounts()[0].expires_days, -1);
  EXPECT_EQ(date_text(-1), "");
  EXPECT_EQ(date_text(std::int64_t{1} << 60), "");
}

TEST(Accounts, MalformedLinesAreCountedAndLeftOut) {
  Accounts device;
  device.read_passwd("short:x:1\nno id:x:a:b:c:d:e\n:x:1:1::/:\n# comment\n+::::::\nok:x:5:5::/:/bin/sh\n");
  EXPECT_THAT(device.accounts(), SizeIs(1));
  EXPECT_EQ(device.malformed(), 3u);
  device.read_group("g:x:1\n");
  EXPECT_EQ(device.malformed(), 4u);
}

TEST(Accounts, PastTheBoundAccountsAreCounted) {
  std::string text;
  for (std::size_t i = 0; i < Accounts::kAccountsMax + 3; ++i) text += "u" + std::to_string(i) + ":x:1:1::/:\n";
  Accounts device;
  device.read_passwd(text);
  EXPECT_THAT(device.accounts(), SizeIs(Accounts::kAccountsMax));
  EXPECT_EQ(device.past_bounds(), 3u);
}

}  // namespace
}  // namespace picket::agent
