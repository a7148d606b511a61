// Tier "sock-diag" of network: the kernel tells of each socket's end with its final byte counts; a dump every few
// seconds finds the living and their owners. What it cannot know: the owner of a connection shorter than the dump
// interval (counted as incomplete), most failed connects (a blocking connect() wipes the socket's peer before it
// returns), and whether the byte count in has the peer's FIN in it.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <unordered_map>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/core/file.h"
#include "network/diag_message.h"
#include "network/net_table.h"
#include "network/tiers.h"
#include "support/bpf_text.h"
#include "support/procfs.h"
#include "support/program_cache.h"

namespace picket::agent {
namespace {

constexpr int kReceiveBufferBytes = 4 << 20;
constexpr int kMessagesMax = 1024;         // a call
constexpr std::size_t kSocketsMax = 8192;  // remembered
constexpr std::size_t kDatagramBytesMax = 65536;

struct Known {
  std::uint32_t pid = 0;
  std::uint32_t generation = 0;  // of the dump that saw it last
  Duration since;
  ConnectionRecord::Direction direction = ConnectionRecord::Direction::unknown;
};

class NetworkDiag final : public Source {
 public:
  NetworkDiag(const Environment& environment, UniqueFd events, UniqueFd dumps)
      : environment_(environment),
        events_(std::move(events)),
        dumps_(std::move(dumps)),
        poll_fd_(events_.get()),
        buffer_(kDatagramBytesMax),
        facts_(environment.settings.procfs),
        owners_(environment.settings.procfs) {
    dump(false);  // what is open already is not news
    due_ = environment_.clock.monotonic() + environment_.settings.socket_dump_every;
  }

  std::span<const int> fds() const override { return {&poll_fd_, 1}; }
  Counters counters() const override { return counters_; }

  Duration on_ready(int) override {
    for (int i = 0; i < kMessagesMax; ++i) {
      const ssize_t n = recv(events_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
      if (n < 0 && errno == ENOBUFS) {
        ++counters_.seen;
        ++counters_.dropped_kernel;
        continue;
      }
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) break;
      for_each_diag(Bytes(buffer_).first(static_cast<std::size_t>(n)), [this](const DiagSocket& s) { on_end(s); });
    }
    return std::max(due_ - environment_.clock.monotonic(), Duration{1000});
  }

  Duration on_timer() override {
    const auto now = environment_.clock.monotonic();
    if (now >= due_) {
      on_ready(poll_fd_);  // ends first, so that the dump does not bring back what is gone
      dump(true);
      due_ = now + environment_.settings.socket_dump_every;
    }
    return std::max(due_ - now, Duration{1000});
  }

 private:
  void dump(bool report) {
    ++generation_;
    found_.clear();
    over_ = 0;
    for (const int family : {AF_INET, AF_INET6}) {
      for (const int protocol : {IPPROTO_TCP, IPPROTO_UDP}) dump_one(family, protocol);
    }
    // The same ones are past the bound each time: only more of them are news.
    const std::size_t more = over_ - std::min(over_, over_before_);
    over_before_ = over_;
    counters_.seen += more;
    counters_.dropped_user += more;
    listeners_.clear();
    for (const DiagSocket& s : found_) {
      if (s.protocol == IPPROTO_TCP && s.state == TcpState::listen) listeners_.add(s.local.port, s.uid, s.inode);
    }
    const bool any_new =
        std::any_of(found_.begin(), found_.end(), [&](const DiagSocket& s) { return !known_.contains(s.cookie); });
    if (any_new) owners_.refresh();
    for (const DiagSocket& s : found_) look_at(s, report);
    // The end of a socket that was lost from the event queue must not keep its place.
    std::erase_if(known_, [&](const auto& entry) { return entry.second.generation != generation_; });
  }

  void dump_one(int family, int protocol) {
    if (!request_dump(dumps_.get(), family, protocol)) return;
    for (bool more = true; more;) {
      const ssize_t n = recv(dumps_.get(), buffer_.data(), buffer_.size(), 0);
      if (n <= 0) return;
      more = for_each_diag(Bytes(buffer_).first(static_cast<std::size_t>(n)), [&](const DiagSocket& s) {
        if (found_.size() < kSocketsMax) {
          found_.push_back(s);
        } else {
          ++over_;
        }
      });
    }
  }

  void look_at(const DiagSocket& s, bool report) {
    if (const auto at = known_.find(s.cookie); at != known_.end()) {
      at->second.generation = generation_;
      return;
    }
    // Not connected (yet), or on its way out without an owner.
    if (s.remote.port == 0 || s.state == TcpState::syn_sent || s.state == TcpState::syn_recv ||
        s.state == TcpState::listen || s.state == TcpState::time_wait || s.cookie == 0) {
      return;
    }
    const Known known{owners_.find(s.inode), generation_, environment_.clock.monotonic(), direction_of(s)};
    known_.emplace(s.cookie, known);
    if (!report) return;
    ConnectionRecord record = record_of(s, known);
    record.kind = ConnectionRecord::Kind::opened;
    emit(record);
  }

