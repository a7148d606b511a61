// Scalars inside dynamic values: JSON text of one value.
#include <cmath>
#include <limits>

#include "kql/native_functions.h"

namespace picket::kql {

namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

void append_utf8(std::string& out, std::uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  if (c < 0x800) {
    out += static_cast<char>(0xC0U | c >> 6U);
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0U | c >> 12U);
    out += static_cast<char>(0x80U | (c >> 6U & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | c >> 18U);
    out += static_cast<char>(0x80U | (c >> 12U & 0x3FU));
    out += static_cast<char>(0x80U | (c >> 6U & 0x3FU));
  }
  out += static_cast<char>(0x80U | (c & 0x3FU));
}

/// Four hex digits at `at`; nullopt: not there.
std::optional<std::uint32_t> hex4(std::string_view text, std::size_t at) {
  if (at > text.size() || text.size() - at < 4) return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : text.substr(at, 4)) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value << 4U | static_cast<std::uint32_t>(digit);
  }
  return value;
}

constexpr std::uint32_t kReplacement = 0xFFFD;

/// \uXXXX at `at` (after the 'u'), with its low surrogate if it has one. Moves `at` to the last character used.
std::uint32_t take_escape(std::string_view text, std::size_t& at) {
  const auto first = hex4(text, at);
  if (!first) return kReplacement;
  at += 3;
  if (*first < 0xD800 || *first > 0xDFFF) return *first;
  if (*first > 0xDBFF || text.substr(at + 1, 2) != "\\u") return kReplacement;
  const auto second = hex4(text, at + 3);
  if (!second || *second < 0xDC00 || *second > 0xDFFF) return kReplacement;
  at += 6;
  return 0x10000 + ((*first - 0xD800) << 10U) + (*second - 0xDC00);
}

std::string unquote(std::string_view json) {
  if (json.size() >= 2 && json.back() == '"') json.remove_suffix(1);
  json.remove_prefix(1);
  std::string out;
  out.reserve(json.size());
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i] != '\\' || i + 1 == json.size()) {
      out += json[i];
      continue;
    }
    switch (const char c = json[++i]) {
      case 'n':
        out += '\n';
        break;
      case 't':
        out += '\t';
        break;
      case 'r':
        out += '\r';
        break;
      case 'b':
        out += '\b';
        break;
      case 'f':
        out += '\f';
        break;
      case 'u':
        append_utf8(out, take_escape(json, ++i));
        break;
      default:
        out += c;
    }
  }
  return out;
}

bool is_string(std::string_view json) { return json.starts_with('"'); }

}  // namespace

std::string dynamic_text(std::string_view json) {
  const auto value = trim(json);
  if (is_string(value)) return unquote(value);
  return value == "null" ? std::string() : std::string(value);
}

std::optional<double> dynamic_real(std::string_view json) {
  const auto value = trim(json);
  if (is_string(value)) return parse_real(unquote(value));
  if (value == "true" || value == "false") return value == "true" ? 1.0 : 0.0;
  return parse_real(value);
}

std::optional<std::int64_t> dynamic_long(std::string_view json) {
  const auto value = trim(json);
  if (is_string(value)) return parse_long(unquote(value));
  if (const auto whole = parse_long(value)) return whole;
  const auto real = dynamic_real(value);
  if (!real || !(std::fabs(*real) < 9.2e18)) return std::nullopt;
  return static_cast<std::int64_t>(*real);
}

std::optional<double> dynamic_number(std::string_view json) {
  const auto value = trim(json);
  const bool number = !value.empty() && (value.front() == '-' || (value.front() >= '0' && value.front() <= '9'));
  return number ? parse_real(value) : std::nullopt;
}

std::optional<std::int64_t> dynamic_whole(std::string_view json) {
  const auto real = dynamic_number(json);
  if (!real || std::trunc(*real) != *real) return std::nullopt;
  return dynamic_long(json);
}

std::optional<bool> dynamic_bool(std::string_view json) {
  const auto value = trim(json);
  if (is_string(value)) return parse_bool(unquote(value));
  if (const auto known = parse_bool(value)) return known;
  const auto real = parse_real(value);
  return real ? std::optional(*real != 0) : std::nullopt;
}

std::optional<std::int64_t> dynamic_datetime(std::string_view json) {
  const auto value = trim(json);
  return is_string(value) ? parse_datetime(unquote(value)) : std::nullopt;
}

std::optional<std::int64_t> dynamic_timespan(std::string_view json) {
  const auto value = trim(json);
  return is_string(value) ? parse_timespan(unquote(value)) : std::nullopt;
}

}  // namespace picket::kql
