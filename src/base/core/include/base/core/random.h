// Randomness from the kernel.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/core/bytes.h"

namespace picket {

/// Fills from getrandom(2); ends the process if the kernel has none to give, since no secret may then be made.
void random_bytes(std::span<std::byte> out);
std::uint64_t random_u64();
/// RFC 4122 version 4, lower case, 36 characters.
std::string random_uuid();

}  // namespace picket