  // The kernel has destroyed a socket.
  void on_end(const DiagSocket& s) {
    if (s.remote.port == 0) return;  // a listener, or never connected
    const auto at = known_.find(s.cookie);
    const bool was_known = at != known_.end();
    const Known known = was_known ? at->second : Known{0, generation_, {}, direction_of(s)};
    if (was_known) known_.erase(at);
    ConnectionRecord record = record_of(s, known);
    // A client's SYN counts as one acknowledged byte: none acknowledged means that nobody ever answered.
    const bool failed = s.protocol == IPPROTO_TCP && s.has_info &&
                        known.direction == ConnectionRecord::Direction::out && s.bytes_acked == 0 && !was_known;
    if (failed) {
      record.kind = ConnectionRecord::Kind::failed;
      return emit(record);
    }
    if (!was_known) {
      record.kind = ConnectionRecord::Kind::opened;
      emit(record);
    }
    record.kind = ConnectionRecord::Kind::closed;
    record.bytes_in = s.bytes_in;
    record.bytes_out = s.bytes_out;
    record.bytes_known = s.has_info;
    if (was_known && known.since.us != 0) record.lasted = environment_.clock.monotonic() - known.since;
    emit(record);
  }

  ConnectionRecord::Direction direction_of(const DiagSocket& s) const {
    return s.protocol == IPPROTO_TCP && listeners_.find(s.local.port) ? ConnectionRecord::Direction::in
                                                                      : ConnectionRecord::Direction::out;
  }

  ConnectionRecord record_of(const DiagSocket& s, const Known& known) {
    ConnectionRecord record{.direction = known.direction,
                            .time = moment_of(environment_.clock),
                            .origin = {"network", "sock-diag", false},
                            .protocol = s.protocol,
                            .local = s.local,
                            .remote = s.remote,
                            .pid = known.pid,
                            .uid = s.uid,
                            .uid_known = true,
                            .cookie = s.cookie};
    if (record.pid == 0 && known.direction == ConnectionRecord::Direction::in) {
      if (const auto* listener = listeners_.find(s.local.port)) record.pid = owners_.find(listener->inode);
    }
    if (record.pid == 0) return record;
    const auto* program = programs_.find(record.pid, 0);
    if (facts_.read_program(record.pid)) program = &programs_.put(record.pid, 0, facts_.executable(), facts_.argv());
    if (!program) return record;
    record.executable = program->executable;
    record.argv = program->argv;
    return record;
  }

  void emit(const ConnectionRecord& record) {
    if (record.executable.empty()) ++counters_.incomplete;
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
  }

  Environment environment_;
  UniqueFd events_, dumps_;
  int poll_fd_;
  Buffer buffer_;
  ProcessFacts facts_;
  SocketOwners owners_;
  Listeners listeners_;
  ProgramCache programs_;
  std::vector<DiagSocket> found_;
  std::unordered_map<std::uint64_t, Known> known_;  // by cookie; at most kSocketsMax, the bound of found_
  std::size_t over_ = 0, over_before_ = 0;          // sockets of a dump past the bound
  std::uint32_t generation_ = 0;
  Duration due_;
  Counters counters_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_network_diag(const Environment& environment) {
  UniqueFd events{socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
  UniqueFd dumps{socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG)};
  if (!events.valid() || !dumps.valid()) return fail_errno("agent.diag.socket");
  // Bound before joining the groups: the other way round nothing ever arrives.
  const sockaddr_nl address{.nl_family = AF_NETLINK};
  if (bind(events.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return fail_errno("agent.diag.bind");
  }
  if (setsockopt(events.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes)) != 0) {
    setsockopt(events.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes));
  }
  for (const int group :
       {SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET_UDP_DESTROY, SKNLGRP_INET6_TCP_DESTROY, SKNLGRP_INET6_UDP_DESTROY}) {
    if (setsockopt(events.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0) {
      return fail_errno("agent.diag.membership");
    }
  }
  const timeval patience{.tv_sec = 1};
  setsockopt(dumps.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  TRY_VOID(request_dump(dumps.get(), AF_INET, IPPROTO_TCP));
  std::array<std::byte, kDatagramBytesMax> answer;
  // Drain the trial dump: an error in it (no such module) is the answer we want to know.
  for (;;) {
    const ssize_t n = recv(dumps.get(), answer.data(), answer.size(), 0);
    if (n < 0) return fail_errno("agent.diag.dump");
    const auto bytes = Bytes(answer).first(static_cast<std::size_t>(n));
    if (const int error = diag_error(bytes); error != 0) {
      errno = error;
      return fail_errno("agent.diag.dump");
    }
    if (!for_each_diag(bytes, [](const DiagSocket&) {})) break;
  }
  return std::make_unique<NetworkDiag>(environment, std::move(events), std::move(dumps));
}

}  // namespace picket::agent
