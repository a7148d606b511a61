#include "net/rate_limit.h"

#include <gtest/gtest.h>

namespace picket::net {
namespace {

TEST(RateLimit, AllowsTheBurstThenTheRate) {
  RateLimit limit(2, 5, 1024, {1, 2});
  const auto start = Duration::seconds(100);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(limit.take("a", start)) << i;
  EXPECT_FALSE(limit.take("a", start));
  EXPECT_FALSE(limit.take("a", start + Duration::milliseconds(400)));
  EXPECT_TRUE(limit.take("a", start + Duration::milliseconds(500)));
  EXPECT_FALSE(limit.take("a", start + Duration::milliseconds(500)));
}

TEST(RateLimit, SourcesDoNotPayForEachOther) {
  RateLimit limit(1, 1, 1024, {1, 2});
  EXPECT_TRUE(limit.take("a", {}));
  EXPECT_FALSE(limit.take("a", {}));
  EXPECT_TRUE(limit.take("b", {}));
}

TEST(RateLimit, NeverSavesMoreThanTheBurst) {
  RateLimit limit(1000, 2, 16, {1, 2});
  const auto later = Duration::hours(1);
  EXPECT_TRUE(limit.take("a", later));
  EXPECT_TRUE(limit.take("a", later));
  EXPECT_FALSE(limit.take("a", later));
}

TEST(SourcePrefix, IsTheAddressOrTheIpv6Network) {
  EXPECT_EQ(source_prefix("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(source_prefix("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2:");
  EXPECT_EQ(source_prefix("2001:db8::7"), source_prefix("2001:db8::8"));
  EXPECT_NE(source_prefix("2001:db8:1:2::1"), source_prefix("2001:db8:1:3::1"));
}

}  // namespace
}  // namespace picket::net
