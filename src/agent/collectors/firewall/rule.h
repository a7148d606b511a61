// One rule of a packet filter, as it goes out, whichever of the kernel's filters it stands in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/bytes.h"
#include "message/events.h"

namespace picket::agent {

/// What the fields of FirewallConfiguration hold, with what does not fit them in `details`. Texts are bounded by
/// kTextMax.
struct FirewallRule {
  static constexpr std::size_t kTextMax = 1024;
  static constexpr std::size_t kDetailsMax = 20;

  bool enabled = true;
  message::FirewallAction action = message::FirewallAction::Other;
  int priority = 0;  ///< Place in its chain, from 1.
  std::optional<message::Direction> direction;
  std::string chain, protocol, source_address, source_port, destination_address, destination_port;
  std::vector<std::pair<std::string_view, std::string>> details;  ///< Keys have static storage.

  /// Adds to `details`; a key that is there already gets "; " and the text.
  void detail(std::string_view key, std::string_view text);
  /// Sets action, and details.Verdict where the action does not say it all.
  void verdict(std::string_view name);
};

/// Appends `text` to `field`, after " " where something stands in it.
void add_text(std::string& field, std::string_view text);

/// "10.0.0.0/8", "192.0.2.1", "2001:db8::/32"; empty: matches all. `mask` of the same length, or empty: all bits.
std::string prefix_text(Bytes address, Bytes mask);
/// "22", "1000-2000"; empty: all ports.
std::string port_range_text(std::uint16_t first, std::uint16_t last);
/// "tcp", "udp", "icmp", "icmpv6", ... or the number.
std::string protocol_text(std::uint8_t protocol);
/// "established,related" of the bits that both filters use.
std::string ct_state_text(std::uint32_t bits);
/// Bytes up to the first NUL, without what is not printable.
std::string clean_text(Bytes raw);

/// Hooks of the network layer (enum nf_inet_hooks): name, and direction where there is one.
std::string_view hook_name(std::uint32_t hook);
std::optional<message::Direction> hook_direction(std::uint32_t hook);

/// Reads what the extension `name` of x_tables says into `rule`. Used by rules of both filters, since iptables-nft
/// keeps these extensions. What is not known is named in details.Match.
void read_xt_match(std::string_view name, std::uint8_t revision, Bytes data, FirewallRule& rule);

}  // namespace picket::agent
