// The tiers of the dns collector; the order is in collector.cc.
#pragma once

#include "agent/collector.h"

namespace picket::agent {

Result<std::unique_ptr<Source>> open_dns_packet(const Environment& environment);
Result<std::unique_ptr<Source>> open_dns_cgroup(const Environment& environment);
Result<std::unique_ptr<Source>> open_dns_uprobe(const Environment& environment);

}  // namespace picket::agent
