// The warning lists that are part of the program: content/warning-lists.
#pragma once

#include <span>
#include <string_view>

namespace picket::intelligence {

/// Each a document for parse_warning_list().
std::span<const std::string_view> builtin_warning_lists();

}  // namespace picket::intelligence
