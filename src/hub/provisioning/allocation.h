// Which hub a device is assigned to. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "enrollment.h"

namespace picket::hub {

/// Of `hubs` (at least one), by highest hash: each device keeps its hub when others come or go. geoLatency is the same:
/// the service knows no latencies.
const std::string& hashed_hub(std::span<const std::string> hubs, std::string_view registration_id);

}  // namespace picket::hub
