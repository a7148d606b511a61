// Hashes and codes of texts: XXH64, GUIDs as base64, punycode.
#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <vector>

#include "base/core/cursor.h"
#include "base/core/encoding.h"
#include "kql/native_decimal.h"
#include "kql/native_families.h"
#include "kql/native_functions.h"
#include "native_json.h"

namespace picket::kql {

namespace {

// --- XXH64 (the algorithm's published description, seed 0)

constexpr std::uint64_t kPrime1 = 11400714785074694791ULL;
constexpr std::uint64_t kPrime2 = 14029467366897019727ULL;
constexpr std::uint64_t kPrime3 = 1609587929392839161ULL;
constexpr std::uint64_t kPrime4 = 9650029242287828579ULL;
constexpr std::uint64_t kPrime5 = 2870177450012600261ULL;

std::uint64_t round(std::uint64_t lane, std::uint64_t input) { return std::rotl(lane + input * kPrime2, 31) * kPrime1; }

std::uint64_t xxhash64(std::string_view bytes) {
  Cursor in(bytes);
  std::uint64_t hash = kPrime5;
  if (in.remaining() >= 32) {
    std::array<std::uint64_t, 4> lanes = {kPrime1 + kPrime2, kPrime2, 0, 0 - kPrime1};
    while (in.remaining() >= 32) {
      for (auto& lane : lanes) lane = round(lane, *in.le<std::uint64_t>());
    }
    hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) + std::rotl(lanes[3], 18);
    for (const auto lane : lanes) hash = (hash ^ round(0, lane)) * kPrime1 + kPrime4;
  }
  hash += bytes.size();
  while (in.remaining() >= 8) {
    hash = std::rotl(hash ^ round(0, *in.le<std::uint64_t>()), 27) * kPrime1 + kPrime4;
  }
  if (in.remaining() >= 4) hash = std::rotl(hash ^ *in.le<std::uint32_t>() * kPrime1, 23) * kPrime2 + kPrime3;
  while (!in.empty()) hash = std::rotl(hash ^ *in.u8() * kPrime5, 11) * kPrime1;
  hash = (hash ^ hash >> 33U) * kPrime2;
  hash = (hash ^ hash >> 29U) * kPrime3;
  return hash ^ hash >> 32U;
}

// --- punycode (RFC 3492)

constexpr std::uint32_t kBase = 36;
constexpr std::uint32_t kTmin = 1;
constexpr std::uint32_t kTmax = 26;
constexpr std::uint32_t kFirst = 128;
constexpr std::uint32_t kCharactersMax = 1'024;  ///< The algorithm is quadratic.

using Characters = std::vector<std::uint32_t>;

std::optional<Characters> characters(std::string_view text) {
  if (!is_utf8(text) || text.size() > 4 * std::size_t{kCharactersMax}) return std::nullopt;
  Characters out;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t one = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) one = one << 6U | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    out.push_back(one);
    at += length;
  }
  return out;
}

