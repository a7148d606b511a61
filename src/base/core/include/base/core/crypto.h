// The few primitives both sides need. Declared once, implemented twice: link picket::crypto_openssl on a server,
// picket::crypto_mbedtls on a device.
#pragma once

#include <array>

#include "base/core/bytes.h"

namespace picket {

using Sha256 = std::array<std::byte, 32>;
using Sha1 = std::array<std::byte, 20>;

Sha256 sha256(Bytes bytes);
/// For protocols that name it (WebSocket); proves nothing against somebody who can choose the input.
Sha1 sha1(Bytes bytes);
Sha256 hmac_sha256(Bytes key, Bytes bytes);

/// Compares in time that depends on the lengths only.
bool equal_constant_time(Bytes a, Bytes b);

}  // namespace picket
