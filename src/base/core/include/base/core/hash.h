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

}  // namespace picket
