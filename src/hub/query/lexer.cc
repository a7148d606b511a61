#include "lexer.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/core/encoding.h"
#include "hub/condition.h"
#include "hub/json_value.h"

namespace picket::hub {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool is_name(char c) { return is_name_start(c) || is_digit(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

void append_utf8(std::string& out, unsigned code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 0x3F));
  } else {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (code & 0x3F));
  }
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  HubResult<std::vector<Token>> run() {
    std::vector<Token> out;
    for (;;) {
      if (!skip_blanks()) return error(at_, "this comment has no end; close it with */.");
      if (out.size() > 2 * kQueryNodesMax) return error(at_, "the text has too many words.");
      if (at_ == text_.size()) {
        out.push_back({TokenKind::end, "", at_});
        return out;
      }
      auto token = next();
      if (!token) return std::unexpected(token.error());
      out.push_back(*std::move(token));
    }
  }

 private:
  [[nodiscard]] std::unexpected<HubError> error(std::size_t offset, std::string_view what) const {
    return std::unexpected(query_error(text_, offset, what));
  }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  bool skip_blanks() {
    for (;;) {
      while (at_ < text_.size() && is_space(text_[at_])) ++at_;
      if (!text_.substr(at_).starts_with("/*")) return true;
      const std::size_t close = text_.find("*/", at_ + 2);
      if (close == std::string_view::npos) return false;
      at_ = close + 2;
    }
  }

  HubResult<Token> next() {
    const char c = peek();
    if (is_name_start(c)) return name();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    if (c == '\'' || c == '"') return string();
    return symbol();
  }

  Token name() {
    const std::size_t start = at_;
    const bool system = peek() == '$';
    while (at_ < text_.size()) {
      // System properties have names such as $dt-dataschema.
      const bool hyphen = system && peek() == '-' && is_name_start(peek(1)) && peek(1) != '$';
      if (!is_name(peek()) && !hyphen) break;
      ++at_;
    }
    return {TokenKind::name, std::string(text_.substr(start, at_ - start)), start};
  }

  void digits() {
    while (is_digit(peek())) ++at_;
  }

  HubResult<Token> number() {
    const std::size_t start = at_;
    if (peek() == '0' && (peek(1) == 'x' || peek(1) == 'X')) return hexadecimal();
    digits();
    if (peek() == '.' && is_digit(peek(1))) {
      ++at_;
      digits();
    }
    if ((peek() == 'e' || peek() == 'E') &&
        (is_digit(peek(1)) || ((peek(1) == '+' || peek(1) == '-') && is_digit(peek(2))))) {
      at_ += 2;
      digits();
    }
    if (is_name(peek())) return error(start, "a number ends in letters; put names that begin with a digit into [[ ]].");
    std::string text(text_.substr(start, at_ - start));
    if (text.starts_with('.')) text.insert(0, "0");
    const std::size_t zeros = std::min(text.find_first_not_of('0'), text.size());
    const bool whole = zeros == text.size() || !is_digit(text[zeros]);
    text.erase(0, whole && zeros > 0 ? zeros - 1 : zeros);
    return Token{TokenKind::number, std::move(text), start};
  }

  HubResult<Token> hexadecimal() {
    const std::size_t start = at_;
    at_ += 2;
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value, 16);
    const auto used = static_cast<std::size_t>(end - (text_.data() + at_));
    if (failed != std::errc() || used == 0) return error(start, "0x needs 1 to 16 hexadecimal digits.");
    at_ += used;
    if (is_name(peek())) return error(start, "0x needs 1 to 16 hexadecimal digits.");
    return Token{TokenKind::number, std::to_string(value), start};
  }

  HubResult<Token> string() {
    const std::size_t start = at_;
    const char quote = text_[at_++];
    std::string out;
    for (;;) {
      if (at_ >= text_.size()) return error(start, "this text has no closing quote.");
      const char c = text_[at_++];
      if (c == quote) {
        if (peek() != quote) return Token{TokenKind::string, std::move(out), start};
        ++at_;  // '' inside quotes is one quote, as in SQL
        out += quote;
      } else if (c == '\\') {
        if (!escape(out))
          return error(at_ - 1, "only \\', \\\", \\\\, \\/, \\b, \\f, \\n, \\r, \\t and \\uXXXX are escapes.");
      } else {
        out += c;
      }
    }
  }

  bool escape(std::string& out) {
    const char c = peek();
    constexpr std::string_view kNames = "'\"\\/bfnrt";
    constexpr std::string_view kValues = "'\"\\/\b\f\n\r\t";
    if (const std::size_t at = kNames.find(c); c != '\0' && at != std::string_view::npos) {
      out += kValues[at];
      ++at_;
      return true;
    }
    if (c != 'u' || at_ + 5 > text_.size()) return false;
    unsigned code = 0;
    const char* const begin = text_.data() + at_ + 1;
    const auto [end, failed] = std::from_chars(begin, begin + 4, code, 16);
    if (failed != std::errc() || end != begin + 4 || (code >= 0xD800 && code <= 0xDFFF)) return false;
    append_utf8(out, code);
    at_ += 5;
    return true;
  }

  HubResult<Token> symbol() {
    for (const std::string_view known : {"[[", "]]", "!=", "<>", "<=", ">=", "==", "(", ")", "[", "]",
                                         ",",  ".",  "=",  "<",  ">",  "+",  "-",  "*", "/", "%"}) {
      if (!text_.substr(at_).starts_with(known)) continue;
      // "]]" closes only a "[[": a[b[0]] does not occur in this language,
      // [1,[2]] is refused anyway.
      at_ += known.size();
      return Token{TokenKind::symbol, std::string(known == "==" ? "=" : known), at_ - known.size()};
    }
    return error(at_, fmt::format("'{}' is not part of the language.", text_.substr(at_, 1)));
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

HubError query_error(std::string_view text, std::size_t offset, std::string_view what) {
  std::size_t line = 1;
  std::size_t column = 1;
  for (const char c : text.substr(0, offset)) {
    if (c == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++column;
    }
  }
  return {kArgumentInvalid, fmt::format("Line {}, column {}: {}", line, column, what)};
}

HubResult<std::vector<Token>> tokenize(std::string_view text) {
  if (text.size() > kQueryTextBytesMax) {
    return hub_fail(kArgumentInvalid, "The query is longer than 65536 bytes; ask for less at a time.");
  }
  if (!is_utf8(text) || text.find('\0') != std::string_view::npos) {
    return hub_fail(kArgumentInvalid, "The query is not valid UTF-8 text.");
  }
  return Lexer(text).run();
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  const auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return low(x) == low(y); });
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

}  // namespace picket::hub
