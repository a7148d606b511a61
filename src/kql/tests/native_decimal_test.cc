// Decimals against whole numbers of 128 bits, and laws that hold for all of them.
#include "kql/native_decimal.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace picket::kql {
namespace {

std::string text_of(__int128 value) {
  const bool negative = value < 0;
  auto rest = negative ? -static_cast<unsigned __int128>(value) : static_cast<unsigned __int128>(value);
  std::string out;
  do {
    out += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  } while (rest != 0);
  if (negative) out += '-';
  std::ranges::reverse(out);
  return out;
}

/// A number and what it is times 10^-scale.
struct Sample {
  std::int64_t whole;
  int scale;
  std::string key;
};

std::string scaled_text(__int128 whole, int scale) { return text_of(whole) + "e-" + std::to_string(scale); }

std::vector<Sample> samples() {
  std::mt19937_64 random(20'261'122);
  std::vector<Sample> out;
  for (int i = 0; i < 400; ++i) {
    const int bits = static_cast<int>(random() % 50) + 1;
    auto whole = static_cast<std::int64_t>(random() >> (64 - bits));
    if (random() % 2 == 0) whole = -whole;
    const int scale = static_cast<int>(random() % 6);
    out.push_back({whole, scale, *decimal_parse(scaled_text(whole, scale))});
  }
  return out;
}

__int128 power(int exponent) {
  __int128 out = 1;
  for (; exponent > 0; --exponent) out *= 10;
  return out;
}

TEST(NativeDecimal, IsExactWhereWholeNumbersAre) {
  const auto all = samples();
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    const auto& a = all[i];
    const auto& b = all[i + 1];
    const int scale = std::max(a.scale, b.scale);
    const __int128 x = a.whole * power(scale - a.scale);
    const __int128 y = b.whole * power(scale - b.scale);
    const auto equals = [&](const std::optional<std::string>& got, __int128 whole, int digits) {
      EXPECT_EQ(got, decimal_parse(scaled_text(whole, digits))) << a.whole << " " << a.scale << " " << b.whole;
    };
    equals(decimal_add(a.key, b.key), x + y, scale);
    equals(decimal_subtract(a.key, b.key), x - y, scale);
    equals(decimal_multiply(a.key, b.key), static_cast<__int128>(a.whole) * b.whole, a.scale + b.scale);
    if (y == 0) continue;
    const __int128 width = y < 0 ? -y : y;
    equals(decimal_modulo(a.key, b.key), (x % width + width) % width, scale);
    if (y > 0) equals(decimal_bin(a.key, b.key), x - (x % width + width) % width, scale);
    if (x % y == 0) equals(decimal_divide(a.key, b.key), x / y, 0);
  }
}

TEST(NativeDecimal, KeysHaveTheOrderOfTheNumbers) {
  const auto all = samples();
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    const auto& a = all[i];
    const auto& b = all[i + 1];
    const int scale = std::max(a.scale, b.scale);
    const __int128 x = a.whole * power(scale - a.scale);
    const __int128 y = b.whole * power(scale - b.scale);
    EXPECT_EQ(a.key < b.key, x < y) << a.whole << " " << b.whole;
    EXPECT_EQ(a.key == b.key, x == y) << a.whole << " " << b.whole;
  }
}

TEST(NativeDecimal, TextsReadBackTheSame) {
  for (const auto& one : samples()) EXPECT_EQ(decimal_parse(*decimal_text(one.key)), one.key);
  for (const auto* text : {"1E+40", "-2.5E-300", "1E+6143", "0.0000000001", "123456789012345678901234567890.1234"}) {
    EXPECT_EQ(decimal_text(*decimal_parse(text)), text);
  }
}

TEST(NativeDecimal, RoundsToTheEvenDigitAt34) {
  const std::string digits(33, '1');
  EXPECT_EQ(decimal_parse(digits + "25"), decimal_parse(digits + "20"));
  EXPECT_EQ(decimal_parse(digits + "35"), decimal_parse(digits + "40"));
  EXPECT_EQ(decimal_parse(digits + "250001"), decimal_parse(digits + "300000"));
  EXPECT_EQ(decimal_parse(std::string(35, '9')), decimal_parse("1e35"));
}

TEST(NativeDecimal, DivisionIsClosestTo34Digits) {
  EXPECT_EQ(decimal_text(*decimal_divide(*decimal_parse("1"), *decimal_parse("7"))),
            "0.1428571428571428571428571428571429");
  EXPECT_EQ(decimal_text(*decimal_divide(*decimal_parse("-200"), *decimal_parse("3"))),
            "-66.66666666666666666666666666666667");
  EXPECT_FALSE(decimal_divide(*decimal_parse("1"), *decimal_parse("0")));
}

TEST(NativeDecimal, WhatIsTooLargeIsNullAndWhatIsTooSmallIsZero) {
  EXPECT_FALSE(decimal_parse("1e6144"));
  EXPECT_TRUE(decimal_parse("1e6143"));
  EXPECT_FALSE(decimal_multiply(*decimal_parse("1e4000"), *decimal_parse("1e4000")));
  EXPECT_EQ(decimal_multiply(*decimal_parse("1e-4000"), *decimal_parse("1e-4000")), decimal_parse("0"));
  EXPECT_EQ(decimal_add(*decimal_parse("1e100"), *decimal_parse("-1")), decimal_parse("1e100"));
}

TEST(NativeDecimal, ReadsNoOtherText) {
  for (const auto* text : {"", " ", "-", ".", "e5", "1e", "1e+-5", "1x", "0x10", "1.2.3", "Infinity", "1e9999999"}) {
    EXPECT_FALSE(decimal_parse(text)) << text;
  }
  for (const auto* key : {"", "6", "7", "612345", "61234x1", "412345", "4123451", "5x"}) {
    EXPECT_FALSE(decimal_text(key)) << key;
  }
}

TEST(NativeDecimal, BecomesALongUpToItsLimits) {
  EXPECT_EQ(decimal_long(*decimal_parse("9223372036854775807.9")), 9'223'372'036'854'775'807);
  EXPECT_EQ(decimal_long(*decimal_parse("-9223372036854775808")), std::numeric_limits<std::int64_t>::min());
  EXPECT_FALSE(decimal_long(*decimal_parse("9223372036854775808")));
  EXPECT_EQ(decimal_long(*decimal_parse("-0.99")), 0);
}

TEST(NativeDecimal, RoundsToPlaces) {
  const auto rounded = [](const char* text, std::int64_t places) {
    return *decimal_text(*decimal_round(*decimal_parse(text), places));
  };
  EXPECT_EQ(rounded("2.345", 2), "2.35");
  EXPECT_EQ(rounded("-2.345", 2), "-2.35");
  EXPECT_EQ(rounded("95", -1), "100");
  EXPECT_EQ(rounded("4", -1), "0");
  EXPECT_EQ(rounded("5", -1), "10");
  EXPECT_EQ(rounded("5", -2), "0");
  EXPECT_EQ(rounded("1.5", 40), "1.5");
}

}  // namespace
}  // namespace picket::kql