void append_utf8(std::string& out, std::uint32_t one) {
  const auto byte = [&](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (one < 0x80) return byte(one);
  if (one < 0x800) {
    byte(0xC0U | one >> 6U);
  } else {
    if (one < 0x10000) {
      byte(0xE0U | one >> 12U);
    } else {
      byte(0xF0U | one >> 18U);
      byte(0x80U | (one >> 12U & 0x3FU));
    }
    byte(0x80U | (one >> 6U & 0x3FU));
  }
  byte(0x80U | (one & 0x3FU));
}

std::uint32_t adapt(std::uint32_t delta, std::uint32_t count, bool first) {
  delta = first ? delta / 700 : delta / 2;
  delta += delta / count;
  std::uint32_t k = 0;
  for (; delta > (kBase - kTmin) * kTmax / 2; k += kBase) delta /= kBase - kTmin;
  return k + (kBase - kTmin + 1) * delta / (delta + 38);
}

std::uint32_t threshold(std::uint32_t k, std::uint32_t bias) { return k <= bias ? kTmin : std::min(k - bias, kTmax); }

std::optional<std::string> encode(const Characters& input) {
  std::string out;
  for (const auto one : input) {
    if (one < kFirst) out += static_cast<char>(one);
  }
  const auto basic = static_cast<std::uint32_t>(out.size());
  if (basic > 0) out += '-';
  std::uint32_t n = kFirst;
  std::uint64_t delta = 0;
  std::uint32_t bias = 72;
  for (std::uint32_t done = basic; done < input.size(); ++n) {
    std::uint32_t least = UINT32_MAX;
    for (const auto one : input) least = one >= n ? std::min(least, one) : least;
    delta += std::uint64_t{least - n} * (done + 1);
    n = least;
    if (delta > UINT32_MAX / 2) return std::nullopt;
    for (const auto one : input) {
      if (one < n) ++delta;
      if (one != n) continue;
      auto rest = static_cast<std::uint32_t>(delta);
      for (std::uint32_t k = kBase;; k += kBase) {
        const auto t = threshold(k, bias);
        const auto digit = rest < t ? rest : t + (rest - t) % (kBase - t);
        out += static_cast<char>(digit < 26 ? 'a' + digit : '0' + (digit - 26));
        if (rest < t) break;
        rest = (rest - t) / (kBase - t);
      }
      bias = adapt(static_cast<std::uint32_t>(delta), done + 1, done == basic);
      delta = 0;
      ++done;
    }
    ++delta;
  }
  return out;
}

std::optional<std::string> decode(std::string_view text) {
  if (text.size() > 4 * std::size_t{kCharactersMax}) return std::nullopt;
  Characters out;
  const auto dash = text.rfind('-');
  if (dash != std::string_view::npos) {
    for (const char c : text.substr(0, dash)) {
      if (static_cast<unsigned char>(c) >= kFirst) return std::nullopt;
      out.push_back(static_cast<unsigned char>(c));
    }
    text.remove_prefix(dash + 1);
  }
  std::uint64_t i = 0;
  std::uint32_t n = kFirst;
  std::uint32_t bias = 72;
  while (!text.empty()) {
    const auto before = i;
    std::uint64_t weight = 1;
    for (std::uint32_t k = kBase;; k += kBase) {
      if (text.empty()) return std::nullopt;
      const auto c = static_cast<unsigned char>(text.front());
      text.remove_prefix(1);
      const auto letter = static_cast<unsigned char>(std::tolower(c));
      std::uint32_t digit = 0;
      if (letter >= 'a' && letter <= 'z') {
        digit = letter - std::uint32_t{'a'};
      } else if (c >= '0' && c <= '9') {
        digit = c - std::uint32_t{'0'} + 26;
      } else {
        return std::nullopt;
      }
      i += digit * weight;
      if (i > UINT32_MAX / 2) return std::nullopt;
      const auto t = threshold(k, bias);
      if (digit < t) break;
      weight *= kBase - t;
      if (weight > UINT32_MAX) return std::nullopt;
    }
    const auto count = static_cast<std::uint32_t>(out.size()) + 1;
    if (count > kCharactersMax) return std::nullopt;
    bias = adapt(static_cast<std::uint32_t>(i - before), count, before == 0);
    const auto next = n + i / count;
    if (next > 0x10FFFF || (next >= 0xD800 && next < 0xE000)) return std::nullopt;
    n = static_cast<std::uint32_t>(next);
    i %= count;
    out.insert(out.begin() + static_cast<std::ptrdiff_t>(i), n);
    ++i;
  }
  std::string decoded;
  for (const auto one : out) append_utf8(decoded, one);
  return decoded;
}

bool is_dot(std::uint32_t one) { return one == '.' || one == 0x3002 || one == 0xFF0E || one == 0xFF61; }

/// The bytes of a GUID are stored with its first three groups turned round.
constexpr std::array<std::size_t, 16> kGuidOrder = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};

}  // namespace

std::int64_t xxhash_text(std::string_view text) { return static_cast<std::int64_t>(xxhash64(text)); }

std::int64_t xxhash_time(std::int64_t us) {
  constexpr std::int64_t kEpochUs = 62'135'596'800'000'000;
  const auto ticks = static_cast<std::uint64_t>(us + kEpochUs) * 10;
  std::array<char, 8> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes.at(i) = static_cast<char>(ticks >> (8 * i) & 0xFFU);
  return static_cast<std::int64_t>(xxhash64({bytes.data(), bytes.size()}));
}

