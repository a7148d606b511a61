#include "kql/native_functions.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "kql/native_dynamic.h"
#include "kql/native_series.h"
#include "kql/native_text.h"
#include "kql/value.h"

namespace picket::kql {

TEST(KqlLimits, TextsAndSeriesThatWouldTakeTooMuchAreRefused) {
  EXPECT_EQ(repeat_text("ab", 3), "ababab");
  EXPECT_EQ(repeat_text("ab", -1), "");
  EXPECT_EQ(repeat_text("a", 5'000).size(), 1'024u);
  EXPECT_THROW((void)repeat_text(std::string(1U << 20, 'a'), 1'000), std::exception);
  std::string series = "[1";
  for (int i = 0; i < 20'000; ++i) series += ",1";
  series += "]";
  EXPECT_THROW((void)series_fir(series, series, false, false), std::exception);
  EXPECT_EQ(series_fir("[1,2]", "[2]", false, false), "[2.0,4.0]");
  EXPECT_EQ(axis_long(0, 2, 5, 10), "[5,15,25]");
  EXPECT_EQ(axis_long(2, 0, 5, 10), "[]");
  EXPECT_THROW((void)axis_long(0, 1'048'576, 0, 1), std::exception);
  EXPECT_THROW((void)axis_time(INT64_MIN, INT64_MAX, 0, 10), std::exception);
  EXPECT_THROW((void)spread("[]", "[]", 0, 1'048'576, "0"), std::exception);
}

TEST(KqlTerms, AreRunsOfLettersAndDigits) {
  EXPECT_TRUE(has_term("foo_bar", "foo"));
  EXPECT_FALSE(has_term("foobar", "foo"));
  EXPECT_FALSE(has_term("xfoo", "foo"));
  EXPECT_TRUE(has_term("x.foo.y", "FOO"));
  EXPECT_FALSE(has_term_cs("x.foo.y", "FOO"));
  EXPECT_TRUE(has_term("foobar foo", "foo"));
  EXPECT_TRUE(has_term("anything", ""));
  EXPECT_FALSE(has_term("", "x"));
  EXPECT_FALSE(has_term("caf\xC3\xA9s", "caf"));
  EXPECT_TRUE(has_term("1.2.3.4:22", "2.3"));
  EXPECT_FALSE(has_term("11.2", "1.2"));
}

TEST(KqlTerms, PrefixAndSuffixCheckOneEdge) {
  EXPECT_TRUE(has_term_prefix("a foobar", "foo"));
  EXPECT_FALSE(has_term_prefix("afoobar", "foo"));
  EXPECT_TRUE(has_term_suffix("foobar b", "bar"));
  EXPECT_FALSE(has_term_suffix("foobarb", "bar"));
}

TEST(KqlValues, LongsAreWholeNumbersOnly) {
  EXPECT_EQ(parse_long(" -12 "), -12);
  EXPECT_EQ(parse_long("0xff"), 255);
  EXPECT_EQ(parse_long("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  for (const auto* text : {"", "1.5", "9223372036854775808", "-9223372036854775809", "1x", "+-1", "0x", "--1"}) {
    EXPECT_EQ(parse_long(text), std::nullopt) << text;
  }
}

TEST(KqlValues, RealsPrintAndReadBack) {
  for (const double value : {0.0, 1.0, -1.5, 0.1, 1e20, 1e-20, 123456789.125, 1e15}) {
    EXPECT_EQ(parse_real(real_text(value)), value) << real_text(value);
  }
  EXPECT_EQ(real_text(2), "2.0");
  EXPECT_EQ(real_text(1e20), "1E+20");
  EXPECT_TRUE(std::isnan(*parse_real("NaN")));
  EXPECT_EQ(parse_real("1,5"), std::nullopt);
  EXPECT_EQ(parse_real("e5"), std::nullopt);
}

TEST(KqlValues, TimespansPrintAndReadBack) {
  for (const std::int64_t ticks :
       {std::int64_t{0}, std::int64_t{1}, kTicksPerDay + 7, -kTicksPerHour, 36 * kTicksPerHour}) {
    EXPECT_EQ(parse_timespan(timespan_text(ticks)), ticks) << timespan_text(ticks);
  }
  EXPECT_EQ(timespan_text(std::numeric_limits<std::int64_t>::min()), "-10675199.02:48:05.4775808");
  EXPECT_EQ(parse_timespan("0.333333333333333333333333333333333333333333333d"), 287'999'999'999);
  EXPECT_EQ(parse_timespan("333333333333.3333333333333333333333333333333d"), std::nullopt);
  EXPECT_EQ(parse_timespan("24:00:00"), std::nullopt);
  EXPECT_EQ(parse_timespan("1y"), std::nullopt);
  EXPECT_EQ(parse_timespan(""), std::nullopt);
}

TEST(KqlValues, DatetimesTakeManyForms) {
  EXPECT_EQ(parse_datetime("1970-01-01T00:00:01Z"), 1'000'000);
  EXPECT_EQ(parse_datetime("1970-01-01 01:00:00+01:00"), 0);
  EXPECT_EQ(parse_datetime("1970"), 0);
  EXPECT_EQ(parse_datetime("1970-01-01 00:00:00.1234567"), 123'456);
  for (const auto* text : {"", "1970-13-01", "yesterday", "1970-01-01 25:00:00", "19700101"}) {
    EXPECT_EQ(parse_datetime(text), std::nullopt) << text;
  }
  EXPECT_EQ(datetime_text(123'456), "1970-01-01T00:00:00.1234560Z");
}

TEST(KqlDynamic, ScalarsConvert) {
  EXPECT_EQ(dynamic_text(R"("a\n\u00e4\ud83d\ude00")"), "a\n\xC3\xA4\xF0\x9F\x98\x80");
  EXPECT_EQ(dynamic_text("null"), "");
  EXPECT_EQ(dynamic_text("[1]"), "[1]");
  EXPECT_EQ(dynamic_long("22.9"), 22);
  EXPECT_EQ(dynamic_long("\"22\""), 22);
  EXPECT_EQ(dynamic_long("1e300"), std::nullopt);
  EXPECT_EQ(dynamic_long("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(dynamic_whole("\"22\""), std::nullopt);
  EXPECT_EQ(dynamic_whole("22.5"), std::nullopt);
  EXPECT_EQ(dynamic_whole("22.0"), 22);
  EXPECT_EQ(dynamic_number("1.5"), 1.5);
  EXPECT_EQ(dynamic_bool("true"), true);
  EXPECT_EQ(dynamic_bool("\"false\""), false);
}

TEST(KqlDynamic, BrokenTextIsReadWithoutHarm) {
  for (const auto* text : {"", "\"", "\"\\", "\"\\u", "\"\\ud800", "\"\\ud800\\u00", "-", "{"}) {
    EXPECT_NO_FATAL_FAILURE(dynamic_text(text));
    EXPECT_EQ(dynamic_datetime(text), std::nullopt) << text;
  }
}

TEST(KqlSubstring, CountsCharacters) {
  EXPECT_EQ(substring("\xC3\xA4\xC3\xB6x", 1, 1), "\xC3\xB6");
  EXPECT_EQ(substring("abc", -1, 9), "c");
  EXPECT_EQ(substring("abc", -9, 2), "ab");
  EXPECT_EQ(substring("abc", 1, 0), "");
  EXPECT_EQ(substring("abc", 1, std::numeric_limits<std::int64_t>::max()), "bc");
  EXPECT_EQ(substring("abc", std::numeric_limits<std::int64_t>::min(), 1), "a");
}

}  // namespace picket::kql
