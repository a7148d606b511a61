// Tier "proc-connector" of process: the kernel names the pid of each exec by netlink, procfs has the rest if it still
// lives. Programs that end at once lose their argv: counted as incomplete, never guessed.
#include <cerrno>
#include <cstring>

#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/core/cursor.h"
#include "base/core/file.h"
#include "process/tiers.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

constexpr int kReceiveBufferBytes = 4 << 20;
constexpr int kAckTimeoutMs = 100;  // a kernel without PROC_EVENTS stays silent
constexpr int kMessagesMax = 2048;  // a call
constexpr std::size_t kMessageBytesMax = 4096;
constexpr std::uint32_t kEventExec = 0x2, kEventFork = 0x1, kEventExit = 0x80000000, kEventNone = 0;

// struct proc_event of linux/cn_proc.h, whose name for the kind differs among kernel versions.
struct ProcEvent {
  std::uint32_t what = 0;
  std::uint32_t ack_error = 0;
  std::uint64_t timestamp_ns = 0;  // CLOCK_MONOTONIC
  std::uint32_t pid = 0, tgid = 0, parent_tgid = 0, exit_code = 0;
};

Result<ProcEvent> parse_event(Bytes datagram) {
  Cursor in{datagram};
  TRY_VOID(in.take(sizeof(nlmsghdr)));
  TRY(const std::uint32_t index, in.le<std::uint32_t>());
  TRY(const std::uint32_t value, in.le<std::uint32_t>());
  if (index != CN_IDX_PROC || value != CN_VAL_PROC) return fail(Errc::unsupported, "agent.connector.id");
  TRY_VOID(in.take(sizeof(cn_msg) - 8));
  ProcEvent event;
  TRY(event.what, in.le<std::uint32_t>());
  TRY_VOID(in.take(4));  // cpu
  TRY(event.timestamp_ns, in.le<std::uint64_t>());
  TRY(const std::uint32_t first, in.le<std::uint32_t>());
  event.ack_error = first;
  if (event.what == kEventNone) return event;
  TRY(const std::uint32_t second, in.le<std::uint32_t>());
  event.pid = first;
  event.tgid = second;
  if (event.what == kEventFork) {
    event.parent_tgid = second;
    TRY(event.pid, in.le<std::uint32_t>());
    TRY(event.tgid, in.le<std::uint32_t>());
  } else if (event.what == kEventExit) {
    TRY(event.exit_code, in.le<std::uint32_t>());
  }
  return event;
}

Result<> subscribe(int fd, bool filtered, std::uint32_t events, bool listen) {
  // nlmsghdr, cn_msg (which ends in a flexible array), then what to do and, from kernel 6.6, which events.
  const std::size_t payload = filtered ? 8 : 4;
  const nlmsghdr netlink{.nlmsg_len = static_cast<std::uint32_t>(sizeof(nlmsghdr) + sizeof(cn_msg) + payload),
                         .nlmsg_type = NLMSG_DONE};
  const std::array<std::uint32_t, 4> connector{CN_IDX_PROC, CN_VAL_PROC, 0, 0};  // id, seq, ack
  const std::array<std::uint16_t, 2> length_flags{static_cast<std::uint16_t>(payload), 0};
  const std::array<std::uint32_t, 2> operation{
      static_cast<std::uint32_t>(listen ? PROC_CN_MCAST_LISTEN : PROC_CN_MCAST_IGNORE), events};
  std::array<std::byte, sizeof(nlmsghdr) + sizeof(cn_msg) + 8> request{};
  std::memcpy(request.data(), &netlink, sizeof(netlink));
  std::memcpy(request.data() + 16, connector.data(), 16);
  std::memcpy(request.data() + 32, length_flags.data(), 4);
  std::memcpy(request.data() + 36, operation.data(), payload);
  if (send(fd, request.data(), netlink.nlmsg_len, 0) < 0) return fail_errno("agent.connector.subscribe");
  return {};
}

