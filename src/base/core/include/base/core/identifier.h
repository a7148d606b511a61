// The rule for names of devices, modules and groups. IoT Hub's, so that fleets keep their names.
#pragma once

#include <cstddef>
#include <string_view>

namespace picket {

inline constexpr std::size_t kIdentifierBytesMax = 128;

/// 1 to 128 of A-Z a-z 0-9 - . % _ # * ? ! ( ) , : = @ $ ' +
bool is_identifier(std::string_view id);

}  // namespace picket
