#include "support/audit_socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>

namespace picket::agent {
namespace {

constexpr std::uint32_t kBacklogLimit = 8192;
constexpr int kAnswerTimeoutMs = 500;
constexpr std::size_t kAnswerBytesMax = 16384;
constexpr std::string_view kKeyPrefix = "picket-";
constexpr std::uint32_t kMark = 0x7069636b;  // a pid that no process has: exclusions take no key

Result<UniqueFd> open_audit_socket() {
  UniqueFd fd{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_AUDIT)};
  if (!fd.valid()) return fail_errno("agent.audit.socket");
  const sockaddr_nl address{.nl_family = AF_NETLINK};
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    return fail_errno("agent.audit.bind");
  }
  return fd;
}

// Sends one request and gives each answer but the acknowledgement to `take`. Done when it is acknowledged and, where
// `answer` is not 0, an answer of that type has come; a list (`answer` AUDIT_LIST_RULES) ends with NLMSG_DONE.
template <class Take>
Result<> ask(int fd, std::uint16_t type, Bytes payload, std::uint16_t answer, Take&& take) {
  Buffer request(sizeof(nlmsghdr));
  const nlmsghdr header{.nlmsg_len = static_cast<__u32>(sizeof(nlmsghdr) + payload.size()),
                        .nlmsg_type = type,
                        .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK,
                        .nlmsg_seq = 1};
  std::memcpy(request.data(), &header, sizeof(header));
  append(request, payload);
  if (send(fd, request.data(), request.size(), 0) < 0) return fail_errno("agent.audit.request");
  const std::uint16_t last = answer == AUDIT_LIST_RULES ? std::uint16_t{NLMSG_DONE} : answer;
  for (bool acknowledged = false, answered = answer == 0; !acknowledged || !answered;) {
    pollfd waiting{.fd = fd, .events = POLLIN};
    if (poll(&waiting, 1, kAnswerTimeoutMs) <= 0) return fail(Errc::unavailable, "agent.audit.answer");
    alignas(nlmsghdr) std::array<std::byte, kAnswerBytesMax> buffer;
    const ssize_t n = recv(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < static_cast<ssize_t>(sizeof(nlmsghdr))) continue;
    nlmsghdr got;
    std::memcpy(&got, buffer.data(), sizeof(got));
    const Bytes body = Bytes(buffer).first(static_cast<std::size_t>(n)).subspan(sizeof(got));
    if (got.nlmsg_type == NLMSG_ERROR) {
      int error = 0;
      if (body.size() >= sizeof(error)) std::memcpy(&error, body.data(), sizeof(error));
      if (error != 0) {
        errno = -error;
        return fail_errno("agent.audit.refused");
      }
      acknowledged = true;
      continue;
    }
    if (got.nlmsg_type == answer) take(body);
    answered |= got.nlmsg_type == last;
  }
  return {};
}

Result<> tell(int fd, std::uint16_t type, Bytes payload) {
  return ask(fd, type, payload, 0, [](Bytes) {});
}

// struct audit_rule_data without its flexible end, which holds texts.
struct RuleHead {
  __u32 flags, action, field_count, mask[AUDIT_BITMASK_SIZE];
  __u32 fields[AUDIT_MAX_FIELDS], values[AUDIT_MAX_FIELDS], fieldflags[AUDIT_MAX_FIELDS];
  __u32 buflen;
};
static_assert(sizeof(RuleHead) == offsetof(audit_rule_data, buf));

void add_field(RuleHead& rule, std::uint32_t type, std::uint32_t operation, std::uint32_t value) {
  const auto at = rule.field_count++;
  rule.fields[at] = type;
  rule.fieldflags[at] = operation;
  rule.values[at] = value;
}

AuditRule with_text(const RuleHead& rule, std::string_view text) {
  AuditRule out;
  append(out, std::as_bytes(std::span(&rule, 1)));
  append(out, as_bytes(text));
  return out;
}

}  // namespace

AuditRule audit_call_rule(std::uint32_t arch, std::span<const unsigned> calls, std::string_view key,
                          AuditCallFilter filter) {
  RuleHead rule{.flags = AUDIT_FILTER_EXIT, .action = AUDIT_ALWAYS};
  for (const unsigned call : calls) rule.mask[AUDIT_WORD(call)] |= static_cast<__u32>(AUDIT_BIT(call));
  add_field(rule, AUDIT_ARCH, AUDIT_EQUAL, arch);
  if (!filter.also_failed) add_field(rule, AUDIT_SUCCESS, AUDIT_EQUAL, 1);
  if (filter.family != 0) add_field(rule, AUDIT_SADDR_FAM, AUDIT_EQUAL, filter.family);
  add_field(rule, AUDIT_FILTERKEY, AUDIT_EQUAL, static_cast<std::uint32_t>(key.size()));
  rule.buflen = static_cast<__u32>(key.size());
  return with_text(rule, key);
}

