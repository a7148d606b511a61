// The tiers of the peripheral collector; the order is in collector.cc.
#pragma once

#include "agent/collector.h"

namespace picket::agent {

Result<std::unique_ptr<Source>> open_peripheral_uevent(const Environment& environment);
Result<std::unique_ptr<Source>> open_peripheral_sysfs(const Environment& environment);

}  // namespace picket::agent
