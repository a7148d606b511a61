#include "pattern_lexer.h"

namespace picket::intelligence {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

/// Blanks and comments.
void PatternLexer::skip() {
  for (;;) {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
    const auto rest = text_.substr(at_);
    const std::string_view end = rest.starts_with("//") ? "\n" : rest.starts_with("/*") ? "*/" : "";
    if (end.empty()) return;
    const auto found = text_.find(end, at_ + 2);
    at_ = found == std::string_view::npos ? text_.size() : found + end.size();
  }
}

std::expected<Lexeme, PatternFault> PatternLexer::quoted(char prefix) {
  Lexeme out{.token = Token::text, .prefix = prefix, .offset = at_};
  for (++at_; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\'') {
      ++at_;
      return out;
    }
    if (c == '\\') {
      if (++at_ == text_.size()) break;
      if (text_[at_] != '\\' && text_[at_] != '\'') return std::unexpected(broken("an escape that there is not"));
    }
    out.value += text_[at_];
  }
  return std::unexpected(PatternFault{out.offset, true, "a text without its end"});
}

std::expected<Lexeme, PatternFault> PatternLexer::next() {
  skip();
  Lexeme out{.offset = at_};
  if (at_ == text_.size()) return out;
  const char c = text_[at_];
  if (c == '\'') return quoted(0);
  if ((c == 't' || c == 'b' || c == 'h') && text_.substr(at_ + 1).starts_with('\'')) {
    ++at_;
    return quoted(c);
  }
  const auto take = [&](Token token, std::size_t length) {
    out.token = token;
    out.raw = text_.substr(at_, length);
    at_ += length;
    return out;
  };
  std::size_t length = 1;
  const auto rest = text_.substr(at_);
  if (is_letter(c)) {
    // Names of objects and properties have hyphens inside: ipv4-addr, x-com-thing.
    while (length < rest.size() && (is_letter(rest[length]) || is_digit(rest[length]) || rest[length] == '-')) ++length;
    return take(Token::word, length);
  }
  if (is_digit(c) || ((c == '-' || c == '+') && rest.size() > 1 && is_digit(rest[1]))) {
    while (length < rest.size() && (is_digit(rest[length]) || rest[length] == '.')) ++length;
    return take(Token::number, length);
  }
  for (const std::string_view sign : {"!=", "<>", "<=", ">=", "=="}) {
    if (rest.starts_with(sign)) return take(Token::sign, 2);
  }
  constexpr std::string_view kSigns = "[]()=<>:.,*";
  if (kSigns.find(c) == std::string_view::npos) return std::unexpected(broken("a character that means nothing here"));
  return take(Token::sign, 1);
}

}  // namespace picket::intelligence
