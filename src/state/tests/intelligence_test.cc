#include "state/intelligence.h"

#include <gtest/gtest.h>

#include "state/outbox.h"
#include "temporary_database.h"

namespace picket::state {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000};
const Actor kAlice{"alice", "192.0.2.1"};

TEST(IntelligenceFeeds, KeepTheirStatusWhenTheirSettingsChange) {
  TemporaryDatabase database;
  Intelligence intelligence(*database);
  EXPECT_TRUE(intelligence.put_feed("bots", R"({"source":"/a"})", kAlice, kNow).value());
  ASSERT_TRUE(intelligence.set_status("bots", R"({"indicators":7})"));
  EXPECT_FALSE(intelligence.put_feed("bots", R"({"source":"/b"})", kAlice, kNow).value());
  database.reopen();
  const auto row = Intelligence(*database).find_feed("bots");
  ASSERT_TRUE(row);
  EXPECT_EQ(row->settings, R"({"source":"/b"})");
  EXPECT_EQ(row->status, R"({"indicators":7})");
  EXPECT_TRUE(Intelligence(*database).remove_feed("bots", kAlice, kNow).value());
  EXPECT_FALSE(Intelligence(*database).remove_feed("bots", kAlice, kNow).value());
  const auto records = Outbox(*database).pending(100).value();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].kind, "intelligence.feed.set");
  EXPECT_EQ(records[0].body, R"({"actor":"alice","source":"192.0.2.1","object":"bots","settings":{"source":"/a"}})");
  EXPECT_EQ(records[2].kind, "intelligence.feed.delete");
}

TEST(IntelligenceIndicators, OfTheOperatorAreListedInOrderAndTakenAway) {
  TemporaryDatabase database;
  Intelligence intelligence(*database);
  for (const char* value : {"b.example", "a.example", "c.example"}) {
    EXPECT_TRUE(intelligence.put_indicator({.kind = "domain", .value = value, .added = kNow}, kAlice).value());
  }
  EXPECT_FALSE(
      intelligence.put_indicator({.kind = "domain", .value = "a.example", .allowed = true, .added = kNow}, kAlice)
          .value());
  const auto first = intelligence.indicators("", "", 2).value();
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[0].value, "a.example");
  EXPECT_TRUE(first[0].allowed);
  EXPECT_EQ(first[0].user, "alice");
  const auto rest = intelligence.indicators(first[1].kind, first[1].value, 2).value();
  ASSERT_EQ(rest.size(), 1u);
  EXPECT_EQ(rest[0].value, "c.example");
  EXPECT_TRUE(intelligence.remove_indicator("domain", "a.example", kAlice, kNow).value());
  EXPECT_FALSE(intelligence.remove_indicator("domain", "a.example", kAlice, kNow).value());
}

TEST(IntelligenceSets, AreInTheOrderOfTheirRecords) {
  TemporaryDatabase database;
  Intelligence intelligence(*database);
  ASSERT_TRUE(intelligence.add_set({.version = "z", .made = kNow, .sequence = 5, .indicators = 1}));
  ASSERT_TRUE(intelligence.add_set({.version = "a", .made = kNow, .sequence = 9, .indicators = 2}));
  auto sets = intelligence.sets().value();
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(sets.back().version, "a");
  ASSERT_TRUE(intelligence.remove_set("z"));
  EXPECT_EQ(intelligence.sets().value().size(), 1u);
}

TEST(IntelligenceHunts, TheOldestGoWhenThereAreMany) {
  TemporaryDatabase database;
  Intelligence intelligence(*database);
  for (int i = 0; i < 105; ++i) {
    ASSERT_TRUE(intelligence.put_hunt({.id = "h" + std::to_string(i), .started = kNow + Duration::seconds(i)}));
  }
  const auto hunts = intelligence.hunts().value();
  ASSERT_EQ(hunts.size(), Intelligence::kHuntsKept);
  EXPECT_EQ(hunts.front().id, "h104");
}

}  // namespace
}  // namespace picket::state
