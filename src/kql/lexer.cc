#include "lexer.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "base/core/encoding.h"
#include "kql/compile.h"
#include "kql/native_decimal.h"
#include "kql/native_functions.h"

namespace picket::kql {

namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name(char c) { return is_letter(c) || is_digit(c) || c == '_'; }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Longest first among those that share a beginning.
constexpr std::array<std::string_view, 30> kPunctuation = {"==", "!=", "<>", "<=", ">=", "=~", "!~", "=>", "..", "|",
                                                           ";",  ",",  ".",  "(",  ")",  "[",  "]",  "{",  "}",  "=",
                                                           "<",  ">",  "+",  "-",  "*",  "/",  "%",  ":",  "?",  "@"};

/// Operators written with '!' in front of a word; the word alone is an identifier.
constexpr std::array<std::string_view, 15> kNegated = {"!has_cs",        "!has",        "!hasprefix_cs", "!hasprefix",
                                                       "!hassuffix_cs",  "!hassuffix",  "!contains_cs",  "!contains",
                                                       "!startswith_cs", "!startswith", "!endswith_cs",  "!endswith",
                                                       "!in~",           "!in",         "!between"};

/// Bytes of the blank that is no ASCII character and stands first here, as pasted from web pages: the spaces of
/// Unicode, its line ends, and the mark that editors put before a text. 0: none.
std::size_t wide_blank(std::string_view text) {
  if (text.starts_with("\xC2\xA0") || text.starts_with("\xC2\x85")) return 2;
  if (text.size() >= 3 && text.starts_with("\xE2\x80")) {
    const auto last = static_cast<unsigned char>(text[2]);  // U+2000 to U+200B, U+2028, U+2029, U+202F
    return last <= 0x8B && last >= 0x80 ? 3 : last == 0xA8 || last == 0xA9 || last == 0xAF ? 3 : 0;
  }
  for (const std::string_view blank : {"\xE1\x9A\x80", "\xE2\x81\x9F", "\xE3\x80\x80", "\xEF\xBB\xBF"}) {
    if (text.starts_with(blank)) return 3;
  }
  return 0;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Checked<std::vector<Token>> run() {
    for (;;) {
      skip_blanks();
      if (at_ >= text_.size()) break;
      TRY_VOID(next());
    }
    tokens_.push_back({TokenKind::end, {text_.size(), 0}, text_.substr(text_.size())});
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

  void skip_blanks() {
    for (;;) {
      while (at_ < text_.size() && (peek() == ' ' || (peek() >= '\t' && peek() <= '\r'))) ++at_;
      if (const auto wide = wide_blank(rest()); wide > 0) {
        at_ += wide;
        continue;
      }
      if (!rest().starts_with("//")) return;
      at_ = std::min(text_.find('\n', at_), text_.size());
    }
  }

  void push(TokenKind kind, std::size_t start, Value value = {}) {
    tokens_.push_back({kind, {start, at_ - start}, text_.substr(start, at_ - start), std::move(value)});
  }

  Checked<> next() {
    const char c = peek();
    if (starts_string()) return string_literal();
    if (is_hex(c) && at_bare_guid()) {
      return diagnose(code::kLiteral, {at_, 36}, "a guid is written guid(" + std::string(rest().substr(0, 36)) + ")");
    }
    if (is_digit(c)) return number();
    if (is_letter(c) || c == '_' || (c == '$' && is_name(peek(1)))) return word();
    return punctuation();
  }

  // --- strings

  [[nodiscard]] bool starts_string() const {
    std::size_t i = at_;
    if (i < text_.size() && (text_[i] == 'h' || text_[i] == 'H')) ++i;
    if (i < text_.size() && text_[i] == '@') ++i;
    const auto from = text_.substr(std::min(i, text_.size()));
    return from.starts_with('"') || from.starts_with('\'') || from.starts_with("```") || from.starts_with("~~~");
  }

  Checked<> string_literal() {
    const std::size_t start = at_;
    if (peek() == 'h' || peek() == 'H') ++at_;
    const bool verbatim = peek() == '@';
    if (verbatim) ++at_;
    std::string out;
    if (rest().starts_with("```") || rest().starts_with("~~~")) {
      const auto mark = rest().substr(0, 3);
      const auto end = text_.find(mark, at_ + 3);
      if (end == std::string_view::npos) return unterminated(start);
      out = text_.substr(at_ + 3, end - at_ - 3);
      at_ = end + 3;
    } else {
      TRY_VOID(quoted(start, verbatim, out));
    }
    push(TokenKind::string, start, {Type::string, std::move(out)});
    return {};
  }

  [[nodiscard]] std::unexpected<Diagnostic> unterminated(std::size_t start) const {
    const auto line_end = std::min(text_.find('\n', start), text_.size());
    return diagnose(code::kSyntax, {start, line_end - start}, "this string literal has no end");
  }

  Checked<> quoted(std::size_t start, bool verbatim, std::string& out) {
    const char quote = text_[at_++];
    for (;;) {
      if (at_ >= text_.size() || peek() == '\n' || peek() == '\r') return unterminated(start);
      const char c = text_[at_++];
      if (c == quote) {
        if (!verbatim || peek() != quote) return {};
        ++at_;  // a doubled quote stands for one
        out += quote;
      } else if (c == '\\' && !verbatim) {
        TRY_VOID(escape(out));
      } else {
        out += c;
      }
    }
  }

  Checked<> escape(std::string& out) {
    const std::size_t start = at_ - 1;
    const char c = peek();
    ++at_;
    constexpr std::string_view kLetters = "ntrabfv0\\'\"/`";
    constexpr std::string_view kMeanings("\n\t\r\a\b\f\v\0\\'\"/`", 13);
    if (const auto known = kLetters.find(c); at_ <= text_.size() && known != std::string_view::npos) {
      out += kMeanings[known];
      return {};
    }
    const std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0) {
      at_ = std::min(at_, text_.size());
      return diagnose(code::kSyntax, {start, at_ - start},
                      "unknown escape in a string literal; for a backslash write \\\\");
    }
    auto code_point = hex(digits);
    if (code_point && *code_point >= 0xD800 && *code_point < 0xDC00 && rest().starts_with("\\u")) {
      at_ += 2;
      const auto low = hex(4);
      code_point = low && *low >= 0xDC00 && *low < 0xE000
                       ? std::optional(0x10000 + ((*code_point - 0xD800) << 10U) + (*low - 0xDC00))
                       : std::nullopt;
    }
    if (!code_point || *code_point > 0x10FFFF || (*code_point >= 0xD800 && *code_point < 0xE000)) {
      return diagnose(code::kSyntax, {start, at_ - start}, "this escape is not a Unicode character");
    }
    append_utf8(out, *code_point);
    return {};
  }

  std::optional<std::uint32_t> hex(std::size_t digits) {
    std::uint32_t value = 0;
    const auto part = rest().substr(0, digits);
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, 16);
    if (part.size() < digits || error != std::errc{} || end != part.data() + digits) return std::nullopt;
    at_ += digits;
    return value;
  }

