#include "values.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>

#include "json_parts.h"

namespace picket::workbook {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name(char c) { return is_letter(c) || is_digit(c); }

/// Words that are more than a name where a value stands.
constexpr std::array<std::string_view, 38> kWords{
    "and",       "or",        "not",      "in",          "has",        "has_cs",        "has_any",  "has_all",
    "hasprefix", "hassuffix", "contains", "contains_cs", "startswith", "startswith_cs", "endswith", "endswith_cs",
    "matches",   "like",      "between",  "by",          "on",         "asc",           "desc",     "nulls",
    "first",     "last",      "of",       "with",        "kind",       "step",          "from",     "to",
    "default",   "let",       "set",      "typeof",      "declare",    "view"};

/// name(.name)*, a number, a timespan such as 1.5h.
bool is_plain(std::string_view value) {
  if (value.empty() || value.size() > 256) return false;
  if (is_digit(value[0])) {
    std::size_t at = 0;
    while (at < value.size() && is_digit(value[at])) ++at;
    if (at + 1 < value.size() && value[at] == '.' && is_digit(value[at + 1])) {
      ++at;
      while (at < value.size() && is_digit(value[at])) ++at;
    }
    return std::ranges::all_of(value.substr(at), [](char c) { return c >= 'a' && c <= 'z'; });
  }
  bool begins = true;
  for (const char c : value) {
    if (begins && !is_letter(c)) return false;
    if (!begins && c == '.') {
      begins = true;
      continue;
    }
    if (!is_name(c)) return false;
    begins = false;
  }
  return !begins && std::ranges::find(kWords, value) == kWords.end();
}

bool is_guid(std::string_view value) {
  if (value.size() != 36) return false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen != (value[i] == '-') || (!hyphen && std::isxdigit(static_cast<unsigned char>(value[i])) == 0))
      return false;
  }
  return true;
}

std::string_view trimmed_end(std::string_view text) {
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t' || text.back() == '\n' || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

bool within(std::string_view before, std::initializer_list<std::string_view> types) {
  before = trimmed_end(before);
  return std::ranges::any_of(types, [before](std::string_view type) {
    if (!before.ends_with(type)) return false;
    const std::string_view rest = before.substr(0, before.size() - type.size());
    return rest.empty() || !is_name(rest.back());
  });
}

void append_escaped(std::string& out, char c, char quote) {
  switch (c) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  if (c == '\\' || c == quote) out += '\\';
  if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
    std::array<char, 8> code{};
    std::snprintf(code.data(), code.size(), "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += code.data();
    return;
  }
  out += c;
}

std::string utc(Timestamp time) { return format_rfc3339(time); }

}  // namespace

std::string literal(std::string_view value, char quote) {
  std::string out(1, quote);
  for (const char c : value) append_escaped(out, c, quote);
  return out + quote;
}

std::optional<std::string> inside(const Place& place, std::string_view value) {
  std::string out;
  switch (place.mode()) {
    case Place::Mode::code:
      return std::nullopt;
    case Place::Mode::comment:
      out = value;
      std::ranges::replace_if(out, [](char c) { return c == '\n' || c == '\r'; }, ' ');
      return out;
    case Place::Mode::text:
      if (place.after_backslash()) return std::nullopt;
      for (const char c : value) append_escaped(out, c, place.mark());
      return out;
    case Place::Mode::verbatim:
      if (value.find_first_of("\r\n") != std::string_view::npos) return std::nullopt;
      for (const char c : value) {
        out += c;
        if (c == place.mark()) out += c;
      }
      return out;
    case Place::Mode::block:
      if (value.find(place.mark()) != std::string_view::npos) return std::nullopt;
      return std::string(value);
  }
  return std::nullopt;
}

bool is_word(std::string_view value, std::string_view before) {
  if (within(before,
             {"datetime(", "date(", "timespan(", "time(", "guid(", "long(", "int(", "real(", "double(", "bool("})) {
    return !value.empty() && value.size() <= 64 && std::ranges::all_of(value, [](char c) {
      return is_name(c) || c == ':' || c == '.' || c == '-' || c == '+' || c == ' ';
    });
  }
  if (value.starts_with('-')) {
    const std::string_view left = trimmed_end(before);
    const bool operand = left.empty() || std::string_view("=<>(,~").find(left.back()) != std::string_view::npos;
    return operand && value.size() > 1 && is_digit(value[1]) && is_plain(value.substr(1));
  }
  return is_plain(value) || is_guid(value);
}

std::string span_text(Duration length) {
  const std::int64_t seconds = length.whole_seconds();
  if (seconds > 0 && seconds % 86'400 == 0) return std::to_string(seconds / 86'400) + "d";
  if (seconds > 0 && seconds % 3'600 == 0) return std::to_string(seconds / 3'600) + "h";
  if (seconds > 0 && seconds % 60 == 0) return std::to_string(seconds / 60) + "m";
  if (length.us % 1'000'000 == 0) return std::to_string(seconds) + "s";
  return std::to_string(length.whole_ms()) + "ms";
}

Interval interval_of(const Choice& choice, Timestamp now) {
  if (choice.interval) return *choice.interval;
  return {now - *choice.back, now};
}

std::string time_condition(const Choice& choice) {
  if (choice.back) return "> ago(" + span_text(*choice.back) + ")";
  return "between (datetime(" + utc(choice.interval->from) + ") .. datetime(" + utc(choice.interval->to) + "))";
}

std::string grain(Duration length) {
  struct Step {
    Duration up_to;
    std::string_view grain;
  };
  static constexpr std::array<Step, 8> kSteps{{{Duration::hours(1), "1m"},
                                               {Duration::hours(4), "5m"},
                                               {Duration::hours(12), "15m"},
                                               {Duration::days(1), "30m"},
                                               {Duration::days(3), "1h"},
                                               {Duration::days(7), "6h"},
                                               {Duration::days(14), "12h"},
                                               {Duration::days(92), "1d"}}};
  for (const Step& step : kSteps) {
    if (length <= step.up_to) return std::string(step.grain);
  }
  return "7d";
}

std::optional<std::string> at_path(std::string_view text, std::string_view path) {
  const auto tree = parse_json(text);
  if (!tree || !path.starts_with('$')) return std::nullopt;
  path.remove_prefix(1);
  const json::value* at = &*tree;
  while (!path.empty()) {
    std::string_view name;
    if (path[0] == '.') {
      name = path.substr(1, std::min(path.find_first_of(".[", 1), path.size()) - 1);
      path.remove_prefix(1 + name.size());
    } else if (path[0] == '[' && path.find(']') != std::string_view::npos) {
      name = path.substr(1, path.find(']') - 1);
      path.remove_prefix(name.size() + 2);
      if (name.size() >= 2 && (name[0] == '\'' || name[0] == '"') && name.back() == name[0])
        name = name.substr(1, name.size() - 2);
    } else {
      return std::nullopt;
    }
    if (name.empty()) return std::nullopt;
    if (at->is_object()) {
      at = at->get_object().if_contains(name);
    } else if (at->is_array()) {
      std::size_t index = 0;
      const auto [end, failed] = std::from_chars(name.data(), name.data() + name.size(), index);
      if (failed != std::errc{} || end != name.data() + name.size()) return std::nullopt;
      at = at->get_array().if_contains(index);
    } else {
      at = nullptr;
    }
    if (at == nullptr) return std::string();
  }
  return text_of(*at);
}

}  // namespace picket::workbook
