#include "json_text.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

#include "base/core/encoding.h"

namespace picket::message {
namespace {

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Length of the number at the beginning of `text` after the grammar of RFC 8259 section 6; 0: none.
std::size_t number_length(std::string_view text) {
  std::size_t at = 0;
  const auto digits = [&] {
    const std::size_t begin = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at - begin;
  };
  if (at < text.size() && text[at] == '-') ++at;
  const std::size_t first = at;
  const std::size_t whole = digits();
  if (whole == 0 || (whole > 1 && text[first] == '0')) return 0;
  if (at < text.size() && text[at] == '.') {
    ++at;
    if (digits() == 0) return 0;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    if (digits() == 0) return 0;
  }
  return at;
}

// Recursive descent with an explicit depth; every function returns false with `at` on the offending byte.
class Validator {
 public:
  Validator(std::string_view text, std::size_t depth_max) : text_(text), depth_max_(depth_max) {}

  bool document() {
    if (!value(0)) return false;
    white();
    return at_ == text_.size();
  }
  [[nodiscard]] std::size_t at() const { return at_; }
  [[nodiscard]] bool too_deep() const { return too_deep_; }

 private:
  void white() {
    while (at_ < text_.size() && is_white(text_[at_])) ++at_;
  }
  bool eat(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool literal(std::string_view word) {
    for (const char c : word) {
      if (!eat(c)) return false;
    }
    return true;
  }

  bool value(std::size_t depth) {
    white();
    if (at_ >= text_.size()) return false;
    switch (text_[at_]) {
      case '{':
        return enter(depth) && members(depth + 1);
      case '[':
        return enter(depth) && elements(depth + 1);
      case '"':
        return string();
      case 't':
        return literal("true");
      case 'f':
        return literal("false");
      case 'n':
        return literal("null");
      default:
        return number();
    }
  }

  bool enter(std::size_t depth) {
    too_deep_ = depth >= depth_max_;
    if (too_deep_) return false;
    ++at_;
    white();
    return true;
  }

  bool members(std::size_t depth) {
    if (eat('}')) return true;
    for (;;) {
      white();
      if (!string()) return false;
      white();
      if (!eat(':') || !value(depth)) return false;
      white();
      if (eat('}')) return true;
      if (!eat(',')) return false;
    }
  }

  bool elements(std::size_t depth) {
    if (eat(']')) return true;
    for (;;) {
      if (!value(depth)) return false;
      white();
      if (eat(']')) return true;
      if (!eat(',')) return false;
    }
  }

  bool number() {
    const std::size_t length = number_length(text_.substr(at_));
    at_ += length;
    return length > 0;
  }

  bool string() {
    if (!eat('"')) return false;
    while (at_ < text_.size()) {
      const auto byte = static_cast<unsigned char>(text_[at_]);
      if (byte == '"') return eat('"');
      if (byte < 0x20) return false;
      if (byte == '\\' ? !escape() : !character(byte)) return false;
    }
    return false;
  }

  bool character(unsigned char byte) {
    if (byte < 0x80) {
      ++at_;
      return true;
    }
    for (std::size_t length = 2; length <= 4 && length <= text_.size() - at_; ++length) {
      if (is_utf8(text_.substr(at_, length))) {
        at_ += length;
        return true;
      }
    }
    return false;
  }

  bool escape() {
    const std::size_t begin = at_;
    ++at_;
    if (at_ >= text_.size()) return false;
    if (text_[at_] != 'u') {
      if (std::string_view("\"\\/bfnrt").find(text_[at_]) == std::string_view::npos) return false;
      ++at_;
      return true;
    }
    const int first = code_unit();
    const bool high = first >= 0xD800 && first <= 0xDBFF;
    bool good = first >= 0 && !(first >= 0xDC00 && first <= 0xDFFF);
    if (good && high) {
      const int second = eat('\\') ? code_unit() : -1;
      good = second >= 0xDC00 && second <= 0xDFFF;
    }
    if (!good) at_ = begin;
    return good;
  }

  // "uXXXX" at the cursor; -1: broken.
  int code_unit() {
    if (text_.size() - at_ < 5 || text_[at_] != 'u') return -1;
    int out = 0;
    for (std::size_t i = 1; i < 5; ++i) {
      const int digit = hex_digit(text_[at_ + i]);
      if (digit < 0) return -1;
      out = out * 16 + digit;
    }
    at_ += 5;
    return out;
  }

  std::string_view text_;
  std::size_t depth_max_;
  std::size_t at_ = 0;
  bool too_deep_ = false;
};

template <class Number>
bool reads_as(std::string_view number) {
  Number value{};
  return std::from_chars(number.data(), number.data() + number.size(), value).ec == std::errc{};
}

// Whether a valid number fits what simdjson holds: 64 bits when it is whole, a finite double otherwise.
bool fits(std::string_view number) {
  if (number.find_first_of(".eE") != std::string_view::npos) return reads_as<double>(number);
  return reads_as<std::int64_t>(number) || reads_as<std::uint64_t>(number);
}

}  // namespace

std::optional<std::size_t> find_json_error(std::string_view text, std::size_t depth_max, bool& too_deep) {
  Validator validator(text, depth_max);
  const bool good = validator.document();
  too_deep = validator.too_deep();
  if (good) return std::nullopt;
  return validator.at();
}

bool mask_huge_numbers(std::string_view text, std::string& out) {
  out = text;
  bool found = false;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '"') {
      for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\';
      ++at;
    } else if (const std::size_t length = number_length(text.substr(at)); length > 0) {
      if (length >= 2 && !fits(text.substr(at, length))) {
        out.replace(at, length, length, '0');
        out[at] = out[at + length - 1] = '"';
        found = true;
      }
      at += length;
    } else {
      ++at;
    }
  }
  return found;
}

void JsonWalker::white() {
  while (at_ < text_.size() && is_white(text_[at_])) ++at_;
}

void JsonWalker::string() {
  if (at_ < text_.size()) ++at_;
  for (;;) {
    const std::size_t quote = text_.find('"', at_);
    if (quote == std::string_view::npos) {
      at_ = text_.size();
      return;
    }
    std::size_t first = quote;  // a quote ends the string unless an odd number of backslashes stands before it
    while (first > at_ && text_[first - 1] == '\\') --first;
    at_ = quote + 1;
    if ((quote - first) % 2 == 0) return;
  }
}

// Only brackets and quotes matter inside.
void JsonWalker::container() {
  static constexpr auto kMatters = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("\"{}[]")) table[static_cast<unsigned char>(c)] = true;
    return table;
  }();
  std::size_t depth = 0;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (!kMatters[static_cast<unsigned char>(c)]) {
      ++at_;
    } else if (c == '"') {
      string();
    } else {
      ++at_;
      if (c == '{' || c == '[')
        ++depth;
      else if (--depth == 0)
        return;
    }
  }
}

std::string_view JsonWalker::value() {
  white();
  const std::size_t begin = at_;
  const char first = at_ < text_.size() ? text_[at_] : '\0';
  if (first == '"') {
    string();
  } else if (first == '{' || first == '[') {
    container();
  } else {
    while (at_ < text_.size() && !std::string_view(",}] \t\r\n").contains(text_[at_])) ++at_;
  }
  const std::string_view out = text_.substr(begin, at_ - begin);
  comma();
  return out;
}

}  // namespace picket::message
