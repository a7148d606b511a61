#include "base/core/time.h"

#include <gtest/gtest.h>

namespace picket {
namespace {

TEST(Rfc3339, FormatsMicrosecondsWithZ) {
  EXPECT_EQ(format_rfc3339({0}), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_rfc3339({-1}), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_rfc3339({951'782'400'000'000}), "2000-02-29T00:00:00.000000Z");
  EXPECT_EQ(format_rfc3339(kTimestampMin), "0001-01-01T00:00:00.000000Z");
  EXPECT_EQ(format_rfc3339(kTimestampMax), "9999-12-31T23:59:59.999999Z");
  EXPECT_EQ(format_rfc3339({INT64_MAX}), format_rfc3339(kTimestampMax));
}

TEST(Rfc3339, ReadsWhatItWrites) {
  for (std::int64_t us = kTimestampMin.us; us < kTimestampMax.us - 86'400'000'000 * 977; us += 86'399'123'457 * 977) {
    const auto read = parse_rfc3339(format_rfc3339({us}));
    ASSERT_TRUE(read);
    ASSERT_EQ(read->us, us);
  }
}

TEST(Rfc3339, ConvertsOffsetsAndCutsFineFractions) {
  EXPECT_EQ(*parse_rfc3339("2026-11-21T10:30:00+01:00"), *parse_rfc3339("2026-11-21T09:30:00Z"));
  EXPECT_EQ(*parse_rfc3339("2026-11-21T09:30:00-00:30"), *parse_rfc3339("2026-11-21T10:00:00Z"));
  EXPECT_EQ(*parse_rfc3339("2026-11-21 09:30:00"), *parse_rfc3339("2026-11-21t09:30:00z"));
  EXPECT_EQ(parse_rfc3339("2026-11-21T09:30:00.1234567891Z")->us % 1'000'000, 123'456);
}

TEST(Rfc3339, RefusesWhatIsNoTime) {
  for (const char* bad :
       {"", "2026", "2026-11-21", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z", "2026-11-31T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21T00:60:00Z",
        "2026-11-21T00:00:61Z", "2026-11-21T00:00:00.Z", "2026-11-21T00:00:00+1:00", "2026-11-21T00:00:00Zx",
        "0000-01-01T00:00:00Z", "-026-11-21T00:00:00Z", "0001-01-01T00:00:00+01:00", "2026-11-21T00:00:00+24:00"}) {
    const auto read = parse_rfc3339(bad);
    ASSERT_FALSE(read) << bad;
    EXPECT_EQ(read.error().where, "time.rfc3339");
  }
}

TEST(ManualClock, MovesBothTimesTogether) {
  ManualClock clock({1'000});
  clock.advance(Duration::seconds(2));
  EXPECT_EQ(clock.now().us, 2'001'000);
  EXPECT_EQ(clock.monotonic().us, 2'000'000);
}

}  // namespace
}  // namespace picket