std::optional<std::string> base64_of_guid(std::string_view guid) {
  std::string digits(guid);
  std::erase(digits, '-');
  const auto bytes = from_hex(digits);
  if (!bytes || bytes->size() != kGuidOrder.size()) return std::nullopt;
  Buffer ordered;
  for (const auto at : kGuidOrder) ordered.push_back((*bytes)[at]);
  return to_base64(ordered);
}

std::optional<std::string> parse_version(std::string_view text) {
  constexpr std::size_t kParts = 4;
  constexpr std::size_t kPartDigits = 8;
  std::string digits;
  std::size_t parts = 0;
  for (bool more = true; more;) {
    const auto dot = text.find('.');
    more = dot != std::string_view::npos;
    const auto part = text.substr(0, dot);
    const bool number =
        !part.empty() && part.size() <= kPartDigits && part.find_first_not_of("0123456789") == std::string_view::npos;
    if (!number || ++parts > kParts) return std::nullopt;
    digits.append(kPartDigits - part.size(), '0').append(part);
    if (more) text.remove_prefix(dot + 1);
  }
  digits.append((kParts - parts) * kPartDigits, '0');
  return decimal_parse(digits);
}

std::optional<std::int64_t> regex_index(std::string_view marked, std::string_view matches, std::int64_t start,
                                        std::int64_t occurrence) {
  constexpr std::string_view kMark = "\xEE\x80\x80";
  const auto count = [](std::string_view text) {
    return std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  };
  if (start < 0 || occurrence < 1) return std::nullopt;
  const auto found = json_items(matches);
  std::int64_t at = start;
  for (std::int64_t i = 1;; ++i) {
    const auto mark = marked.find(kMark);
    if (mark == std::string_view::npos) return -1;
    at += count(marked.substr(0, mark));
    if (i >= occurrence) return at;
    if (!found || found->size() < static_cast<std::size_t>(i)) return std::nullopt;
    at += count(dynamic_text((*found)[static_cast<std::size_t>(i - 1)]));
    marked.remove_prefix(mark + kMark.size());
  }
}

std::optional<std::string> base64_of_array(std::string_view array) {
  const auto items = json_items(array);
  if (!items) return std::nullopt;
  std::string bytes;
  for (const auto item : *items) {
    const auto value = parse_long(item);
    if (!value || *value < 0 || *value > 255) return std::nullopt;
    bytes += static_cast<char>(static_cast<unsigned char>(*value));
  }
  if (!is_utf8(bytes)) return std::nullopt;
  return to_base64(as_bytes(std::string_view(bytes)));
}

std::string punycode_encode(std::string_view text) {
  const auto read = characters(text);
  return read ? encode(*read).value_or("") : "";
}

std::string punycode_decode(std::string_view text) { return decode(text).value_or(""); }

std::string punycode_domain_encode(std::string_view text) {
  const auto read = characters(text);
  if (!read) return "";
  std::string out;
  for (std::size_t from = 0; from <= read->size();) {
    const auto begin = read->begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = std::find_if(begin, read->end(), is_dot);
    const Characters label(begin, end);
    if (from > 0) out += '.';
    if (std::ranges::all_of(label, [](auto one) { return one < kFirst; })) {
      out.append(label.begin(), label.end());
    } else {
      const auto encoded = encode(label);
      if (!encoded) return "";
      out += "xn--" + *encoded;
    }
    from += label.size() + 1;
  }
  return out;
}

std::string punycode_domain_decode(std::string_view text) {
  if (!is_utf8(text)) return "";
  std::string out;
  for (bool first = true;; first = false) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    if (!first) out += '.';
    if (label.starts_with("xn--")) {
      const auto decoded = decode(label.substr(4));
      if (!decoded) return "";
      out += *decoded;
    } else {
      out += label;
    }
    if (dot == std::string_view::npos) return out;
    text.remove_prefix(dot + 1);
  }
}

}  // namespace picket::kql
