#include "base/core/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket {
namespace {

using Kind = Json::Kind;

TEST(JsonReader, FindsMembersAndItemsByTheirBytes) {
  const std::string text = R"( { "a" : {"b":[1, "x,]" ,{}]} , "c":null,"a\u0062":true } )";
  const auto json = parse_json(text);
  ASSERT_TRUE(json);
  EXPECT_EQ(json->kind(), Kind::object);
  EXPECT_EQ(json->find("a")->find("b")->raw(), R"([1, "x,]" ,{}])");
  EXPECT_EQ(json->find("c")->kind(), Kind::null);
  EXPECT_EQ(json->find("ab")->boolean(), true);
  EXPECT_FALSE(json->find("b"));
  std::vector<std::string> items;
  json->find("a")->find("b")->for_items([&](Json item) { items.emplace_back(item.raw()); });
  EXPECT_THAT(items, testing::ElementsAre("1", "\"x,]\"", "{}"));
  std::vector<std::string> names;
  json->for_members([&](std::string_view name, Json) { names.emplace_back(name); });
  EXPECT_THAT(names, testing::ElementsAre("a", "c", "ab"));
}

TEST(JsonReader, TheLastOfEqualNamesCounts) { EXPECT_EQ(parse_json(R"({"a":1,"a":2})")->find("a")->integer(), 2); }

TEST(JsonReader, ValuesHaveOneKind) {
  EXPECT_EQ(parse_json("-12")->integer(), -12);
  EXPECT_FALSE(parse_json("1.5")->integer());
  EXPECT_FALSE(parse_json("1e3")->integer());
  EXPECT_FALSE(parse_json("9223372036854775808")->integer());
  EXPECT_EQ(parse_json("9223372036854775807")->integer(), 9223372036854775807);
  EXPECT_FALSE(parse_json("\"1\"")->integer());
  EXPECT_FALSE(parse_json("1")->text());
  EXPECT_FALSE(parse_json("1")->boolean());
  EXPECT_EQ(parse_json("false")->boolean(), false);
  EXPECT_FALSE(parse_json("1")->find("a"));
}

TEST(JsonReader, UnescapesTexts) {
  EXPECT_EQ(parse_json(R"("a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")")->text(), "a\"\\/\b\f\n\r\t\u00e9\U0001F600");
  EXPECT_EQ(parse_json(R"("\ud83dx")")->text(), "\uFFFDx");
  EXPECT_EQ(parse_json(R"("\ude00\ud83d\ud83d")")->text(), "\uFFFD\uFFFD\uFFFD");
}

TEST(JsonReader, RefusesWhatIsNotOneValue) {
  for (const char* text : {"{,}", "[1,]", "{\"a\" 1}", "01", "1.", "+1", "-", "nul1", "\"\x01\"", "\"\\x\"", "1 2",
                           "{\"a\":1,}", "[1}", "\"\\u12g4\"", "\"\xff\""}) {
    const auto json = parse_json(text);
    ASSERT_FALSE(json) << text;
    EXPECT_TRUE(json.error().code == Errc::malformed || json.error().code == Errc::truncated) << text;
  }
}

TEST(JsonReader, EveryCutOfAnObjectIsTruncated) {
  const std::string text = R"({"a":[1,{"b":"\u00e9x"}],"c":true})";
  for (std::size_t n = 0; n < text.size(); ++n) {
    const auto json = parse_json(std::string_view(text).substr(0, n));
    ASSERT_FALSE(json) << n;
    EXPECT_EQ(json.error().code, Errc::truncated) << n;
  }
}

TEST(JsonReader, DepthIsBounded) {
  EXPECT_TRUE(parse_json("[[[1]]]", 3));
  const auto deep = parse_json("[[[[1]]]]", 3);
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace picket
