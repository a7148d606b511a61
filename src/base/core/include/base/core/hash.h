// Checksums and keyed hashes that are not about secrecy.
#pragma once

#include <cstdint>

#include "base/core/bytes.h"

namespace picket {

/// CRC-32C (Castagnoli, RFC 3720 appendix B.4). `seed` is the CRC of what came before, 0 at the beginning.
std::uint32_t crc32c(Bytes bytes, std::uint32_t seed = 0);

/// FNV-1a, 64 bit. Stable across versions: it decides the partition of an identity (decisions: partitions).
std::uint64_t fnv1a64(Bytes bytes, std::uint64_t seed = 0xcbf29ce484222325ULL);

struct SipKey {
  std::uint64_t k0 = 0;
  std::uint64_t k1 = 0;
};
/// SipHash-2-4: for tables keyed by bytes that an attacker chooses.
std::uint64_t siphash24(SipKey key, Bytes bytes);

/// SipHash-1-3 with 128 bits, for keys of several parts: fed word by word, so that no part is copied, and long enough
/// to stand for the parts themselves. Half the rounds of SipHash-2-4: nobody outside ever sees a digest, and what is
/// asked of it is that who does not know the key cannot aim at a collision.
class SipHash128 {
 public:
  struct Digest {
    std::uint64_t a = 0, b = 0;
    friend bool operator==(const Digest&, const Digest&) = default;
  };

  explicit SipHash128(SipKey key);
  void word(std::uint64_t word);
  /// As words, the last one filled with zeros. What may have several lengths tells its length before.
  void bytes(Bytes bytes);
  /// The end: nothing may be fed after it.
  [[nodiscard]] Digest finish();

 private:
  std::uint64_t v0_, v1_, v2_, v3_;
  std::uint64_t words_ = 0;
};

}  // namespace picket
