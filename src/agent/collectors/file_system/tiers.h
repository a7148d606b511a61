// The tiers of the file_system collector; the order is in collector.cc.
#pragma once

#include "agent/collector.h"

namespace picket::agent {

Result<std::unique_ptr<Source>> open_file_system_fanotify(const Environment& environment);
Result<std::unique_ptr<Source>> open_file_system_inotify(const Environment& environment);
Result<std::unique_ptr<Source>> open_file_system_scan(const Environment& environment);

}  // namespace picket::agent
