// Tier "packet" of dns: copies of packets with port 53, which a filter in the kernel picks out.
#include <array>
#include <cerrno>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/core/file.h"
#include "dns/reporter.h"
#include "dns/tiers.h"

namespace picket::agent {
namespace {

constexpr int kReceiveBufferBytes = 256 << 10;
constexpr int kPacketsMax = 256;  // a call

class DnsPackets final : public Source {
 public:
  DnsPackets(const Environment& environment, UniqueFd packets)
      : packets_(std::move(packets)), fd_(packets_.get()), reporter_(environment, "packet") {}

  std::span<const int> fds() const override { return {&fd_, 1}; }
  Counters counters() const override { return reporter_.counters(); }

  Duration on_ready(int) override {
    for (int i = 0; i < kPacketsMax; ++i) {
      sockaddr_ll from{};
      socklen_t from_bytes = sizeof(from);
      const ssize_t n = recvfrom(packets_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&from), &from_bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) break;  // also ENETDOWN, when an interface went down
      take(Bytes(buffer_).first(static_cast<std::size_t>(n)), from);
    }
    count_drops();
    return reporter_.on_time();
  }

  Duration on_timer() override { return on_ready(fd_); }

 private:
  void take(Bytes packet, const sockaddr_ll& from) {
    const bool outgoing = from.sll_pkttype == PACKET_OUTGOING;
    const bool loopback = from.sll_hatype == ARPHRD_LOOPBACK;  // where the filter lets only what comes in through
    reporter_.take(packet,
                   {.may_ask = loopback || outgoing, .may_answer = !outgoing && from.sll_pkttype != PACKET_OTHERHOST});
  }

  /// Packets that found the buffer full; asking sets the kernel's count to 0.
  void count_drops() {
    tpacket_stats statistics{};
    socklen_t bytes = sizeof(statistics);
    if (getsockopt(packets_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &bytes) != 0) return;
    reporter_.count_lost(statistics.tp_drops);
  }

  UniqueFd packets_;
  int fd_;
  DnsReporter reporter_;
  std::array<std::byte, kDnsPacketBytesMax> buffer_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_dns_packet(const Environment& environment) {
  // Protocol 0: nothing arrives before the filter is set.
  UniqueFd packets{socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  if (!packets.valid()) return fail_errno("agent.dns.socket");
  const auto filter = dns_filter();
  // The kernel only reads it, though the type does not say so.
  const sock_fprog program{static_cast<unsigned short>(filter.size()), const_cast<sock_filter*>(filter.data())};
  if (setsockopt(packets.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) != 0) {
    return fail_errno("agent.dns.filter");
  }
  if (setsockopt(packets.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes)) != 0) {
    setsockopt(packets.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes));
  }
  const sockaddr_ll everywhere{.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  if (bind(packets.get(), reinterpret_cast<const sockaddr*>(&everywhere), sizeof(everywhere)) != 0) {
    return fail_errno("agent.dns.bind");
  }
  return std::make_unique<DnsPackets>(environment, std::move(packets));
}

}  // namespace picket::agent
