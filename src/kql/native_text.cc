// Texts: counting, translating, encodings.
#include "kql/native_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <span>
#include <stdexcept>
#include <vector>

#include "base/core/encoding.h"
#include "kql/native_functions.h"
#include "native_json.h"

namespace picket::kql {

namespace {

/// The characters of UTF-8, each as it stands; a byte that belongs to none is one of its own.
std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) ++end;
    out.push_back(text.substr(i, end - i));
    i = end;
  }
  return out;
}

std::uint32_t code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(character[i])); };
  switch (character.size()) {
    case 2:
      return (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
    case 3:
      return (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    case 4:
      return (byte(0) & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU);
    default:
      return byte(0);
  }
}

std::string encode(std::string_view text, std::string_view kept, bool plus) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plus && c == ' ') {
      out += '+';
    } else if (plain || kept.contains(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

}  // namespace

std::int64_t count_of(std::string_view text, std::string_view search) {
  if (search.empty()) return 0;
  std::int64_t out = 0;
  for (auto at = text.find(search); at != std::string_view::npos; at = text.find(search, at + 1)) ++out;
  return out;
}

std::string translate(std::string_view search, std::string_view replacement, std::string_view text) {
  const auto from = characters(search);
  const auto to = characters(replacement);
  std::string out;
  for (const auto c : characters(text)) {
    const auto found = std::ranges::find(from, c);
    if (found == from.end()) {
      out += c;
    } else if (!to.empty()) {
      out += to[std::min(static_cast<std::size_t>(found - from.begin()), to.size() - 1)];
    }
  }
  return out;
}

std::optional<std::int64_t> index_of(std::string_view text, std::string_view lookup, std::int64_t start,
                                     std::int64_t length, std::int64_t occurrence) {
  const auto all = characters(text);
  const auto wanted = characters(lookup);
  const auto size = static_cast<std::int64_t>(all.size());
  if (length < -1) return std::nullopt;
  if (start < 0) start = std::max<std::int64_t>(0, size + start);
  if (occurrence < 0) return std::nullopt;
  const auto width = static_cast<std::int64_t>(wanted.size());
  const auto here = [&](std::int64_t at) {
    for (std::int64_t k = 0; k < width; ++k) {
      if (all[static_cast<std::size_t>(at + k)] != wanted[static_cast<std::size_t>(k)]) return false;
    }
    return true;
  };
  // The length counts anew behind each occurrence, as the documentation's examples have it.
  for (auto left = std::max<std::int64_t>(occurrence, 1); left > 0; --left) {
    const auto end = length < 0 || length > size - start ? size : start + length;
    auto at = start;
    while (at + width <= end && !here(at)) ++at;
    if (at + width > end) return -1;
    if (left == 1) return at;
    start = at + 1;
  }
  return -1;
}

std::optional<std::string> replace_strings(std::string_view text, std::string_view lookups, std::string_view rewrites) {
  const auto from = json_items(lookups);
  const auto to = json_items(rewrites);
  if (!from || !to || from->size() != to->size()) return std::nullopt;
  std::string out(text);
  for (std::size_t i = 0; i < from->size(); ++i) {
    const auto wanted = dynamic_text((*from)[i]);
    const auto fresh = dynamic_text((*to)[i]);
    if (wanted.empty()) continue;
    for (auto at = out.find(wanted); at != std::string::npos; at = out.find(wanted, at + fresh.size())) {
      out.replace(at, wanted.size(), fresh);
    }
  }
  return out;
}

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

std::string code_points(std::string_view text) {
  std::vector<std::string> out;
  for (const auto c : characters(text)) out.push_back(std::to_string(code_point(c)));
  return json_array(out);
}

std::string from_code_points(std::string_view array) {
  std::string out;
  for (const auto item : json_items(array).value_or(JsonItems())) {
    const auto c = dynamic_whole(item).value_or(-1);
    if (c < 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) continue;
    const auto code = static_cast<std::uint32_t>(c);
    const auto add = [&out](std::uint32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (code < 0x80) {
      add(code);
    } else if (code < 0x800) {
      add(0xC0U | code >> 6U);
      add(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
      add(0xE0U | code >> 12U);
      add(0x80U | (code >> 6U & 0x3FU));
      add(0x80U | (code & 0x3FU));
    } else {
      add(0xF0U | code >> 18U);
      add(0x80U | (code >> 12U & 0x3FU));
      add(0x80U | (code >> 6U & 0x3FU));
      add(0x80U | (code & 0x3FU));
    }
  }
  return out;
}

std::string url_encode(std::string_view text) { return encode(text, "-_.!*()", true); }
std::string url_encode_component(std::string_view text) { return encode(text, "-_.~", false); }

std::string url_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const auto digits = text.substr(std::min(i + 1, text.size()), 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (text[i] == '%' && digits.size() == 2 && error == std::errc{} && end == digits.data() + 2) {
      out += static_cast<char>(static_cast<unsigned char>(value));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return is_utf8(out) ? out : std::string(text);
}

std::string base64_encode(std::string_view text) { return to_base64(std::as_bytes(std::span(text))); }

std::optional<std::string> base64_to_array(std::string_view text) {
  const auto bytes = from_base64(text);
  if (!bytes) return std::nullopt;
  std::vector<std::string> out;
  for (const auto byte : *bytes) out.push_back(std::to_string(static_cast<unsigned>(byte)));
  return json_array(out);
}

std::int64_t shift_left(std::int64_t value, std::int64_t count) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(value) << (static_cast<std::uint64_t>(count) % 64));
}

std::string repeat_text(std::string_view text, std::int64_t times) {
  constexpr std::size_t kBytesMax = 128U << 20;
  const auto count = static_cast<std::size_t>(std::clamp<std::int64_t>(times, 0, 1024));
  if (text.size() > kBytesMax / std::max<std::size_t>(count, 1)) {
    throw std::length_error("Out of Memory Error: strrep() would make a text of more than 128 MiB");
  }
  std::string out;
  out.reserve(text.size() * count);
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

std::string to_hex_text(std::int64_t value, std::int64_t length) {
  std::array<char, 24> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%llx", static_cast<unsigned long long>(value));
  std::string out = buffer.data();
  if (length > 0 && length <= 64 && out.size() < static_cast<std::size_t>(length)) {
    out.insert(0, static_cast<std::size_t>(length) - out.size(), '0');
  }
  return out;
}

std::string format_bytes(double value, std::int64_t precision, std::string_view unit) {
  constexpr std::array<std::string_view, 9> kUnits = {"Bytes", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"};
  std::size_t at = 0;
  double scaled = value;
  const auto wanted = std::ranges::find(kUnits, unit);
  while (at + 1 < kUnits.size() && (wanted != kUnits.end() ? kUnits[at] != unit : std::fabs(scaled) >= 1024)) {
    scaled /= 1024;
    ++at;
  }
  const double factor = std::pow(10, static_cast<double>(std::clamp<std::int64_t>(precision, 0, 10)));
  scaled = std::round(scaled * factor) / factor;
  auto number = real_text(scaled);
  if (number.ends_with(".0")) number.resize(number.size() - 2);
  return number + " " + std::string(kUnits[at]);
}

std::string quote_regex(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (std::string_view("\\.+*?()[]{}^$|#&-~").contains(c)) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace picket::kql
