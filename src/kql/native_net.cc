// Addresses of IPv4 and IPv6.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <numbers>
#include <vector>

#include "kql/native_functions.h"
#include "kql/native_text.h"
#include "native_json.h"

namespace picket::kql {

namespace {

struct Network4 {
  std::uint32_t address = 0;
  unsigned bits = 32;
};
struct Network6 {
  std::array<std::uint16_t, 8> parts{};
  unsigned bits = 128;
};

std::optional<unsigned> number(std::string_view text, int base, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size() || value > most) return std::nullopt;
  return value;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::optional<unsigned> take_bits(std::string_view& text, unsigned most) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return most;
  const auto bits = number(text.substr(slash + 1), 10, most);
  text = text.substr(0, slash);
  return bits;
}

std::optional<Network4> read4(std::string_view text) {
  text = trim(text);
  const auto bits = take_bits(text, 32);
  if (!bits) return std::nullopt;
  Network4 out{0, *bits};
  for (int i = 0; i < 4; ++i) {
    const auto dot = i < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos || dot > 3) return std::nullopt;
    const auto part = number(text.substr(0, dot), 10, 255);
    if (!part) return std::nullopt;
    out.address = out.address << 8U | *part;
    text.remove_prefix(std::min(dot + (i < 3 ? 1 : 0), text.size()));
  }
  return out;
}

std::uint32_t masked(std::uint32_t address, unsigned bits) {
  return bits == 0 ? 0 : bits >= 32 ? address : address & ~((1U << (32 - bits)) - 1);
}

std::optional<Network6> read6(std::string_view text) {
  text = trim(text);
  if (!text.contains(':')) {
    const auto four = read4(text);
    if (!four) return std::nullopt;
    Network6 out;
    out.parts[5] = 0xFFFF;
    out.parts[6] = static_cast<std::uint16_t>(four->address >> 16U);
    out.parts[7] = static_cast<std::uint16_t>(four->address);
    out.bits = four->bits + 96;
    return out;
  }
  const auto bits = take_bits(text, 128);
  if (!bits) return std::nullopt;
  Network6 out{{}, *bits};
  std::vector<std::uint16_t> front;
  std::vector<std::uint16_t> back;
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const auto end = std::min(text.find(':'), text.size());
    const auto piece = text.substr(0, end);
    auto& side = gap ? back : front;
    if (piece.contains('.')) {
      const auto four = read4(piece);
      if (!four || end != text.size()) return std::nullopt;
      side.push_back(static_cast<std::uint16_t>(four->address >> 16U));
      side.push_back(static_cast<std::uint16_t>(four->address));
    } else {
      const auto part = number(piece, 16, 0xFFFF);
      if (!part || piece.size() > 4) return std::nullopt;
      side.push_back(static_cast<std::uint16_t>(*part));
    }
    text.remove_prefix(end);
    if (text.starts_with("::")) {
      if (gap) return std::nullopt;
      gap = true;
      text.remove_prefix(2);
    } else if (!text.empty()) {
      text.remove_prefix(1);
      if (text.empty()) return std::nullopt;
    }
  }
  const auto size = front.size() + back.size();
  if (size > 8 || (!gap && size != 8)) return std::nullopt;
  std::ranges::copy(front, out.parts.begin());
  std::ranges::copy(back, out.parts.end() - static_cast<std::ptrdiff_t>(back.size()));
  return out;
}

void mask(Network6& network, unsigned bits) {
  for (unsigned i = 0; i < 8; ++i) {
    const unsigned kept = bits > i * 16 ? std::min(16U, bits - i * 16) : 0;
    network.parts[i] = static_cast<std::uint16_t>(network.parts[i] & (0xFFFFU << (16 - kept)));
  }
}

std::string text_of(std::uint32_t address) {
  return std::to_string(address >> 24U) + "." + std::to_string(address >> 16U & 255U) + "." +
         std::to_string(address >> 8U & 255U) + "." + std::to_string(address & 255U);
}

