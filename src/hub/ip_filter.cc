#include "hub/ip_filter.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <arpa/inet.h>

namespace picket::hub {
namespace {

constexpr std::size_t kTextMax = 64;
constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

void clear_host_bits(Cidr& cidr) {
  const std::size_t bytes = cidr.ipv6 ? 16 : 4;
  for (std::size_t i = 0; i < bytes; ++i) {
    const int kept = std::clamp(cidr.prefix - static_cast<int>(i) * 8, 0, 8);
    cidr.address[i] &= static_cast<std::uint8_t>(0xFF00U >> kept);
  }
}

/// A network of one address.
std::optional<Cidr> parse_address(std::string_view text) {
  if (text.empty() || text.size() >= kTextMax) return std::nullopt;
  const std::string copy(text);
  if (copy.size() != std::char_traits<char>::length(copy.c_str())) return std::nullopt;
  Cidr out;
  if (inet_pton(AF_INET, copy.c_str(), out.address.data()) == 1) {
    out.prefix = 32;
    return out;
  }
  if (inet_pton(AF_INET6, copy.c_str(), out.address.data()) != 1) return std::nullopt;
  out.ipv6 = true;
  out.prefix = 128;
  return out;
}

/// IPv4 that came as IPv6. A prefix shorter than the mapping covers more than IPv4 and stays IPv6.
void unmap(Cidr& cidr) {
  if (!cidr.ipv6 || cidr.prefix < 96 || !std::ranges::equal(std::span(cidr.address).first(12), kMapped)) return;
  std::array<std::uint8_t, 16> address{};
  std::copy_n(cidr.address.begin() + 12, 4, address.begin());
  cidr = {address, static_cast<std::uint8_t>(cidr.prefix - 96), false};
}

}  // namespace

bool Cidr::contains(const Cidr& host) const {
  if (ipv6 != host.ipv6 || host.prefix < prefix) return false;
  Cidr cut = host;
  cut.prefix = prefix;
  clear_host_bits(cut);
  return cut.address == address;
}

Result<Cidr> parse_cidr(std::string_view text) {
  const auto slash = text.find('/');
  auto out = parse_address(text.substr(0, slash));
  if (!out) return fail(Errc::malformed, "hub.ip_filter.cidr");
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    unsigned prefix = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    const bool whole =
        !digits.empty() && digits.size() <= 3 && error == std::errc() && end == digits.data() + digits.size();
    if (!whole || prefix > out->prefix) return fail(Errc::malformed, "hub.ip_filter.cidr");
    out->prefix = static_cast<std::uint8_t>(prefix);
  }
  unmap(*out);
  clear_host_bits(*out);
  return *out;
}

std::string to_string(const Cidr& cidr) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(cidr.ipv6 ? AF_INET6 : AF_INET, cidr.address.data(), text.data(), text.size());
  return std::string(text.data()) + "/" + std::to_string(cidr.prefix);
}

IpVerdict evaluate(std::span<const IpRule> rules, std::string_view address) {
  if (rules.empty()) return {};
  auto host = parse_address(address.substr(0, address.find('%')));  // fe80::1%eth0
  if (!host) return {.accepted = false};
  unmap(*host);
  const auto found = std::ranges::find_if(rules, [&](const IpRule& rule) { return rule.network.contains(*host); });
  if (found == rules.end()) return {};
  return {found->action == IpAction::accept, &*found};
}

}  // namespace picket::hub
