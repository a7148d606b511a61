// The operator's own rules of device security groups: IoT_CA_*.
#pragma once

#include <memory>

#include "hub_detector.h"

namespace picket::pipeline {

inline constexpr std::size_t kCustomDevicesMax = 262'144;
inline constexpr std::size_t kCustomGroupsMax = 1024;
/// A window is over for the lower limit so long after its end: counts of the hub come with the next records, those of
/// agents with their next messages.
inline constexpr Duration kHubLateness = Duration::minutes(2);
inline constexpr Duration kAgentLateness = Duration::hours(1);

/// Windows begin at whole multiples of their size. Above the maximum: at once, when the record comes that exceeds it.
/// Below the minimum: when the window is over, for every device that was known when it began, also for those of which
/// there is no record at all. A window that the hub has not seen whole (it was down, the rule or the device is new) is
/// not judged by its minimum.
std::unique_ptr<HubDetector> make_custom_rules();

}  // namespace picket::pipeline
