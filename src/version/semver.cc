// Semantic Versioning 2.0.0, section 11, with the patience of npm's loose mode: "v1.2", "1.2.3rc1", "=1.0".
#include "digits.h"
#include "schemes.h"

namespace picket::version {
namespace {

void skip_prefix(std::string_view& text) {
  take_while(text, [](char c) { return c == '=' || c == ' '; });
  if (text.starts_with("go")) {
    text.remove_prefix(2);
  } else if (!text.empty() && (text.front() == 'v' || text.front() == 'V')) {
    text.remove_prefix(1);
  }
  take_while(text, [](char c) { return c == ' '; });
}

/// One of the three numbers. Behind the third, dots and digits belong to the build, which does not count.
std::string_view take_number(std::string_view& rest, bool first) {
  if (!first) {
    if (rest.empty() || rest.front() != '.' || rest.size() < 2 || !is_digit(rest[1])) return {};
    rest.remove_prefix(1);
  }
  return take_while(rest, is_digit);
}

std::string_view pre_release(std::string_view rest) {
  rest = rest.substr(0, rest.find('+'));
  if (rest.empty() || rest.front() == '.') return {};
  if (rest.front() == '-') rest.remove_prefix(1);
  return rest;
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  const bool left = a.find_first_not_of("0123456789") == std::string_view::npos;
  const bool right = b.find_first_not_of("0123456789") == std::string_view::npos;
  if (left != right) return right <=> left;  // numbers first
  return left ? compare_numbers(a, b) : a.compare(b) <=> 0;
}

std::weak_ordering compare_pre_releases(std::string_view a, std::string_view b) {
  if (a.empty() != b.empty()) return a.empty() <=> b.empty();
  while (!a.empty() && !b.empty()) {
    const auto order = compare_identifiers(a.substr(0, a.find('.')), b.substr(0, b.find('.')));
    if (order != 0) return order;
    const auto next = [](std::string_view text) {
      const auto dot = text.find('.');
      return dot == std::string_view::npos ? std::string_view{} : text.substr(dot + 1);
    };
    a = next(a);
    b = next(b);
  }
  return !a.empty() <=> !b.empty();
}

}  // namespace

std::weak_ordering compare_semver(std::string_view a, std::string_view b) {
  skip_prefix(a);
  skip_prefix(b);
  for (int i = 0; i < 3; ++i) {
    const auto left = take_number(a, i == 0), right = take_number(b, i == 0);
    if (const auto order = compare_numbers(left, right); order != 0) return order;
  }
  return compare_pre_releases(pre_release(a), pre_release(b));
}

}  // namespace picket::version
