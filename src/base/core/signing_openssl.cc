#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/core/signing.h"

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

Result<Key> read_private(std::string_view pem) {
  return checked(Key(PEM_read_bio_PrivateKey(memory_of(pem).get(), nullptr, no_passphrase, nullptr)));
}

template <class Write>
Result<std::string> written(Write&& write) {
  const Memory out(BIO_new(BIO_s_mem()));
  if (!out || write(out.get()) != 1) return fail(Errc::internal, "signature.pem");
  char* bytes = nullptr;
  const auto length = BIO_get_mem_data(out.get(), &bytes);
  return std::string(bytes, static_cast<std::size_t>(length));
}

const unsigned char* bytes_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

}  // namespace

Result<std::string> make_signing_key() {
  const Key key(EVP_EC_gen("P-256"));
  if (!key) return fail(Errc::internal, "signature.make");
  return written(
      [&](BIO* out) { return PEM_write_bio_PKCS8PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

Result<std::string> public_key_of(std::string_view private_key_pem) {
  TRY(const Key key, read_private(private_key_pem));
  return written([&](BIO* out) { return PEM_write_bio_PUBKEY(out, key.get()); });
}

Result<Buffer> sign(std::string_view private_key_pem, Bytes message) {
  TRY(const Key key, read_private(private_key_pem));
  const Digest digest(EVP_MD_CTX_new());
  Buffer out(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
  std::size_t length = out.size();
  if (!digest || EVP_DigestSignInit(digest.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(out.data()), &length, bytes_of(message),
                     message.size()) != 1) {
    ERR_clear_error();
    return fail(Errc::internal, "signature.sign");
  }
  out.resize(length);
  return out;
}

}  // namespace picket
