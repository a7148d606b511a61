// What the head accepts of the codec.
#pragma once

#include "mqtt/codec.h"

namespace picket::hub {

/// Device ids may hold '+' and '#': topics are compared as literals here.
inline constexpr mqtt::Limits kPacketLimits{.literal_wildcards = true};

}  // namespace picket::hub
