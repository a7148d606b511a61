// What sshd and login write into an authentication log.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/record.h"

namespace picket::agent {

/// One line that counts. Views point into the line, or to static text (login writes no name for root).
struct AuthLine {
  LoginRecord::Kind kind = LoginRecord::Kind::login;
  std::string_view program;  ///< "sshd" or "login".
  std::string_view user;     ///< Any bytes: the other side chose it.
  std::string_view address;  ///< Empty: local.
  std::string_view method;   ///< "password", "publickey", "keyboard-interactive/pam", ...
  std::string_view terminal;
  std::uint16_t port = 0;
  std::uint32_t pid = 0;
  std::uint32_t times = 1;  ///< "message repeated N times"; at most kRepeatMax.
};
inline constexpr std::uint32_t kRepeatMax = 1000;

/// Understands lines with a syslog prefix and sshd's own file (`-E`), which has none. nullopt: says nothing that
/// counts; "Failed none" does not count (the client only asked for methods), "Invalid user" neither (its failure
/// follows). A user name may hold any text, also " from 1.2.3.4 port 22 ssh2": what stands last is sshd's.
std::optional<AuthLine> parse_auth_line(std::string_view line);

}  // namespace picket::agent
