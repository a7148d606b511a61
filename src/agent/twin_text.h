// What the readers of published and classic properties share.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace picket::agent::twin {

struct Pair {
  std::string_view published, ours;
};

template <class Table, class Member>
auto find_in(const Table& table, std::string_view name, Member member) {
  const auto found = std::ranges::find(table, name, member);
  return found == std::end(table) ? nullptr : &*found;
}
template <class Table>
bool holds(const Table& table, std::string_view name) {
  return std::ranges::find(table, name) != std::end(table);
}

inline std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

/// "true" and "false", also as the micro agent wrote them.
inline std::optional<bool> to_bool(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true") return true;
  if (word == "false") return false;
  return std::nullopt;
}

inline std::optional<std::uint64_t> to_number(std::string_view text) {
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

inline std::string collector_key(std::string_view collector, std::string_view key) {
  return "collectors." + std::string(collector) + "." + std::string(key);
}

}  // namespace picket::agent::twin
