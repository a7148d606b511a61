// The tiers of the login collector; the order is in collector.cc.
#pragma once

#include "agent/collector.h"

namespace picket::agent {

Result<std::unique_ptr<Source>> open_login_audit(const Environment& environment);
Result<std::unique_ptr<Source>> open_login_pam_log(const Environment& environment);
Result<std::unique_ptr<Source>> open_login_accounting(const Environment& environment);
Result<std::unique_ptr<Source>> open_login_log(const Environment& environment);
Result<std::unique_ptr<Source>> open_login_wtmp(const Environment& environment);

}  // namespace picket::agent
