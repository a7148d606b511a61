// Ages, and clocks that jump.
#include "spool_fixture.h"

namespace picket::agent {
namespace {

using ::testing::ElementsAre;
using SpoolTime = SpoolTest;

struct ClockThatIsSet final : Clock {
  [[nodiscard]] Timestamp now() const override { return wall; }
  [[nodiscard]] Duration monotonic() const override { return steady; }
  Timestamp wall;
  Duration steady;
};

TEST_F(SpoolTime, DropsWhatIsTooOldAndCountsIt) {
  Spool spool = open();
  put(spool, "old");
  put(spool, "edge", Priority::medium, kNow + Duration::seconds(1));
  EXPECT_THAT(drain(spool, kNow + Duration::days(7) + Duration::seconds(1)), ElementsAre("edge"));
  EXPECT_EQ(spool.drops().expired[static_cast<std::size_t>(Priority::medium)], 1u);
  EXPECT_EQ(spool.pending(), 0u);
}

TEST_F(SpoolTime, AnEntryFromBeforeTheClockWasSetHasNoAge) {
  Spool spool = open(options(), Timestamp{0});
  put(spool, "at boot", Priority::medium, Timestamp{1'000'000});
  EXPECT_THAT(drain(spool), ElementsAre("at boot"));
}

TEST_F(SpoolTime, AYearAheadIsAnAgeAndIsCountedAYearBackIsNone) {
  constexpr Duration kYear = Duration::days(365);
  Spool spool = open();
  put(spool, "before");
  put(spool, "after", Priority::medium, kNow + kYear);
  EXPECT_THAT(drain(spool, kNow + kYear), ElementsAre("after"));
  EXPECT_EQ(spool.drops().expired[static_cast<std::size_t>(Priority::medium)], 1u);
  put(spool, "ahead", Priority::medium, kNow + kYear);
  put(spool, "back", Priority::medium, kNow);
  EXPECT_THAT(drain(spool, kNow), ElementsAre("ahead", "back"));
  EXPECT_EQ(spool.drops().total(), 1u);
  EXPECT_EQ(spool.pending(), 0u);
}

TEST_F(SpoolTime, ItsTimeIsThatOfTheFirstLookAndNeverJumps) {
  ClockThatIsSet clock;
  clock.wall = kNow - Duration::days(366);
  Spool spool = open();
  const Timestamp first = spool.time(clock);
  EXPECT_EQ(first, clock.now());
  ASSERT_TRUE(spool.append(Priority::low, as_bytes("before the clock was set"), first));
  clock.wall = kNow;
  EXPECT_EQ(spool.time(clock), first);
  EXPECT_TRUE(spool.next(spool.time(clock)));
  clock.steady = Duration::days(3);
  EXPECT_EQ(spool.time(clock), first + Duration::days(3));
  EXPECT_EQ(spool.drops().total(), 0u);
}

TEST_F(SpoolTime, AnEpochThatBeginsAYearBackIsStillLater) {
  SpoolOptions first = options(), second = options();
  first.boot_id.fill(std::byte{1});
  second.boot_id.fill(std::byte{2});
  const StreamId ahead = [&] {
    Spool spool = open(first, kNow + Duration::days(365));
    return put(spool, "a");
  }();
  Spool spool = open(second, kNow);
  EXPECT_GT(put(spool, "b"), ahead);
}

}  // namespace
}  // namespace picket::agent
