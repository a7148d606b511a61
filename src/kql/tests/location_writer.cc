#include "location_writer.h"

#include <algorithm>
#include <array>
#include <bit>

#include <arpa/inet.h>

namespace picket::kql::testing {

namespace {

constexpr std::int64_t kNone = -1;

std::string big_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i) & 0xFFU);
  return out;
}

std::string text(std::string_view value) {
  const auto size = value.size();
  std::string out;
  if (size < 29) {
    out += static_cast<char>(0x40U | size);
  } else {
    out += static_cast<char>(0x40U | 29U);
    out += static_cast<char>(size - 29);
  }
  return out + std::string(value);
}
std::string map(unsigned entries) { return {static_cast<char>(0xE0U | entries)}; }
std::string array(unsigned entries) { return {static_cast<char>(entries), '\x04'}; }
std::string number(double value) { return "\x68" + big_endian(std::bit_cast<std::uint64_t>(value), 8); }
std::string uint32(std::uint32_t value) { return "\xC4" + big_endian(value, 4); }
std::string uint16(std::uint32_t value) { return "\xA2" + big_endian(value, 2); }
std::string named(std::string_view name) { return map(1) + text("names") + map(1) + text("en") + text(name); }

std::string record(const LocationEntry& entry) {
  unsigned keys = 1;
  std::string body;
  const auto add = [&](std::string_view key, const std::string& value) {
    body += text(key) + value;
    ++keys;
  };
  add("continent", map(1) + text("code") + text("XX"));  // what nobody asks for stands before
  if (!entry.country.empty()) add("country", named(entry.country));
  if (!entry.state.empty()) add("subdivisions", array(1) + named(entry.state));
  if (!entry.city.empty()) add("city", named(entry.city));
  body += text("location") + map(2) + text("latitude") + number(entry.latitude) + text("longitude") +
          number(entry.longitude);
  return map(keys) + body;
}

}  // namespace

std::string write_locations(const std::vector<LocationEntry>& entries, unsigned record_bits) {
  std::vector<std::array<std::int64_t, 2>> nodes{{kNone, kNone}};  // below -1: data of the entry -2 - value
  std::string data;
  std::vector<std::size_t> places;
  for (const auto& entry : entries) {
    places.push_back(data.size());
    data += record(entry);
    const auto slash = entry.network.find('/');
    const auto address = entry.network.substr(0, slash);
    auto bits = static_cast<unsigned>(std::stoul(entry.network.substr(slash + 1)));
    std::array<unsigned char, 16> bytes{};
    if (::inet_pton(AF_INET, address.c_str(), bytes.data() + 12) == 1) {
      bits += 96;
    } else {
      ::inet_pton(AF_INET6, address.c_str(), bytes.data());
    }
    std::size_t node = 0;
    for (unsigned i = 0; i < bits; ++i) {
      const auto side = bytes.at(i / 8) >> (7 - i % 8) & 1U;
      if (i + 1 == bits) {
        nodes[node].at(side) = -2 - static_cast<std::int64_t>(places.size() - 1);
      } else {
        if (nodes[node].at(side) < 0) {
          nodes[node].at(side) = static_cast<std::int64_t>(nodes.size());
          nodes.push_back({kNone, kNone});
        }
        node = static_cast<std::size_t>(nodes[node].at(side));
      }
    }
  }
  const auto count = static_cast<std::uint32_t>(nodes.size());
  const auto value = [&](std::int64_t child) {
    if (child >= 0) return static_cast<std::uint32_t>(child);
    if (child == kNone) return count;
    return count + 16 + static_cast<std::uint32_t>(places.at(static_cast<std::size_t>(-2 - child)));
  };
  std::string out;
  for (const auto& node : nodes) {
    const auto left = value(node[0]);
    const auto right = value(node[1]);
    if (record_bits == 28) {
      out += big_endian(left & 0xFFFFFFU, 3);
      out += static_cast<char>((left >> 24U & 0xFU) << 4U | (right >> 24U & 0xFU));
      out += big_endian(right & 0xFFFFFFU, 3);
    } else {
      out += big_endian(left, static_cast<int>(record_bits / 8)) + big_endian(right, static_cast<int>(record_bits / 8));
    }
  }
  out += std::string(16, '\0') + data + "\xAB\xCD\xEFMaxMind.com";
  return out + map(5) + text("binary_format_major_version") + uint16(2) + text("node_count") + uint32(count) +
         text("record_size") + uint16(record_bits) + text("ip_version") + uint16(6) + text("database_type") +
         text("GeoLite2-City");
}

std::vector<LocationEntry> documented_locations() {
  return {{"20.53.0.0/16", "Australia", "New South Wales", "Sydney", -33.8715, 151.2006},
          {"2a03:2880::/32", "United States", "Florida", "Boca Raton", 26.3594, -80.0771},
          {"81.2.69.0/24", "United Kingdom", "", "", 51.5, -0.125}};
}

}  // namespace picket::kql::testing
