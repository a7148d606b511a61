// Numbers and letters as upstream projects write them. Words that announce a release sort before it.
#include <algorithm>

#include "digits.h"
#include "schemes.h"

namespace picket::version {
namespace {

enum class Kind : std::uint8_t { before, end, letters, number };

struct Segment {
  Kind kind = Kind::end;
  std::string_view text;
};

Segment take_segment(std::string_view& rest) {
  const auto skipped = take_while(rest, [](char c) { return !is_digit(c) && !is_alpha(c) && c != '~'; });
  // Behind a plus stands who built it, not what it is.
  if (rest.empty() || skipped.find('+') != std::string_view::npos) return rest = {}, Segment{};
  if (rest.front() == '~') {
    rest.remove_prefix(1);
    return {Kind::before, {}};
  }
  if (is_digit(rest.front())) return {Kind::number, take_while(rest, is_digit)};
  const auto word = take_while(rest, is_alpha);
  for (const std::string_view announced : {"alpha", "beta", "dev", "git", "pre", "rc"}) {
    if (compare_folded(word, announced) == 0) return {Kind::before, word};
  }
  return {Kind::letters, word};
}

}  // namespace

std::weak_ordering compare_generic(std::string_view a, std::string_view b) {
  take_while(a, [](char c) { return c == 'v' || c == 'V'; });
  take_while(b, [](char c) { return c == 'v' || c == 'V'; });
  for (;;) {
    const Segment left = take_segment(a), right = take_segment(b);
    if (left.kind != right.kind) return left.kind <=> right.kind;
    if (left.kind == Kind::end) return std::weak_ordering::equivalent;
    const auto order =
        left.kind == Kind::number ? compare_numbers(left.text, right.text) : compare_folded(left.text, right.text);
    if (order != 0) return order;
  }
}

}  // namespace picket::version
