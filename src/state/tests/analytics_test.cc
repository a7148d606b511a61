// Saved queries, functions and analytics rules: kept over a restart, audited, bounded.
#include "state/analytics.h"

#include <gtest/gtest.h>

#include "state/outbox.h"
#include "state/saved_queries.h"
#include "temporary_database.h"

namespace picket::state {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000};
const Actor kAlice{"alice", "192.0.2.1"};

TEST(SavedQueries, AQueryAndAFunctionOfOneNameAreTwoThings) {
  TemporaryDatabase database;
  SavedQueries saved(*database);
  EXPECT_TRUE(saved.put({.name = "logins", .text = "Login | take 5"}, kAlice, kNow).value());
  EXPECT_TRUE(saved.put({.kind = SavedKind::function, .name = "logins", .text = "() { Login }"}, kAlice, kNow).value());
  EXPECT_FALSE(saved.put({.name = "logins", .category = "hunt", .text = "Login"}, kAlice, kNow).value());
  database.reopen();
  SavedQueries again(*database);
  EXPECT_EQ(again.find(SavedKind::query, "logins").value().text, "Login");
  EXPECT_EQ(again.find(SavedKind::query, "logins").value().category, "hunt");
  EXPECT_EQ(again.find(SavedKind::query, "logins").value().user, "alice");
  EXPECT_EQ(again.find(SavedKind::function, "logins").value().text, "() { Login }");
  EXPECT_TRUE(again.remove(SavedKind::query, "logins", kAlice, kNow).value());
  EXPECT_FALSE(again.remove(SavedKind::query, "logins", kAlice, kNow).value());
  EXPECT_EQ(again.list(SavedKind::function).value().size(), 1u);
  const auto records = Outbox(*database).pending(10).value();
  ASSERT_EQ(records.size(), 4u);
  EXPECT_EQ(records[1].kind, "function.save");
  EXPECT_EQ(records[3].kind, "query.delete");
}

TEST(Analytics, ARuleGoesOnWhereItStood) {
  TemporaryDatabase database;
  {
    Analytics rules(*database);
    EXPECT_TRUE(rules.put("r1", "Scans", "id: r1", kAlice, kNow).value());
    ASSERT_TRUE(rules
                    .finish({.rule_id = "r1", .window_end = kNow, .at = kNow, .rows = 3, .outcome = "fired"},
                            kNow + Duration::hours(1), kNow + Duration::hours(5), "{}")
                    .has_value());
    EXPECT_FALSE(rules.put("r1", "Scans!", "id: r1 # new", kAlice, kNow).value());
  }
  database.reopen();
  Analytics rules(*database);
  const auto rule = rules.find("r1").value();
  EXPECT_EQ(rule.name, "Scans!");
  EXPECT_EQ(rule.next_run, kNow + Duration::hours(1));
  EXPECT_EQ(rule.suppressed_until, kNow + Duration::hours(5));
  EXPECT_EQ(rules.runs("r1").value().at(0).rows, 3);
  ASSERT_TRUE(rules.set_enabled("r1", false, kAlice, kNow).has_value());
  EXPECT_FALSE(rules.find("r1").value().enabled);
  EXPECT_EQ(rules.set_enabled("nobody", false, kAlice, kNow).error().code, Errc::not_found);
  EXPECT_TRUE(rules.remove("r1", kAlice, kNow).value());
  EXPECT_TRUE(rules.runs("r1").value().empty());
}

TEST(Analytics, RunsOfARuleAreBounded) {
  TemporaryDatabase database;
  Analytics rules(*database);
  ASSERT_TRUE(rules.put("r1", "Scans", "id: r1", kAlice, kNow).has_value());
  for (std::size_t i = 0; i < Analytics::kRunsKept + 5; ++i) {
    ASSERT_TRUE(rules.finish({.rule_id = "r1", .rows = static_cast<std::int64_t>(i), .outcome = "quiet"}, kNow, {}, "")
                    .has_value());
  }
  const auto runs = rules.runs("r1").value();
  ASSERT_EQ(runs.size(), Analytics::kRunsKept);
  EXPECT_EQ(runs.front().rows, static_cast<std::int64_t>(Analytics::kRunsKept) + 4);
}

TEST(Analytics, ARuleThatWentAwayDuringItsRunLeavesNothingBehind) {
  TemporaryDatabase database;
  Analytics rules(*database);
  ASSERT_TRUE(rules.finish({.rule_id = "gone", .outcome = "fired"}, kNow, {}, "").has_value());
  EXPECT_TRUE(rules.runs("gone").value().empty());
}

}  // namespace
}  // namespace picket::state
