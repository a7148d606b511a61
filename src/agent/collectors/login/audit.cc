// Tier "audit" of login: reads along what PAM and sshd tell the kernel's audit. Multicast: any number of readers may
// coexist with auditd. User-space records flow only while audit is enabled.
#include <array>
#include <charconv>

#include "base/core/file.h"
#include "login/login_assembler.h"
#include "login/tiers.h"
#include "support/audit_record.h"
#include "support/audit_socket.h"
#include "support/procfs.h"

namespace picket::agent {
namespace {

constexpr int kReceiveBufferBytes = 1 << 20;
constexpr int kMessagesMax = 1024;  // a call
constexpr Duration kLostCheck = Duration::minutes(1);
constexpr Duration kHeldCheck = Duration::seconds(1);

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
  LoginAudit(const Environment& environment, UniqueFd multicast, AuditControl control, std::uint32_t lost)
      : environment_(environment),
        multicast_(std::move(multicast)),
        control_(std::move(control)),
        poll_fd_(multicast_.get()),
        lost_(lost),
        assembler_(
            {"login", "audit", false}, [this](const LoginRecord& record) { emit(record); },
            [this](std::uint32_t pid) { return process_exists(environment_.settings.procfs, pid); }, name_of) {}

  std::span<const int> fds() const override { return {&poll_fd_, 1}; }
  Counters counters() const override { return counters_; }

  Duration on_ready(int) override {
    for (int i = 0; i < kMessagesMax; ++i) {
      std::array<std::byte, 16384> buffer;
      const AuditMessage message = next_audit_message(multicast_.get(), buffer);
      if (message.kind == AuditMessage::Kind::none) break;
      if (message.kind == AuditMessage::Kind::overflow) {
        ++counters_.seen;
        ++counters_.dropped_kernel;
        continue;
      }
      const auto login = parse_audit_login(message.type, message.text);
      if (login) assembler_.take(*login, moment_of(environment_.clock));
    }
    return pace();
  }

  Duration on_timer() override {
    const auto now = environment_.clock.monotonic();
    if (now - lost_at_ >= kLostCheck) {
      lost_at_ = now;
      if (const auto status = control_.status()) {
        // Audit's own backlog overflowed: it does not say of what, so each counts as one of ours.
        counters_.seen += status->lost - lost_;
        counters_.dropped_kernel += status->lost - lost_;
        lost_ = status->lost;
      }
    }
    return pace();
  }

 private:
  Duration pace() { return assembler_.tick(moment_of(environment_.clock)) ? kHeldCheck : kLostCheck; }

  void emit(const LoginRecord& record) {
    ++counters_.seen;
    ++counters_.delivered;
    environment_.sink.emit(record);
  }

  Environment environment_;
  UniqueFd multicast_;
  AuditControl control_;
  int poll_fd_;
  std::uint32_t lost_;
  Duration lost_at_;
  Counters counters_;
  LoginAssembler assembler_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_login_audit(const Environment& environment) {
  TRY(auto control, AuditControl::open());
  TRY(const AuditStatus status, control.enable(environment.settings.audit_enable));
  TRY(auto multicast, open_audit_multicast(kReceiveBufferBytes, AuditReader::user_messages));
  return std::make_unique<LoginAudit>(environment, std::move(multicast), std::move(control), status.lost);
}

}  // namespace picket::agent
