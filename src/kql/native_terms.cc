// The `has` family.
#include <cstring>

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

bool find_term(std::string_view text, std::string_view term, Edge edge, bool folded) {
  if (term.empty()) return true;
  if (term.size() > text.size()) return false;
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
