// Paths of the provisioning APIs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace picket::hub {

/// Percent-decoded; nullopt: no path, badly encoded, or too many.
std::optional<std::vector<std::string>> path_segments(std::string_view path);
bool equal_without_case(std::string_view a, std::string_view b);

}  // namespace picket::hub
