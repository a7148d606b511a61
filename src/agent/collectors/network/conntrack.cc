// Tier "conntrack" of network: flows that the kernel's connection tracking sees, on a gateway also those it only passes
// on. TCP counts as opened when it is established and as failed when it ends before; UDP and ICMP open with their first
// packet and close when the kernel forgets them (30 s to 2 min of silence). Flows are remembered by id, so that after
// messages were lost a listing tells which are news. Connection tracking runs only where a firewall rule asks for it,
// and counts bytes only with net.netfilter.nf_conntrack_acct: that is reported, and changed only if the settings allow.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_map>

#include <fcntl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/log_lines.h"
#include "base/core/file.h"
#include "dns/socket_owner.h"
#include "network/conntrack_message.h"
#include "network/own_addresses.h"
#include "network/tiers.h"
#include "support/bpf_text.h"
#include "support/procfs.h"
#include "support/program_cache.h"

namespace picket::agent {
namespace {

constexpr int kBufferOfRing =
    32;  // the ebpf tier's records are that much smaller than messages with all their overhead
constexpr int kDatagramsMax = 256;        // of events, a call
constexpr int kListDatagramsMax = 16;     // of a listing, a call: it may be long
constexpr std::size_t kFlowsMax = 8'192;  // remembered
constexpr std::size_t kDatagramBytesMax = 32'768;
constexpr Duration kListPause = Duration::seconds(10);
constexpr Duration kIdle = Duration::minutes(5);

struct Known {
  std::uint32_t pid_from = 0, pid_to = 0;  // of who began it and of who was reached, where they are here
  std::uint32_t uid_from = 0, uid_to = 0;
  std::uint32_t generation = 0;  // of the listing that saw it last
  bool uid_from_known = false, uid_to_known = false, looked = false;
};

/// A flow from the side of somebody on this device, or from the side of who is behind it.
struct Side {
  ConnectionRecord::Direction direction = ConnectionRecord::Direction::out;
  Endpoint local, remote;
  bool forwarded = false;
  std::uint64_t bytes_in = 0, bytes_out = 0;
};

bool tracks(std::uint8_t protocol) {
  return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

bool is_many(const IpAddress& address) {  // multicast, or IPv4's broadcast
  return address.length == 4 ? address.bytes[0] >= 224 : address.bytes[0] == 0xff;
}

class NetworkConntrack final : public Source {
 public:
  NetworkConntrack(const Environment& environment, UniqueFd events, UniqueFd listing)
      : environment_(environment),
        events_(std::move(events)),
        listing_(std::move(listing)),
        fds_{events_.get(), listing_.get()},
        buffer_(kDatagramBytesMax),
        facts_(environment.settings.procfs),
        owner_(environment.settings.procfs) {
    list(false);  // what is open already is not news
  }

  std::span<const int> fds() const override { return fds_; }
  Counters counters() const override { return counters_; }

  Duration on_ready(int fd) override {
    now_ = moment_of(environment_.clock);
    if (fd == listing_.get()) {
      read_listing();
    } else {
      read_events();
    }
    return due();
  }
  Duration on_timer() override {
    now_ = moment_of(environment_.clock);
    return due();
  }

 private:
  Duration due() {
    if (!lost_) return kIdle;
    const Duration wait = listed_ + kListPause - now_.monotonic;
    if (wait.us <= 0 && !running_) list(true);
    return std::max(wait, Duration::seconds(1));
  }

  void read_events() {
    for (int i = 0; i < kDatagramsMax; ++i) {
      const ssize_t n = recv(events_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (n < 0 && errno == ENOBUFS) {
        ++counters_.seen;  // the kernel does not say how many
        ++counters_.dropped_kernel;
        lost_ = true;
        continue;
      }
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return;
      for_each_flow(Bytes(buffer_).first(static_cast<std::size_t>(n)), [this](const ConntrackFlow& f) { take(f); });
    }
  }

  void take(const ConntrackFlow& flow) {
    if (!tracks(flow.protocol)) return;
    const bool tcp = flow.protocol == IPPROTO_TCP;
    if (flow.message == ConntrackFlow::Message::destroyed) {
      Known known;
      if (const auto found = flows_.find(flow.id); found != flows_.end()) {
        known = found->second;
        flows_.erase(found);
      }
      return tell(flow, known, tcp && !flow.assured ? ConnectionRecord::Kind::failed : ConnectionRecord::Kind::closed);
    }
    // Who began it is asked with the first packet: a connect that fails has no socket later.
    if (flow.created) {
      Known& known = remember(flow);
      if (!tcp) tell(flow, known, ConnectionRecord::Kind::opened);
    } else if (tcp && flow.assured && flow.established) {
      // The change to this state comes once; a later mark of a firewall's does not matter much.
      Known& known = remember(flow);
      if (known.looked) look_at_reached(flow, known);
      tell(flow, known, ConnectionRecord::Kind::opened);
    }
  }

  /// A listing restores what was lost: flows that nobody was told of, and the places of those that have gone.
  void list(bool report) {
    if (!request_flows(listing_.get())) return;
    ++generation_;
    running_ = true;
    report_ = report;
    lost_ = false;
    if (report) listed_ = now_.monotonic;
  }

  void read_listing() {
    for (int i = 0; i < kListDatagramsMax && running_; ++i) {
      const ssize_t n = recv(listing_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
      running_ = n > 0 && for_each_flow(Bytes(buffer_).first(static_cast<std::size_t>(n)),
                                        [this](const ConntrackFlow& f) { take_listed(f); });
    }
    if (!running_) {
      std::erase_if(flows_, [this](const auto& each) { return each.second.generation != generation_; });
    }
  }

  void take_listed(const ConntrackFlow& flow) {
    if (!tracks(flow.protocol) || flow.id == 0) return;
    if (const auto found = flows_.find(flow.id); found != flows_.end()) {
      found->second.generation = generation_;
      return;
    }
    if (flow.protocol == IPPROTO_TCP && !(flow.assured && flow.established)) return;
    if (flows_.size() >= kFlowsMax) {  // it may have been told of before, and cannot be found
      if (report_) {
        ++counters_.seen;
        ++counters_.dropped_user;
      }
      return;
    }
    Known& known = flows_[flow.id];
    known.generation = generation_;
    if (report_) {
      look(flow, known);
      tell(flow, known, ConnectionRecord::Kind::opened);
    }
  }

  Known& remember(const ConntrackFlow& flow) {
    const auto found = flows_.find(flow.id);
    if (found != flows_.end()) return found->second;
    // Who has to go was told of; only its end will have no process.
    if (flows_.size() >= kFlowsMax) flows_.erase(flows_.begin());
    Known& known = flows_[flow.id];
    known.generation = generation_;
    look(flow, known);
    return known;
  }

  bool is_own(const IpAddress& address) {
    if (address.length == 4 && (address.bytes[0] == 127 || address.bytes[0] == 0)) return true;
    return addresses_.find(address, now_.monotonic) != nullptr;
  }

  void look(const ConntrackFlow& flow, Known& known) {
    known.looked = true;
    if (is_own(flow.origin.source.address)) {
      known.pid_from = owner_.find(flow.protocol, flow.origin.source, flow.origin.destination, now_.monotonic);
      known.uid_from_known = owner_.uid().has_value();
      known.uid_from = owner_.uid().value_or(0);
    }
    look_at_reached(flow, known);
  }

  void look_at_reached(const ConntrackFlow& flow, Known& known) {
    if (known.pid_to != 0 || !is_own(flow.reply.source.address)) return;
    known.pid_to = owner_.find(flow.protocol, flow.reply.source, flow.reply.destination, now_.monotonic);
    if (known.pid_to == 0) {  // not accepted yet: then who listens
      known.pid_to = owner_.find(flow.protocol, flow.reply.source, {flow.reply.destination.address, 0}, now_.monotonic);
    }
    known.uid_to_known = owner_.uid().has_value();
    known.uid_to = owner_.uid().value_or(0);
  }

  void tell(const ConntrackFlow& flow, const Known& known, ConnectionRecord::Kind kind) {
    const std::uint64_t there = payload_bytes(flow.origin, flow.protocol);
    const std::uint64_t back = payload_bytes(flow.reply, flow.protocol);
    using Direction = ConnectionRecord::Direction;
    const bool from_here = is_own(flow.origin.source.address);
    const bool to_here = is_own(flow.reply.source.address) || is_many(flow.reply.source.address);
    Side side{Direction::out, flow.origin.source, flow.origin.destination, !from_here, back, there};
    if (from_here || (!to_here && !is_own(flow.origin.destination.address))) {
      emit(flow, kind, side, known.pid_from, known.uid_from_known ? std::optional(known.uid_from) : std::nullopt);
      if (!to_here || is_many(flow.reply.source.address)) return;
    }
    // Of ours, or behind a port of ours that leads on.
    side = {Direction::in, flow.reply.source, flow.origin.source, !to_here, there, back};
    emit(flow, kind, side, known.pid_to, known.uid_to_known ? std::optional(known.uid_to) : std::nullopt);
  }

  void emit(const ConntrackFlow& flow, ConnectionRecord::Kind kind, const Side& side, std::uint32_t pid,
            std::optional<std::uint32_t> uid) {
    ConnectionRecord record{.kind = kind,
                            .direction = side.direction,
                            .time = now_,
                            .origin = {"network", "conntrack", false},
                            .protocol = flow.protocol,
                            .local = side.local,
                            .remote = side.remote,
                            .forwarded = side.forwarded,
                            .pid = pid,
                            .uid = uid.value_or(0),
                            .uid_known = uid.has_value(),
                            .cookie = flow.id};
    if (kind == ConnectionRecord::Kind::closed) {
      record.bytes_in = side.bytes_in;
      record.bytes_out = side.bytes_out;
      record.bytes_known = flow.counted;
      if (flow.start_ns != 0 && flow.stop_ns > flow.start_ns) {
        record.lasted = Duration{static_cast<std::int64_t>((flow.stop_ns - flow.start_ns) / 1000)};
      }
    }
    if (const OwnAddresses::Known* own = addresses_.find(side.local.address, now_.monotonic)) {
      record.interface = own->interface;
    }
    if (pid != 0) {
      const auto* program = programs_.find(pid, 0);
      if (kind == ConnectionRecord::Kind::opened && facts_.read_program(pid)) {
        program = &programs_.put(pid, 0, facts_.executable(), facts_.argv());
      }
      if (program != nullptr) {
        record.executable = program->executable;
        record.argv = program->argv;
      }
    }
    if (record.executable.empty() && !side.forwarded) ++counters_.incomplete;
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
  }

  Environment environment_;
  UniqueFd events_, listing_;
  std::array<int, 2> fds_;
  Buffer buffer_;
  ProcessFacts facts_;
  SocketOwner owner_;
  OwnAddresses addresses_;
  ProgramCache programs_;
  std::unordered_map<std::uint32_t, Known> flows_;  // by id; at most kFlowsMax
  std::uint32_t generation_ = 0;
  bool running_ = false, report_ = false, lost_ = false;
  Moment now_;
  Duration listed_;
  Counters counters_;
};

Result<UniqueFd> open_netfilter() {
  UniqueFd fd{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)};
  if (!fd.valid()) return fail_errno("agent.conntrack.socket");
  const sockaddr_nl address{.nl_family = AF_NETLINK};
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return fail_errno("agent.conntrack.bind");
  }
  return fd;
}

/// Whether something that this device sends itself is tracked: without a rule that asks for it nothing is.
bool shows_itself(int events, int family) {
  const UniqueFd probe{socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  sockaddr_in6 to{.sin6_family = AF_INET6, .sin6_port = htons(9), .sin6_addr = in6addr_loopback};
  socklen_t size = sizeof(to);
  if (family == AF_INET) {
    const sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    std::memcpy(&to, &v4, size = sizeof(v4));
  }
  sockaddr_in6 own{};
  socklen_t own_size = sizeof(own);
  if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&to), size) != 0 || send(probe.get(), "", 1, 0) != 1 ||
      getsockname(probe.get(), reinterpret_cast<sockaddr*>(&own), &own_size) != 0) {
    return false;
  }
  bool seen = false;
  Buffer buffer(kDatagramBytesMax);
  for (int i = 0; i < kDatagramsMax && !seen; ++i) {
    const ssize_t n = recv(events, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n <= 0) break;
    for_each_flow(Bytes(buffer).first(static_cast<std::size_t>(n)), [&](const ConntrackFlow& flow) {
      seen = seen || (flow.protocol == IPPROTO_UDP && flow.origin.source.port == ntohs(own.sin6_port));
    });
  }
  return seen;
}

/// Bytes are counted for flows that begin after this is on.
void look_at_accounting(const Environment& environment) {
  const std::string path = environment.settings.procfs + "/sys/net/netfilter/nf_conntrack_acct";
  const auto value = read_file(path, 16);
  if (value && value->starts_with("1")) return;
  if (environment.settings.conntrack_accounting) {
    const UniqueFd fd{open(path.c_str(), O_WRONLY | O_CLOEXEC)};
    if (fd.valid() && write(fd.get(), "1", 1) == 1) return;
  }
  if (environment.agent == nullptr) return;
  const Moment now = moment_of(environment.clock);
  environment.agent->log_lines().add(now.wall, now.monotonic,
                                     "warning: network: the kernel counts no bytes of flows "
                                     "(net.netfilter.nf_conntrack_acct is not 1)");
}

}  // namespace

Result<std::unique_ptr<Source>> open_network_conntrack(const Environment& environment) {
  TRY(UniqueFd events, open_netfilter());
  TRY(UniqueFd listing, open_netfilter());
  TRY(const std::uint32_t ring_bytes, checked_ring_bytes(environment.settings.network_ring_bytes));
  const int buffer_bytes = static_cast<int>(ring_bytes) * kBufferOfRing;
  if (setsockopt(events.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer_bytes, sizeof(buffer_bytes)) != 0) {
    setsockopt(events.get(), SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof(buffer_bytes));
  }
  for (const int group : {NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY}) {
    if (setsockopt(events.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0) {
      return fail_errno("agent.conntrack.membership");
    }
  }
  if (!shows_itself(events.get(), AF_INET) && !shows_itself(events.get(), AF_INET6)) {
    return fail(Errc::unsupported, "agent.conntrack.nothing_is_tracked");
  }
  look_at_accounting(environment);
  return std::make_unique<NetworkConntrack>(environment, std::move(events), std::move(listing));
}

}  // namespace picket::agent
