#include "intelligence_desk.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "pipeline/prefixes.h"

namespace picket::server {
namespace {

TEST(IntelligenceDesk, ATableIsOneDurableRecordThatDetectionsFindByItsName) {
  std::string folder = testing::TempDir() + "picket_intelligence_XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  journal::EmbeddedOptions options;
  options.directory = folder;
  options.reserve_bytes = 0;
  const auto journal = std::move(journal::open_embedded(std::move(options))->journal);
  const ManualClock clock{{1'795'000'000'000'000}};
  IntelligenceDesk desk(*journal, clock, "hub");
  std::string csv;
  while (csv.size() + 64 < pipeline::kPrefixesBytesMax) csv += "# the largest table that is taken\n";
  csv += "192.0.2.0/24,DE\n";
  ASSERT_TRUE(pipeline::check_prefixes(csv));
  ASSERT_TRUE(desk.replace(pipeline::kPrefixes, "v1", csv));
  const auto reader = journal->reader(journal->begin()).value();
  const auto batch = reader->read(1 << 20);
  ASSERT_TRUE(batch);
  ASSERT_EQ(batch->records.size(), 1u);
  EXPECT_EQ(batch->records[0].kind, journal::RecordKind::intelligence_change);
  EXPECT_EQ(*batch->records[0].property("name"), "prefixes");
  EXPECT_EQ(*batch->records[0].property("version"), "v1");
  EXPECT_EQ(as_text(batch->records[0].body), csv);
  EXPECT_FALSE(desk.replace(pipeline::kPrefixes, "v2", std::string(journal::kRecordBytesMax, 'x')));
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace picket::server