// Waits for the acknowledgement among events that may already flow. Errors: unavailable (silence), io (refused).
Result<> await_acknowledgement(int fd) {
  std::array<std::byte, kMessageBytesMax> buffer;
  for (;;) {
    pollfd waiting{.fd = fd, .events = POLLIN};
    if (poll(&waiting, 1, kAckTimeoutMs) <= 0) return fail(Errc::unavailable, "agent.connector.acknowledge");
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0) {
      if (errno == ENOBUFS || errno == EAGAIN) continue;
      return fail_errno("agent.connector.acknowledge");
    }
    const auto event = parse_event(Bytes(buffer).first(static_cast<std::size_t>(n)));
    if (!event || event->what != kEventNone) continue;
    if (event->ack_error == 0) return {};
    errno = static_cast<int>(event->ack_error);
    return fail_errno("agent.connector.acknowledge");
  }
}

Result<UniqueFd> open_connector(bool filtered, std::uint32_t events) {
  UniqueFd fd{socket(PF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_CONNECTOR)};
  if (!fd.valid()) return fail_errno("agent.connector.socket");
  sockaddr_nl address{.nl_family = AF_NETLINK, .nl_groups = CN_IDX_PROC};
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) {
    return fail_errno("agent.connector.bind");
  }
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes)) != 0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes));
  }
  TRY_VOID(subscribe(fd.get(), filtered, events, true));
  TRY_VOID(await_acknowledgement(fd.get()));
  return fd;
}

class ProcessConnector final : public Source {
 public:
  ProcessConnector(const Environment& environment, UniqueFd fd)
      : environment_(environment), fd_(std::move(fd)), poll_fd_(fd_.get()), facts_(environment.settings.procfs) {}
  ~ProcessConnector() override { (void)subscribe(fd_.get(), false, 0, false); }

  std::span<const int> fds() const override { return {&poll_fd_, 1}; }
  Duration on_timer() override { return Duration::hours(1); }
  Counters counters() const override { return counters_; }

  Duration on_ready(int) override {
    std::array<std::byte, kMessageBytesMax> buffer;
    for (int i = 0; i < kMessagesMax; ++i) {
      sockaddr_nl from{};
      socklen_t from_bytes = sizeof(from);
      const ssize_t n = recvfrom(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&from), &from_bytes);
      if (n < 0) {
        if (errno == EINTR) continue;
        if (errno != ENOBUFS) break;
        ++counters_.seen;
        ++counters_.dropped_kernel;  // the kernel tells that it lost some, not how many
        continue;
      }
      if (from.nl_pid == 0) take(Bytes(buffer).first(static_cast<std::size_t>(n)));  // only the kernel is believed
    }
    return Duration::hours(1);
  }

 private:
  void take(Bytes datagram) {
    const auto event = parse_event(datagram);
    if (!event) {
      ++counters_.seen;
      ++counters_.dropped_user;
      return;
    }
    ProcessRecord record{.time = moment_of(environment_.clock), .origin = {"process", "proc-connector", false}};
    record.pid = event->tgid;
    switch (event->what) {
      case kEventExec: {
        record.kind = ProcessRecord::Kind::exec;
        facts_.read(record.pid);
        facts_.fill(record);
        if (record.argv_lost || record.executable.empty()) ++counters_.incomplete;
        break;
      }
      case kEventFork:
        if (!environment_.settings.process_fork_exit || event->pid != event->tgid) return;
        record.kind = ProcessRecord::Kind::fork;
        record.ppid = event->parent_tgid;
        break;
      case kEventExit:
        if (!environment_.settings.process_fork_exit || event->pid != event->tgid) return;
        record.kind = ProcessRecord::Kind::exit;
        record.exit_status = static_cast<std::int32_t>(event->exit_code);
        break;
      default:
        return;
    }
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
  }

  Environment environment_;
  UniqueFd fd_;
  int poll_fd_;
  ProcessFacts facts_;
  Counters counters_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_process_connector(const Environment& environment) {
  const std::uint32_t events =
      environment.settings.process_fork_exit ? kEventExec | kEventFork | kEventExit : kEventExec;
  // Kernels from 6.6 filter by kind of event for us; older ones do not answer the longer request.
  auto fd = open_connector(true, events);
  if (!fd) fd = open_connector(false, 0);
  if (!fd) return std::unexpected(fd.error());
  return std::make_unique<ProcessConnector>(environment, *std::move(fd));
}

}  // namespace picket::agent
