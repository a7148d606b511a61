#include "query_parameters.h"

#include <cctype>
#include <charconv>
#include <optional>

#include "kql/native_decimal.h"
#include "kql/native_functions.h"

namespace picket::api {
namespace {

/// Reads words, punctuation and strings of a query text; comments and blanks are skipped.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}

  /// Empty: the end.
  std::string_view next() {
    skip_blank();
    if (rest_.empty()) return {};
    std::size_t size = 1;
    if (is_word(rest_[0])) {
      while (size < rest_.size() && is_word(rest_[size])) ++size;
    } else if (rest_[0] == '"' || rest_[0] == '\'') {
      size = string_size();
    }
    const std::string_view out = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return out;
  }

 private:
  static bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$'; }
  void skip_blank() {
    for (;;) {
      const std::size_t begin = std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size());
      rest_.remove_prefix(begin);
      if (!rest_.starts_with("//")) return;
      rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
    }
  }
  [[nodiscard]] std::size_t string_size() const {
    for (std::size_t at = 1; at < rest_.size(); ++at) {
      if (rest_[at] == '\\') {
        ++at;
      } else if (rest_[at] == rest_[0]) {
        return at + 1;
      }
    }
    return rest_.size();
  }
  std::string_view rest_;
};

std::optional<kql::Type> type_named(std::string_view name) {
  using Type = kql::Type;
  static const std::map<std::string_view, Type> types{
      {"bool", Type::boolean},  {"boolean", Type::boolean},   {"int", Type::int32},       {"long", Type::int64},
      {"real", Type::real},     {"double", Type::real},       {"string", Type::string},   {"datetime", Type::datetime},
      {"date", Type::datetime}, {"timespan", Type::timespan}, {"time", Type::timespan},   {"guid", Type::guid},
      {"uuid", Type::guid},     {"uniqueid", Type::guid},     {"dynamic", Type::dynamic}, {"decimal", Type::decimal}};
  const auto found = types.find(name);
  return found == types.end() ? std::nullopt : std::optional(found->second);
}

/// What stands between the brackets behind query_parameters.
std::map<std::string, kql::Type, std::less<>> declared(std::string_view query) {
  std::map<std::string, kql::Type, std::less<>> out;
  Words words(query);
  std::string_view word = words.next();
  while (!word.empty() && word != "query_parameters") word = words.next();
  if (words.next() != "(") return out;
  int depth = 1;
  for (std::string_view name = words.next(); !name.empty() && depth > 0;) {
    word = words.next();
    if (depth == 1 && word == ":") {
      if (const auto type = type_named(words.next())) out.emplace(name, *type);
      word = words.next();
    }
    if (word == "(") ++depth;
    if (word == ")") --depth;
    name = word;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// The text within type(...), if it is so written.
std::string_view unwrapped(std::string_view text) {
  text = trimmed(text);
  const std::size_t open = text.find('(');
  if (open == std::string_view::npos || !text.ends_with(')') || !type_named(text.substr(0, open))) return text;
  return trimmed(text.substr(open + 1, text.size() - open - 2));
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(value); };
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) code = 0xFFFD;
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | (code >> 6U));
  } else if (code < 0x10000) {
    byte(0xE0 | (code >> 12U));
    byte(0x80 | ((code >> 6U) & 0x3FU));
  } else {
    byte(0xF0 | (code >> 18U));
    byte(0x80 | ((code >> 12U) & 0x3FU));
    byte(0x80 | ((code >> 6U) & 0x3FU));
  }
  byte(0x80 | (code & 0x3FU));
}

/// Takes one escape off `text`, which begins with it: the language's, and what stands for itself.
void append_escaped(std::string& out, std::string_view& text) {
  constexpr std::string_view kLetters = "nrtabfv0";
  constexpr std::string_view kMeant("\n\r\t\a\b\f\v\0", 8);
  text.remove_prefix(1);
  if (text.empty()) return;
  const char letter = text.front();
  text.remove_prefix(1);
  const std::size_t digits = letter == 'u' ? 4 : letter == 'U' ? 8 : letter == 'x' ? 2 : 0;
  std::uint32_t code = 0;
  const char* const end = text.data() + std::min(digits, text.size());
  if (digits > 0 && text.size() >= digits && std::from_chars(text.data(), end, code, 16).ptr == end) {
    append_utf8(out, code);
    text.remove_prefix(digits);
    return;
  }
  const std::size_t at = kLetters.find(letter);
  out += at == std::string_view::npos ? letter : kMeant[at];
}

std::string unquoted(std::string_view text) {
  if (text.starts_with('h') || text.starts_with('H')) {  // a hidden literal: what is hidden are logs
    const std::string_view rest = text.substr(1);
    if (rest.size() >= 2 && (rest[0] == '"' || rest[0] == '\'') && rest.back() == rest[0]) text = rest;
  }
  if (text.size() < 2 || (text[0] != '"' && text[0] != '\'') || text.back() != text[0]) return std::string(text);
  std::string out;
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('\\'), text.size());
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (!text.empty()) append_escaped(out, text);
  }
  return out;
}

/// nullopt: no value of that type.
std::optional<kql::Value> value_of(kql::Type type, std::string_view text) {
  using Type = kql::Type;
  const auto made = [type](auto value) -> std::optional<kql::Value> {
    if (!value) return std::nullopt;
    return kql::Value{type, *std::move(value)};
  };
  switch (type) {
    case Type::string:
      return kql::Value{type, unquoted(text)};
    case Type::dynamic:
      return kql::Value{type, std::string(unwrapped(text))};
    case Type::boolean:
      return made(kql::parse_bool(unwrapped(text)));
    case Type::int32:
    case Type::int64:
      return made(kql::parse_long(unwrapped(text)));
    case Type::real:
      return made(kql::parse_real(unwrapped(text)));
    case Type::datetime:
      return made(kql::parse_datetime(unquoted(unwrapped(text))));
    case Type::timespan:
      return made(kql::parse_timespan(unquoted(unwrapped(text))));
    case Type::guid:
      return made(kql::parse_guid(unquoted(unwrapped(text))));
    case Type::decimal:
      return made(kql::decimal_parse(unquoted(unwrapped(text))));
  }
  return std::nullopt;
}

}  // namespace

std::expected<std::map<std::string, kql::Value, std::less<>>, ApiError> query_parameters(
    std::string_view query, const std::map<std::string, std::string, std::less<>>& texts) {
  std::map<std::string, kql::Value, std::less<>> out;
  if (texts.empty()) return out;
  for (const auto& [name, type] : declared(query)) {
    const auto given = texts.find(name);
    if (given == texts.end()) continue;
    auto value = value_of(type, given->second);
    if (!value) {
      return std::unexpected(
          ApiError{.code = "query_arguments",
                   .message = "The value of the parameter " + name + " is no " + std::string(to_string(type)) + ".",
                   .target = "parameters"});
    }
    out.emplace(name, *std::move(value));
  }
  return out;
}

}  // namespace picket::api
