#include <mbedtls/md.h>
#include <mbedtls/sha1.h>
#include <mbedtls/sha256.h>

#include "base/core/check.h"
#include "base/core/crypto.h"

namespace picket {

Sha256 sha256(Bytes bytes) {
  Sha256 out{};
  const int failed = mbedtls_sha256_ret(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                                        reinterpret_cast<unsigned char*>(out.data()), 0);
  CHECK(failed == 0, "SHA-256 is always available");
  return out;
}

Sha1 sha1(Bytes bytes) {
  Sha1 out{};
  const int failed = mbedtls_sha1_ret(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(),
                                      reinterpret_cast<unsigned char*>(out.data()));
  CHECK(failed == 0, "SHA-1 is always available");
  return out;
}

Sha256 hmac_sha256(Bytes key, Bytes bytes) {
  Sha256 out{};
  const int failed = mbedtls_md_hmac(
      mbedtls_md_info_from_type(MBEDTLS_MD_SHA256), reinterpret_cast<const unsigned char*>(key.data()), key.size(),
      reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), reinterpret_cast<unsigned char*>(out.data()));
  CHECK(failed == 0, "HMAC-SHA-256 is always available");
  return out;
}

bool equal_constant_time(Bytes a, Bytes b) {
  if (a.size() != b.size()) return false;
  volatile std::uint8_t difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    difference = difference | static_cast<std::uint8_t>(a[i] ^ b[i]);
  }
  return difference == 0;
}

}  // namespace picket
