#include <mbedtls/sha256.h>

#include "base/core/check.h"
#include "base/core/sha256_stream.h"

namespace picket {
namespace {

mbedtls_sha256_context* context_of(void* state) { return static_cast<mbedtls_sha256_context*>(state); }

}  // namespace

Sha256Stream::Sha256Stream() : state_(new mbedtls_sha256_context) {
  mbedtls_sha256_init(context_of(state_));
  CHECK(mbedtls_sha256_starts_ret(context_of(state_), 0) == 0, "SHA-256 is always available");
}

Sha256Stream::~Sha256Stream() {
  mbedtls_sha256_free(context_of(state_));
  delete context_of(state_);
}

void Sha256Stream::add(Bytes part) {
  const auto* const bytes = reinterpret_cast<const unsigned char*>(part.data());
  CHECK(mbedtls_sha256_update_ret(context_of(state_), bytes, part.size()) == 0, "SHA-256 takes any bytes");
}

Sha256 Sha256Stream::finish() {
  Sha256 out{};
  const int failed = mbedtls_sha256_finish_ret(context_of(state_), reinterpret_cast<unsigned char*>(out.data()));
  CHECK(failed == 0, "SHA-256 always ends");
  return out;
}

}  // namespace picket
