// Tier "audit" of process: the kernel's audit reports each exec with its whole argv; procfs adds what still lives.
// Rules of our own, beside everybody else's; read along by multicast, so that auditd may run too.
#include <algorithm>
#include <array>
#include <cstddef>

#include <linux/audit.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "process/audit_exec.h"
#include "process/tiers.h"
#include "support/audit_tier.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

constexpr Duration kOpenCheck = Duration::seconds(1);
constexpr std::string_view kKey = "picket-process";

struct ExecCalls {
  std::uint32_t arch;
  std::array<unsigned, 2> calls;  // execve, execveat
};
// A kernel of 64 bits runs programs of 32 bits too, whose calls have other numbers.
constexpr ExecCalls kExecCalls[] = {
#if defined(__x86_64__)
    {AUDIT_ARCH_X86_64, {59, 322}},
    {AUDIT_ARCH_I386, {11, 358}},
#elif defined(__aarch64__)
    {AUDIT_ARCH_AARCH64, {221, 281}},
    {AUDIT_ARCH_ARM, {11, 387}},
#elif defined(__arm__)
    {AUDIT_ARCH_ARM, {11, 387}},
#elif defined(__riscv)
    {AUDIT_ARCH_RISCV64, {221, 281}},
#endif
};
// What an exec's event holds beyond what we read.
constexpr std::uint32_t kUnread[] = {AUDIT_PATH, AUDIT_PROCTITLE, AUDIT_BPRM_FCAPS};

// Whoever has bound this name owns the rules; it is free again when its process is gone, however it ended.
Result<UniqueFd> bind_owner() {
  UniqueFd fd{socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  if (!fd.valid()) return fail_errno("agent.audit.owner");
  sockaddr_un address{.sun_family = AF_UNIX};
  kKey.copy(address.sun_path + 1, sizeof(address.sun_path) - 1);  // a name that is no file
  const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + kKey.size());
  if (bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), bytes) != 0) return fail_errno("agent.audit.owner");
  return fd;
}

/// Our rules, from now until its end. Rules that an agent left when it was killed are the same ones, so they are taken
/// over; those of another that runs (`preflight` looks beside it) are left to it.
class ExecRules {
 public:
  explicit ExecRules(AuditControl control) : control_(std::move(control)) {}
  ~ExecRules() {
    if (!owns_) return;
    exclude(false);
    for (const ExecCalls& each : kExecCalls) (void)control_.remove(rule_of(each));
  }
  ExecRules(const ExecRules&) = delete;
  ExecRules& operator=(const ExecRules&) = delete;

  AuditControl& control() { return control_; }

  /// Sees to it that the rules are there. Errors: those of the first, which is for the kernel's own width; a kernel
  /// that runs no programs of the other refuses its rule.
  Result<> hold() {
    if (!owner_.valid()) {
      if (auto owner = bind_owner()) owner_ = *std::move(owner);
      owns_ |= owner_.valid();
    }
    for (const ExecCalls& each : kExecCalls) {
      const auto added = control_.add(rule_of(each));
      if (!added && &each == std::begin(kExecCalls)) return std::unexpected(added.error());
      owns_ |= added && *added;
    }
    return {};
  }

  /// Leaving records out spares the kernel half of its work, but holds for everybody's events: only where there is
  /// nobody else.
  void exclude_where_alone(const AuditStatus& status) {
    if (!owns_) return;
    const auto count = control_.count_rules();
    exclude(count && count->others == 0 && status.daemon_pid == 0);
  }

 private:
  static AuditRule rule_of(const ExecCalls& each) { return audit_call_rule(each.arch, each.calls, kKey); }

  void exclude(bool wanted) {
    for (const std::uint32_t type : kUnread) {
      if (wanted)
        (void)control_.add(audit_exclusion_rule(type));
      else
        (void)control_.remove(audit_exclusion_rule(type));
    }
  }

  AuditControl control_;
  UniqueFd owner_;
  bool owns_ = false;  // by the name, or because a rule was not there
};

class ProcessAudit final : public Source {
 public:
  ProcessAudit(const Environment& environment, AuditTier audit, std::unique_ptr<ExecRules> rules)
      : environment_(environment),
        audit_(std::move(audit)),
        rules_(std::move(rules)),
        facts_(environment.settings.procfs),
        assembler_([this](const AuditExec& exec) { emit(exec); }) {}

  std::span<const int> fds() const override { return audit_.fds(); }
  Counters counters() const override { return counters_; }

  Duration on_ready(int) override {
    now_ = moment_of(environment_.clock);
    audit_.read(counters_,
                [this](std::uint16_t type, std::string_view text) { assembler_.take(type, text, now_.monotonic); });
    return pace();
  }

  Duration on_timer() override {
    now_ = moment_of(environment_.clock);
    if (audit_.wait(now_.monotonic).us <= 0) {
      if (const auto status = audit_.check(*rules_, counters_, now_.monotonic)) rules_->exclude_where_alone(*status);
    }
    return pace();
  }

 private:
  Duration pace() {
    if (assembler_.tick(now_.monotonic)) return kOpenCheck;
    return audit_.wait(now_.monotonic);
  }

  void emit(const AuditExec& exec) {
    ProcessRecord record{.time = now_, .origin = {"process", "audit", false}};
    record.time.monotonic = now_.monotonic - (now_.wall - exec.time);
    record.time.wall = exec.time;
    const bool lives = facts_.read_around(exec.pid, exec.ppid);
    facts_.fill_around(record);
    if (!lives) record.executable_deleted = std::string_view(exec.executable).ends_with(" (deleted)");
    record.pid = exec.pid;
    record.ppid = exec.ppid;
    record.uid = exec.uid;
    record.euid = exec.euid;
    record.gid = exec.gid;
    record.credentials_known = true;
    record.executable = exec.executable;
    record.cwd = exec.cwd;
    record.session = exec.session;
    record.terminal = terminal_name(exec.terminal, terminal_);
    record.argv = exec.argv;
    record.argv_bytes = exec.argv_bytes;
    record.argv_hash = exec.argv_hash;
    record.argv_truncated = exec.argv_bytes > exec.argv.size();
    record.argv_lost = exec.argv_lost;
    if (exec.argv_lost || exec.executable.empty()) ++counters_.incomplete;
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
  }

  Environment environment_;
  AuditTier audit_;
  std::unique_ptr<ExecRules> rules_;
  ProcessFacts facts_;
  Moment now_;
  std::array<char, kTerminalBytesMax> terminal_;
  Counters counters_;
  AuditExecAssembler assembler_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_process_audit(const Environment& environment) {
  TRY(auto multicast, open_audit_multicast(AuditTier::kReceiveBufferBytes));
  TRY(auto control, AuditControl::open());
  TRY(const AuditStatus status, control.enable(environment.settings.audit_enable));
  auto rules = std::make_unique<ExecRules>(std::move(control));
  TRY_VOID(rules->hold());
  rules->exclude_where_alone(status);
  return std::make_unique<ProcessAudit>(
      environment, AuditTier(std::move(multicast), status.lost, environment.clock.monotonic()), std::move(rules));
}

}  // namespace picket::agent
