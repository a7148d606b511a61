// What making and checking signatures share: OpenSSL's objects with owners, and keys of P-256 from PEM.
#pragma once

#include <memory>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket::openssl {

/// Owners of OpenSSL's objects.
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

inline std::unexpected<Error> bad_key() {
  ERR_clear_error();
  return fail(Errc::malformed, "signature.key");
}

inline Memory memory_of(std::string_view text) {
  return Memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Nobody is asked for a passphrase.
inline int no_passphrase(char*, int, int, void*) { return -1; }

/// Only keys of the one curve that the project signs with. Errors: malformed.
inline Result<Key> checked(Key key) {
  char group[32] = {};
  if (!key || EVP_PKEY_get_group_name(key.get(), group, sizeof group, nullptr) != 1 ||
      std::string_view(group) != "prime256v1") {
    return bad_key();
  }
  return key;
}

inline const unsigned char* bytes_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace picket::openssl
