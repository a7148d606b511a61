// Ordered rules about source addresses: the first that matches decides.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/core/result.h"

namespace picket::hub {

/// A network. IPv4 and IPv6 never match each other; an IPv4 address written as IPv6 (::ffff:a.b.c.d) is IPv4.
struct Cidr {
  std::array<std::uint8_t, 16> address{};  ///< IPv4: the first 4. Bits behind the prefix are 0.
  std::uint8_t prefix = 0;                 ///< 0..32 or 0..128.
  bool ipv6 = false;

  [[nodiscard]] bool contains(const Cidr& host) const;
  friend bool operator==(const Cidr&, const Cidr&) = default;
};

/// "192.0.2.0/24", "2001:db8::/32", or an address alone, which is a network of one. Bits behind the prefix are cleared.
/// Errors: malformed "hub.ip_filter.cidr".
Result<Cidr> parse_cidr(std::string_view text);
/// Always with the prefix length; parse_cidr() reads it back.
std::string to_string(const Cidr& cidr);

enum class IpAction : std::uint8_t { accept, reject };

struct IpRule {
  std::string name;
  IpAction action = IpAction::accept;
  Cidr network;
  friend bool operator==(const IpRule&, const IpRule&) = default;
};

inline constexpr std::size_t kIpRulesMax = 100;

struct IpVerdict {
  bool accepted = true;
  const IpRule* rule = nullptr;  ///< The one that decided; nullptr: none matched, or there are none.
};

/// No rule matches: accepted, as in IoT Hub, where a last rule 0.0.0.0/0 rejects the rest. A text that is no address is
/// rejected as soon as there are rules.
IpVerdict evaluate(std::span<const IpRule> rules, std::string_view address);

}  // namespace picket::hub
