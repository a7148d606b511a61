// Debian Policy 5.6.12: [epoch:]upstream[-revision].
#include "digits.h"
#include "schemes.h"

namespace picket::version {
namespace {

/// '~' before the end, the end before letters, letters before everything else.
int rank(char c) {
  if (c == '~') return -1;
  if (is_alpha(c)) return static_cast<unsigned char>(c);
  return static_cast<unsigned char>(c) + 256;
}

std::weak_ordering compare_part(std::string_view a, std::string_view b) {
  while (!a.empty() || !b.empty()) {
    // A run without digits, sign by sign; where one ends, or a digit stands, the rank is 0.
    while ((!a.empty() && !is_digit(a.front())) || (!b.empty() && !is_digit(b.front()))) {
      const int left = a.empty() || is_digit(a.front()) ? 0 : rank(a.front());
      const int right = b.empty() || is_digit(b.front()) ? 0 : rank(b.front());
      if (left != right) return left <=> right;
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
    const auto order = compare_numbers(take_while(a, is_digit), take_while(b, is_digit));
    if (order != 0) return order;
  }
  return std::weak_ordering::equivalent;
}

struct Parts {
  std::string_view epoch, upstream, revision;
};

Parts split(std::string_view text) {
  Parts out;
  auto rest = text;
  const auto epoch = take_while(rest, is_digit);
  if (!rest.empty() && rest.front() == ':') {
    out.epoch = epoch;
    text = rest.substr(1);
  }
  const auto dash = text.rfind('-');
  out.upstream = text.substr(0, dash);
  if (dash != std::string_view::npos) out.revision = text.substr(dash + 1);
  return out;
}

}  // namespace

std::weak_ordering compare_dpkg(std::string_view a, std::string_view b) {
  const Parts left = split(a), right = split(b);
  if (const auto order = compare_numbers(left.epoch, right.epoch); order != 0) return order;
  if (const auto order = compare_part(left.upstream, right.upstream); order != 0) return order;
  return compare_part(left.revision, right.revision);
}

}  // namespace picket::version
