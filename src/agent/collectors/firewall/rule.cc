#include "firewall/rule.h"

#include <algorithm>

#include <netinet/in.h>

#include "support/address_text.h"
#include "support/bpf_text.h"

namespace picket::agent {
namespace {

bool all_bytes(Bytes bytes, std::uint8_t value) {
  return std::ranges::all_of(bytes, [value](std::byte b) { return static_cast<std::uint8_t>(b) == value; });
}

std::string raw_address(Bytes address) {
  std::array<std::uint8_t, 16> raw{};
  std::ranges::copy_n(reinterpret_cast<const std::uint8_t*>(address.data()),
                      static_cast<std::ptrdiff_t>(std::min(address.size(), raw.size())), raw.begin());
  IpAddress out{.bytes = raw, .length = static_cast<std::uint8_t>(address.size() == 4 ? 4 : 16)};
  return address_text(out);
}

/// Length of the prefix that `mask` is; nullopt: it is none.
std::optional<int> prefix_length(Bytes mask) {
  int bits = 0;
  bool ended = false;
  for (const std::byte each : mask) {
    for (int bit = 7; bit >= 0; --bit) {
      const bool set = (static_cast<unsigned>(each) >> bit & 1U) != 0;
      if (set && ended) return std::nullopt;
      ended = ended || !set;
      bits += set ? 1 : 0;
    }
  }
  return bits;
}

}  // namespace

void FirewallRule::detail(std::string_view key, std::string_view text) {
  const auto found = std::ranges::find(details, key, &std::pair<std::string_view, std::string>::first);
  if (found != details.end()) {
    if (found->second.size() + text.size() + 2 <= kTextMax) found->second.append("; ").append(text);
  } else if (details.size() < kDetailsMax) {
    details.emplace_back(key, text.substr(0, kTextMax));
  }
}

void FirewallRule::verdict(std::string_view name) {
  using enum message::FirewallAction;
  action = name == "accept" ? Allow : name == "drop" || name.starts_with("reject") ? Deny : Other;
  if (action == Other || name.starts_with("reject")) detail("Verdict", name);
}

void add_text(std::string& field, std::string_view text) {
  if (field.size() + 1 + text.size() > FirewallRule::kTextMax) return;
  if (!field.empty()) field += ' ';
  field += text;
}

std::string prefix_text(Bytes address, Bytes mask) {
  if (address.size() != 4 && address.size() != 16) return {};
  if (mask.empty() || all_bytes(mask, 0xff)) return raw_address(address);
  if (all_bytes(mask, 0)) return {};
  const auto length = prefix_length(mask);
  return raw_address(address) + "/" + (length ? std::to_string(*length) : raw_address(mask));
}

std::string port_range_text(std::uint16_t first, std::uint16_t last) {
  if (first == 0 && last == 0xffff) return {};
  if (first == last) return std::to_string(first);
  return std::to_string(first) + "-" + std::to_string(last);
}

std::string protocol_text(std::uint8_t protocol) {
  switch (protocol) {
    case IPPROTO_ICMP:
      return "icmp";
    case IPPROTO_IGMP:
      return "igmp";
    case IPPROTO_TCP:
      return "tcp";
    case IPPROTO_UDP:
      return "udp";
    case IPPROTO_DCCP:
      return "dccp";
    case IPPROTO_GRE:
      return "gre";
    case IPPROTO_ESP:
      return "esp";
    case IPPROTO_AH:
      return "ah";
    case IPPROTO_ICMPV6:
      return "icmpv6";
    case IPPROTO_SCTP:
      return "sctp";
    case IPPROTO_UDPLITE:
      return "udplite";
    default:
      return std::to_string(protocol);
  }
}

std::string ct_state_text(std::uint32_t bits) {
  constexpr std::pair<std::uint32_t, std::string_view> names[] = {
      {1, "invalid"}, {2, "established"}, {4, "related"}, {8, "new"}, {64, "untracked"}};
  std::string out;
  for (const auto& [bit, name] : names) {
    if ((bits & bit) == 0) continue;
    if (!out.empty()) out += ',';
    out += name;
  }
  return out;
}

std::string clean_text(Bytes raw) {
  std::string out;
  for (const std::byte each : raw.first(std::min(raw.size(), FirewallRule::kTextMax))) {
    const char c = static_cast<char>(each);
    if (c == '\0') break;
    out += c >= ' ' && c != '\x7f' ? c : '?';
  }
  return out;
}

std::string_view hook_name(std::uint32_t hook) {
  constexpr std::string_view names[] = {"prerouting", "input", "forward", "output", "postrouting", "ingress"};
  return hook < std::size(names) ? names[hook] : std::string_view("unknown");
}

std::optional<message::Direction> hook_direction(std::uint32_t hook) {
  if (hook == 0 || hook == 1 || hook == 5) return message::Direction::In;
  if (hook == 3 || hook == 4) return message::Direction::Out;
  return std::nullopt;  // forwarded: both
}

}  // namespace picket::agent
