#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/core/signature.h"

namespace picket {
namespace {

template <auto kFree>
struct Free {
  template <class T>
  void operator()(T* value) const {
    kFree(value);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, Free<EVP_MD_CTX_free>>;
using Memory = std::unique_ptr<BIO, Free<BIO_free>>;

std::unexpected<Error> bad_key() {
  ERR_clear_error();
  return fail(Errc::malformed, "signature.key");
}

Memory memory_of(std::string_view text) { return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

/// Nobody is asked for a passphrase.
int no_passphrase(char*, int, int, void*) { return -1; }

Result<Key> checked(Key key) {
  char group[32] = {};
  if (!key || EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) != 1 ||
      std::string_view(group) != "prime256v1") {
    return bad_key();
  }
  return key;
}

Result<Key> read_public(std::string_view pem) {
  return checked(Key(PEM_read_bio_PUBKEY(memory_of(pem).get(), nullptr, no_passphrase, nullptr)));
}

const unsigned char* bytes_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

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
