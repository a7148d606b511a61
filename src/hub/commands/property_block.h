// Properties of a command as one run of bytes for the store.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"

namespace picket::hub {

using Properties = std::vector<std::pair<std::string, std::string>>;

/// Each text as a 32-bit big-endian length and its bytes, name and value in turn: any bytes survive.
std::string encode_properties(const Properties& properties);
/// Errors: truncated, malformed "commands.properties" (not written by encode_properties).
Result<Properties> decode_properties(std::string_view block);

}  // namespace picket::hub
