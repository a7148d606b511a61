#include "../small_format.h"

#include <climits>
#include <cstdio>
#include <string>

#include <gtest/gtest.h>

namespace picket::agent {
namespace {

std::string ours(std::size_t size, const char* format, ...) {
  char out[256] = "untouched";
  std::va_list arguments;
  va_start(arguments, format);
  const int length = format_text(out, size, format, arguments);
  va_end(arguments);
  return std::to_string(length) + ":" + out;
}

std::string glibc(std::size_t size, const char* format, ...) {
  char out[256] = "untouched";
  std::va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(out, size, format, arguments);
  va_end(arguments);
  return std::to_string(length) + ":" + out;
}

#define EXPECT_SAME(size, ...) EXPECT_EQ(ours(size, __VA_ARGS__), glibc(size, __VA_ARGS__))

TEST(SmallFormat, NumbersAreWrittenAsTheStandardSays) {
  for (const int value : {0, 1, -1, 7, -42, 1'000'000, INT_MAX, INT_MIN}) {
    EXPECT_SAME(200, "%d|%i|%5d|%-5d|%05d|%.3d|%8.3d|%.0d", value, value, value, value, value, value, value, value);
    EXPECT_SAME(200, "%u|%x|%X|%o|%08x|%2X", static_cast<unsigned>(value), static_cast<unsigned>(value),
                static_cast<unsigned>(value), static_cast<unsigned>(value), static_cast<unsigned>(value),
                static_cast<unsigned>(value));
  }
  EXPECT_SAME(200, "%ld|%lld|%zu|%lu|%llx|%016llx|%jd|%td", LONG_MIN, LLONG_MAX, SIZE_MAX, ULONG_MAX, 0xabcULL,
              0xabcULL, static_cast<std::intmax_t>(-5), static_cast<std::ptrdiff_t>(-6));
  EXPECT_SAME(200, "%*d|%-*d|", 6, 12, 6, 12);
}

TEST(SmallFormat, TextsKeepWidthAndPrecision) {
  EXPECT_SAME(200, "%s|%8s|%-8s|%.2s|%.*s|%5.1s|%c|%3c|%%", "abc", "abc", "abc", "abc", 1, "abc", "abc", 'x', 'y');
  EXPECT_SAME(200, "%p", reinterpret_cast<void*>(0x1234));
}

TEST(SmallFormat, WritesAtMostTheSizeAndCountsAll) {
  for (std::size_t size = 0; size <= 14; ++size) EXPECT_SAME(size, "%s-%d", "abcdef", 12345);
}

TEST(SmallFormat, FormatsOfTheAgentsOwnCalls) {
  EXPECT_SAME(200, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", 2026, 1, 2, 3, 4, 5, 60);
  EXPECT_SAME(200, "/proc/%u/fd/%u", 4'294'967'295U, 0U);
  EXPECT_SAME(200, "%s%02X%s", "a", 7U, ":");
}

}  // namespace
}  // namespace picket::agent
