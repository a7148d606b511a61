// Whether a payload is one JSON value.
#pragma once

#include <string_view>

namespace picket::hub {

bool is_json(std::string_view text);

}  // namespace picket::hub
