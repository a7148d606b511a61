// The tiers of every collector: one open function each, listed in the tables of table.cc.
#pragma once

#include "agent/collector.h"

namespace picket::agent {

Result<std::unique_ptr<Source>> open_process_ebpf(const Environment& environment);
Result<std::unique_ptr<Source>> open_process_connector(const Environment& environment);
Result<std::unique_ptr<Source>> open_process_procfs(const Environment& environment);

Result<std::unique_ptr<Source>> open_network_ebpf(const Environment& environment);
Result<std::unique_ptr<Source>> open_network_diag(const Environment& environment);
Result<std::unique_ptr<Source>> open_network_procfs(const Environment& environment);

Result<std::unique_ptr<Source>> open_login_audit(const Environment& environment);
Result<std::unique_ptr<Source>> open_login_accounting(const Environment& environment);
Result<std::unique_ptr<Source>> open_login_log(const Environment& environment);
Result<std::unique_ptr<Source>> open_login_wtmp(const Environment& environment);

Result<std::unique_ptr<Source>> open_system(const Environment& environment);
Result<std::unique_ptr<Source>> open_heartbeat(const Environment& environment);

}  // namespace picket::agent
