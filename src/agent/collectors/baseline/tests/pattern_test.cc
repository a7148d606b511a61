#include "baseline/pattern.h"

#include <gtest/gtest.h>

#include "base/core/bytes.h"

namespace picket::agent::baseline {
namespace {

using std::string_literals::operator""s;

/// Patterns as tools/baseline/pattern.py makes them; its own tests compare it with Python's re.
bool found(const std::string& program, std::string_view line) {
  const auto pattern = Pattern::check(as_bytes(program));
  EXPECT_TRUE(pattern);
  return pattern && pattern->found_in(line);
}

const std::string kByte = "\1a\0"s;                          // a
const std::string kWhole = "\6\1a\7\0"s;                     // ^a$
const std::string kStar = "\6\4\x06\0\x0b\0\1a\5\1\0\7\0"s;  // ^a*$
const std::string kSet =
    "\6\3\2"
    "09af\7\0"s;                             // ^[0-9a-f]$
const std::string kWord = "\x08\1a\x08\0"s;  // \ba\b

TEST(Pattern, IsFoundAnywhereUnlessItIsAnchored) {
  EXPECT_TRUE(found(kByte, "xxa"));
  EXPECT_FALSE(found(kByte, "xx"));
  EXPECT_TRUE(found(kWhole, "a"));
  EXPECT_FALSE(found(kWhole, "aa"));
  EXPECT_FALSE(found(kWhole, ""));
}

TEST(Pattern, RepeatsAndSets) {
  EXPECT_TRUE(found(kStar, ""));
  EXPECT_TRUE(found(kStar, std::string(5000, 'a')));
  EXPECT_FALSE(found(kStar, std::string(5000, 'a') + "b"));
  EXPECT_TRUE(found(kSet, "c"));
  EXPECT_TRUE(found(kSet, "0"));
  EXPECT_FALSE(found(kSet, "g"));
}

TEST(Pattern, WordsEndAtTheirBoundaries) {
  EXPECT_TRUE(found(kWord, "a"));
  EXPECT_TRUE(found(kWord, "b a-c"));
  EXPECT_FALSE(found(kWord, "ba"));
  EXPECT_FALSE(found(kWord, "a_"));
}

TEST(Pattern, ProgramsThatLeadOutsideAreRefused) {
  EXPECT_FALSE(Pattern::check({}));
  EXPECT_FALSE(Pattern::check(as_bytes("\1a"s))) << "runs past its end";
  EXPECT_FALSE(Pattern::check(as_bytes("\1"s)));
  EXPECT_FALSE(Pattern::check(as_bytes("\5\x09\0\0"s))) << "a jump outside";
  EXPECT_FALSE(Pattern::check(as_bytes("\5\1\0\0"s))) << "a jump into an instruction";
  EXPECT_FALSE(Pattern::check(as_bytes("\3\xff\0"s))) << "a set that is cut";
  EXPECT_FALSE(Pattern::check(as_bytes("\x09\0"s))) << "no such instruction";
  EXPECT_FALSE(Pattern::check(as_bytes(std::string(Pattern::kProgramBytesMax + 1, '\0'))));
}

TEST(Pattern, LoopsThatTakeNothingEnd) {
  EXPECT_FALSE(found("\5\0\0\0"s, "abc")) << "a jump to itself";
  EXPECT_TRUE(found("\4\0\0\5\0\0"s, "abc")) << "a split to itself and to the match";
}

}  // namespace
}  // namespace picket::agent::baseline
