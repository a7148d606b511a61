// Makes what verify_signature() checks. With OpenSSL only: picket::signing; devices do not sign.
#pragma once

#include <string>
#include <string_view>

#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket {

/// A new private key on P-256, PEM (PKCS#8). Errors: internal.
Result<std::string> make_signing_key();
/// The key that verifies, PEM. Errors: malformed "signature.key".
Result<std::string> public_key_of(std::string_view private_key_pem);
/// ECDSA over SHA-256 of `message`, DER. Errors: malformed "signature.key", internal.
Result<Buffer> sign(std::string_view private_key_pem, Bytes message);

}  // namespace picket
