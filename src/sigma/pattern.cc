#include "sigma/pattern.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

#include <arpa/inet.h>

#include "base/core/encoding.h"

namespace picket::sigma {
namespace {

using Kind = Pattern::Piece::Kind;

constexpr std::array<std::string_view, 5> kDashes{"-", "/", "\xE2\x80\x93", "\xE2\x80\x94", "\xE2\x80\x95"};

/// Bytes of the character that begins here: 1 where it is not UTF-8.
std::size_t character_bytes(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  const std::size_t size = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF8 ? 4 : 1;
  if (size > text.size()) return 1;
  for (std::size_t i = 1; i < size; ++i) {
    if ((static_cast<std::uint8_t>(text[i]) & 0xC0) != 0x80) return 1;
  }
  return size;
}

bool starts_here(std::string_view text, std::string_view literal, bool cased) {
  if (literal.size() > text.size()) return false;
  if (cased) return std::memcmp(text.data(), literal.data(), literal.size()) == 0;
  for (std::size_t i = 0; i < literal.size(); ++i) {
    if (fold(text[i]) != fold(literal[i])) return false;
  }
  return true;
}

bool word_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' ||
         static_cast<std::uint8_t>(c) >= 0x80;
}

/// Where in a literal an option's dash stands: no word before it, a word behind it.
std::vector<std::size_t> dashes_of(std::string_view text) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '-' && text[i] != '/') continue;
    if ((i == 0 || !word_character(text[i - 1])) && word_character(text[i + 1])) out.push_back(i);
  }
  return out;
}

std::uint32_t next_code_point(std::string_view& text) {
  const std::size_t size = character_bytes(text);
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<std::uint8_t>(text[i])); };
  std::uint32_t out = byte(0);
  if (size == 1 && out >= 0x80) out = 0xFFFD;
  if (size == 2) out = (byte(0) & 0x1F) << 6 | (byte(1) & 0x3F);
  if (size == 3) out = (byte(0) & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
  if (size == 4) out = (byte(0) & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
  text.remove_prefix(size);
  return out > 0x10FFFF ? 0xFFFD : out;
}

/// The address as 16 bytes, IPv4 mapped.
bool parse_address(std::string_view text, std::uint8_t (&out)[16], bool& four) {
  char buffer[64];
  if (text.empty() || text.size() >= sizeof buffer) return false;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  if (std::memchr(buffer, '\0', text.size()) != nullptr) return false;
  four = text.find(':') == std::string_view::npos;
  if (!four) {
    static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (::inet_pton(AF_INET6, buffer, out) != 1) return false;
    four = std::memcmp(out, kMapped, sizeof kMapped) == 0;
    return true;
  }
  std::memset(out, 0, 10);
  out[10] = out[11] = 0xFF;
  return ::inet_pton(AF_INET, buffer, out + 12) == 1;
}

bool same_prefix(const std::uint8_t* a, const std::uint8_t* b, std::size_t bits) {
  if (std::memcmp(a, b, bits / 8) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || ((a[bits / 8] ^ b[bits / 8]) >> (8 - rest)) == 0;
}

}  // namespace

void Pattern::add_literal(std::string_view text) {
  if (text.empty()) return;
  if (pieces.empty() || pieces.back().kind != Kind::literal) pieces.push_back({Kind::literal, {}});
  pieces.back().text += text;
}

void Pattern::add_any_run() {
  if (pieces.empty() || pieces.back().kind != Kind::any_run) pieces.push_back({Kind::any_run, {}});
}

void Pattern::add_any_one() { pieces.push_back({Kind::any_one, {}}); }

bool Pattern::has_wildcards() const {
  return std::ranges::any_of(pieces, [](const Piece& piece) { return piece.kind != Kind::literal; });
}

std::string Pattern::literal() const {
  std::string out;
  for (const Piece& piece : pieces) out += piece.text;
  return out;
}

Pattern parse_pattern(std::string_view value) {
  Pattern out;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '\\' && i + 1 < value.size() && (value[i + 1] == '*' || value[i + 1] == '?' || value[i + 1] == '\\')) {
      out.add_literal(value.substr(++i, 1));
    } else if (c == '*') {
      out.add_any_run();
    } else if (c == '?') {
      out.add_any_one();
    } else {
      out.add_literal(value.substr(i, 1));
    }
  }
  return out;
}

Pattern literal_pattern(std::string_view text) {
  Pattern out;
  out.add_literal(text);
  return out;
}

std::string folded(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), fold);
  return out;
}

bool matches(const Pattern& pattern, std::string_view text) {
  const auto& pieces = pattern.pieces;
  std::size_t at = 0;    // in text
  std::size_t next = 0;  // in pieces
  // Where to go on when what follows the latest star does not fit: one character further.
  std::size_t star = pieces.size();
  std::size_t star_at = 0;
  while (true) {
    if (next == pieces.size()) {
      if (at == text.size()) return true;
    } else if (pieces[next].kind == Kind::any_run) {
      if (next + 1 == pieces.size()) return true;
      star = next++;
      star_at = at;
      continue;
    } else if (pieces[next].kind == Kind::any_one) {
      if (at < text.size()) {
        at += character_bytes(text.substr(at));
        ++next;
        continue;
      }
    } else if (starts_here(text.substr(at), pieces[next].text, pattern.cased)) {
      at += pieces[next++].text.size();
      continue;
    }
    if (star == pieces.size() || star_at >= text.size()) return false;
    star_at += character_bytes(text.substr(star_at));
    at = star_at;
    next = star + 1;
  }
}

