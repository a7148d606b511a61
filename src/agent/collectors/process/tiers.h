// The tiers of the process collector; the order is in collector.cc.
#pragma once

#include "agent/collector.h"

namespace picket::agent {

Result<std::unique_ptr<Source>> open_process_ebpf(const Environment& environment);
Result<std::unique_ptr<Source>> open_process_tracepoint(const Environment& environment);
Result<std::unique_ptr<Source>> open_process_audit(const Environment& environment);
Result<std::unique_ptr<Source>> open_process_connector(const Environment& environment);
Result<std::unique_ptr<Source>> open_process_procfs(const Environment& environment);

}  // namespace picket::agent
