#include "baseline/lines.h"

#include <charconv>

#include "baseline/verdict.h"

namespace picket::agent::baseline {

std::string_view to_string(State state) {
  constexpr std::string_view names[] = {"PASS", "FAIL", "SKIP", "ERROR"};
  return names[static_cast<std::size_t>(state)];
}

void observe(std::string& observed, std::string_view first, std::string_view second, std::string_view third) {
  const std::size_t more = first.size() + second.size() + third.size() + 2;
  if (observed.size() + std::min<std::size_t>(more, 160) > kObservedMax) return;
  if (!observed.empty()) observed += "; ";
  for (const std::string_view part : {first, second, third}) {
    for (const char c : part) {
      if (observed.size() < kObservedMax) observed += c < ' ' && c >= 0 ? ' ' : c;
    }
  }
}

std::string join(std::initializer_list<std::string_view> parts) {
  std::string out;
  for (const std::string_view part : parts) out += part;
  return out;
}

void visit_lines(std::string_view text, std::string_view comments, LineVisitor visitor) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::string_view inner = trim(line);
    if (inner.empty() || comments.find(inner.front()) != std::string_view::npos) continue;
    if (!visitor(inner)) return;
  }
}

std::string_view trim(std::string_view text) {
  const auto from = text.find_first_not_of(kBlanks);
  if (from == std::string_view::npos) return {};
  return text.substr(from, text.find_last_not_of(kBlanks) + 1 - from);
}

std::string_view take_word(std::string_view& text, std::string_view ends) {
  const std::string_view word = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(word.size());
  text.remove_prefix(std::min(text.find_first_not_of(ends), text.size()));
  return word;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto small = [](char c) { return c >= 'A' && c <= 'Z' ? c | 0x20 : c; };
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    if (small(a[i]) != small(b[i])) return false;
  }
  return a.size() == b.size();
}

std::optional<std::int64_t> number_of(std::string_view text, int base) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> quantity_of(std::string_view text) {
  std::int64_t factor = 1;
  if (!text.empty()) {
    switch (text.back() | 0x20) {
      case 's':
        factor = 1;
        break;
      case 'm':
        factor = 60;
        break;
      case 'h':
        factor = 3'600;
        break;
      case 'd':
        factor = 86'400;
        break;
      case 'w':
        factor = 604'800;
        break;
      default:
        factor = 0;
    }
  }
  if (factor == 0) return number_of(text);
  const auto value = number_of(text.substr(0, text.empty() ? 0 : text.size() - 1));
  if (!value || *value > INT64_MAX / factor || *value < 0) return std::nullopt;
  return *value * factor;
}

}  // namespace picket::agent::baseline