std::vector<Pattern> dash_variants(const Pattern& pattern) {
  std::vector<Pattern> out{Pattern{{}, pattern.cased}};
  for (const Pattern::Piece& piece : pattern.pieces) {
    if (piece.kind != Kind::literal) {
      for (Pattern& variant : out) piece.kind == Kind::any_run ? variant.add_any_run() : variant.add_any_one();
      continue;
    }
    std::size_t done = 0;
    for (const std::size_t dash : dashes_of(piece.text)) {
      if (out.size() * kDashes.size() > kDashVariantsMax) return {};
      std::vector<Pattern> more;
      const std::string_view own = std::string_view(piece.text).substr(dash, 1);
      for (Pattern& variant : out) {
        variant.add_literal(std::string_view(piece.text).substr(done, dash - done));
        more.push_back(variant);
        more.back().add_literal(own);
      }
      for (const std::string_view other : kDashes) {
        if (other == own) continue;
        for (const Pattern& variant : out) {
          more.push_back(variant);
          more.back().add_literal(other);
        }
      }
      out = std::move(more);
      done = dash + 1;
    }
    for (Pattern& variant : out) variant.add_literal(std::string_view(piece.text).substr(done));
  }
  return out;
}

std::vector<std::string> base64_offsets(std::string_view bytes) {
  static constexpr std::size_t kBegin[3] = {0, 2, 3};
  static constexpr std::size_t kCut[3] = {0, 3, 2};
  std::vector<std::string> out;
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const std::string whole = to_base64(as_bytes(std::string(offset, ' ') + std::string(bytes)));
    const std::size_t cut = kCut[(bytes.size() + offset) % 3];
    const std::size_t end = whole.size() > cut ? whole.size() - cut : 0;
    out.push_back(end > kBegin[offset] ? whole.substr(kBegin[offset], end - kBegin[offset]) : std::string());
  }
  return out;
}

std::string to_utf16(std::string_view text, Utf16 form) {
  std::string out;
  const auto put = [&](std::uint32_t unit) {
    const char high = static_cast<char>(unit >> 8);
    const char low = static_cast<char>(unit & 0xFF);
    out += form == Utf16::big ? high : low;
    out += form == Utf16::big ? low : high;
  };
  if (form == Utf16::with_mark) put(0xFEFF);
  while (!text.empty()) {
    const std::uint32_t code = next_code_point(text);
    if (code < 0x10000) {
      put(code);
    } else {
      put(0xD800 + ((code - 0x10000) >> 10));
      put(0xDC00 + ((code - 0x10000) & 0x3FF));
    }
  }
  return out;
}

bool parse_network(std::string_view text, Network& out) {
  const std::size_t slash = text.find('/');
  bool four = false;
  std::uint8_t address[16];
  if (!parse_address(text.substr(0, slash), address, four)) return false;
  unsigned bits = four ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (problem != std::errc() || end != digits.data() + digits.size() || bits > (four ? 32U : 128U)) return false;
  }
  bits += four ? 96 : 0;
  for (unsigned bit = bits; bit < 128; ++bit) {
    if ((address[bit / 8] >> (7 - bit % 8) & 1) != 0) return false;
  }
  std::memcpy(out.address, address, sizeof address);
  out.prefix_bits = static_cast<std::uint8_t>(bits);
  return true;
}

bool contains(const Network& network, std::string_view address) {
  std::uint8_t bytes[16];
  bool four = false;
  return parse_address(address, bytes, four) && same_prefix(network.address, bytes, network.prefix_bits);
}

bool parse_number(std::string_view text, double& out) {
  std::size_t digits = 0;
  std::size_t points = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      ++digits;
    } else if (c == '.' && points == 0 && digits > 0 && i + 1 < text.size()) {
      ++points;
    } else if (c != '-' || i != 0) {
      return false;
    }
  }
  if (digits == 0 || text.size() > 64) return false;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), out);
  return problem == std::errc() && end == text.data() + text.size();
}

void write_number(std::int64_t number, NumberText& out) {
  const auto [end, problem] = std::to_chars(out.buffer, out.buffer + sizeof out.buffer, number);
  out.size = problem == std::errc() ? static_cast<std::size_t>(end - out.buffer) : 0;
}

void write_number(double number, NumberText& out) {
  constexpr double kWholeMax = 9'007'199'254'740'992.0;  // beyond it not every whole number is a double
  if (std::trunc(number) == number && std::fabs(number) <= kWholeMax) {
    write_number(static_cast<std::int64_t>(number), out);
    return;
  }
  const auto [end, problem] = std::to_chars(out.buffer, out.buffer + sizeof out.buffer, number);
  out.size = problem == std::errc() ? static_cast<std::size_t>(end - out.buffer) : 0;
}

}  // namespace picket::sigma
