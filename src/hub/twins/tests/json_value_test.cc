#include "hub/json_value.h"

#include <cmath>

#include <gtest/gtest.h>

namespace picket::hub {
namespace {

std::string again(std::string_view text) {
  const auto parsed = parse_json(text);
  return parsed ? parsed->to_string() : "error " + std::string(parsed.error().where);
}

TEST(JsonValue, KeepsNumbersAsTheyWereWritten) {
  for (const char* text : {"0", "-0", "1.10", "1e5", "1E+05", "123456789012345678901234567890",
                           "0.1000000000000000055511", "-4503599627370496", "18446744073709551616"}) {
    EXPECT_EQ(again(text), text);
  }
}

TEST(JsonValue, SortsMembersByKey) {
  EXPECT_EQ(again(R"( {"b":1, "a":{"d":[],"c":null}} )"), R"({"a":{"c":null,"d":[]},"b":1})");
}

TEST(JsonValue, RefusesAKeyThatStandsTwice) {
  EXPECT_EQ(again(R"({"a":1,"b":{"c":1,"c":2}})"), "error json.duplicate");
  EXPECT_EQ(again(R"({"a":1,"\u0061":2})"), "error json.duplicate");
}

TEST(JsonValue, RefusesWhatIsNotOneJsonText) {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\":}", "01", "+1", "1.", "nul", "'a'", "{} {}", "1 2", "\"\xFF\"",
                           "\"\\ud800\"", "// c\n1", "NaN", "\"a\nb\""}) {
    EXPECT_EQ(again(text), "error json") << text;
  }
}

TEST(JsonValue, BoundsDepthAndSize) {
  EXPECT_TRUE(parse_json("[[[1]]]", {.depth_max = 3}));
  const auto deep = parse_json("[[[[1]]]]", {.depth_max = 3});
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().where, "json.depth");
  EXPECT_TRUE(parse_json("[1]", {.bytes_max = 3}));
  EXPECT_EQ(parse_json("[1] ", {.bytes_max = 3}).error().where, "json.size");
  EXPECT_EQ(parse_json(std::string(1'000'000, '[')).error().where, "json.depth");
}

TEST(JsonValue, EscapesWhatItWrites) {
  EXPECT_EQ(again(R"({"k\u0000\"":"\u0001\\\n é"})"), "{\"k\\u0000\\\"\":\"\\u0001\\\\\\n é\"}");
}

TEST(JsonValue, FindsSetsAndErasesMembers) {
  JsonObject object;
  for (const char* key : {"m", "a", "z", "b"}) object.set(key, std::string_view(key));
  object.set("a", 1);
  EXPECT_TRUE(object.erase("z"));
  EXPECT_FALSE(object.erase("zz"));
  EXPECT_EQ(object.find("z"), nullptr);
  EXPECT_EQ(JsonValue(object).to_string(), R"({"a":1,"b":"b","m":"m"})");
}

TEST(JsonValue, ReadsNumbersOfAnySize) {
  EXPECT_EQ(JsonNumber{"1e400"}.value(), HUGE_VAL);
  EXPECT_EQ(JsonNumber{"-1e400"}.value(), -HUGE_VAL);
  EXPECT_EQ(JsonNumber{"1e-400"}.value(), 0.0);
  EXPECT_EQ(JsonNumber{"1.5"}.value(), 1.5);
  EXPECT_FALSE(JsonNumber{"1e3"}.is_integer());
}

}  // namespace
}  // namespace picket::hub
