#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/nft_rule.h"
#include "firewall/xtables.h"

namespace picket::agent {
namespace {

Buffer bytes(std::initializer_list<unsigned> values) {
  Buffer out;
  for (const unsigned value : values) out.push_back(static_cast<std::byte>(value));
  return out;
}
NftElement port(std::uint16_t value, bool end = false) {
  return {.key = bytes({unsigned{value} >> 8U, value & 0xffU}), .interval_end = end};
}

TEST(FirewallRule, PrefixesAreWrittenShort) {
  EXPECT_EQ(prefix_text(bytes({10, 0, 0, 0}), bytes({255, 0, 0, 0})), "10.0.0.0/8");
  EXPECT_EQ(prefix_text(bytes({10, 0, 0, 1}), bytes({255, 255, 255, 255})), "10.0.0.1");
  EXPECT_EQ(prefix_text(bytes({10, 0, 0, 1}), {}), "10.0.0.1");
  EXPECT_EQ(prefix_text(bytes({0, 0, 0, 0}), bytes({0, 0, 0, 0})), "");
  EXPECT_EQ(prefix_text(bytes({10, 0, 0, 1}), bytes({255, 0, 255, 0})), "10.0.0.1/255.0.255.0");
  EXPECT_EQ(prefix_text(bytes({1, 2, 3}), {}), "") << "no address has three bytes";
}

TEST(FirewallRule, PortRanges) {
  EXPECT_EQ(port_range_text(0, 65535), "");
  EXPECT_EQ(port_range_text(22, 22), "22");
  EXPECT_EQ(port_range_text(0, 1023), "0-1023");
}

TEST(FirewallRule, DetailsAreBounded) {
  FirewallRule rule;
  for (int i = 0; i < 1000; ++i) rule.detail("Match", "something that is long enough to count");
  ASSERT_EQ(rule.details.size(), 1u);
  EXPECT_LE(rule.details[0].second.size(), FirewallRule::kTextMax);
}

TEST(NftElements, IntervalsOfASetEndBeforeTheirEndMark) {
  // As the kernel lists {80, 443, 8000-8010}, from behind.
  EXPECT_EQ(elements_text(NftField::destination_port, {port(8011, true), port(8000), port(444, true), port(443),
                                                       port(81, true), port(80), port(0, true)}),
            "80,443,8000-8010");
  EXPECT_EQ(elements_text(NftField::destination_port, {port(1024), port(0, true)}), "1024-") << "to the last port";
  EXPECT_EQ(elements_text(NftField::source_port, {port(80), port(81)}), "80,81");
  EXPECT_EQ(elements_text(NftField::source_port, {{.key = bytes({1, 2, 3})}}), "") << "no port has three bytes";
}

TEST(XtEntries, ATruncatedEntryIsMalformed) {
  FirewallPicture picture;
  const Buffer entries(50);
  const auto read = parse_xt_entries(XtFamily::ipv4, "filter", {}, entries, picture);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().where, "agent.xtables.entry");
  const Buffer zeros(200);
  const auto offsets = parse_xt_entries(XtFamily::ipv4, "filter", {}, zeros, picture);
  ASSERT_FALSE(offsets);
  EXPECT_EQ(offsets.error().where, "agent.xtables.offset") << "an entry that is zero bytes long never ends";
  EXPECT_TRUE(parse_xt_entries(XtFamily::ipv6, "filter", {}, {}, picture));
}

}  // namespace
}  // namespace picket::agent
