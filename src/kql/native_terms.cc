// The `has` family.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "kql/native_functions.h"

namespace picket::kql {

namespace {

constexpr char fold(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr bool in_term(char c) {
  const auto lower = fold(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80;
}

bool equal_folded(std::string_view a, std::string_view b) {
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (fold(a[i]) != fold(b[i])) return false;
  }
  return true;
}

enum class Edge { none, start, end, both };

/// An edge is free when the characters on its two sides are not both inside one term.
bool fits(std::string_view text, std::size_t at, std::string_view term, Edge edge) {
  const std::size_t end = at + term.size();
  const bool check_start = edge == Edge::start || edge == Edge::both;
  const bool check_end = edge == Edge::end || edge == Edge::both;
  if (check_start && at > 0 && in_term(text[at - 1]) && in_term(term.front())) return false;
  return !(check_end && end < text.size() && in_term(text[end]) && in_term(term.back()));
}

/// First place at or after `from` where `term` may start by its first byte, in either case; npos: none.
std::size_t candidate(std::string_view text, std::size_t from, char lower, char upper) {
  const auto* begin = text.data() + from;
  const std::size_t length = text.size() - from;
  const auto* a = static_cast<const char*>(std::memchr(begin, lower, length));
  if (lower == upper) return a == nullptr ? std::string_view::npos : static_cast<std::size_t>(a - text.data());
  const std::size_t rest = a == nullptr ? length : static_cast<std::size_t>(a - begin);
  const auto* b = static_cast<const char*>(std::memchr(begin, upper, rest));
  if (b != nullptr) a = b;
  return a == nullptr ? std::string_view::npos : static_cast<std::size_t>(a - text.data());
}

/// The small letter of a capital one in the scripts that UTF-8 writes in two bytes: Latin, Greek, Cyrillic, Armenian.
std::uint32_t small_letter(std::uint32_t c) {
  const auto within = [c](std::uint32_t first, std::uint32_t last) { return c >= first && c <= last; };
  if (within(0xC0, 0xDE) && c != 0xD7) return c + 32;
  if (within(0x391, 0x3A9) && c != 0x3A2) return c + 32;
  if (within(0x388, 0x38A)) return c + 37;
  if (c == 0x386 || c == 0x38C) return c == 0x386 ? 0x3AC : 0x3CC;
  if (within(0x38E, 0x38F)) return c + 63;
  if (within(0x410, 0x42F)) return c + 32;
  if (within(0x400, 0x40F)) return c + 80;
  if (within(0x531, 0x556)) return c + 48;
  const bool even_first = within(0x100, 0x12F) || within(0x132, 0x137) || within(0x14A, 0x177) ||
                          within(0x3D8, 0x3EF) || within(0x460, 0x481) || within(0x48A, 0x4BF) || within(0x4D0, 0x52F);
  if (even_first) return c | 1U;
  const bool odd_first = within(0x139, 0x148) || within(0x179, 0x17E) || within(0x4C1, 0x4CE);
  if (odd_first) return c + (c & 1U);
  return c == 0x178 ? 0xFF : c;
}

std::string folded_letters(std::string_view text) {
  std::string out(text);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto first = static_cast<unsigned char>(out[i]);
    if (first < 0x80) {
      out[i] = fold(out[i]);
    } else if ((first & 0xE0U) == 0xC0U && i + 1 < out.size()) {
      const auto small = small_letter((first & 0x1FU) << 6U | (static_cast<unsigned char>(out[i + 1]) & 0x3FU));
      out[i] = static_cast<char>(0xC0U | small >> 6U);
      out[++i] = static_cast<char>(0x80U | (small & 0x3FU));
    }
  }
  return out;
}

bool find_term(std::string_view text, std::string_view term, Edge edge, bool folded) {
  if (term.empty()) return true;
  if (term.size() > text.size()) return false;
  if (folded && std::ranges::any_of(term, [](char c) { return static_cast<unsigned char>(c) >= 0x80; })) {
    return find_term(folded_letters(text), folded_letters(term), edge, false);
  }
  const std::size_t last = text.size() - term.size();
  const char lower = folded ? fold(term.front()) : term.front();
  const char upper = folded && lower >= 'a' && lower <= 'z' ? static_cast<char>(lower - ('a' - 'A')) : lower;
  for (std::size_t at = 0; at <= last; ++at) {
    at = candidate(text, at, lower, upper);
    if (at == std::string_view::npos || at > last) return false;
    const auto here = text.substr(at, term.size());
    if ((folded ? equal_folded(here, term) : here == term) && fits(text, at, term, edge)) return true;
  }
  return false;
}

}  // namespace

bool has_term(std::string_view text, std::string_view term) { return find_term(text, term, Edge::both, true); }
bool has_term_cs(std::string_view text, std::string_view term) { return find_term(text, term, Edge::both, false); }
bool has_term_prefix(std::string_view text, std::string_view term) { return find_term(text, term, Edge::start, true); }
bool has_term_prefix_cs(std::string_view text, std::string_view term) {
  return find_term(text, term, Edge::start, false);
}
bool has_term_suffix(std::string_view text, std::string_view term) { return find_term(text, term, Edge::end, true); }
bool has_term_suffix_cs(std::string_view text, std::string_view term) {
  return find_term(text, term, Edge::end, false);
}

}  // namespace picket::kql
