// Signatures that a device checks: ECDSA on P-256 over SHA-256 (FIPS 186-4). Implemented twice, as crypto.h is.
#pragma once

#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket {

/// `public_key_pem` is a SubjectPublicKeyInfo in PEM, `signature` an ECDSA-Sig-Value in DER (RFC 3279, 2.2.3). Errors:
/// malformed "signature.key" (no key, or not on P-256), denied "signature.value" (not made by its private key).
Result<> verify_signature(std::string_view public_key_pem, Bytes message, Bytes signature);

/// Is it a key that verify_signature() would use? Errors: malformed "signature.key".
Result<> check_public_key(std::string_view public_key_pem);

}  // namespace picket
