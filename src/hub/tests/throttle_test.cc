#include "hub/throttle.h"

#include <gtest/gtest.h>

namespace picket::hub {
namespace {

constexpr Duration kStart = Duration::seconds(1000);
const IdentityKey kDevice{"h", "d", ""};

Limits only(Meter meter, Rate rate) {
  Limits limits;
  limits[meter] = rate;
  return limits;
}

TEST(TierLimits, AreTheTableTimesUnits) {
  EXPECT_DOUBLE_EQ(tier_limits("S1", 1)[Meter::d2c_messages].per_second, 100);
  EXPECT_DOUBLE_EQ(tier_limits("S1", 20)[Meter::d2c_messages].per_second, 240);
  EXPECT_DOUBLE_EQ(tier_limits("S2", 2)[Meter::d2c_messages].per_second, 240);
  EXPECT_DOUBLE_EQ(tier_limits("S3", 1)[Meter::connects].per_second, 6000);
  EXPECT_DOUBLE_EQ(tier_limits("S3", 2)[Meter::registry].per_second, 166.66);
  EXPECT_DOUBLE_EQ(tier_limits("S2", 20)[Meter::twin_reads].per_second, 200);
  EXPECT_DOUBLE_EQ(tier_limits("S1", 5)[Meter::twin_updates].per_second, 50);
  EXPECT_DOUBLE_EQ(tier_limits("S3", 1)[Meter::method_bytes].per_second, 24e6);
  EXPECT_EQ(tier_limits("F1", 1).messages_per_day, 8'000u);
  EXPECT_EQ(tier_limits("S3", 2).messages_per_day, 600'000'000u);
  EXPECT_DOUBLE_EQ(tier_limits("none", 1)[Meter::d2c_messages].per_second, 0);
}

TEST(Throttle, HubWithoutLimitsIsNotSlowed) {
  Throttle throttle;
  for (int i = 0; i < 100'000; ++i) {
    const auto verdict = throttle.take(kDevice, Meter::d2c_messages, 100, kStart);
    ASSERT_FALSE(verdict.refused);
    ASSERT_EQ(verdict.delay, Duration{});
  }
}

TEST(Throttle, ExcessIsFirstDelayedThenRefused) {
  Throttle throttle;
  throttle.set_hub("h", only(Meter::twin_reads, {10, 10}));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(throttle.take(kDevice, Meter::twin_reads, 1, kStart).delay, Duration{});
  Duration last;
  for (int i = 0; i < 50; ++i) {
    const auto verdict = throttle.take(kDevice, Meter::twin_reads, 1, kStart);
    EXPECT_FALSE(verdict.refused);
    EXPECT_GT(verdict.delay, last) << "each waits behind the one before";
    last = verdict.delay;
  }
  EXPECT_EQ(last, Throttle::kShapeMax);
  const auto refused = throttle.take(kDevice, Meter::twin_reads, 1, kStart);
  EXPECT_TRUE(refused.refused);
  EXPECT_GT(refused.delay, Duration{});
  EXPECT_EQ(throttle.stats().delayed[static_cast<std::size_t>(Meter::twin_reads)], 50u);
  EXPECT_EQ(throttle.stats().refused[static_cast<std::size_t>(Meter::twin_reads)], 1u);
}

TEST(Throttle, RefillsWithTime) {
  Throttle throttle;
  throttle.set_hub("h", only(Meter::queries, {1, 2}));
  for (int i = 0; i < 2; ++i) EXPECT_EQ(throttle.take_of_hub("h", Meter::queries, 1, kStart).delay, Duration{});
  EXPECT_EQ(throttle.take_of_hub("h", Meter::queries, 1, kStart).delay, Duration::seconds(1));
  EXPECT_EQ(throttle.take_of_hub("h", Meter::queries, 1, kStart + Duration::seconds(2)).delay, Duration{});
  EXPECT_EQ(throttle.take_of_hub("h", Meter::queries, 1, kStart + Duration::hours(1)).delay, Duration{});
}

TEST(Throttle, OperationLargerThanTheBucketIsPossible) {
  Throttle throttle;
  throttle.set_hub("h", only(Meter::method_bytes, {100, 100}));
  EXPECT_EQ(throttle.take_of_hub("h", Meter::method_bytes, 1000, kStart).delay, Duration::seconds(9));
  EXPECT_TRUE(throttle.take_of_hub("h", Meter::method_bytes, 1, kStart).refused);
}

TEST(Throttle, MetersHubsAndIdentitiesAreApart) {
  Throttle throttle;
  throttle.set_identities(only(Meter::twin_reads, {1, 1}));
  throttle.set_hub("h", only(Meter::queries, {1, 1}));
  EXPECT_EQ(throttle.take(kDevice, Meter::twin_reads, 1, kStart).delay, Duration{});
  EXPECT_EQ(throttle.take(kDevice, Meter::twin_reads, 1, kStart).delay, Duration::seconds(1));
  EXPECT_EQ(throttle.take(kDevice, Meter::twin_updates, 1, kStart).delay, Duration{});
  EXPECT_EQ(throttle.take({"h", "d", "m"}, Meter::twin_reads, 1, kStart).delay, Duration{});
  EXPECT_EQ(throttle.take({"g", "d", ""}, Meter::twin_reads, 1, kStart).delay, Duration{});
  EXPECT_EQ(throttle.take_of_hub("h", Meter::queries, 1, kStart).delay, Duration{});
  EXPECT_EQ(throttle.take_of_hub("g", Meter::queries, 9, kStart).delay, Duration{});
  EXPECT_GT(throttle.take_of_hub("h", Meter::queries, 1, kStart).delay, Duration{});
}

TEST(Throttle, RefusedByTheIdentityCostsTheHubNothing) {
  Throttle throttle;
  throttle.set_identities(only(Meter::twin_reads, {1, 1}));
  throttle.set_hub("h", only(Meter::twin_reads, {10, 10}));
  for (int i = 0; i < 100; ++i) static_cast<void>(throttle.take(kDevice, Meter::twin_reads, 1, kStart));
  EXPECT_EQ(throttle.take({"h", "other", ""}, Meter::twin_reads, 1, kStart).delay, Duration{});
}

TEST(Throttle, ADayIsKeptOverARestartAndCountedWithoutALimitToo) {
  const Timestamp noon{Duration::hours(24 * 20'000 + 12).us};
  Throttle before;
  before.set_hub("h", tier_limits("F1", 1));
  before.set_hub("free", tier_limits("none", 1));
  EXPECT_TRUE(before.take_of_day("h", 7'999, noon));
  EXPECT_TRUE(before.take_of_day("free", 5, noon));
  Throttle after;
  after.set_hub("h", tier_limits("F1", 1));
  after.set_hub("free", tier_limits("none", 1));
  for (const auto& day : before.days()) after.restore(day);
  EXPECT_FALSE(after.take_of_day("h", 2, noon));
  EXPECT_EQ(after.used_today("free", noon), 5u);
  EXPECT_EQ(after.used_today("h", noon + Duration::hours(24)), 0u);
}

TEST(Throttle, DayIsCountedInBlocksAndEndsAtMidnight) {
  Throttle throttle;
  throttle.set_hub("h", tier_limits("F1", 1));
  const Timestamp noon{Duration::hours(24 * 20'000 + 12).us};
  EXPECT_TRUE(throttle.take_of_day("h", 7'999, noon));
  EXPECT_FALSE(throttle.take_of_day("h", 2, noon));
  EXPECT_TRUE(throttle.take_of_day("h", 1, noon));
  EXPECT_EQ(throttle.used_today("h", noon), 8'000u);
  EXPECT_TRUE(throttle.take_of_day("h", 1, noon + Duration::hours(12)));
  EXPECT_EQ(throttle.used_today("h", noon + Duration::hours(12)), 1u);
  EXPECT_EQ(message_blocks(0), 1u);
  EXPECT_EQ(message_blocks(4096), 1u);
  EXPECT_EQ(message_blocks(4097), 2u);
}

}  // namespace
}  // namespace picket::hub
