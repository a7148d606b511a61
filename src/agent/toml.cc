#include "agent/toml.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/core/encoding.h"

namespace picket::agent {
namespace {

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

void append_utf8(std::string& out, std::uint32_t code) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) return put(code);
  if (code < 0x800) {
    put(0xC0 | code >> 6);
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3F));
  } else {
    put(0xF0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3F));
    put(0x80 | (code >> 6 & 0x3F));
  }
  put(0x80 | (code & 0x3F));
}

/// Reads forward; the first error ends it. A failed step returns nullopt or false with `error` set.
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::expected<std::vector<TomlEntry>, TomlError> run() {
    while (!rest_.empty()) {
      skip_blank();
      if (rest_.empty()) break;
      const bool good = rest_.front() == '[' ? table() : entry();
      if (!good || !end_of_line()) return std::unexpected(error_);
    }
    return std::move(entries_);
  }

 private:
  bool wrong(std::string text) {
    if (error_.line == 0) error_ = {line_, std::move(text)};
    return false;
  }

  char peek() const { return rest_.empty() ? '\0' : rest_.front(); }
  char take() {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c == '\n') ++line_;
    return c;
  }
  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t') take();
  }
  void skip_comment() {
    if (peek() != '#') return;
    while (!rest_.empty() && peek() != '\n') take();
  }
  /// Spaces, comments and line ends.
  void skip_blank() {
    for (;;) {
      skip_spaces();
      skip_comment();
      if (peek() == '\n' || rest_.starts_with("\r\n")) {
        take();
      } else {
        return;
      }
    }
  }
  bool end_of_line() {
    skip_spaces();
    skip_comment();
    if (rest_.starts_with("\r\n")) take();
    if (rest_.empty()) return true;
    if (peek() != '\n') return wrong("something follows on the line where nothing may; is a quote missing?");
    take();
    return true;
  }

  std::optional<std::string> key() {
    std::string out;
    for (;;) {
      skip_spaces();
      const std::size_t before = out.size();
      if (peek() == '"' || peek() == '\'') {
        wrong("quoted keys are not used here; write the name without quotes");
        return std::nullopt;
      }
      while (is_bare(peek())) out.push_back(take());
      if (out.size() == before) {
        wrong("a name is expected here (letters, digits, '_' and '-')");
        return std::nullopt;
      }
      skip_spaces();
      if (peek() != '.') return out;
      out.push_back(take());
    }
  }

  bool table() {
    take();
    if (peek() == '[') return wrong("arrays of tables ([[…]]) are not used here");
    auto name = key();
    if (!name) return false;
    if (peek() != ']') return wrong("']' is missing after the table's name");
    take();
    if (std::ranges::count(tables_, *name) > 0) return wrong("table [" + *name + "] is there twice; join them");
    tables_.push_back(*name);
    prefix_ = *name + ".";
    return true;
  }

  bool entry() {
    const std::size_t line = line_;
    auto name = key();
    if (!name) return false;
    if (peek() != '=') return wrong("'=' is missing after '" + *name + "'");
    take();
    skip_spaces();
    auto value = read_value();
    if (!value) return false;
    std::string full = prefix_ + *name;
    if (const auto twice = std::ranges::find(entries_, full, &TomlEntry::key); twice != entries_.end()) {
      return wrong("'" + full + "' is set twice; first in line " + std::to_string(twice->line));
    }
    if (entries_.size() == kTomlEntriesMax) return wrong("more than 1024 settings");
    entries_.push_back({std::move(full), *std::move(value), line});
    return true;
  }

  std::optional<TomlValue> read_value() {
    switch (peek()) {
      case '"':
      case '\'': {
        auto text = string();
        if (!text) return std::nullopt;
        return *std::move(text);
      }
      case '[':
        return array();
      case '{':
        wrong("inline tables ({…}) are not used here; write a [table]");
        return std::nullopt;
      default:
        return word();
    }
  }

  /// A boolean or an integer.
  std::optional<TomlValue> word() {
    std::string text;
    while (is_bare(peek()) || peek() == '+' || peek() == '.' || peek() == ':') text.push_back(take());
    if (text == "true") return true;
    if (text == "false") return false;
    if (text.empty()) {
      wrong("a value is expected after '='");
      return std::nullopt;
    }
    std::string digits = text.starts_with('+') ? text.substr(1) : text;
    bool separated = true;  // '_' only between digits
    for (std::size_t i = 0; i < digits.size(); ++i) {
      const auto digit = [&](std::size_t at) { return at < digits.size() && digits[at] >= '0' && digits[at] <= '9'; };
      if (digits[i] == '_' && (i == 0 || !digit(i - 1) || !digit(i + 1))) separated = false;
    }
    std::erase(digits, '_');
    const std::size_t first = digits.starts_with('-') && !text.starts_with('+') ? 1 : 0;
    const bool leading_zero = digits.size() > first + 1 && digits[first] == '0';
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (error == std::errc() && end == digits.data() + digits.size() && separated && !leading_zero &&
        !(text.starts_with("+-"))) {
      return number;
    }
    wrong("'" + text + "' is no value; texts need quotes: \"" + text + "\"");
    return std::nullopt;
  }

  std::optional<TomlValue> array() {
    take();
    std::vector<std::string> out;
    for (;;) {
      skip_blank();
      if (peek() == ']') break;
      if (peek() != '"' && peek() != '\'') {
        wrong("only lists of texts in quotes are used here");
        return std::nullopt;
      }
      auto text = string();
      if (!text) return std::nullopt;
      out.push_back(*std::move(text));
      skip_blank();
      if (peek() == ']') break;
      if (peek() != ',') {
        wrong("',' or ']' is expected in the list");
        return std::nullopt;
      }
      take();
    }
    take();
    return out;
  }

  std::optional<std::string> string() {
    const char quote = take();
    std::string out;
    if (rest_.starts_with(std::string(2, quote))) {
      wrong("texts over several lines are not used here");
      return std::nullopt;
    }
    for (;;) {
      if (rest_.empty() || peek() == '\n') {
        wrong("the closing quote is missing");
        return std::nullopt;
      }
      const char c = take();
      if (c == quote) break;
      if (static_cast<unsigned char>(c) < 0x20 && c != '\t') {
        wrong("a control character in a text");
        return std::nullopt;
      }
      if (c != '\\' || quote == '\'') {
        out.push_back(c);
      } else if (!escape(out)) {
        return std::nullopt;
      }
    }
    if (!is_utf8(out)) {
      wrong("the text is not UTF-8");
      return std::nullopt;
    }
    return out;
  }

  bool escape(std::string& out) {
    const char kind = rest_.empty() ? '\0' : take();
    constexpr std::string_view kFrom = "btnfr\"\\", kTo = "\b\t\n\f\r\"\\";
    if (const auto at = kFrom.find(kind); kind != '\0' && at != std::string_view::npos) {
      out.push_back(kTo[at]);
      return true;
    }
    const std::size_t digits = kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    std::uint32_t code = 0;
    if (digits == 0 || rest_.size() < digits) return wrong("unknown escape in a text; a backslash is written \\\\");
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + digits, code, 16);
    if (error != std::errc() || end != rest_.data() + digits || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      return wrong("the escape names no character");
    }
    rest_.remove_prefix(digits);
    append_utf8(out, code);
    return true;
  }

  std::string_view rest_;
  std::size_t line_ = 1;
  std::string prefix_;
  std::vector<std::string> tables_;
  std::vector<TomlEntry> entries_;
  TomlError error_;
};

}  // namespace

std::expected<std::vector<TomlEntry>, TomlError> parse_toml(std::string_view text) {
  if (text.size() > kTomlBytesMax) return std::unexpected(TomlError{1, "the file is larger than 64 KiB"});
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Parser(text).run();
}

}  // namespace picket::agent
