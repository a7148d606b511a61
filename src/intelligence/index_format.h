// Places and sizes in the file of an Index: docs/formats/intelligence-index.md.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/core/hash.h"
#include "intelligence/observable.h"

namespace picket::intelligence {

inline constexpr std::string_view kIndexMagic = "PICKETTI";
inline constexpr std::uint32_t kIndexFormat = 1;
inline constexpr std::size_t kHeaderBytes = 512;
inline constexpr std::size_t kCountsAt = 320;  ///< Indicators of each kind, 8 bytes each, kind 0 first.
inline constexpr std::size_t kBucketBytes = 64;
inline constexpr unsigned kPrintsMax = 29;     ///< Fingerprints of 16 bits in a bucket.
inline constexpr unsigned kCrowded = 0xFF;     ///< Count of a bucket that holds more.
inline constexpr unsigned kBucketLoad = 16;    ///< Records in a bucket, on average.
inline constexpr std::size_t kInfoBytes = 16;  ///< feed, confidence, decay, from, until, reserved.
/// In the byte of a record's kind: one listing without reference follows, as info and threat; otherwise the bytes of
/// all listings, each with its reference.
inline constexpr std::uint8_t kShortRecord = 0x80;
inline constexpr std::size_t kCrowdMax = 65'535;

inline std::uint64_t key_hash(SipKey key, Kind kind, std::string_view text) {
  key.k1 ^= static_cast<std::uint64_t>(kind) * 0x9E37'79B9'7F4A'7C15ULL;
  return siphash24(key, as_bytes(text));
}
/// Monotone in the hash: records that are sorted by it are sorted by bucket.
inline std::uint64_t bucket_of(std::uint64_t hash, std::uint64_t buckets) {
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(hash) * buckets) >> 64);
}
inline std::uint16_t print_of(std::uint64_t hash) { return static_cast<std::uint16_t>(hash); }

}  // namespace picket::intelligence