  static void append_utf8(std::string& out, std::uint32_t c) {
    const auto byte = [&out](std::uint32_t b) { out += static_cast<char>(static_cast<unsigned char>(b)); };
    if (c < 0x80) return byte(c);
    if (c < 0x800) {
      byte(0xC0U | c >> 6U);
    } else if (c < 0x10000) {
      byte(0xE0U | c >> 12U);
      byte(0x80U | (c >> 6U & 0x3FU));
    } else {
      byte(0xF0U | c >> 18U);
      byte(0x80U | (c >> 12U & 0x3FU));
      byte(0x80U | (c >> 6U & 0x3FU));
    }
    byte(0x80U | (c & 0x3FU));
  }

  // --- numbers, names, typed literals

  /// A guid that is not written guid(...), nor in quotes.
  [[nodiscard]] bool at_bare_guid() const {
    const auto text = rest().substr(0, 36);
    return text.size() == 36 && text[8] == '-' && !is_name(peek(36)) && parse_guid(text).has_value();
  }

  Checked<> number() {
    const std::size_t start = at_;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X') && is_hex(peek(2))) {
      at_ += 2;
      while (is_hex(peek())) ++at_;
      if (is_name(peek())) return word_from(start);
      return whole_number(start);
    }
    while (is_digit(peek())) ++at_;
    bool real = false;
    if (peek() == '.' && is_digit(peek(1))) {
      real = true;
      ++at_;
      while (is_digit(peek())) ++at_;
    } else if (peek() == '.' && peek(1) != '.' && !is_name(peek(1))) {
      real = true;  // "1."
      ++at_;
    }
    const std::size_t exponent = exponent_length();
    if (exponent > 0) {
      at_ += exponent;
      real = true;
    } else if (is_letter(peek()) || peek() == '_') {
      return with_unit(start, real);
    }
    if (!real) return whole_number(start);
    const auto value = parse_real(text_.substr(start, at_ - start));
    if (!value) return diagnose(code::kLiteral, {start, at_ - start}, "this number is beyond what a real can hold");
    push(TokenKind::literal, start, {Type::real, *value});
    return {};
  }

  [[nodiscard]] std::size_t exponent_length() const {
    if (peek() != 'e' && peek() != 'E') return 0;
    std::size_t n = peek(1) == '+' || peek(1) == '-' ? 2 : 1;
    if (!is_digit(peek(n))) return 0;
    while (is_digit(peek(n))) ++n;
    return is_letter(peek(n)) || peek(n) == '_' ? 0 : n;
  }

  Checked<> whole_number(std::size_t start) {
    const auto value = parse_long(text_.substr(start, at_ - start));
    if (!value) return diagnose(code::kLiteral, {start, at_ - start}, "this number is beyond 64 bits");
    push(TokenKind::literal, start, {Type::int64, *value});
    return {};
  }

  /// 5min, 1.5h; otherwise a name that starts with a digit.
  Checked<> with_unit(std::size_t start, bool real) {
    const std::size_t unit_start = at_;
    while (is_name(peek())) ++at_;
    const auto unit = timespan_unit(text_.substr(unit_start, at_ - unit_start));
    if (!unit) {
      if (!real) return word_from(start);
      return diagnose(code::kSyntax, {start, at_ - start}, "this is neither a number nor a timespan");
    }
    const auto ticks = scale_timespan(text_.substr(start, unit_start - start), *unit);
    if (!ticks) return diagnose(code::kLiteral, {start, at_ - start}, "this timespan is out of range");
    push(TokenKind::literal, start, {Type::timespan, *ticks});
    return {};
  }

  Checked<> word_from(std::size_t start) {
    while (is_name(peek())) ++at_;
    push(TokenKind::identifier, start);
    return {};
  }

  Checked<> word() {
    const std::size_t start = at_++;
    while (is_name(peek())) ++at_;
    const auto name = text_.substr(start, at_ - start);
    if ((name == "in" || name == "has_any") && peek() == '~') {
      ++at_;
      push(TokenKind::punctuation, start);
      return {};
    }
    std::size_t open = at_;
    while (open < text_.size() && (text_[open] == ' ' || text_[open] == '\t')) ++open;
    const bool after_dot = !tokens_.empty() && tokens_.back().text == ".";
    if (open < text_.size() && text_[open] == '(' && !after_dot) {
      const auto type = type_of_name(name);
      if (type && *type != Type::string && *type != Type::dynamic) return typed_literal(start, *type, open);
    }
    push(TokenKind::identifier, start);
    return {};
  }

  /// datetime(2026-01-02 03:04): the content is no expression, so it is read as text up to the bracket.
  Checked<> typed_literal(std::size_t start, Type type, std::size_t open) {
    const auto close = text_.find_first_of(")\n", open);
    if (close == std::string_view::npos || text_[close] != ')') {
      return diagnose(code::kSyntax, {start, open + 1 - start}, "this literal has no closing ')'");
    }
    auto content = text_.substr(open + 1, close - open - 1);
    at_ = close + 1;
    while (content.starts_with(' ')) content.remove_prefix(1);
    while (content.ends_with(' ')) content.remove_suffix(1);
    if (content.size() >= 2 && (content.front() == '"' || content.front() == '\'') &&
        content.back() == content.front()) {
      content = content.substr(1, content.size() - 2);
    }
    auto value = value_of(type, content);
    if (!value) {
      return diagnose(code::kLiteral, {start, at_ - start},
                      "'" + std::string(content) + "' is not a " + std::string(to_string(type)) + " literal");
    }
    push(TokenKind::literal, start, std::move(*value));
    return {};
  }

  static std::optional<Value> value_of(Type type, std::string_view content) {
    if (content == "null") return Value{type, std::monostate{}};
    const auto wrap = [type](auto parsed) -> std::optional<Value> {
      if (!parsed) return std::nullopt;
      return Value{type, std::move(*parsed)};
    };
    switch (type) {
      case Type::boolean:
        return wrap(parse_bool(content));
      case Type::int64:
        return wrap(parse_long(content));
      case Type::real:
        return wrap(parse_real(content));
      case Type::datetime:
        return wrap(parse_datetime(content));
      case Type::timespan:
        return wrap(parse_timespan(content));
      case Type::guid:
        return wrap(parse_guid(content));
      case Type::decimal:
        return wrap(decimal_parse(content));
      case Type::int32: {
        const auto whole = parse_long(content);
        if (!whole || *whole < std::numeric_limits<std::int32_t>::min() ||
            *whole > std::numeric_limits<std::int32_t>::max()) {
          return std::nullopt;
        }
        return Value{type, *whole};
      }
      case Type::string:
      case Type::dynamic:
        return std::nullopt;
    }
    return std::nullopt;
  }

  Checked<> punctuation() {
    const std::size_t start = at_;
    for (const auto known : kNegated) {
      if (!rest().starts_with(known)) continue;
      if (known.back() != '~' && is_name(peek(known.size()))) continue;
      at_ += known.size();
      push(TokenKind::punctuation, start);
      return {};
    }
    for (const auto known : kPunctuation) {
      if (!rest().starts_with(known)) continue;
      at_ += known.size();
      push(TokenKind::punctuation, start);
      return {};
    }
    std::size_t length = 1;  // a whole character, so that the span does not cut it
    while (at_ + length < text_.size() && (static_cast<unsigned char>(text_[at_ + length]) & 0xC0U) == 0x80U) ++length;
    return diagnose(code::kSyntax, {start, length}, "unexpected character");
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

Checked<std::vector<Token>> tokenize(std::string_view text) {
  if (text.size() > kQueryBytesMax) {
    return diagnose(code::kLimit, {kQueryBytesMax, text.size() - kQueryBytesMax},
                    "the query is longer than " + std::to_string(kQueryBytesMax) + " bytes");
  }
  if (!is_utf8(text)) return diagnose(code::kSyntax, {0, 0}, "the query is not UTF-8");
  return Lexer(text).run();
}

std::optional<Type> type_of_name(std::string_view name) {
  struct Known {
    std::string_view name;
    Type type;
  };
  static constexpr Known kTypes[] = {
      {"bool", Type::boolean},  {"boolean", Type::boolean},   {"int", Type::int32},       {"long", Type::int64},
      {"real", Type::real},     {"double", Type::real},       {"string", Type::string},   {"datetime", Type::datetime},
      {"date", Type::datetime}, {"timespan", Type::timespan}, {"time", Type::timespan},   {"guid", Type::guid},
      {"uniqueid", Type::guid}, {"uuid", Type::guid},         {"dynamic", Type::dynamic}, {"decimal", Type::decimal},
  };
  const auto* const found = std::ranges::find(kTypes, name, &Known::name);
  return found == std::end(kTypes) ? std::nullopt : std::optional(found->type);
}

}  // namespace picket::kql
