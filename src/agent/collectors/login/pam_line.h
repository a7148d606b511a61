// One line of the log that a line in PAM's configuration writes (docs/agent.md, "Logins from PAM").
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "agent/record.h"

namespace picket::agent {

/// A line that counts: "TIME,N,N,TYPE,SERVICE,USER,REMOTE,TTY,CODE", as the retired micro agent wrote it, where nothing
/// says what the two numbers are, and behind it any of ",pid=N", ",ses=N", ",by=USER". Views point into the line.
struct PamLine {
  LoginRecord::Kind kind = LoginRecord::Kind::login;
  Timestamp time;
  std::string_view service;      ///< "sshd", "sudo".
  std::string_view user;         ///< May hold commas, and in a failure any text: the other side chose it.
  std::string_view remote_host;  ///< Empty: local.
  std::string_view terminal;     ///< "ssh", "/dev/pts/0".
  std::string_view type;         ///< "open_session", "close_session", "auth".
  std::string_view by;           ///< Who asked to become `user`; empty: unknown.
  std::uint32_t pid = 0;         ///< 0: unknown.
  std::uint32_t session = 0;     ///< Audit session; 0: unknown or none.
};

/// nullopt: not of this form, or says nothing that counts: a password that was right (its session follows), a service
/// whose sessions are no logins (cron and the like), su and sudo of root.
std::optional<PamLine> parse_pam_line(std::string_view line);

}  // namespace picket::agent
