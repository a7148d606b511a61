// From an IP packet to the DNS message in it, and the filter that lets only such packets through.
#pragma once

#include <optional>
#include <span>

#include <linux/filter.h>

#include "agent/record.h"
#include "base/core/bytes.h"

namespace picket::agent {

inline constexpr std::uint16_t kDnsPort = 53;
/// Bytes of a packet that are read; UDP messages are hardly ever longer than 4096.
inline constexpr std::uint32_t kDnsPacketBytesMax = 4608;

struct DnsPacket {
  std::uint8_t protocol = 17;  ///< 6 or 17.
  Endpoint source, destination;
  Bytes message;  ///< Of UDP the message, of TCP what this segment carries.
  // Of TCP only:
  std::uint32_t sequence = 0;         ///< Of the first byte, or of SYN.
  bool begins = false, ends = false;  ///< SYN; FIN or RST.
  std::size_t missing = 0;            ///< Bytes behind `message` that the packet had and the capture has not.
};

/// `packet` begins with its IP header. nullopt: not UDP or TCP with port 53, a fragment, extension headers, or broken.
std::optional<DnsPacket> parse_dns_packet(Bytes packet);

/// Classic BPF for a packet socket without link headers: UDP and TCP with port 53 on either side, IPv4 and IPv6; on
/// loopback only as they come in.
std::span<const sock_filter> dns_filter();

}  // namespace picket::agent
