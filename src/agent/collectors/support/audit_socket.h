// Talking with the kernel's audit by netlink: its state, rules of our own, and reading along what it reports.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/file.h"
#include "base/core/result.h"

namespace picket::agent {

/// What collectors use of struct audit_status.
struct AuditStatus {
  bool enabled = false;
  std::uint32_t daemon_pid = 0;  ///< Of auditd; 0: none.
  std::uint32_t backlog_limit = 0;
  std::uint32_t lost = 0;  ///< Records that audit itself lost since boot, of anybody's rules.
};

/// A rule as the kernel takes it: struct audit_rule_data with its key. Rules of ours are told from others' by
/// is_our_rule(), also when an agent that was killed has left them.
using AuditRule = Buffer;

/// What else must hold for a call to be recorded.
struct AuditCallFilter {
  bool also_failed = false;  ///< Else only those that succeed.
  std::uint32_t family = 0;  ///< AF_* of the address in the call; 0: any. Kernel 5.3.
};
/// Records each of some system calls of `arch` (AUDIT_ARCH_*). `key` starts with "picket-", at most 32 bytes.
AuditRule audit_call_rule(std::uint32_t arch, std::span<const unsigned> calls, std::string_view key,
                          AuditCallFilter filter = {});
/// Keeps records of `type` from being made at all, whoever's rule asks for them.
AuditRule audit_exclusion_rule(std::uint32_t type);
/// Any bytes are taken.
bool is_our_rule(Bytes rule);

/// Requests to audit; each waits for the kernel's answer, which comes at once (at most 500 ms). Needs
/// CAP_AUDIT_CONTROL.
class AuditControl {
 public:
  static Result<AuditControl> open();

  Result<AuditStatus> status();
  /// Turns audit on where it is off, with a backlog of 8192 records at least; unavailable when it is off and
  /// `may_enable` is not given. Returns the state before.
  Result<AuditStatus> enable(bool may_enable);
  /// False: the rule was there already. Errors: io (refused; EPERM also when rules are locked).
  Result<bool> add(const AuditRule& rule);
  /// False: there is no such rule.
  Result<bool> remove(const AuditRule& rule);

  struct RuleCount {
    std::size_t ours = 0, others = 0;
  };
  Result<RuleCount> count_rules();

 private:
  explicit AuditControl(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

/// Which records a reader wants, by the upper byte of their type: one that wants logins is not woken, and its buffer
/// not filled, by thousands of execs.
enum class AuditReader : std::uint8_t {
  user_messages = 1100 >> 8,  ///< USER_AUTH to USER_CMD.
  system_calls = 1300 >> 8,   ///< SYSCALL, EXECVE, SOCKADDR, EOE and so on.
};
/// A socket that gets audit's records (multicast: any number of readers beside auditd). Errors: io.
Result<UniqueFd> open_audit_multicast(int receive_buffer_bytes, AuditReader wants = AuditReader::system_calls);

/// One record read from it.
struct AuditMessage {
  enum class Kind : std::uint8_t { none, record, overflow };
  Kind kind = Kind::none;  ///< none: nothing waits. overflow: the socket lost some.
  std::uint16_t type = 0;
  std::string_view text;  ///< Into the buffer.
};
/// Takes the next record without waiting; what did not come from the kernel is passed over.
AuditMessage next_audit_message(int fd, std::span<std::byte> buffer);

}  // namespace picket::agent
