#include "kql/location.h"

#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "location_writer.h"

namespace picket::kql {

namespace {

using testing::documented_locations;
using testing::write_locations;

constexpr std::string_view kSydney =
    R"({"country":"Australia","state":"New South Wales","city":"Sydney","latitude":-33.8715,"longitude":151.2006})";

LocationDatabase opened(std::string bytes) {
  auto out = LocationDatabase::open(std::move(bytes));
  EXPECT_TRUE(out.has_value());
  return std::move(*out);
}

/// Asks for addresses in all parts of the tree; what they give does not matter.
void ask(const LocationDatabase& database) {
  for (const auto* address : {"20.53.203.50", "2a03:2880::1", "81.2.69.1", "::", "255.255.255.255", "ffff::"}) {
    static_cast<void>(database.find(address));
  }
}

}  // namespace

TEST(KqlLocation, FindsAddressesOfBothFamiliesAtEachRecordSize) {
  for (const unsigned bits : {24U, 28U, 32U}) {
    const auto database = opened(write_locations(documented_locations(), bits));
    EXPECT_EQ(database.type(), "GeoLite2-City");
    EXPECT_EQ(database.find("20.53.203.50"), kSydney) << bits;
    EXPECT_EQ(database.find("::ffff:20.53.203.50"), kSydney);
    EXPECT_EQ(
        database.find("2a03:2880:f12c:83:face:b00c::25de"),
        R"({"country":"United States","state":"Florida","city":"Boca Raton","latitude":26.3594,"longitude":-80.0771})");
  }
}

/// Of a widely used writer, as the first corpus file of the fuzz target is (behind its selecting byte).
TEST(KqlLocation, ReadsAFileThatAnotherWriterMade) {
  std::ifstream in(std::string(PICKET_SOURCE_DIR) + "/src/kql/tests/corpus/kql_families_fuzz/locations",
                   std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  ASSERT_GT(bytes.size(), 1U);
  const auto database = opened(bytes.substr(1));
  EXPECT_EQ(database.find("20.53.203.50"), kSydney);
  EXPECT_EQ(database.find("2a03:2880:f12c:83:face:b00c::25de"),
            R"({"country":"United States","city":"Boca Raton","latitude":26.3594,"longitude":-80.0771})");
  EXPECT_EQ(database.find("10.0.0.1"), std::nullopt);
}

TEST(KqlLocation, LeavesOutWhatTheDatabaseDoesNotSay) {
  const auto database = opened(write_locations(documented_locations()));
  EXPECT_EQ(database.find("81.2.69.142"), R"({"country":"United Kingdom","latitude":51.5,"longitude":-0.125})");
}

TEST(KqlLocation, HasNothingForOtherAddressesAndForWhatIsNone) {
  const auto database = opened(write_locations(documented_locations()));
  for (const auto* address :
       {"10.0.0.1", "20.54.0.0", "2a04::1", "", "sydney", "20.53.203.50/32", "20.53.203", "1.2.3.4 "}) {
    EXPECT_EQ(database.find(address), std::nullopt) << address;
  }
  EXPECT_EQ(database.find(std::string(1000, '1')), std::nullopt);
}

TEST(KqlLocation, RefusesWhatIsNoDatabaseByItsPart) {
  const auto where = [](std::string bytes) {
    const auto out = LocationDatabase::open(std::move(bytes));
    return out ? std::string_view() : out.error().where;
  };
  EXPECT_EQ(where(""), "kql.location.marker");
  EXPECT_EQ(where("\xAB\xCD\xEFMaxMind.com"), "kql.location.metadata");
  auto newer = write_locations(documented_locations());
  newer[newer.find("major_version") + 15] = 3;
  EXPECT_EQ(where(newer), "kql.location.version");
  auto large = write_locations(documented_locations());
  large[large.find("node_count") + 11] = '\x7F';
  EXPECT_EQ(where(large), "kql.location.tree");
}

TEST(KqlLocation, SurvivesEveryTruncationAndEveryDamagedByte) {
  const auto whole = write_locations(documented_locations());
  for (std::size_t n = 0; n < whole.size(); ++n) {
    if (const auto cut = LocationDatabase::open(whole.substr(n))) ask(*cut);
    for (const int value : {0x00, 0xFF, 0x21, 0xE7}) {
      auto damaged = whole;
      damaged[n] = static_cast<char>(value);
      if (const auto database = LocationDatabase::open(std::move(damaged))) ask(*database);
    }
  }
}

}  // namespace picket::kql
