// apk-tools: digits{.digits}[letter[digits]]{_suffix[digits]}[~hash][-rN]. What else follows is of one kind only:
// there, and so a little older.
#include <algorithm>

#include "digits.h"
#include "schemes.h"

namespace picket::version {
namespace {

constexpr std::string_view kBefore[] = {"alpha", "beta", "pre", "rc"};
constexpr std::string_view kBehind[] = {"cvs", "svn", "git", "hg", "p"};

/// Below 0: a version before the one without the suffix.
int suffix_rank(std::string_view name) {
  if (const auto found = std::ranges::find(kBefore, name); found != std::end(kBefore)) {
    return static_cast<int>(found - std::end(kBefore));
  }
  if (const auto found = std::ranges::find(kBehind, name); found != std::end(kBehind)) {
    return static_cast<int>(found - std::begin(kBehind)) + 1;
  }
  return -100;
}

/// Compares the numbers in front and steps behind them. A number with a zero in front is a fraction, but the first.
std::weak_ordering take_numbers(std::string_view& a, std::string_view& b) {
  // nothing behind a dot, no dot, digits: in this order
  struct Number {
    int kind = 1;
    std::string_view digits;
  };
  bool first = true;
  const auto take = [&first](std::string_view& rest) -> Number {
    if (!first) {
      if (rest.empty() || rest.front() != '.') return {};
      rest.remove_prefix(1);
    }
    const auto digits = take_while(rest, is_digit);
    return {digits.empty() ? 0 : 2, digits};
  };
  for (;;) {
    const Number left = take(a), right = take(b);
    if (left.kind != right.kind) return left.kind <=> right.kind;
    if (left.kind == 1) return std::weak_ordering::equivalent;
    if (left.kind == 2) {
      const bool fraction = !first && (left.digits.front() == '0' || right.digits.front() == '0');
      const auto order =
          fraction ? left.digits.compare(right.digits) <=> 0 : compare_numbers(left.digits, right.digits);
      if (order != 0) return order;
    }
    first = false;
  }
}

std::weak_ordering take_letter(std::string_view& a, std::string_view& b) {
  const auto take = [](std::string_view& rest) -> std::string_view {
    if (rest.empty() || !is_lower(rest.front())) return {};
    const auto letter = rest.substr(0, 1);
    rest.remove_prefix(1);
    return letter;
  };
  const auto left = take(a), right = take(b);
  if (const auto order = left.compare(right) <=> 0; order != 0) return order;
  if (left.empty()) return std::weak_ordering::equivalent;
  return compare_numbers(take_while(a, is_digit), take_while(b, is_digit));
}

std::weak_ordering take_suffixes(std::string_view& a, std::string_view& b) {
  struct Suffix {
    bool there = false;
    int rank = 0;
    std::string_view number;
  };
  const auto take = [](std::string_view& rest) -> Suffix {
    if (rest.empty() || rest.front() != '_') return {};
    rest.remove_prefix(1);
    const auto name = take_while(rest, is_lower);
    return {true, suffix_rank(name), take_while(rest, is_digit)};
  };
  for (;;) {
    const Suffix left = take(a), right = take(b);
    if (left.rank != right.rank) return left.rank <=> right.rank;
    if (!left.there) return std::weak_ordering::equivalent;
    if (const auto order = compare_numbers(left.number, right.number); order != 0) return order;
  }
}

/// Of a commit; one with it is behind the same without. Says nothing about age, but apk-tools orders by it.
std::string_view take_hash(std::string_view& rest) {
  if (rest.empty() || rest.front() != '~') return {};
  rest.remove_prefix(1);
  return take_while(rest, [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); });
}

std::string_view take_revision(std::string_view& rest) {
  if (!rest.starts_with("-r")) return {};
  rest.remove_prefix(2);
  return take_while(rest, is_digit);
}

}  // namespace

std::weak_ordering compare_apk(std::string_view a, std::string_view b) {
  if (const auto order = take_numbers(a, b); order != 0) return order;
  if (const auto order = take_letter(a, b); order != 0) return order;
  if (const auto order = take_suffixes(a, b); order != 0) return order;
  const auto left_hash = take_hash(a), right_hash = take_hash(b);
  if (const auto order = left_hash.compare(right_hash) <=> 0; order != 0) return order;
  const auto left = take_revision(a), right = take_revision(b);
  if (const auto order = compare_numbers(left, right); order != 0) return order;
  return a.empty() <=> b.empty();
}

}  // namespace picket::version
