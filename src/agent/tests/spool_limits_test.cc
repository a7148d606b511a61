// What goes when there is no room, and that each loss is counted and told.
#include <set>

#include "spool_fixture.h"

namespace picket::agent {
namespace {

using SpoolLimits = SpoolTest;

struct Losses final : SpoolLossSink {
  void lost(Bytes payload) override { texts.emplace_back(as_text(payload)); }
  std::vector<std::string> texts;
};

TEST_F(SpoolLimits, FullSpoolEvictsLowPriorityFirst) {
  Spool spool = open({.directory = directory_, .bytes_max = 64 << 10});
  const std::string kilobyte(1000, 'x');
  for (int i = 0; i < 20; ++i) put(spool, "high" + kilobyte, Priority::high);
  for (int i = 0; i < 200; ++i) put(spool, "low" + kilobyte, Priority::low);
  EXPECT_LE(spool.bytes(), 64u << 10);
  EXPECT_EQ(spool.drops().evicted[static_cast<std::size_t>(Priority::high)], 0u);
  EXPECT_EQ(spool.drops().evicted[static_cast<std::size_t>(Priority::low)] + spool.pending(), 220u);
  const auto left = drain(spool);
  EXPECT_EQ(std::ranges::count_if(left, [](const auto& text) { return text.starts_with("high"); }), 20);
}

TEST_F(SpoolLimits, NeverDisplacesWhatIsMoreImportant) {
  Spool spool = open({.directory = directory_, .bytes_max = 64 << 10});
  const std::string kilobyte(1000, 'x');
  for (int i = 0; i < 100; ++i) put(spool, kilobyte, Priority::urgent);
  const auto refused = spool.append(Priority::low, as_bytes(std::string(20'000, 'y')), kNow);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::limit_exceeded);
  EXPECT_EQ(spool.drops().refused[static_cast<std::size_t>(Priority::low)], 1u);
}

TEST_F(SpoolLimits, RefusesAPayloadAboveTheBound) {
  Spool spool = open();
  EXPECT_TRUE(spool.append(Priority::low, Buffer(kSpoolPayloadMax), kNow).has_value());
  EXPECT_FALSE(spool.append(Priority::low, Buffer(kSpoolPayloadMax + 1), kNow).has_value());
  EXPECT_EQ(spool.drops().refused[0], 1u);
}

TEST_F(SpoolLimits, TellsEachMessageThatItLosesOnce) {
  Losses losses;
  Spool spool = open();
  spool.tell_losses_to(losses);
  std::set<std::string> low;
  for (int i = 0; i < 60; ++i) {
    low.insert(std::to_string(i) + std::string(2'000, 'l'));
    put(spool, std::to_string(i) + std::string(2'000, 'l'), Priority::low);
  }
  // One is done and one on its way when their segment goes.
  const auto first = spool.next(kNow);
  ASSERT_TRUE(first);
  ASSERT_TRUE(spool.acknowledge(first->id));
  const auto second = spool.next(kNow);
  ASSERT_TRUE(second);
  for (int i = 0; i < 200; ++i) put(spool, std::string(2'000, 'h'), Priority::high);
  const std::uint64_t evicted_low = spool.drops().evicted[static_cast<std::size_t>(Priority::low)];
  const auto told_low = static_cast<std::uint64_t>(
      std::ranges::count_if(losses.texts, [&](const std::string& each) { return low.contains(each); }));
  EXPECT_EQ(evicted_low, 58u);
  EXPECT_EQ(told_low, 58u);
  EXPECT_EQ(std::ranges::count(losses.texts, std::string(as_text(first->payload))), 0);
  EXPECT_EQ(std::ranges::count(losses.texts, std::string(as_text(second->payload))), 0);
  EXPECT_EQ(losses.texts.size(), spool.drops().total());
}

TEST_F(SpoolLimits, TellsWhatExpiresAndWhatItRefuses) {
  Losses losses;
  Spool spool = open();
  spool.tell_losses_to(losses);
  put(spool, "old");
  put(spool, "new", Priority::medium, kNow + Duration::days(7));
  EXPECT_THAT(take(spool, kNow + Duration::days(8)), ::testing::ElementsAre("new"));
  EXPECT_THAT(losses.texts, ::testing::ElementsAre("old"));
  EXPECT_FALSE(spool.append(Priority::urgent, Buffer(kSpoolPayloadMax + 1), kNow));
  ASSERT_EQ(losses.texts.size(), 2u);
  EXPECT_EQ(losses.texts[1].size(), kSpoolPayloadMax + 1);
}

TEST_F(SpoolLimits, DropCountersSurviveARestart) {
  SpoolDrops before;
  {
    Spool spool = open({.directory = directory_, .bytes_max = 64 << 10});
    for (int i = 0; i < 200; ++i) put(spool, std::string(1000, 'x'));
    before = spool.drops();
    EXPECT_GT(before.total(), 0u);
  }
  EXPECT_EQ(open().drops(), before);
}

TEST_F(SpoolLimits, MemoryOnlyModeKeepsTheSameRulesWithoutFiles) {
  Spool spool = open({.directory = "", .memory_max = 64 << 10});
  EXPECT_FALSE(spool.on_disk());
  for (int i = 0; i < 200; ++i) put(spool, "m" + std::to_string(i) + std::string(1000, ' '), Priority::low);
  put(spool, "last", Priority::urgent);
  EXPECT_LE(spool.bytes(), 64u << 10);
  EXPECT_GT(spool.drops().evicted[0], 0u);
  const auto left = drain(spool);
  EXPECT_EQ(left.back(), "last");
  EXPECT_EQ(left.size() + spool.drops().total(), 201u);
}

}  // namespace
}  // namespace picket::agent
