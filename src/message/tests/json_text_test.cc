#include "json_text.h"

#include <gtest/gtest.h>

namespace picket::message {
namespace {

std::optional<std::size_t> error_in(std::string_view text, std::size_t depth = 8) {
  bool too_deep = false;
  return find_json_error(text, depth, too_deep);
}

TEST(FindJsonError, AcceptsWhatRfc8259Accepts) {
  for (const auto* text : {"0", "-0", "1.5e-3", "\"\\ud83d\\ude00\"", " [ ] ", "{\"a\":{}}", "[1,2,[3]]", "true",
                           "null", "\"\xC3\xA4\""}) {
    EXPECT_EQ(error_in(text), std::nullopt) << text;
  }
}

TEST(FindJsonError, NamesTheByteWhereTheTextStopsBeingJson) {
  struct Case {
    std::string_view text;
    std::size_t at;
  };
  for (const Case& wrong : {Case{"", 0}, Case{"[1,]", 3}, Case{"[1 2]", 3}, Case{"01", 0}, Case{"tru", 3},
                            Case{"{\"a\" 1}", 5}, Case{"\"\x01\"", 1}, Case{"\"\\ud800\"", 1}, Case{"\"\xC3\"", 1},
                            Case{"{} x", 3}, Case{"[", 1}, Case{"{a:1}", 1}, Case{"\"\\x\"", 2}}) {
    EXPECT_EQ(error_in(wrong.text), wrong.at) << wrong.text;
  }
}

TEST(FindJsonError, CountsNestingOnBothSidesOfTheLimit) {
  bool too_deep = false;
  EXPECT_EQ(find_json_error("[[[]]]", 3, too_deep), std::nullopt);
  EXPECT_EQ(find_json_error("[[[[]]]]", 3, too_deep), 3u);
  EXPECT_TRUE(too_deep);
}

TEST(MaskHugeNumbers, ReplacesOnlyWhatDoesNotFitAndKeepsEveryOffset) {
  std::string out;
  EXPECT_TRUE(mask_huge_numbers(R"([1,"99999999999999999999999",123456789012345678901,1e999,-2])", out));
  EXPECT_EQ(out, R"([1,"99999999999999999999999","0000000000000000000","000",-2])");
  EXPECT_FALSE(mask_huge_numbers("[18446744073709551615,-9223372036854775808,1e308]", out));
}

TEST(JsonWalker, StaysInsideOnAnyText) {
  for (const std::string_view text : {"", "{", "{\"", "{\"a\\", "{\"a\":", "[", "[[", "]"}) {
    JsonWalker walker(text);
    for (int i = 0; i < 4; ++i) {
      walker.bracket();
      walker.name();
      walker.value();
      walker.comma();
      EXPECT_LE(walker.offset(), text.size());
    }
  }
}

}  // namespace
}  // namespace picket::message
