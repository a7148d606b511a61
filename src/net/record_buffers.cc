#include "record_buffers.h"

#include <array>
#include <cstdlib>

#include <malloc.h>
#include <openssl/crypto.h>

namespace picket::net {
namespace {

/// A TLS record with its header, padding and the alignment that OpenSSL adds lies between the two.
constexpr std::size_t kSmallest = 16U << 10;
constexpr std::size_t kLargest = 18U << 10;
constexpr std::size_t kKeptMax = 4;

/// What a thread keeps. Also used behind its destructor, by OpenSSL's own end of a thread: nothing is kept then.
struct Kept {
  std::array<void*, kKeptMax> blocks{};
  std::size_t count = 0;
  bool ended = false;
  ~Kept() {
    while (count > 0) std::free(blocks[--count]);
    ended = true;
  }
};
thread_local Kept kept;

void* take(std::size_t bytes, const char* /*file*/, int /*line*/) {
  if (bytes < kSmallest || bytes > kLargest) return std::malloc(bytes);
  return kept.count > 0 ? kept.blocks[--kept.count] : std::malloc(kLargest);
}

void give(void* block, const char* /*file*/, int /*line*/) {
  const std::size_t bytes = block == nullptr ? 0 : ::malloc_usable_size(block);
  if (bytes < kLargest || bytes > kLargest + kSmallest || kept.ended || kept.count == kKeptMax) return std::free(block);
  kept.blocks[kept.count++] = block;
}

void* resize(void* block, std::size_t bytes, const char* file, int line) {
  if (bytes == 0) return give(block, file, line), nullptr;
  return std::realloc(block, bytes);
}

/// OpenSSL takes other functions only before its first allocation, so they are set before main().
const bool set = CRYPTO_set_mem_functions(take, resize, give) == 1;

}  // namespace

bool keeps_record_buffers() { return set; }

}  // namespace picket::net
