#include "base/core/json_writer.h"

#include <limits>

#include <gtest/gtest.h>

namespace picket {
namespace {

TEST(JsonWriter, PlacesCommasBetweenMembersAndItems) {
  JsonWriter json;
  json.begin_object()
      .key("a")
      .value(1)
      .key("b")
      .begin_array()
      .value("x")
      .value(true)
      .null()
      .begin_object()
      .end_object();
  json.end_array().key("c").raw("[1]").key("d").value(-1.5).end_object();
  EXPECT_EQ(json.take(), R"({"a":1,"b":["x",true,null,{}],"c":[1],"d":-1.5})");
}

TEST(JsonWriter, WritesNumbersWithoutLoss) {
  JsonWriter json;
  json.begin_array().value(std::numeric_limits<std::int64_t>::min()).value(std::numeric_limits<std::uint64_t>::max());
  json.value(0.1).value(std::numeric_limits<double>::infinity()).end_array();
  EXPECT_EQ(json.take(), "[-9223372036854775808,18446744073709551615,0.1,null]");
}

TEST(JsonWriter, StaysValidJsonForAnyBytes) {
  std::string out;
  append_json_string(out, "a\"b\\c\n\x01\x7F");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001\\u007f\"");
  out.clear();
  append_json_string(out, "\xC3\xA9\xFF\xE2\x82");
  EXPECT_EQ(out, "\"\xC3\xA9\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

}  // namespace
}  // namespace picket
