#include "manifest.h"

#include <gtest/gtest.h>

#include "base/core/hash.h"
#include "merge_policy.h"

namespace picket::workspace {
namespace {

Manifest example() {
  Manifest manifest{"messages", 7, 120, 10, {}};
  manifest.segments.push_back({11, 60, 4096, {1'000}, {{"Process", 20, {5}, {9}}, {"Login", 1, {-3}, {-3}}}});
  manifest.segments.push_back({80, 110, 512, {2'000}, {{"Login", 2, kTimestampMax, kTimestampMin}}});
  manifest.segments.push_back(
      {111, 120, 0, {3'000}, {{"Login", 2, {5}, {6}, true, 77, 0xdeadbeef}, {"Process", 1, {5}, {6}, true, 9, 1}}, 3});
  return manifest;
}

/// With a right sum, so that only the content is wrong.
std::string summed(std::string body) {
  char end[16];
  std::snprintf(end, sizeof(end), "end %08x\n", crc32c(as_bytes(body)));
  return body + end;
}

TEST(Manifest, ReadsWhatItWrote) {
  for (const Manifest& manifest : {example(), Manifest{"derived"}}) {
    const auto decoded = decode_manifest(encode_manifest(manifest));
    ASSERT_TRUE(decoded) << describe(decoded.error());
    EXPECT_EQ(*decoded, manifest);
  }
}

TEST(Manifest, RefusesEveryTruncationAndEveryChangedByte) {
  const std::string whole = encode_manifest(example());
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(decode_manifest(whole.substr(0, n))) << n;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    std::string changed = whole;
    changed[n] = static_cast<char>(changed[n] ^ 1);
    EXPECT_FALSE(decode_manifest(changed)) << n;
  }
}

TEST(Manifest, NamesANewerFormat) {
  const auto decoded = decode_manifest("picket-segments 3\nwhatever comes then");
  ASSERT_FALSE(decoded);
  EXPECT_EQ(decoded.error(), (Error{Errc::unsupported, "workspace.manifest.format"}));
}

TEST(Manifest, RefusesSegmentsThatOverlapOrLeaveTheirRange) {
  const std::string head = "picket-segments 1\nstream m\nversion 1\nlast 100\ndropped 10\n";
  const auto where = [&](const std::string& segments) {
    const auto decoded = decode_manifest(summed(head + segments));
    return decoded ? std::string("fine") : std::string(decoded.error().where);
  };
  EXPECT_EQ(where("segment 11 20 1 1\nsegment 21 100 1 1\n"), "fine");
  EXPECT_EQ(where("segment 11 20 1 1\nsegment 20 30 1 1\n"), "workspace.manifest.order");
  EXPECT_EQ(where("segment 10 20 1 1\n"), "workspace.manifest.order");
  EXPECT_EQ(where("segment 11 101 1 1\n"), "workspace.manifest.order");
  EXPECT_EQ(where("segment 20 19 1 1\n"), "workspace.manifest.range");
  EXPECT_EQ(where("segment 20 21 1\n"), "workspace.manifest.line");
  EXPECT_EQ(where("segment 20 21 1 1 1\n"), "workspace.manifest.line_end");
  EXPECT_EQ(where("segment 20 21 x 1\n"), "workspace.manifest.number");
  EXPECT_EQ(where("segment 20 21 -1 1\n"), "workspace.manifest.number");
  EXPECT_EQ(where("segment 20 18446744073709551616 1 1\n"), "workspace.manifest.number");
  EXPECT_EQ(where("tables\n"), "workspace.manifest.keyword");
}

TEST(Manifest, ReadsTheFormatBeforeTheArchive) {
  const std::string body =
      "picket-segments 1\nstream m\nversion 1\nlast 100\ndropped 10\nsegment 11 20 7 1\ntable Login 2 5 6\n";
  const auto decoded = decode_manifest(summed(body));
  ASSERT_TRUE(decoded) << describe(decoded.error());
  ASSERT_EQ(decoded->segments.size(), 1u);
  EXPECT_EQ(decoded->segments[0], (SegmentInfo{11, 20, 7, {1}, {{"Login", 2, {5}, {6}}}}));
  EXPECT_FALSE(decode_manifest(summed(body + "archived Login 2 5 6 7 00000001\n")));
}

TEST(Manifest, NamesTheFilesOfASegment) {
  const SegmentInfo segment{1, 2, 5, {1}, {{"A", 1, {}, {}}, {"B", 1, {}, {}, true, 3, 4}}, 2};
  EXPECT_EQ(segment.files(), (std::vector<std::string>{"00000000000000000001-00000000000000000002.2.duckdb",
                                                       "archive/B/00000000000000000001-00000000000000000002.parquet"}));
  EXPECT_EQ(segment.bytes_total(), 8u);
}

TEST(Manifest, FileNamesSortByPosition) {
  EXPECT_EQ(segment_file_name(1, 42), "00000000000000000001-00000000000000000042.duckdb");
  EXPECT_LT(segment_file_name(9, 10), segment_file_name(11, 200));
}

TEST(Manifest, AgeGoesByTheNewestRowButNeverByTheFuture) {
  SegmentInfo segment{1, 2, 0, {100}, {{"A", 1, {10}, {20}}, {"B", 1, {5}, {50}}}};
  EXPECT_EQ(segment.age_reference(), Timestamp{50});
  segment.tables[1].time_max = {500};
  EXPECT_EQ(segment.age_reference(), Timestamp{100});
  segment.tables = {{"A", 1, kTimestampMax, kTimestampMin}};
  EXPECT_EQ(segment.age_reference(), Timestamp{100});
}

std::vector<SegmentInfo> sizes(std::initializer_list<std::uint64_t> rows) {
  std::vector<SegmentInfo> out;
  std::uint64_t at = 1;
  for (const std::uint64_t n : rows) {
    out.push_back({at, at, 0, {}, {{"T", n, {}, {}}}});
    ++at;
  }
  return out;
}

TEST(MergePolicy, TakesTheOldestRunOfTheSmallestClass) {
  const MergePolicy policy{3, 1'000'000};
  EXPECT_EQ(choose_merge(sizes({1, 1}), policy), std::nullopt);
  EXPECT_EQ(choose_merge(sizes({1, 1, 1}), policy), (MergeRun{0, 3}));
  EXPECT_EQ(choose_merge(sizes({1, 500'000, 1, 1, 1, 1}), policy), (MergeRun{2, 3}));
  EXPECT_EQ(choose_merge(sizes({5'000, 5'000, 5'000, 1, 1, 1}), policy), (MergeRun{3, 3}));
  EXPECT_EQ(choose_merge(sizes({5'000, 5'000, 2, 1, 4'000}), policy), (MergeRun{0, 3}));
}

TEST(MergePolicy, NeverExceedsTheLargestSize) {
  EXPECT_EQ(choose_merge(sizes({7'000, 4'000, 7'000}), {3, 10'000}), std::nullopt);
  EXPECT_EQ(choose_merge(sizes({8'000, 4'000, 3'000, 3'000}), {3, 10'000}), (MergeRun{1, 3}));
  EXPECT_EQ(choose_merge(sizes({1, 1, 1}), {1, 10'000}), std::nullopt);
}

TEST(MergePolicy, FewerThanTheFanInAreEnoughWhereNoMoreWouldFit) {
  EXPECT_EQ(choose_merge(sizes({4'000, 4'000}), {3, 10'000}), std::nullopt);
  EXPECT_EQ(choose_merge(sizes({4'000, 4'000, 4'000}), {3, 10'000}), (MergeRun{0, 2}));
  EXPECT_EQ(choose_merge(sizes({8'000, 4'000, 4'000}), {3, 10'000}), std::nullopt);
  EXPECT_EQ(choose_merge(sizes({6'000, 4'000, 4'000}), {3, 10'000}), std::nullopt) << "it would not double";
  EXPECT_EQ(choose_merge(sizes({2'000, 2'000, 7'000}), {3, 10'000}), std::nullopt) << "not half of the largest size";
}

struct Merged {
  std::size_t segments = 0;
  double written_a_row = 0;
};

/// How many files stay of seals of one size, and how often a row was written by merges.
Merged merged(std::uint64_t seals, std::uint64_t rows_each) {
  const MergePolicy policy;
  std::vector<SegmentInfo> segments;
  std::uint64_t written = 0;
  for (std::uint64_t i = 1; i <= seals; ++i) {
    segments.push_back({i, i, 0, {}, {{"T", rows_each, {}, {}}}});
    while (const auto run = choose_merge(segments, policy)) {
      SegmentInfo& into = segments[run->begin];
      for (std::size_t j = 1; j < run->count; ++j) into.tables[0].rows += segments[run->begin + j].rows();
      EXPECT_LE(into.rows(), policy.rows_max);
      written += into.rows();
      segments.erase(segments.begin() + static_cast<std::ptrdiff_t>(run->begin) + 1,
                     segments.begin() + static_cast<std::ptrdiff_t>(run->begin + run->count));
    }
  }
  return {segments.size(), static_cast<double>(written) / static_cast<double>(seals * rows_each)};
}

TEST(MergePolicy, LeavesFewSegmentsAndRewritesEachRowAFewTimes) {
  const Merged month = merged(4'464, 3'000);  // one each ten minutes
  EXPECT_LT(month.segments, 25u);
  EXPECT_LT(month.written_a_row, 5);
  // A hundred million rows: by full row groups, and by the bytes of longer rows.
  for (const std::uint64_t rows_each : {122'880u, 46'000u, 70'000u}) {
    const Merged busy = merged(100'000'000 / rows_each, rows_each);
    EXPECT_LT(busy.segments, 55u) << rows_each;
    EXPECT_LT(busy.written_a_row, 4) << rows_each;
  }
}

}  // namespace
}  // namespace picket::workspace
