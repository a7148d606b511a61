// Tier "packet" of dns: copies of packets with port 53, which a filter in the kernel picks out.
#include <array>
#include <cerrno>

#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "agent/name_cache.h"
#include "base/core/file.h"
#include "dns/dns_packet.h"
#include "dns/look_up_table.h"
#include "dns/socket_owner.h"
#include "dns/tiers.h"
#include "support/address_text.h"
#include "support/event_record.h"

namespace picket::agent {
namespace {

constexpr int kReceiveBufferBytes = 256 << 10;
constexpr int kPacketsMax = 256;  // a call

class DnsPackets final : public Source {
 public:
  DnsPackets(const Environment& environment, UniqueFd packets)
      : environment_(environment),
        packets_(std::move(packets)),
        fd_(packets_.get()),
        owner_(environment.settings.procfs),
        table_(environment.settings.dns_timeout, [this](const LookUp& look_up) { report(look_up); }) {}

  std::span<const int> fds() const override { return {&fd_, 1}; }
  Counters counters() const override { return counters_; }

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
    return table_.on_time(moment_of(environment_.clock));
  }

  Duration on_timer() override { return on_ready(fd_); }

 private:
  void take(Bytes packet, const sockaddr_ll& from) {
    const bool outgoing = from.sll_pkttype == PACKET_OUTGOING;
    const bool loopback = from.sll_hatype == ARPHRD_LOOPBACK;  // where the filter lets only what comes in through
    const auto dns = parse_dns_packet(packet);
    if (!dns || dns->message.empty()) return;  // TCP without a message, a later fragment
    auto message = parse_dns(dns->message);
    if (!message) return refuse();
    const Moment now = moment_of(environment_.clock);
    const bool to_server = dns->destination.port == kDnsPort, from_server = dns->source.port == kDnsPort;
    if (!message->is_response && to_server && (loopback || outgoing)) {
      ask(*message, *dns, now);
    } else if (message->is_response && from_server && !outgoing && from.sll_pkttype != PACKET_OTHERHOST) {
      if (!table_.answer(*message, dns->protocol, dns->destination, dns->source, dns->message.size(), now)) refuse();
    }
  }

  void ask(const DnsMessage& message, const DnsPacket& dns, Moment now) {
    LookUp* look_up = table_.ask(message, dns.protocol, dns.source, dns.destination, dns.message.size(), now);
    if (look_up == nullptr) return;
    look_up->pid = owner_.find(dns.protocol, dns.source, dns.destination, now.monotonic);
    if (look_up->pid != 0) look_up->executable = owner_.executable(look_up->pid);
  }

  void report(const LookUp& look_up) {
    for (const IpAddress& address : look_up.addresses) looked_up_names().put(address, look_up.name);
    const std::string type = dns_type_text(look_up.type), server = address_text(look_up.server.address);
    const std::string code = look_up.timed_out ? "TIMEOUT" : look_up.code ? dns_code_text(*look_up.code) : "";
    const std::vector<std::string_view> answers(look_up.answers.begin(), look_up.answers.end());
    message::Dns item{.query_name = look_up.name,
                      .query_type = type,
                      .response_code = code,
                      .answers = answers,
                      .remote_address = server,
                      .executable = look_up.executable,
                      .source = "packet"};
    if (look_up.pid != 0) item.process_id = look_up.pid;
    std::string identity = look_up.name;
    for (const std::string_view part : {std::string_view(type), std::string_view(code), std::string_view(server),
                                        std::string_view(look_up.executable)}) {
      identity.append(1, '\0').append(part);
    }
    const EventRecord sums{
        .failed = !look_up.code || *look_up.code != 0, .bytes_in = look_up.bytes_in, .bytes_out = look_up.bytes_out};
    ++counters_.seen;
    if (emit_counted(environment_.sink, look_up.time, {"dns", "packet", false}, environment_.priority, identity, item,
                     sums)) {
      ++counters_.delivered;
      if (look_up.executable.empty()) ++counters_.incomplete;
    } else {
      ++counters_.dropped_user;
    }
  }

  /// No message that can be read, or an answer that nobody asked for.
  void refuse() {
    ++counters_.seen;
    ++counters_.dropped_user;
  }

  /// Packets that found the buffer full; asking sets the kernel's count to 0.
  void count_drops() {
    tpacket_stats statistics{};
    socklen_t bytes = sizeof(statistics);
    if (getsockopt(packets_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &bytes) != 0) return;
    counters_.seen += statistics.tp_drops;
    counters_.dropped_kernel += statistics.tp_drops;
  }

  Environment environment_;
  UniqueFd packets_;
  int fd_;
  SocketOwner owner_;
  LookUpTable table_;
  Counters counters_;
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
