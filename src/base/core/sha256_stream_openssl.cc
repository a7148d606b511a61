#include <openssl/evp.h>

#include "base/core/check.h"
#include "base/core/sha256_stream.h"

namespace picket {
namespace {

EVP_MD_CTX* context_of(void* state) { return static_cast<EVP_MD_CTX*>(state); }

}  // namespace

Sha256Stream::Sha256Stream() : state_(EVP_MD_CTX_new()) {
  const bool ready = state_ != nullptr && EVP_DigestInit_ex(context_of(state_), EVP_sha256(), nullptr) == 1;
  CHECK(ready, "SHA-256 is always available");
}

Sha256Stream::~Sha256Stream() { EVP_MD_CTX_free(context_of(state_)); }

void Sha256Stream::add(Bytes part) {
  CHECK(EVP_DigestUpdate(context_of(state_), part.data(), part.size()) == 1, "SHA-256 takes any bytes");
}

Sha256 Sha256Stream::finish() {
  Sha256 out{};
  const int ok = EVP_DigestFinal_ex(context_of(state_), reinterpret_cast<unsigned char*>(out.data()), nullptr);
  CHECK(ok == 1, "SHA-256 always ends");
  return out;
}

}  // namespace picket
