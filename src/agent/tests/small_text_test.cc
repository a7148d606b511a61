#include "../small_text.h"

#include <cstdlib>

#include <gtest/gtest.h>

namespace picket::agent {
namespace {

TEST(SmallText, ClassesOfCharactersAreThoseOfTheCLocale) {
  constexpr auto ours = character_classes();
  const unsigned short* const theirs = *__ctype_b_loc();
  for (int c = kCharacterFirst; c < 256; ++c) {
    EXPECT_EQ(ours[static_cast<std::size_t>(c - kCharacterFirst)], theirs[c]) << c;
  }
}

TEST(SmallText, LowerCaseIsThatOfTheCLocale) {
  constexpr auto ours = lower_case();
  const std::int32_t* const theirs = *__ctype_tolower_loc();
  for (int c = kCharacterFirst; c < 256; ++c) {
    EXPECT_EQ(ours[static_cast<std::size_t>(c - kCharacterFirst)], theirs[c]) << c;
  }
}

template <class Integer, class Theirs>
void expect_same(const char* text, int base, Theirs theirs) {
  char* our_end = nullptr;
  char* their_end = nullptr;
  errno = 0;
  const Integer ours = read_integer<Integer>(text, &our_end, base);
  const int our_error = errno;
  errno = 0;
  const Integer expected = theirs(text, &their_end, base);
  EXPECT_EQ(ours, expected) << text << " in base " << base;
  EXPECT_EQ(our_error, errno) << text << " in base " << base;
  EXPECT_EQ(our_end - text, their_end - text) << text << " in base " << base;
}

TEST(SmallText, IntegersAreReadAsByTheCLibrary) {
  for (const char* text : {"",
                           "0",
                           "7",
                           "-7",
                           "+7",
                           " \t\n42x",
                           "x",
                           "-",
                           "+-1",
                           "08",
                           "0x",
                           "0xg",
                           "0xFf",
                           "-0x10",
                           "0X1z",
                           "zz",
                           "Zz9",
                           "00012",
                           "9223372036854775807",
                           "9223372036854775808",
                           "-9223372036854775808",
                           "-9223372036854775809",
                           "18446744073709551615",
                           "18446744073709551616",
                           "-18446744073709551615",
                           "-1",
                           "99999999999999999999999999999999 end",
                           "123 456",
                           "1:2"}) {
    for (const int base : {0, 2, 8, 10, 16, 36}) {
      expect_same<long>(text, base, [](auto... each) { return std::strtol(each...); });
      expect_same<unsigned long>(text, base, [](auto... each) { return std::strtoul(each...); });
    }
  }
}

}  // namespace
}  // namespace picket::agent
