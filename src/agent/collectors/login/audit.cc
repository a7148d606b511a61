// Tier "audit" of login: reads along what PAM and sshd tell the kernel's audit. Multicast: any number of readers may
// coexist with auditd. User-space records flow only while audit is enabled.
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <linux/audit.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/core/file.h"
#include "login/login_assembler.h"
#include "login/tiers.h"
#include "support/audit_record.h"

namespace picket::agent {
namespace {

constexpr int kReceiveBufferBytes = 1 << 20;
constexpr int kMessagesMax = 1024;  // a call
constexpr std::uint32_t kBacklogLimit = 8192;
constexpr int kAnswerTimeoutMs = 500;
constexpr Duration kLostCheck = Duration::minutes(1);
constexpr Duration kHeldCheck = Duration::seconds(1);

Result<UniqueFd> open_audit_socket() {
  UniqueFd fd{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT)};
  if (!fd.valid()) return fail_errno("agent.audit.socket");
  const sockaddr_nl address{.nl_family = AF_NETLINK};
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return fail_errno("agent.audit.bind");
  }
  return fd;
}

// One request to the kernel's audit; with `status`, waits for the state it answers with. Errors: io (refused),
// unavailable.
Result<> ask(int fd, std::uint16_t type, const audit_status* set, audit_status* status) {
  struct {
    nlmsghdr header;
    audit_status payload;
  } message{};
  message.header = {.nlmsg_len = static_cast<__u32>(sizeof(nlmsghdr) + (set ? sizeof(audit_status) : 0)),
                    .nlmsg_type = type,
                    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
                    .nlmsg_seq = 1};
  if (set) message.payload = *set;
  if (send(fd, &message, message.header.nlmsg_len, 0) < 0) return fail_errno("agent.audit.request");
  bool acknowledged = false;
  bool answered = status == nullptr;
  while (!acknowledged || !answered) {
    pollfd waiting{.fd = fd, .events = POLLIN};
    if (poll(&waiting, 1, kAnswerTimeoutMs) <= 0) return fail(Errc::unavailable, "agent.audit.answer");
    alignas(nlmsghdr) std::array<std::byte, 4096> buffer;
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < static_cast<ssize_t>(sizeof(nlmsghdr))) continue;
    nlmsghdr header;
    std::memcpy(&header, buffer.data(), sizeof(header));
    const std::size_t payload = static_cast<std::size_t>(n) - sizeof(header);
    if (header.nlmsg_type == NLMSG_ERROR) {
      int error = 0;
      if (payload >= sizeof(error)) std::memcpy(&error, buffer.data() + sizeof(header), sizeof(error));
      if (error != 0) {
        errno = -error;
        return fail_errno("agent.audit.refused");
      }
      acknowledged = true;
    } else if (header.nlmsg_type == AUDIT_GET && status) {
      *status = {};
      std::memcpy(status, buffer.data() + sizeof(header), std::min(payload, sizeof(*status)));
      answered = true;
    }
  }
  return {};
}

bool is_alive(std::uint32_t pid) { return kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM; }

// Login name of a uid from /etc/passwd: no getpwuid, because NSS does not fit a static binary.
std::string name_of(std::uint32_t uid) {
  const auto text = read_file("/etc/passwd", 1 << 20);
  std::string_view rest = text ? std::string_view(*text) : std::string_view{};
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto name_end = line.find(':');
    const auto uid_begin = line.find(':', name_end + 1);
    if (name_end == std::string_view::npos || uid_begin == std::string_view::npos) continue;
    std::uint32_t found = 0;
    std::from_chars(line.data() + uid_begin + 1, line.data() + line.size(), found);
    if (found == uid) return std::string(line.substr(0, name_end));
  }
  return {};
}

class LoginAudit final : public Source {
 public:
  LoginAudit(const Environment& environment, UniqueFd multicast, UniqueFd control, std::uint32_t lost)
      : environment_(environment),
        multicast_(std::move(multicast)),
        control_(std::move(control)),
        poll_fd_(multicast_.get()),
        lost_(lost),
        assembler_({"login", "audit", false}, [this](const LoginRecord& record) { emit(record); }, is_alive, name_of) {}

  std::span<const int> fds() const override { return {&poll_fd_, 1}; }
  Counters counters() const override { return counters_; }

  Duration on_ready(int) override {
    for (int i = 0; i < kMessagesMax; ++i) {
      alignas(nlmsghdr) std::array<std::byte, 16384> buffer;
      sockaddr_nl from{};
      socklen_t from_bytes = sizeof(from);
      const ssize_t n = recvfrom(multicast_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                 reinterpret_cast<sockaddr*>(&from), &from_bytes);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == ENOBUFS) {
        ++counters_.seen;
        ++counters_.dropped_kernel;
        continue;
      }
      if (n < 0) break;
      if (from.nl_pid == 0) take(Bytes(buffer).first(static_cast<std::size_t>(n)));
    }
    return pace();
  }

  Duration on_timer() override {
    const auto now = environment_.clock.monotonic();
    if (now - lost_at_ >= kLostCheck) {
      lost_at_ = now;
      audit_status status{};
      if (ask(control_.get(), AUDIT_GET, nullptr, &status)) {
        // Audit's own backlog overflowed: it does not say of what, so each counts as one of ours.
        counters_.seen += status.lost - lost_;
        counters_.dropped_kernel += status.lost - lost_;
        lost_ = status.lost;
      }
    }
    return pace();
  }

 private:
  Duration pace() { return assembler_.tick(moment_of(environment_.clock)) ? kHeldCheck : kLostCheck; }

  void take(Bytes datagram) {
    nlmsghdr header;
    if (datagram.size() < sizeof(header)) return;
    std::memcpy(&header, datagram.data(), sizeof(header));
    // Audit's nlmsg_len leaves out the header in some record types: the datagram's own size is what counts.
    const auto text = as_text(datagram.subspan(sizeof(header)));
    const auto login = parse_audit_login(header.nlmsg_type, text.substr(0, text.find('\0')));
    if (login) assembler_.take(*login, moment_of(environment_.clock));
  }

  void emit(const LoginRecord& record) {
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
  }

  Environment environment_;
  UniqueFd multicast_, control_;
  int poll_fd_;
  std::uint32_t lost_;
  Duration lost_at_;
  Counters counters_;
  LoginAssembler assembler_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_login_audit(const Environment& environment) {
  TRY(auto control, open_audit_socket());
  audit_status status{};
  TRY_VOID(ask(control.get(), AUDIT_GET, nullptr, &status));
  if (status.enabled == 0) {
    if (!environment.settings.audit_enable) return fail(Errc::unavailable, "agent.audit.disabled");
    audit_status wanted{};
    wanted.mask = AUDIT_STATUS_ENABLED;
    wanted.enabled = 1;
    if (status.backlog_limit < kBacklogLimit) {
      wanted.mask |= AUDIT_STATUS_BACKLOG_LIMIT;
      wanted.backlog_limit = kBacklogLimit;
    }
    TRY_VOID(ask(control.get(), AUDIT_SET, &wanted, nullptr));
  }
  TRY(auto multicast, open_audit_socket());
  const int group = AUDIT_NLGRP_READLOG;
  if (setsockopt(multicast.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0) {
    return fail_errno("agent.audit.membership");
  }
  if (setsockopt(multicast.get(), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes)) != 0) {
    setsockopt(multicast.get(), SOL_SOCKET, SO_RCVBUF, &kReceiveBufferBytes, sizeof(kReceiveBufferBytes));
  }
  return std::make_unique<LoginAudit>(environment, std::move(multicast), std::move(control), status.lost);
}

}  // namespace picket::agent
