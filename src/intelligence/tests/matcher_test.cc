#include "intelligence/matcher.h"

#include "intelligence_words.h"

namespace picket::intelligence {
namespace {

std::string indicator(const std::optional<Match>& match) { return match ? to_text(match->indicator) : "nothing"; }
std::string of_address(const Index& index, std::string_view text, std::uint16_t port = 0) {
  return indicator(Matcher(index, day(1)).address(what(text), port));
}
std::string of_name(const Index& index, std::string_view name) {
  return indicator(Matcher(index, day(1)).domain(name));
}
std::string of_url(const Index& index, std::string_view url) {
  return indicator(Matcher(index, day(1)).url(*parse_url(url)));
}

TEST(Matcher, ADomainStandsForNamesBelowItAndNoOthers) {
  TestIndex index;
  index.list("evil.example").done();
  const Index& set = *index.shared();
  EXPECT_EQ(of_name(set, "evil.example"), "evil.example");
  EXPECT_EQ(of_name(set, "a.b.evil.example"), "evil.example");
  EXPECT_EQ(of_name(set, "notevil.example"), "nothing");
  EXPECT_EQ(of_name(set, "evil.example.test"), "nothing");
  EXPECT_EQ(of_name(set, "example"), "nothing");
}

TEST(Matcher, TheLongestPrefixAndTheEndpointComeFirst) {
  TestIndex index;
  index.list("192.0.0.0/16").list("192.0.2.0/24").list("192.0.2.9").list("192.0.2.9:4444").list("2001:db8::/32").done();
  const Index& set = *index.shared();
  EXPECT_EQ(of_address(set, "192.0.2.9", 4444), "192.0.2.9:4444");
  EXPECT_EQ(of_address(set, "192.0.2.9", 80), "192.0.2.9");
  EXPECT_EQ(of_address(set, "192.0.2.8", 80), "192.0.2.0/24");
  EXPECT_EQ(of_address(set, "192.0.3.8"), "192.0.0.0/16");
  EXPECT_EQ(of_address(set, "192.1.0.1"), "nothing");
  EXPECT_EQ(of_address(set, "2001:db8:1::1"), "2001:db8::/32");
  EXPECT_EQ(of_address(set, "2001:db9::1"), "nothing");
}

TEST(Matcher, AnEndpointAloneDoesNotListItsAddress) {
  TestIndex index;
  index.list("192.0.2.9:4444").done();
  EXPECT_EQ(of_address(*index.shared(), "192.0.2.9", 80), "nothing");
  EXPECT_EQ(of_address(*index.shared(), "192.0.2.9"), "nothing");
}

TEST(Matcher, AUrlIsListedWithItsQueryWithoutItOrByItsPath) {
  TestIndex index;
  index.list("http://evil.example/a?x=1").list("http://evil.example/b").list("/bins/sora.arm7").done();
  const Index& set = *index.shared();
  EXPECT_EQ(of_url(set, "https://evil.example/a?x=1"), "evil.example/a?x=1");
  EXPECT_EQ(of_url(set, "https://evil.example/a"), "nothing");
  EXPECT_EQ(of_url(set, "https://evil.example/b?any"), "evil.example/b");
  EXPECT_EQ(of_url(set, "http://192.0.2.7:8080/bins/sora.arm7"), "/bins/sora.arm7");
  EXPECT_EQ(of_url(set, "http://evil.example/"), "nothing");
}

TEST(Matcher, WhatHasExpiredOrIsNotValidYetMatchesNothing) {
  TestIndex index;
  index.list("192.0.2.1", {.confidence = 80, .from = kDay, .until = day(10)}).done();
  const auto at = [&](Timestamp time) { return Matcher(*index.shared(), time).address(what("192.0.2.1")).has_value(); };
  EXPECT_FALSE(at(kDay - Duration::seconds(1)));
  EXPECT_TRUE(at(kDay));
  EXPECT_TRUE(at(day(10) - Duration::seconds(1)));
  EXPECT_FALSE(at(day(10)));
}

TEST(Matcher, ConfidenceFallsWithAgeUntilItIsTooLow) {
  TestIndex index;
  index.list("192.0.2.1", {.confidence = 80, .decay = Decay::linear, .from = kDay, .until = day(10)});
  index.list("192.0.2.2", {.confidence = 80, .decay = Decay::late, .from = kDay, .until = day(10)});
  index.list("192.0.2.3", {.confidence = 29, .from = kDay}).done();
  const auto at = [&](std::string_view address, int days) {
    const auto match = Matcher(*index.shared(), day(days)).address(what(address));
    return match ? match->confidence : 0;
  };
  EXPECT_EQ(at("192.0.2.1", 0), 80);
  EXPECT_EQ(at("192.0.2.1", 5), 40);
  EXPECT_EQ(at("192.0.2.1", 7), 0) << "24 is below the set's 30";
  EXPECT_EQ(at("192.0.2.2", 5), 70);
  EXPECT_EQ(at("192.0.2.2", 9), 0);
  EXPECT_EQ(at("192.0.2.3", 0), 0);
}

TEST(Matcher, TheSurestFeedSpeaksFirst) {
  TestIndex index;
  index.list("192.0.2.1", {.feed = 0, .confidence = 40, .from = kDay, .threat = "a"});
  index.list("192.0.2.1",
             {.feed = 1, .confidence = 90, .from = kDay, .threat = "b", .reference = "https://b.example/"});
  index.list("192.0.2.1", {.feed = 1, .confidence = 95, .from = kDay, .until = day(1), .threat = "gone"}).done();
  const auto match = Matcher(*index.shared(), day(1)).address(what("192.0.2.1"));
  ASSERT_TRUE(match);
  ASSERT_EQ(match->listings.size(), 2u);
  EXPECT_EQ(match->listings[0].threat, "b");
  EXPECT_EQ(match->listings[0].reference, "https://b.example/");
  EXPECT_EQ(index.shared()->feeds()[match->listings[0].feed].name, "other");
  EXPECT_EQ(match->confidence, 90);
}

TEST(WarningLists, KeepOutIndicatorsAndCountThem) {
  TestIndex index;
  index.warn("192.0.2.0/28").warn("cdn.example").warn("top.example", Kind::exact_domain);
  index.list("192.0.2.1").list("192.0.2.1:80").list("192.0.2.8/30").list("192.0.2.0/24").list("192.0.2.16");
  index.list("a.cdn.example").list("cdn.example").list("notcdn.example");
  index.list("top.example").list("evil.top.example").list("http://top.example/evil").done();
  const Index& set = *index.shared();
  EXPECT_EQ(index.report.kept_out[0], 6u);
  EXPECT_EQ(index.report.warnings, 3u);
  EXPECT_EQ(of_address(set, "192.0.2.16"), "192.0.2.16");
  EXPECT_EQ(of_address(set, "192.0.2.99"), "192.0.2.0/24");
  EXPECT_EQ(of_address(set, "192.0.2.1"), "nothing") << "in a listed network, but on a warning list itself";
  EXPECT_EQ(of_address(set, "192.0.2.1", 80), "nothing");
  EXPECT_EQ(of_name(set, "x.cdn.example"), "nothing");
  EXPECT_EQ(of_name(set, "notcdn.example"), "notcdn.example");
  EXPECT_EQ(of_name(set, "top.example"), "nothing");
  EXPECT_EQ(of_name(set, "evil.top.example"), "evil.top.example");
  EXPECT_EQ(of_url(set, "http://top.example/evil"), "top.example/evil");
}

}  // namespace
}  // namespace picket::intelligence
