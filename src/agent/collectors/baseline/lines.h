// Taking configuration texts apart: lines, words, fields. All views lie in the text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace picket::agent::baseline {

inline constexpr std::string_view kBlanks = " \t\r";

std::string_view trim(std::string_view text);
/// Takes the first word, up to one of `ends`, off `text`, and the ends behind it.
std::string_view take_word(std::string_view& text, std::string_view ends = kBlanks);
/// A to Z become small letters; other bytes stay.
std::string lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
/// The whole of `text` is one number; nullopt: it is not, or it is too large.
std::optional<std::int64_t> number_of(std::string_view text, int base = 10);
/// The same with an s, m, h, d or w behind it, in seconds.
std::optional<std::int64_t> quantity_of(std::string_view text);
/// Splits a line of a colon file. False: it has fewer or more fields.
bool split_fields(std::string_view line, char separator, std::span<std::string_view> out);

/// Calls `each(line)` with every line, trimmed, that is not empty and does not begin with one of `comments`. False from
/// it ends the loop.
template <class Each>
void for_each_line(std::string_view text, std::string_view comments, Each each) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string_view inner = trim(line);
    if (inner.empty() || comments.find(inner.front()) != std::string_view::npos) continue;
    if (!each(inner)) return;
  }
}

}  // namespace picket::agent::baseline
