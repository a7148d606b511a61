// The tiers of the network collector; the order is in collector.cc.
#pragma once

#include "agent/collector.h"

namespace picket::agent {

Result<std::unique_ptr<Source>> open_network_ebpf(const Environment& environment);
Result<std::unique_ptr<Source>> open_network_diag(const Environment& environment);
Result<std::unique_ptr<Source>> open_network_conntrack(const Environment& environment);
Result<std::unique_ptr<Source>> open_network_audit(const Environment& environment);
Result<std::unique_ptr<Source>> open_network_procfs(const Environment& environment);

}  // namespace picket::agent
