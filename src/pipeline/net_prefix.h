// Addresses and networks, as far as detections need them.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace picket::pipeline {

/// A network; an address is one with a full prefix. An IPv4 address inside IPv6 (::ffff:a.b.c.d) is IPv4.
struct NetPrefix {
  bool ipv6 = false;
  std::array<std::uint8_t, 16> bytes{};  ///< Bits behind the prefix are 0.
  int length = 0;                        ///< 0..32 or 0..128.

  [[nodiscard]] bool contains(const NetPrefix& other) const;
  /// The same address in a wider network.
  [[nodiscard]] NetPrefix widened(int to_length) const;
  friend auto operator<=>(const NetPrefix&, const NetPrefix&) = default;
};

/// "192.0.2.0/24", "2001:db8::/32" or an address.
std::optional<NetPrefix> parse_net_prefix(std::string_view text);
std::string to_text(const NetPrefix& prefix);

}  // namespace picket::pipeline
