#include "retention_clock.h"

#include <gtest/gtest.h>

namespace picket::server {
namespace {

constexpr Timestamp kNow{1'795'000'000'000'000};
constexpr Duration kYear = Duration::days(365);

/// A wall clock that can be set, beside a monotonic one that cannot.
class TwoClocks final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return wall; }
  [[nodiscard]] Duration monotonic() const override { return passed; }
  void pass(Duration by) {
    wall = wall + by;
    passed = passed + by;
  }
  Timestamp wall = kNow;
  Duration passed = Duration::hours(1);
};

TEST(RetentionClock, GoesWithTheWallClock) {
  TwoClocks clocks;
  const RetentionClock clock(clocks, kNow);
  EXPECT_EQ(clock.now(), kNow);
  clocks.pass(Duration::days(40));
  EXPECT_EQ(clock.now(), kNow + Duration::days(40));
  clocks.wall = clocks.wall + Duration::hours(2);
  EXPECT_EQ(clock.now(), clocks.wall) << "a clock that is set right";
}

TEST(RetentionClock, DoesNotFollowALeapOfAYear) {
  TwoClocks clocks;
  const RetentionClock clock(clocks, kNow);
  clocks.wall = clocks.wall + kYear;
  EXPECT_EQ(clock.now(), kNow);
  clocks.pass(Duration::minutes(1));
  EXPECT_EQ(clock.now(), kNow + Duration::minutes(1)) << "it does not stand still meanwhile";
  clocks.wall = clocks.wall - kYear;
  EXPECT_EQ(clock.now(), clocks.wall) << "right again, right at once";
}

TEST(RetentionClock, FallsBackWithTheWallClock) {
  TwoClocks clocks;
  const RetentionClock clock(clocks, kNow);
  clocks.wall = clocks.wall - kYear;
  EXPECT_EQ(clock.now(), kNow - kYear);
  clocks.wall = clocks.wall + kYear;
  EXPECT_LT(clock.now(), kNow) << "cannot be told from a wrong leap; deletes too little";
}

TEST(RetentionClock, IsNotFooledByAStartWithAWrongClock) {
  TwoClocks clocks;
  clocks.wall = kNow + kYear;
  EXPECT_EQ(RetentionClock(clocks, kNow).now(), kNow);
  EXPECT_EQ(RetentionClock(clocks, Timestamp{}).now(), clocks.wall) << "there is nothing to delete";
}

}  // namespace
}  // namespace picket::server
