#include "dns/dns_packet.h"

#include <algorithm>
#include <array>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "base/core/cursor.h"
#include "support/bpf_text.h"

namespace picket::agent {
namespace {

constexpr std::uint8_t kTcp = 6, kUdp = 17;

IpAddress address(unsigned family, Bytes bytes) {
  std::array<std::uint8_t, 16> raw{};
  std::ranges::transform(bytes, raw.begin(), [](std::byte b) { return static_cast<std::uint8_t>(b); });
  return address_of(family, raw.data());
}

/// Reads up to the transport header; returns what the packet says it holds, or less if it is cut: `left_out` bytes.
Result<Cursor> read_ipv4(Cursor in, DnsPacket& out, std::size_t& left_out) {
  TRY(const auto first, in.u8());
  TRY_VOID(in.take(1));
  TRY(const auto total, in.be<std::uint16_t>());
  TRY_VOID(in.take(2));
  TRY(const auto fragment, in.be<std::uint16_t>());
  TRY_VOID(in.take(1));
  TRY(out.protocol, in.u8());
  TRY_VOID(in.take(2));
  TRY(const Bytes source, in.take(4));
  TRY(const Bytes destination, in.take(4));
  const std::size_t header = (first & 0x0fU) * 4U;
  if (header < 20 || total < header || (fragment & 0x1fff) != 0) return fail(Errc::malformed, "dns.ipv4");
  TRY_VOID(in.take(header - 20));
  out.source.address = address(AF_INET, source);
  out.destination.address = address(AF_INET, destination);
  left_out = total - header - std::min<std::size_t>(in.remaining(), total - header);
  return in.sub(std::min<std::size_t>(in.remaining(), total - header));
}

Result<Cursor> read_ipv6(Cursor in, DnsPacket& out, std::size_t& left_out) {
  TRY_VOID(in.take(4));
  TRY(const auto length, in.be<std::uint16_t>());
  TRY(out.protocol, in.u8());
  TRY_VOID(in.take(1));
  TRY(const Bytes source, in.take(16));
  TRY(const Bytes destination, in.take(16));
  out.source.address = address(AF_INET6, source);
  out.destination.address = address(AF_INET6, destination);
  left_out = length - std::min<std::size_t>(in.remaining(), length);
  return in.sub(std::min<std::size_t>(in.remaining(), length));
}

Result<> read_segment(Cursor in, std::size_t left_out, DnsPacket& out) {
  TRY(out.sequence, in.be<std::uint32_t>());
  TRY_VOID(in.take(4));
  TRY(const auto offset, in.u8());
  TRY(const auto flags, in.u8());
  TRY_VOID(in.take(6));
  const std::size_t header = (offset >> 4U) * 4U;
  if (header < 20) return fail(Errc::malformed, "dns.tcp");
  TRY_VOID(in.take(header - 20));
  out.begins = (flags & 0x02) != 0;
  out.ends = (flags & 0x05) != 0;
  out.message = in.take_rest();
  out.missing = left_out;
  return {};
}

Result<DnsPacket> read_packet(Bytes packet) {
  DnsPacket out;
  Cursor in{packet};
  TRY(const auto first, in.peek());
  const unsigned version = first >> 4U;
  if (version != 4 && version != 6) return fail(Errc::unsupported, "dns.ip");
  std::size_t left_out = 0;
  TRY(Cursor transport, version == 4 ? read_ipv4(in, out, left_out) : read_ipv6(in, out, left_out));
  if (out.protocol != kTcp && out.protocol != kUdp) return fail(Errc::unsupported, "dns.protocol");
  Cursor ports = transport;
  TRY(out.source.port, ports.be<std::uint16_t>());
  TRY(out.destination.port, ports.be<std::uint16_t>());
  if (out.source.port != kDnsPort && out.destination.port != kDnsPort) return fail(Errc::unsupported, "dns.port");
  if (out.protocol == kTcp) {
    TRY_VOID(read_segment(ports, left_out, out));
    return out;
  }
  TRY(const auto length, ports.be<std::uint16_t>());
  TRY_VOID(ports.take(2));
  if (length < 8) return fail(Errc::malformed, "dns.udp");
  out.message = ports.take_rest().first(std::min<std::size_t>(transport.remaining() - 8, length - 8U));
  return out;
}

}  // namespace

std::optional<DnsPacket> parse_dns_packet(Bytes packet) {
  auto out = read_packet(packet);
  if (!out) return std::nullopt;
  return *std::move(out);
}

std::span<const sock_filter> dns_filter() {
  constexpr auto kProtocol = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PROTOCOL);
  constexpr auto kHardware = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_HATYPE);
  constexpr auto kPacketType = static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_PKTTYPE);
  static constexpr sock_filter kFilter[] = {
      // Loopback shows each packet twice: once going out, once coming in
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kHardware),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARPHRD_LOOPBACK, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kPacketType),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_OUTGOING, 21, 0),
      /* 0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kProtocol),
      /* 1 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP, 0, 10),
      // IPv4: UDP or TCP, first fragment, ports behind a header of any length
      /* 2 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 9),
      /* 3 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kUdp, 1, 0),
      /* 4 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kTcp, 0, 16),
      /* 5 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 6),
      /* 6 */ BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 0x1fff, 14, 0),
      /* 7 */ BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0),
      /* 8 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 0),
      /* 9 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kDnsPort, 10, 0),
      /* 10 */ BPF_STMT(BPF_LD | BPF_H | BPF_IND, 2),
      /* 11 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kDnsPort, 8, 9),
      // IPv6: the same, without extension headers
      /* 12 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IPV6, 0, 8),
      /* 13 */ BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 6),
      /* 14 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kUdp, 1, 0),
      /* 15 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kTcp, 0, 5),
      /* 16 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 40),
      /* 17 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kDnsPort, 2, 0),
      /* 18 */ BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 42),
      /* 19 */ BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kDnsPort, 0, 1),
      /* 20 */ BPF_STMT(BPF_RET | BPF_K, kDnsPacketBytesMax),
      /* 21 */ BPF_STMT(BPF_RET | BPF_K, 0),
  };
  return kFilter;
}

}  // namespace picket::agent
