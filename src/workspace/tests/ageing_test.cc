// What leaves and what is archived, by age.
#include "ageing.h"

#include <gtest/gtest.h>

#include "retention_book.h"

namespace picket::workspace {
namespace {

constexpr Timestamp kNow{Duration::days(1'000).us};
constexpr Timestamp ago(std::int64_t days) { return kNow - Duration::days(days); }
constexpr TableRetention kMonthThenYear{Duration::days(30), Duration::days(365)};

TableExtent extent(const char* table, std::int64_t newest_days_ago, bool archived = false) {
  return {table, 10, ago(newest_days_ago + 1), ago(newest_days_ago), archived, archived ? 7U : 0U, 0};
}

TEST(Fate, GoesByTheNewestRow) {
  EXPECT_EQ(fate_of(extent("A", 30), kNow, kMonthThenYear, kNow), Fate::stay);
  EXPECT_EQ(fate_of(extent("A", 30), kNow, kMonthThenYear, kNow + Duration::microseconds(1)), Fate::archive);
  EXPECT_EQ(fate_of(extent("A", 395), kNow, kMonthThenYear, kNow), Fate::archive);
  EXPECT_EQ(fate_of(extent("A", 396), kNow, kMonthThenYear, kNow), Fate::drop);
}

TEST(Fate, OfTheArchiveIsToStayUntilItsOwnTimeIsOver) {
  EXPECT_EQ(fate_of(extent("A", 31, true), kNow, kMonthThenYear, kNow), Fate::stay);
  EXPECT_EQ(fate_of(extent("A", 395, true), kNow, kMonthThenYear, kNow), Fate::stay);
  EXPECT_EQ(fate_of(extent("A", 396, true), kNow, kMonthThenYear, kNow), Fate::drop);
  EXPECT_EQ(fate_of(extent("A", 31, true), kNow, {Duration::days(30), {}}, kNow), Fate::drop);
}

TEST(Fate, WithoutALimitIsToStay) {
  EXPECT_EQ(fate_of(extent("A", 900), kNow, {}, kNow), Fate::stay);
  EXPECT_EQ(fate_of(extent("A", 900), kNow, {{}, Duration::days(1)}, kNow), Fate::stay);
}

TEST(Fate, OfRowsThatSayTheyAreFromTheFutureGoesByTheSeal) {
  EXPECT_EQ(fate_of(extent("A", -5'000), ago(31), {Duration::days(30), {}}, kNow), Fate::drop);
  const TableExtent timeless{"A", 1, kTimestampMax, kTimestampMin};
  EXPECT_EQ(fate_of(timeless, ago(31), {Duration::days(30), {}}, kNow), Fate::drop);
  EXPECT_EQ(fate_of(timeless, ago(29), {Duration::days(30), {}}, kNow), Fate::stay);
}

TEST(ChooseAgeing, TakesTheOldestSegmentThatSomethingLeavesButNotAll) {
  const auto retention = [](std::string_view table) {
    return table == "Short" ? TableRetention{Duration::days(7), {}} : kMonthThenYear;
  };
  const auto all = [](const SegmentInfo&) { return true; };
  std::vector<SegmentInfo> segments;
  segments.push_back({1, 9, 5, ago(8), {extent("Short", 8)}});  // whole: dropped, not aged
  segments.push_back({10, 19, 5, ago(6), {extent("Short", 6), extent("Long", 6)}});
  EXPECT_EQ(choose_ageing(segments, retention, all, kNow), std::nullopt);
  segments.push_back({20, 29, 5, ago(8), {extent("Short", 8), extent("Long", 8)}});
  EXPECT_EQ(choose_ageing(segments, retention, all, kNow), (Ageing{2, {}, {"Short"}}));
  EXPECT_EQ(choose_ageing(segments, retention, [](const SegmentInfo& s) { return s.first != 20; }, kNow), std::nullopt);
  EXPECT_EQ(choose_ageing(segments, retention, all, kNow + Duration::days(25)), (Ageing{1, {"Long"}, {"Short"}}));
}

TEST(RetentionBook, SaysWhatWasSetElseWhatTheStreamSays) {
  Schema schema;
  schema.tables = {{"A", "messages", {{"TimeGenerated", ColumnType::timestamp}}},
                   {"B", "derived", {{"TimeGenerated", ColumnType::timestamp}}}};
  RetentionBook book(schema, {{"messages", {Duration::days(30), 9}}}, {{"B", kMonthThenYear}});
  EXPECT_EQ(book.of("A"), (TableRetention{Duration::days(30), {}}));
  EXPECT_EQ(book.of("B"), kMonthThenYear);
  EXPECT_EQ(book.of("C"), TableRetention{});
  book.set("A", kMonthThenYear);
  EXPECT_EQ(book.of("A"), kMonthThenYear);
  book.set("A", std::nullopt);
  EXPECT_EQ(book.of("A"), (TableRetention{Duration::days(30), {}}));
  EXPECT_EQ(book.bytes_max("messages"), 9u);
  EXPECT_EQ(book.bytes_max("derived"), 0u);
}

}  // namespace
}  // namespace picket::workspace
