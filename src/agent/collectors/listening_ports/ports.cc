#include "listening_ports/ports.h"

#include <algorithm>
#include <charconv>

#include <netinet/in.h>

#include "base/core/hash.h"
#include "support/address_text.h"

namespace picket::agent {

bool waits_for_peers(const NetEntry& entry) {
  if (entry.protocol == IPPROTO_TCP) return entry.state == TcpState::listen;
  const auto& remote = entry.remote.address;
  return entry.remote.port == 0 && std::ranges::all_of(remote.bytes, [](std::uint8_t byte) { return byte == 0; });
}

std::optional<PortRange> parse_port_range(std::string_view text) {
  PortRange out;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.first);
  if (error != std::errc{}) return std::nullopt;
  const char* const last = text.data() + text.size();
  while (end != last && (*end == ' ' || *end == '\t')) ++end;
  const auto [rest, second] = std::from_chars(end, last, out.last);
  if (second != std::errc{} || out.first > out.last) return std::nullopt;
  return out;
}

void UdpPassersBy::keep_lasting(std::vector<NetEntry>& entries, const PortRange& chosen_by_kernel) {
  std::vector<std::uint64_t> now;
  std::erase_if(entries, [&](const NetEntry& entry) {
    if (entry.protocol != IPPROTO_UDP || !chosen_by_kernel.holds(entry.local.port)) return false;
    now.push_back(entry.inode);
    return !std::ranges::binary_search(last_, entry.inode);
  });
  std::ranges::sort(now);
  last_ = std::move(now);
}

PortTexts port_texts(const NetEntry& entry) {
  const bool tcp = entry.protocol == IPPROTO_TCP;
  return {.address = address_text(entry.local.address),
          .port = std::to_string(entry.local.port),
          .protocol = tcp                             ? "tcp"
                      : entry.protocol == IPPROTO_UDP ? "udp"
                                                      : "raw",
          .state = tcp ? "LISTEN" : "UNCONN"};
}

std::uint64_t fingerprint(const std::vector<NetEntry>& entries) {
  std::uint64_t sum = entries.size();
  for (const NetEntry& entry : entries) {
    const std::uint64_t parts[] = {entry.inode, entry.local.port, entry.uid, entry.protocol};
    sum += fnv1a64(std::as_bytes(std::span(parts)));
  }
  return sum;
}

}  // namespace picket::agent
