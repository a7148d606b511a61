#include "journal/position.h"

#include <gtest/gtest.h>

namespace picket::journal {
namespace {

TEST(JournalPosition, BeginningCoversNothing) {
  EXPECT_FALSE(Position{}.covers(RecordId{0, 1}));
  EXPECT_TRUE(Position{}.covers(Position{}));
}

TEST(JournalPosition, AdvancesPerStreamAndNeverBack) {
  Position position;
  position.advance_past({1, 9});
  position.advance_past({1, 4});
  EXPECT_TRUE(position.covers(RecordId{1, 9}));
  EXPECT_FALSE(position.covers(RecordId{1, 10}));
  EXPECT_FALSE(position.covers(RecordId{0, 1}));
}

TEST(JournalPosition, IsOnlyPartiallyOrdered) {
  const auto a = Position::parse("5,1").value();
  const auto b = Position::parse("1,5").value();
  EXPECT_FALSE(a.covers(b));
  EXPECT_FALSE(b.covers(a));
  EXPECT_TRUE(Position::parse("5,5").value().covers(a));
}

TEST(JournalPosition, TextRoundTrips) {
  for (const std::string text : {"0", "17", "17,0,18446744073709551615"}) {
    EXPECT_EQ(Position::parse(text).value().to_text(), text);
  }
  EXPECT_EQ(Position{}.to_text(), "0");
  EXPECT_EQ(parse_record_id("3-42").value(), (RecordId{3, 42}));
  EXPECT_EQ(to_text(RecordId{3, 42}), "3-42");
}

TEST(JournalPosition, RejectsOtherText) {
  for (const std::string text : {"", ",", "1,", "a", "1 ", "-1", "18446744073709551616"}) {
    EXPECT_FALSE(Position::parse(text).has_value()) << text;
  }
  for (const std::string text : {"", "1", "1-", "-1", "1-2-3", "99999-1"}) {
    EXPECT_FALSE(parse_record_id(text).has_value()) << text;
  }
  std::string many = "1";
  for (std::size_t i = 0; i < Position::kStreamsMax; ++i) many += ",1";
  EXPECT_EQ(Position::parse(many).error().code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace picket::journal
