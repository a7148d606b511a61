#include "output.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace picket::cli {
namespace {

TEST(Printable, ShowsControlCharactersInsteadOfObeyingThem) {
  EXPECT_EQ(printable("a\x1b[31mb\n\x7f"), "a\\x1b[31mb\\x0a\\x7f");
  EXPECT_EQ(printable_lines("one\n\x1b[2J two\n"), "one\n\\x1b[2J two\n");
  EXPECT_EQ(printable("\xC2\x9B"
                      "31m"),
            "\\xc2\\x9b31m");
  EXPECT_EQ(printable("Gerät ✓"), "Gerät ✓");
  EXPECT_EQ(printable("\xFF\xE2\x82"), "\\xff\\xe2\\x82");
}

TEST(Table, AlignsByCodePoints) {
  Table table({"A", "B"});
  table.add({"é", "1"});
  table.add({"long", "2"});
  EXPECT_EQ(table.text(), "A     B\né     1\nlong  2\n");
}

TEST(Table, CutsLongCells) {
  Table table({"A"}, 4);
  table.add({"äöüßx"});
  table.add({"abcd"});
  EXPECT_EQ(table.text(), "A\näöü…\nabcd\n");
}

TEST(Underline, MarksThePlaceInItsLine) {
  EXPECT_EQ(underline("T\n| wher x", 2, 3, 4), "  | wher x\n    ^^^^\n");
  EXPECT_EQ(underline("a\tb", 1, 3, 9), "  a b\n    ^\n");
  EXPECT_EQ(underline("abc", 1, 4, 0), "  abc\n     ^\n");
  EXPECT_EQ(underline("abc", 2, 1, 1), "");
  EXPECT_EQ(underline("abc", 1, 9, 1), "");
}

TEST(Json, BecomesCellsAndPrettyText) {
  const auto value = boost::json::parse(R"({"a":null,"b":"x","c":[1,{"d":true}],"e":{}})");
  EXPECT_EQ(member(value, "a"), "");
  EXPECT_EQ(member(value, "b"), "x");
  EXPECT_EQ(member(value, "c"), R"([1,{"d":true}])");
  EXPECT_EQ(cell(boost::json::value(118.516787)), "118.516787");
  EXPECT_EQ(member(value, "none"), "");
  EXPECT_EQ(boost::json::parse(pretty(value)), value);
}

}  // namespace
}  // namespace picket::cli
