#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "base/core/check.h"
#include "base/core/crypto.h"

namespace picket {

Sha256 sha256(Bytes bytes) {
  Sha256 out{};
  unsigned length = 0;
  const int ok = EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &length,
                            EVP_sha256(), nullptr);
  CHECK(ok == 1 && length == out.size(), "SHA-256 is always available");
  return out;
}

Sha1 sha1(Bytes bytes) {
  Sha1 out{};
  unsigned length = 0;
  const int ok =
      EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &length, EVP_sha1(), nullptr);
  CHECK(ok == 1 && length == out.size(), "SHA-1 is always available");
  return out;
}

Sha256 hmac_sha256(Bytes key, Bytes bytes) {
  Sha256 out{};
  unsigned length = 0;
  const auto* result =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
           bytes.size(), reinterpret_cast<unsigned char*>(out.data()), &length);
  CHECK(result != nullptr && length == out.size(), "HMAC-SHA-256 is always available");
  return out;
}

bool equal_constant_time(Bytes a, Bytes b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace picket
