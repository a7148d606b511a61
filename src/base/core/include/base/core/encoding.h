// Text forms of bytes: hex, base64 (RFC 4648), percent-encoding (RFC 3986), UTF-8 validation.
#pragma once

#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket {

std::string to_hex(Bytes bytes);                    ///< Lower case.
Result<Buffer> from_hex(std::string_view text);     ///< Either case, even length. Errors: malformed.
std::string to_base64(Bytes bytes);                 ///< Standard alphabet, padded.
Result<Buffer> from_base64(std::string_view text);  ///< Standard alphabet, padding required. Errors: malformed.

/// Percent-encodes everything but RFC 3986 unreserved characters, upper-case hex.
std::string percent_encode(std::string_view text);
/// Decodes %XX; '+' stays '+'. Errors: malformed (a '%' without two hex digits).
Result<std::string> percent_decode(std::string_view text);

/// Strict UTF-8: no surrogates, no overlong forms, at most U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace picket
