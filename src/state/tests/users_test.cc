#include "state/users.h"

#include "temporary_database.h"

namespace picket::state {
namespace {

User user(std::string name, Role role) { return {std::move(name), role, "scrypt$hash", kNow, kNow, std::nullopt}; }

TEST(Users, KeepsTheLastAdministrator) {
  TemporaryDatabase database;
  Users users(*database);
  ASSERT_TRUE(users.add(user("admin", Role::admin), kTester));
  ASSERT_TRUE(users.add(user("reader", Role::reader), kTester));
  EXPECT_EQ(users.add(user("admin", Role::admin), kTester).error().code, Errc::exists);
  EXPECT_EQ(users.remove("admin", kTester, kNow).error().code, Errc::denied);
  ASSERT_TRUE(users.add(user("second", Role::admin), kTester));
  EXPECT_TRUE(users.remove("admin", kTester, kNow));
  EXPECT_EQ(users.list()->size(), 2u);
}

TEST(Users, FindsATokenUntilItExpiresOrItsUserGoes) {
  TemporaryDatabase database;
  Users users(*database);
  ASSERT_TRUE(users.add(user("admin", Role::admin), kTester));
  ASSERT_TRUE(users.add(user("reader", Role::reader), kTester));
  ASSERT_TRUE(users.add_token({"h1", TokenKind::session, "reader", "csrf", "", kNow, kNow + Duration::hours(1)}));
  ASSERT_TRUE(users.find_token("h1", kNow));
  EXPECT_EQ(users.find_token("h1", kNow)->csrf, "csrf");
  EXPECT_EQ(users.find_token("h1", kNow + Duration::hours(1)).error().code, Errc::not_found);
  ASSERT_TRUE(users.remove("reader", kTester, kNow));
  EXPECT_EQ(users.find_token("h1", kNow).error().code, Errc::not_found);
}

TEST(Users, EndsTheOtherSessionsOfAUser) {
  TemporaryDatabase database;
  Users users(*database);
  ASSERT_TRUE(users.add(user("admin", Role::admin), kTester));
  for (const char* hash : {"h1", "h2", "h3"}) {
    ASSERT_TRUE(users.add_token({hash, TokenKind::session, "admin", "", "", kNow, kNow + Duration::hours(1)}));
  }
  ASSERT_TRUE(users.remove_tokens_of("admin", "h2"));
  EXPECT_FALSE(users.find_token("h1", kNow));
  EXPECT_TRUE(users.find_token("h2", kNow));
}

}  // namespace
}  // namespace picket::state