AuditRule audit_exclusion_rule(std::uint32_t type) {
  RuleHead rule{.flags = AUDIT_FILTER_EXCLUDE, .action = AUDIT_ALWAYS};
  add_field(rule, AUDIT_MSGTYPE, AUDIT_EQUAL, type);
  add_field(rule, AUDIT_PID, AUDIT_NOT_EQUAL, kMark);
  return with_text(rule, {});
}

bool is_our_rule(Bytes bytes) {
  RuleHead rule{};
  if (bytes.size() < sizeof(rule)) return false;
  std::memcpy(&rule, bytes.data(), sizeof(rule));
  const std::string_view texts = as_text(bytes.subspan(sizeof(rule)));
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(rule.field_count, AUDIT_MAX_FIELDS); ++i) {
    if (rule.fields[i] == AUDIT_PID && rule.fieldflags[i] == AUDIT_NOT_EQUAL && rule.values[i] == kMark) return true;
    // Texts of fields stand one behind the other; of other fields with a text there is none in a rule of ours.
    if (rule.fields[i] == AUDIT_FILTERKEY) return texts.starts_with(kKeyPrefix);
  }
  return false;
}

Result<AuditControl> AuditControl::open() {
  TRY(auto fd, open_audit_socket());
  return AuditControl(std::move(fd));
}

Result<AuditStatus> AuditControl::status() {
  audit_status raw{};
  TRY_VOID(ask(fd_.get(), AUDIT_GET, {}, AUDIT_GET,
               [&](Bytes body) { std::memcpy(&raw, body.data(), std::min(body.size(), sizeof(raw))); }));
  return AuditStatus{raw.enabled != 0, raw.pid, raw.backlog_limit, raw.lost};
}

Result<AuditStatus> AuditControl::enable(bool may_enable) {
  TRY(const AuditStatus before, status());
  if (before.enabled) return before;
  if (!may_enable) return fail(Errc::unavailable, "agent.audit.disabled");
  audit_status wanted{};
  wanted.mask = AUDIT_STATUS_ENABLED;
  wanted.enabled = 1;
  if (before.backlog_limit < kBacklogLimit) {
    wanted.mask |= AUDIT_STATUS_BACKLOG_LIMIT;
    wanted.backlog_limit = kBacklogLimit;
  }
  TRY_VOID(tell(fd_.get(), AUDIT_SET, std::as_bytes(std::span(&wanted, 1))));
  return before;
}

Result<bool> AuditControl::add(const AuditRule& rule) {
  const auto done = tell(fd_.get(), AUDIT_ADD_RULE, rule);
  if (!done && done.error().os_error == EEXIST) return false;
  if (!done) return std::unexpected(done.error());
  return true;
}

Result<bool> AuditControl::remove(const AuditRule& rule) {
  const auto done = tell(fd_.get(), AUDIT_DEL_RULE, rule);
  if (!done && done.error().os_error == ENOENT) return false;
  if (!done) return std::unexpected(done.error());
  return true;
}

Result<AuditControl::RuleCount> AuditControl::count_rules() {
  RuleCount count;
  TRY_VOID(ask(fd_.get(), AUDIT_LIST_RULES, {}, AUDIT_LIST_RULES,
               [&](Bytes rule) { ++(is_our_rule(rule) ? count.ours : count.others); }));
  return count;
}

Result<UniqueFd> open_audit_multicast(int receive_buffer_bytes, AuditReader wants) {
  TRY(auto fd, open_audit_socket());
  constexpr std::uint32_t kUpperByteOfType = 5;  // of struct nlmsghdr, little-endian
  sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kUpperByteOfType),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(wants), 0, 1),
      BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
      BPF_STMT(BPF_RET | BPF_K, 0),
  };
  const sock_fprog filter{.len = static_cast<unsigned short>(std::size(code)), .filter = code};
  // Without it more comes than is wanted, no less.
  (void)setsockopt(fd.get(), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter));
  const int group = AUDIT_NLGRP_READLOG;
  if (setsockopt(fd.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) != 0) {
    return fail_errno("agent.audit.membership");
  }
  if (setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer_bytes, sizeof(receive_buffer_bytes)) != 0) {
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof(receive_buffer_bytes));
  }
  return fd;
}

AuditMessage next_audit_message(int fd, std::span<std::byte> buffer) {
  for (;;) {
    sockaddr_nl from{};
    socklen_t from_bytes = sizeof(from);
    const ssize_t n =
        recvfrom(fd, buffer.data(), buffer.size(), MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &from_bytes);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return {.kind = errno == ENOBUFS ? AuditMessage::Kind::overflow : AuditMessage::Kind::none};
    nlmsghdr header;
    if (from.nl_pid != 0 || n < static_cast<ssize_t>(sizeof(header))) continue;
    std::memcpy(&header, buffer.data(), sizeof(header));
    // Audit's nlmsg_len leaves out the header in some record types: the datagram's own size is what counts.
    auto text = as_text(Bytes(buffer).first(static_cast<std::size_t>(n)).subspan(sizeof(header)));
    text = text.substr(0, text.find('\0'));
    return {AuditMessage::Kind::record, header.nlmsg_type, text};
  }
}

}  // namespace picket::agent
