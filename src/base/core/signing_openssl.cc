#include "base/core/signing.h"
#include "signature_openssl.h"

namespace picket {
namespace {

using namespace openssl;

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
