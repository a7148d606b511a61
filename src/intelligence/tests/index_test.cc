#include "intelligence/index.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <random>

#include "base/core/file.h"
#include "intelligence_words.h"

namespace picket::intelligence {
namespace {

Observable random_observable(std::mt19937_64& random) {
  const auto bytes = [&](std::size_t count) {
    std::string out;
    for (std::size_t i = 0; i < count; ++i) out += static_cast<char>(random());
    return out;
  };
  switch (random() % 6) {
    case 0:
      return {Kind::ipv4, bytes(2) + std::string(2, '\0')};
    case 1: {
      const auto length = static_cast<unsigned>(random() % 31 + 1);
      return parse_network(std::to_string(random() % 256) + "." + std::to_string(random() % 4) + ".2.0/" +
                           std::to_string(length))
          .value();
    }
    case 2:
      return {Kind::sha256, bytes(32)};
    case 3:
      return {Kind::domain, "d" + std::to_string(random() % 5000) + ".example"};
    case 4:
      return {Kind::url, "u" + std::to_string(random() % 5000) + ".example/x"};
    default:
      return {Kind::endpoint4, bytes(1) + std::string(3, '\1') + bytes(2)};
  }
}

TEST(Index, EqualsAMapAfterAnyAdditions) {
  for (const std::uint64_t seed : {1U, 2U, 3U}) {
    std::mt19937_64 random(seed);
    std::map<Observable, std::map<std::pair<std::uint16_t, std::uint8_t>, int>> expected;
    TestFolder folder;
    auto builder = *IndexBuilder::make({.path = folder / "set", .made = kDay, .feeds = {{"a", "", ""}, {"b", "", ""}}});
    for (int i = 0; i < 20'000; ++i) {
      const Observable one = random_observable(random);
      const auto feed = static_cast<std::uint16_t>(random() % 2);
      const auto confidence = static_cast<std::uint8_t>(random() % 3 + 1);
      ++expected[one][{feed, confidence}];
      ASSERT_TRUE(builder->add(one, {.feed = feed, .confidence = confidence, .from = kDay}));
    }
    const auto report = builder->finish();
    ASSERT_TRUE(report);
    EXPECT_EQ(report->indicators, expected.size());
    const auto index = *Index::open(folder / "set");
    EXPECT_EQ(index->size(), expected.size());
    for (const auto& [one, feeds] : expected) {
      const auto found = index->find(one.kind, one.key);
      ASSERT_EQ(found.size(), feeds.size()) << to_text(one);
      for (const Listing& listing : found) EXPECT_TRUE(feeds.contains({listing.feed, listing.confidence}));
    }
    for (int i = 0; i < 50'000; ++i) {
      const Observable one = random_observable(random);
      ASSERT_EQ(index->contains(one.kind, one.key), expected.contains(one)) << to_text(one);
    }
    std::size_t walked = 0;
    index->for_each([&](const Observable& one, const std::vector<Listing>& listings) {
      ++walked;
      EXPECT_EQ(listings.size(), expected.at(one).size());
    });
    EXPECT_EQ(walked, expected.size());
  }
}

TEST(Index, NetworksOfAnAddressAreThoseOfAMap) {
  std::mt19937_64 random(7);
  std::vector<Observable> networks;
  TestFolder folder;
  auto builder = *IndexBuilder::make({.path = folder / "set", .made = kDay, .feeds = {{"a", "", ""}}});
  for (int i = 0; i < 300; ++i) {
    const auto network = parse_network("10." + std::to_string(random() % 4) + "." + std::to_string(random() % 256) +
                                       ".128/" + std::to_string(random() % 31 + 1));
    networks.push_back(*network);
    ASSERT_TRUE(builder->add(*network, {.from = kDay}));
  }
  ASSERT_TRUE(builder->finish());
  const auto index = *Index::open(folder / "set");
  std::ranges::sort(networks);
  networks.erase(std::unique(networks.begin(), networks.end()), networks.end());
  for (int i = 0; i < 2'000; ++i) {
    const std::string address = "10." + std::to_string(random() % 4) + "." + std::to_string(random() % 256) + "." +
                                std::to_string(random() % 256);
    std::vector<Observable> expected;
    for (int length = 31; length >= 0; --length) {
      const auto in = *parse_network(address + "/" + std::to_string(length));
      if (std::ranges::binary_search(networks, in)) expected.push_back(in);
    }
    EXPECT_EQ(index->networks_of(Kind::ipv4, what(address).key), expected) << address;
  }
}

/// Without waiting for the disk.
void write(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

TEST(Index, TellsWhatIsNewAgainstTheSetBefore) {
  TestIndex first;
  first.list("192.0.2.1").list("192.0.2.0/24").done();
  EXPECT_EQ(first.report.added, 2u);
  TestIndex second(*first.shared());
  second.list("192.0.2.1").list("192.0.2.0/24").list("192.0.2.2").list("198.51.100.0/24").done();
  EXPECT_EQ(second.report.added, 2u);
}

TEST(Index, AnEmptyOneFindsNothing) {
  TestIndex index;
  const Index& set = index.done();
  EXPECT_EQ(set.size(), 0u);
  EXPECT_FALSE(set.contains(Kind::ipv4, "abcd"));
  EXPECT_TRUE(set.networks_of(Kind::ipv4, "abcd").empty());
  EXPECT_EQ(set.warning_of(Kind::ipv4, "abcd"), "");
}

TEST(Index, AFileThatIsReplacedStaysReadableForThoseWhoHaveIt) {
  TestIndex index;
  index.list("192.0.2.1").done();
  const auto held = index.shared();
  std::filesystem::remove(index.folder() / "set");
  EXPECT_TRUE(held->contains(Kind::ipv4, what("192.0.2.1").key));
}

TEST(Index, NeitherMoreNorLessThanAWholeFileIsOpened) {
  TestIndex index;
  index.list("192.0.2.1").list("evil.example").done();
  const std::string whole = *read_file(index.folder() / "set", 1U << 20);
  const std::string path = index.folder() / "cut";
  for (std::size_t cut = 0; cut < whole.size(); cut += cut < 520 ? 7 : 211) {
    write(path, std::string_view(whole).substr(0, cut));
    EXPECT_FALSE(Index::open(path)) << cut;
  }
  write(path, whole + "x");
  EXPECT_FALSE(Index::open(path));
  write(path, whole);
  EXPECT_TRUE(Index::open(path));
}

TEST(Index, ANewerFormatIsRefusedByItsNumber) {
  TestIndex index;
  index.done();
  std::string whole = *read_file(index.folder() / "set", 1U << 20);
  whole[8] = 2;
  write(index.folder() / "set", whole);
  const auto opened = Index::open(index.folder() / "set");
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().where, "intelligence.index.format");
  EXPECT_EQ(opened.error().offset, 2u);
}

/// A file that a failing disk has changed may find less, but must never read outside itself or find what is not there.
TEST(Index, DamageBehindTheHeaderIsNeverMoreThanAMiss) {
  TestIndex index;
  std::vector<Observable> listed;
  for (int i = 0; i < 500; ++i) {
    listed.push_back(what("192.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)));
    index.list(to_text(listed.back()), {.confidence = 50, .from = kDay, .threat = "t", .reference = "r"});
  }
  index.done();
  const std::string whole = *read_file(index.folder() / "set", 1U << 20);
  const std::string path = index.folder() / "damaged";
  std::mt19937_64 random(5);
  for (int round = 0; round < 60; ++round) {
    std::string damaged = whole;
    for (int i = 0; i < 40; ++i) damaged[512 + random() % (damaged.size() - 512)] = static_cast<char>(random());
    write(path, damaged);
    const auto opened = Index::open(path);
    ASSERT_TRUE(opened);
    for (const Observable& one : listed) {
      for (const Listing& listing : (*opened)->find(one.kind, one.key)) EXPECT_LT(listing.feed, 2u);
    }
    for (int i = 0; i < 500; ++i) {
      EXPECT_FALSE((*opened)->contains(Kind::domain, "absent" + std::to_string(i) + ".example"));
    }
  }
}

}  // namespace
}  // namespace picket::intelligence
