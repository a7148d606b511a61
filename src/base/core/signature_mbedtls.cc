#include <cstring>

#include <mbedtls/ecp.h>
#include <mbedtls/pk.h>

#include "base/core/crypto.h"
#include "base/core/signature.h"

namespace picket {
namespace {

class PublicKey {
 public:
  PublicKey() { mbedtls_pk_init(&key_); }
  ~PublicKey() { mbedtls_pk_free(&key_); }
  PublicKey(const PublicKey&) = delete;
  PublicKey& operator=(const PublicKey&) = delete;

  Result<> parse(std::string_view pem) {
    const std::string text(pem);  // mbedTLS counts the NUL as a part of PEM
    if (mbedtls_pk_parse_public_key(&key_, reinterpret_cast<const unsigned char*>(text.c_str()), text.size() + 1) !=
            0 ||
        mbedtls_pk_can_do(&key_, MBEDTLS_PK_ECDSA) == 0 || mbedtls_pk_ec(key_)->grp.id != MBEDTLS_ECP_DP_SECP256R1) {
      return fail(Errc::malformed, "signature.key");
    }
    return {};
  }
  mbedtls_pk_context* get() { return &key_; }

 private:
  mbedtls_pk_context key_;
};

}  // namespace

Result<> verify_signature(std::string_view public_key_pem, Bytes message, Bytes signature) {
  PublicKey key;
  TRY_VOID(key.parse(public_key_pem));
  const Sha256 hash = sha256(message);
  if (mbedtls_pk_verify(key.get(), MBEDTLS_MD_SHA256, reinterpret_cast<const unsigned char*>(hash.data()), hash.size(),
                        reinterpret_cast<const unsigned char*>(signature.data()), signature.size()) != 0) {
    return fail(Errc::denied, "signature.value");
  }
  return {};
}

Result<> check_public_key(std::string_view public_key_pem) { return PublicKey().parse(public_key_pem); }

}  // namespace picket
