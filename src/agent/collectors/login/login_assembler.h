// From many records about one login to exactly one: which audit record counts, and which repeats what another said.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "agent/record.h"
#include "support/audit_record.h"

namespace picket::agent {

/// Rules, learned from what sshd, login and PAM write:
///  - USER_AUTH or USER_ACCT that failed: one failed login, at once. sshd repeats each as USER_LOGIN (from another
///    process, up to seconds later, and for unknown users before it too): the same address and program within
///    kRepeatWindow is a repeat.
///  - USER_LOGIN that failed, without such a twin (keys only, no PAM): one failed login a connection, once the process
///    has ended without a session. A client that offers three keys and then gets in has not failed three times.
///  - USER_START that worked: one login. USER_LOGIN that worked: only when its process had no USER_START.
///  - USER_END: one logout. USER_LOGOUT: only when its process had no USER_END.
///  - su and sudo are logins as the user that somebody becomes, told with who that is (`by_user`). A command that sudo
///    refused after the right password is a failed one (USER_CMD); what root does by su or sudo is none.
///  - cron and the like open sessions that are no logins.
/// Pure but for `alive`; all tables bounded.
class LoginAssembler {
 public:
  static constexpr Duration kRepeatWindow = Duration::seconds(150);  ///< Above sshd's LoginGraceTime of 120 s.
  static constexpr Duration kHoldMax = Duration::seconds(130);
  static constexpr std::size_t kTableMax = 256;

  using Emit = std::function<void(const LoginRecord&)>;
  using Alive = std::function<bool(std::uint32_t pid)>;
  using NameOf = std::function<std::string(std::uint32_t uid)>;

  /// `name_of` may return an empty string. `origin` goes into each record.
  LoginAssembler(Origin origin, Emit emit, Alive alive, NameOf name_of)
      : origin_(origin), emit_(std::move(emit)), alive_(std::move(alive)), name_of_(std::move(name_of)) {}

  /// Takes the next record. `now`: when it was read.
  void take(const AuditLogin& login, Moment now);
  /// Decides about held failures. Returns whether some are still held: then call again within a second or two.
  bool tick(Moment now);

  /// Records that repeated another, or were no logins.
  [[nodiscard]] std::uint64_t ignored() const { return ignored_; }

 private:
  struct Held {  // a USER_LOGIN failure that may be a repeat
    std::uint32_t pid;
    Moment since;
    std::string executable, address, account, host, terminal;
  };
  struct Failure {  // told; USER_LOGIN will repeat it
    std::string executable, address;
    Duration at;
    std::uint32_t pid;
  };
  struct Session {
    std::uint32_t pid;
    bool ended;
  };
  struct Invoker {  // of a su or sudo; some become root before they open the session
    std::uint32_t pid, uid;
  };

  void failed(const AuditLogin& login, Moment now);
  void failed_login_event(const AuditLogin& login, Moment now);
  void opened(const AuditLogin& login, Moment now);
  void closed(const AuditLogin& login, Moment now);
  void emit(LoginRecord::Kind kind, const AuditLogin& login, Moment now);
  void emit_held(const Held& held);
  void drop_held_of(std::uint32_t pid);
  std::uint32_t invoker(const AuditLogin& login);
  bool recently_failed(std::string_view executable, std::string_view address, Duration now) const;
  Session* session(std::uint32_t pid);

  Origin origin_;
  Emit emit_;
  Alive alive_;
  NameOf name_of_;
  std::deque<Held> held_;
  std::deque<Failure> failures_;
  std::deque<Session> sessions_;
  std::deque<Invoker> invokers_;
  std::uint64_t ignored_ = 0;
};

/// Address from text; length 0 when it is none.
IpAddress parse_address(std::string_view text);

}  // namespace picket::agent
