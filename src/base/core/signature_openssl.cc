#include "base/core/signature.h"
#include "signature_openssl.h"

namespace picket {
namespace {

using namespace openssl;

Result<Key> read_public(std::string_view pem) {
  return checked(Key(PEM_read_bio_PUBKEY(memory_of(pem).get(), nullptr, no_passphrase, nullptr)));
}

}  // namespace

Result<> verify_signature(std::string_view public_key_pem, Bytes message, Bytes signature) {
  TRY(const Key key, read_public(public_key_pem));
  const Digest digest(EVP_MD_CTX_new());
  const bool good =
      digest && EVP_DigestVerifyInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
      EVP_DigestVerify(digest.get(), bytes_of(signature), signature.size(), bytes_of(message), message.size()) == 1;
  ERR_clear_error();
  if (!good) return fail(Errc::denied, "signature.value");
  return {};
}

Result<> check_public_key(std::string_view public_key_pem) {
  TRY(const Key key, read_public(public_key_pem));
  return {};
}

}  // namespace picket