bool is_address_part(char c) { return (c >= '0' && c <= '9') || c == '.'; }
bool is_word(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

std::optional<std::int64_t> parse_ipv4(std::string_view text) {
  const auto network = read4(text);
  if (!network) return std::nullopt;
  return static_cast<std::int64_t>(masked(network->address, network->bits));
}

std::optional<std::int64_t> parse_ipv4_mask(std::string_view text, std::int64_t bits) {
  const auto network = read4(text);
  if (!network || bits < 0 || bits > 32) return std::nullopt;
  return static_cast<std::int64_t>(masked(network->address, std::min(network->bits, static_cast<unsigned>(bits))));
}

std::optional<std::string> format_ipv4(std::int64_t address, std::int64_t bits) {
  if (address < 0 || address > 0xFFFFFFFFLL || bits < 0 || bits > 32) return std::nullopt;
  return text_of(masked(static_cast<std::uint32_t>(address), static_cast<unsigned>(bits)));
}

std::optional<std::string> format_ipv4_mask(std::int64_t address, std::int64_t bits) {
  const auto text = format_ipv4(address, bits);
  return text ? std::optional(*text + "/" + std::to_string(bits)) : std::nullopt;
}

std::optional<std::int64_t> ipv4_compare(std::string_view a, std::string_view b, std::int64_t bits) {
  const auto x = read4(a);
  const auto y = read4(b);
  if (!x || !y || bits < 0 || bits > 32) return std::nullopt;
  const auto shortest = std::min({x->bits, y->bits, static_cast<unsigned>(bits)});
  const auto p = masked(x->address, shortest);
  const auto q = masked(y->address, shortest);
  return p < q ? -1 : p > q ? 1 : 0;
}

std::optional<bool> ipv4_is_in_range(std::string_view address, std::string_view network) {
  const auto range = read4(network);
  const auto one = read4(address);
  if (!range || !one) return std::nullopt;
  return masked(one->address, range->bits) == masked(range->address, range->bits);
}

std::optional<std::int64_t> ipv4_netmask_suffix(std::string_view text) {
  const auto network = read4(text);
  return network ? std::optional<std::int64_t>(network->bits) : std::nullopt;
}

std::optional<std::string> parse_ipv6(std::string_view text) {
  auto network = read6(text);
  if (!network) return std::nullopt;
  mask(*network, network->bits);
  std::string out;
  std::array<char, 8> buffer{};
  for (const auto part : network->parts) {
    std::snprintf(buffer.data(), buffer.size(), "%04x", part);
    out += (out.empty() ? "" : ":") + std::string(buffer.data());
  }
  return out;
}

std::optional<std::int64_t> ipv6_compare(std::string_view a, std::string_view b, std::int64_t bits) {
  auto x = read6(a);
  auto y = read6(b);
  if (!x || !y || bits < 0 || bits > 128) return std::nullopt;
  const auto shortest = std::min({x->bits, y->bits, static_cast<unsigned>(bits)});
  mask(*x, shortest);
  mask(*y, shortest);
  return x->parts < y->parts ? -1 : x->parts > y->parts ? 1 : 0;
}

std::optional<bool> ipv6_is_in_range(std::string_view address, std::string_view network) {
  auto x = read6(address);
  auto y = read6(network);
  if (!x || !y) return std::nullopt;
  mask(*x, y->bits);
  mask(*y, y->bits);
  return x->parts == y->parts;
}

std::optional<bool> ipv6_is_in_any_range(std::string_view address, std::string_view networks) {
  const auto items = json_items(networks);
  if (!items || !read6(address)) return std::nullopt;
  bool found = false;
  for (const auto item : *items) {
    const auto one = ipv6_is_in_range(address, dynamic_text(item));
    if (!one) return std::nullopt;
    found = found || *one;
  }
  return found;
}

std::optional<std::string> parse_ipv6_mask(std::string_view address, std::int64_t bits) {
  const auto text = trim(address);
  // "::1.2.3.4" is an address of IPv4 here.
  auto network = read6(text.starts_with("::") && text.contains('.') ? text.substr(2) : text);
  if (!network || bits < 0 || bits > 128) return std::nullopt;
  network->bits = std::min(network->bits, static_cast<unsigned>(bits));
  mask(*network, network->bits);
  std::string out;
  std::array<char, 8> buffer{};
  for (const auto part : network->parts) {
    std::snprintf(buffer.data(), buffer.size(), "%04x", part);
    out += (out.empty() ? "" : ":") + std::string(buffer.data());
  }
  return out;
}

bool has_ipv4(std::string_view text, std::string_view address) {
  if (!read4(address) || address.contains('/')) return false;
  for (auto at = text.find(address); at != std::string_view::npos; at = text.find(address, at + 1)) {
    const auto end = at + address.size();
    const bool free_before = at == 0 || (!is_word(text[at - 1]) && !is_address_part(text[at - 1]));
    const bool free_behind = end == text.size() ||
                             (!is_word(text[end]) &&
                              !(is_address_part(text[end]) && end + 1 < text.size() && is_address_part(text[end + 1])));
    if (free_before && free_behind) return true;
  }
  return false;
}

bool has_ipv4_prefix(std::string_view text, std::string_view prefix) {
  if (!prefix.ends_with('.')) return has_ipv4(text, prefix);
  for (auto at = text.find(prefix); at != std::string_view::npos; at = text.find(prefix, at + 1)) {
    if (at > 0 && (is_word(text[at - 1]) || is_address_part(text[at - 1]))) continue;
    auto end = at;
    while (end < text.size() && is_address_part(text[end])) ++end;
    auto candidate = text.substr(at, end - at);
    while (candidate.ends_with('.')) candidate.remove_suffix(1);
    if ((end == text.size() || !is_word(text[end])) && read4(candidate)) return true;
  }
  return false;
}

std::optional<std::string> ipv4_range_to_cidr_list(std::string_view first, std::string_view last) {
  const auto from = read4(first);
  const auto to = read4(last);
  if (!from || !to || from->address > to->address) return std::nullopt;
  std::vector<std::string> out;
  for (std::uint64_t at = from->address; at <= to->address;) {
    unsigned bits = 32;
    while (bits > 0 && masked(static_cast<std::uint32_t>(at), bits - 1) == at &&
           at + (std::uint64_t{1} << (33 - bits)) - 1 <= to->address) {
      --bits;
    }
    out.push_back(json_text(text_of(static_cast<std::uint32_t>(at)) + "/" + std::to_string(bits)));
    at += std::uint64_t{1} << (32 - bits);
  }
  return json_array(out);
}

std::optional<double> geo_distance(double longitude1, double latitude1, double longitude2, double latitude2) {
  const auto valid = [](double longitude, double latitude) {
    return std::fabs(longitude) <= 180 && std::fabs(latitude) <= 90;
  };
  if (!valid(longitude1, latitude1) || !valid(longitude2, latitude2)) return std::nullopt;
  constexpr double kRadius = 6'371'010;
  constexpr double kDegree = std::numbers::pi / 180;
  const double a = std::sin((latitude2 - latitude1) * kDegree / 2);
  const double b = std::sin((longitude2 - longitude1) * kDegree / 2);
  const double h = a * a + std::cos(latitude1 * kDegree) * std::cos(latitude2 * kDegree) * b * b;
  return 2 * kRadius * std::asin(std::sqrt(std::min(1.0, h)));
}

}  // namespace picket::kql
