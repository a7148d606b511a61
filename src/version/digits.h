// Numbers as texts of digits without a bound, and the two classes of ASCII letters. Locale plays no part.
#pragma once

#include <compare>
#include <string_view>

namespace picket::version {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool is_alpha(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z'); }
constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// Takes what stands in front as long as `wanted` says so.
template <class Wanted>
constexpr std::string_view take_while(std::string_view& text, Wanted wanted) {
  std::size_t n = 0;
  while (n < text.size() && wanted(text[n])) ++n;
  const auto out = text.substr(0, n);
  text.remove_prefix(n);
  return out;
}

constexpr std::string_view without_zeros(std::string_view digits) {
  while (!digits.empty() && digits.front() == '0') digits.remove_prefix(1);
  return digits;
}

/// Two numbers; no digits is 0.
constexpr std::strong_ordering compare_numbers(std::string_view a, std::string_view b) {
  a = without_zeros(a);
  b = without_zeros(b);
  if (a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

/// Without regard to the case of ASCII letters.
constexpr std::strong_ordering compare_folded(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    const auto order = static_cast<unsigned char>(to_lower(a[i])) <=> static_cast<unsigned char>(to_lower(b[i]));
    if (order != 0) return order;
  }
  return a.size() <=> b.size();
}

}  // namespace picket::version
