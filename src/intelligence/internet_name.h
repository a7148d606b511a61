// Names of hosts in the form that the DNS carries.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace picket::intelligence {

/// Lower case, international labels as xn--, without the last dot. nullopt: no name that could be looked up (labels of
/// 1 to 63 letters, digits, '-' and '_', 253 bytes in all).
std::optional<std::string> internet_name(std::string_view text);

}  // namespace picket::intelligence
