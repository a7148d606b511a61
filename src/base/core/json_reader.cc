#include "base/core/json_reader.h"

#include <charconv>

#include "base/core/encoding.h"

namespace picket {
namespace {

bool is_white(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
int hex_digit(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Reads forward over one value. Each step is false, and `at` stands on the culprit, when the text is not JSON.
struct Checker {
  std::string_view text;
  std::size_t at = 0;
  std::size_t depth_left = 0;
  bool too_deep = false;

  [[nodiscard]] char here() const { return at < text.size() ? text[at] : '\0'; }
  void white() {
    while (at < text.size() && is_white(text[at])) ++at;
  }
  bool word(std::string_view expected) {
    for (const char c : expected) {
      if (here() != c) return false;
      ++at;
    }
    return true;
  }
  bool digits() {
    if (!is_digit(here())) return false;
    while (is_digit(here())) ++at;
    return true;
  }
  bool number() {
    if (here() == '-') ++at;
    if (here() == '0') {
      ++at;
    } else if (!digits()) {
      return false;
    }
    if (here() == '.') {
      ++at;
      if (!digits()) return false;
    }
    if (here() != 'e' && here() != 'E') return true;
    ++at;
    if (here() == '+' || here() == '-') ++at;
    return digits();
  }
  bool string() {
    if (here() != '"') return false;
    ++at;
    while (at < text.size() && text[at] != '"') {
      if (static_cast<unsigned char>(text[at]) < 0x20) return false;
      if (text[at++] != '\\') continue;
      const char escape = here();
      if (escape == 'u') {
        ++at;
        for (int i = 0; i < 4; ++i, ++at) {
          if (hex_digit(here()) < 0) return false;
        }
      } else {
        if (escape == '\0' || std::string_view("\"\\/bfnrt").find(escape) == std::string_view::npos) return false;
        ++at;
      }
    }
    return word("\"");
  }
  bool container(char close) {
    if (depth_left == 0) return too_deep = true, false;
    --depth_left;
    ++at;
    white();
    const bool members = close == '}';
    while (here() != close) {
      if (members) {
        if (!string()) return false;
        white();
        if (!word(":")) return false;
      }
      if (!value()) return false;
      if (here() != ',') break;
      ++at;
      white();
      if (here() == close) return false;  // a comma with nothing behind it
    }
    ++depth_left;
    return word({&close, 1});
  }
  /// With the white space around it.
  bool value() {
    white();
    bool good = false;
    switch (here()) {
      case '{':
        good = container('}');
        break;
      case '[':
        good = container(']');
        break;
      case '"':
        good = string();
        break;
      case 't':
        good = word("true");
        break;
      case 'f':
        good = word("false");
        break;
      case 'n':
        good = word("null");
        break;
      default:
        good = number();
    }
    if (good) white();
    return good;
  }
};

void put_code_point(std::string& out, std::uint32_t code) {
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

/// Four hex digits at the front of `rest`; nullopt: too short.
std::optional<std::uint32_t> code_unit(std::string_view rest) {
  if (rest.size() < 4) return std::nullopt;
  std::uint32_t out = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const int digit = hex_digit(rest[i]);
    if (digit < 0) return std::nullopt;
    out = out << 4 | static_cast<std::uint32_t>(digit);
  }
  return out;
}

/// The escape at the front of `rest`, behind its backslash.
void unescape(std::string& out, std::string_view& rest) {
  constexpr std::uint32_t kReplacement = 0xFFFD;
  const char escape = rest.front();
  rest.remove_prefix(1);
  switch (escape) {
    case 'b':
      return out.push_back('\b');
    case 'f':
      return out.push_back('\f');
    case 'n':
      return out.push_back('\n');
    case 'r':
      return out.push_back('\r');
    case 't':
      return out.push_back('\t');
    case 'u':
      break;
    default:
      return out.push_back(escape);
  }
  const std::uint32_t first = code_unit(rest).value_or(kReplacement);
  rest.remove_prefix(std::min<std::size_t>(4, rest.size()));
  if (first < 0xD800 || first > 0xDFFF) return put_code_point(out, first);
  if (first < 0xDC00 && rest.starts_with("\\u")) {
    if (const auto second = code_unit(rest.substr(2)); second && *second >= 0xDC00 && *second <= 0xDFFF) {
      rest.remove_prefix(6);
      return put_code_point(out, 0x10000 + ((first - 0xD800) << 10) + (*second - 0xDC00));
    }
  }
  put_code_point(out, kReplacement);
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t depth_max) {
  Checker checker{.text = text, .depth_left = depth_max};
  checker.white();
  const std::size_t begin = checker.at;
  const bool good = checker.value();
  if (checker.too_deep) return fail(Errc::limit_exceeded, "json.depth", checker.at);
  if (checker.at == text.size() && !good) return fail(Errc::truncated, "json", checker.at);
  if (!good || checker.at != text.size()) return fail(Errc::malformed, "json", checker.at);
  if (!is_utf8(text)) return fail(Errc::malformed, "json.utf8");
  std::string_view raw = text.substr(begin);
  while (is_white(raw.back())) raw.remove_suffix(1);
  return Json(raw);
}

Json::Kind Json::kind() const {
  switch (raw_.front()) {
    case '{':
      return Kind::object;
    case '[':
      return Kind::array;
    case '"':
      return Kind::text;
    case 't':
    case 'f':
      return Kind::boolean;
    case 'n':
      return Kind::null;
    default:
      return Kind::number;
  }
}

std::optional<bool> Json::boolean() const {
  if (kind() != Kind::boolean) return std::nullopt;
  return raw_.front() == 't';
}

std::optional<std::int64_t> Json::integer() const {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(raw_.data(), raw_.data() + raw_.size(), out);
  if (kind() != Kind::number || error != std::errc() || end != raw_.data() + raw_.size()) return std::nullopt;
  return out;
}

std::optional<std::string> Json::text() const {
  if (kind() != Kind::text) return std::nullopt;
  std::string_view rest = raw_.substr(1, raw_.size() - 2);
  std::string out;
  out.reserve(rest.size());
  while (!rest.empty()) {
    const auto plain = std::min(rest.find('\\'), rest.size());
    out += rest.substr(0, plain);
    rest.remove_prefix(plain);
    if (rest.empty()) break;
    rest.remove_prefix(1);
    unescape(out, rest);
  }
  return out;
}

std::optional<Json> Json::find(std::string_view name) const {
  std::optional<Json> out;
  for_members([&](std::string_view each, Json value) {
    if (each == name) out = value;
  });
  return out;
}

Json::Walk::Walk(std::string_view container, char open) {
  if (container.empty() || container.front() != open) return;
  rest_ = container.substr(1, container.size() - 2);
}

bool Json::Walk::next() {
  while (!rest_.empty() && (is_white(rest_.front()) || rest_.front() == ',')) rest_.remove_prefix(1);
  return !rest_.empty();
}

void Json::Walk::skip(char expected) {
  while (!rest_.empty() && (is_white(rest_.front()) || rest_.front() == expected)) rest_.remove_prefix(1);
}

/// No recursion and no check: brackets outside strings are counted.
std::string_view Json::Walk::take() {
  std::size_t at = 0, depth = 0;
  while (at < rest_.size()) {
    const char c = rest_[at];
    if (c == '"') {
      for (++at; at < rest_.size() && rest_[at] != '"'; ++at) {
        if (rest_[at] == '\\') ++at;
      }
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (c == '}' || c == ']') {
      --depth;
    } else if (depth == 0 && (c == ',' || c == ':' || is_white(c))) {
      break;
    }
    ++at;
    if (depth == 0 && (c == '"' || c == '}' || c == ']')) break;
  }
  const std::string_view out = rest_.substr(0, at);
  rest_.remove_prefix(out.size());
  return out;
}

}  // namespace picket
