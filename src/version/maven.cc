// Version order specification of Maven's POM reference. Its order has circles: 1.0-1 < 1.0.rc1 < 1.0 < 1.0-1, since a
// zero is a number beside "-1" and nothing beside the end.
#include <string>
#include <vector>

#include "digits.h"
#include "schemes.h"

namespace picket::version {
namespace {

/// What releases are called, oldest first; kWord: anything else, by its letters.
enum Rank : int { kAlpha, kBeta, kMilestone, kCandidate, kSnapshot, kNothing, kPack, kWord };

struct Token {
  bool number = false;
  bool dash = false;  ///< A dash or a change between digits and letters stands in front.
  int rank = kNothing;
  std::string_view text;  ///< Numbers without zeros in front.

  [[nodiscard]] bool nothing() const { return number ? text.empty() : rank == kNothing; }
};

bool same(std::string_view text, std::string_view word) { return compare_folded(text, word) == 0; }

int rank_of(std::string_view word, bool digit_follows) {
  if (same(word, "alpha") || (digit_follows && same(word, "a"))) return kAlpha;
  if (same(word, "beta") || (digit_follows && same(word, "b"))) return kBeta;
  if (same(word, "milestone") || (digit_follows && same(word, "m"))) return kMilestone;
  if (same(word, "rc") || same(word, "cr")) return kCandidate;
  if (same(word, "snapshot")) return kSnapshot;
  if (same(word, "") || same(word, "ga") || same(word, "final") || same(word, "release")) return kNothing;
  if (same(word, "sp")) return kPack;
  return kWord;
}

bool separates(char c) { return c == '.' || c == '-'; }

std::vector<Token> tokens_of(std::string_view rest) {
  std::vector<Token> out;
  const auto trim = [&out] {
    while (!out.empty() && out.back().nothing()) out.pop_back();
  };
  bool dash = false, first = true;
  while (!rest.empty() || first) {
    first = false;
    const bool number = !rest.empty() && is_digit(rest.front());
    const auto text =
        number ? take_while(rest, is_digit) : take_while(rest, [](char c) { return !is_digit(c) && !separates(c); });
    if (dash) trim();              // what is nothing before a dash is not there
    if (number || text.empty()) {  // an empty part is a zero
      out.push_back({.number = true, .dash = dash, .text = without_zeros(text)});
    } else {
      const bool digit_follows = !rest.empty() && is_digit(rest.front());
      out.push_back({.dash = dash, .rank = rank_of(text, digit_follows), .text = text});
    }
    if (rest.empty()) break;
    dash = !separates(rest.front()) || rest.front() == '-';
    if (separates(rest.front())) {
      rest.remove_prefix(1);
      if (rest.empty()) break;
    }
  }
  trim();
  return out;
}

/// Words before numbers; words behind a dot before those behind a dash, numbers the other way round.
std::strong_ordering compare_tokens(const Token& a, const Token& b) {
  if (a.number != b.number) return a.number <=> b.number;
  if (a.dash != b.dash) return a.number ? b.dash <=> a.dash : a.dash <=> b.dash;
  if (a.number) return compare_numbers(a.text, b.text);
  if (a.rank != b.rank) return a.rank <=> b.rank;
  return a.rank == kWord ? compare_folded(a.text, b.text) : std::strong_ordering::equal;
}

std::strong_ordering reversed(std::strong_ordering order) { return 0 <=> order; }

/// A token beside the end of the other version.
std::strong_ordering compare_with_end(const Token& token) {
  if (token.nothing()) return std::strong_ordering::equal;
  return token.number || token.rank > kNothing ? std::strong_ordering::greater : std::strong_ordering::less;
}

}  // namespace

std::weak_ordering compare_maven(std::string_view a, std::string_view b) {
  const auto left = tokens_of(a), right = tokens_of(b);
  for (std::size_t i = 0; i < left.size() || i < right.size(); ++i) {
    const auto order = i >= right.size()  ? compare_with_end(left[i])
                       : i >= left.size() ? reversed(compare_with_end(right[i]))
                                          : compare_tokens(left[i], right[i]);
    if (order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

}  // namespace picket::version
