// The login collector: who logged in, failed to, or logged out, and from where.
#include "login/tiers.h"

namespace picket::agent {
namespace {

constexpr Tier kTiers[] = {
    {"audit", "every authentication and session that PAM or sshd reports", "CONFIG_AUDIT, CAP_AUDIT_READ, enabled=1",
     false, open_login_audit},
    {"pam-log", "what PAM decides, by a line in its configuration", "collectors.login.pam_log, written by root alone",
     false, open_login_pam_log},
    {"accounting", "btmp, wtmp: failed logins, and logins with a terminal", "readable btmp", false,
     open_login_accounting},
    {"log", "sshd's and login's lines in the authentication log", "readable log file", false, open_login_log},
    {"wtmp", "logins with a terminal; no failed ones", "readable wtmp", false, open_login_wtmp},
};

}  // namespace

const CollectorSpec& login_collector() {
  static constexpr CollectorSpec spec{"login", "logins and failed logins", kTiers, Priority::high};
  return spec;
}

}  // namespace picket::agent
