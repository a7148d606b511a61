#include "base/core/hash.h"

#include <array>
#include <bit>
#include <cstring>

namespace picket {
namespace {

// Slicing-by-8 tables for the reflected polynomial 0x82F63B78.
constexpr std::array<std::array<std::uint32_t, 256>, 8> make_crc_tables() {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
    tables[0][i] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k) {
    for (std::size_t i = 0; i < 256; ++i) {
      tables[k][i] = tables[0][tables[k - 1][i] & 0xFF] ^ (tables[k - 1][i] >> 8);
    }
  }
  return tables;
}
constexpr auto kCrc = make_crc_tables();

std::uint64_t load_le64(const std::byte* p) {
  std::uint64_t value = 0;
  std::memcpy(&value, p, sizeof value);
  if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
  return value;
}

struct SipState {
  std::uint64_t v0, v1, v2, v3;
  void round() {
    v0 += v1;
    v1 = std::rotl(v1, 13) ^ v0;
    v0 = std::rotl(v0, 32);
    v2 += v3;
    v3 = std::rotl(v3, 16) ^ v2;
    v0 += v3;
    v3 = std::rotl(v3, 21) ^ v0;
    v2 += v1;
    v1 = std::rotl(v1, 17) ^ v2;
    v2 = std::rotl(v2, 32);
  }
};

SipState sip_start(SipKey key) {
  return {key.k0 ^ 0x736f6d6570736575ULL, key.k1 ^ 0x646f72616e646f6dULL, key.k0 ^ 0x6c7967656e657261ULL,
          key.k1 ^ 0x7465646279746573ULL};
}

/// The bytes that fill no word.
std::uint64_t rest_word(const std::byte* p, std::size_t n) {
  std::uint64_t last = 0;
  for (std::size_t i = 0; i < n; ++i) last |= static_cast<std::uint64_t>(p[i]) << (8 * i);
  return last;
}

#if defined(__x86_64__)
/// The processor's own instruction: 8 bytes in 3 cycles.
__attribute__((target("sse4.2"))) std::uint32_t crc32c_of_processor(Bytes bytes, std::uint32_t seed) {
  std::uint64_t crc = ~seed;
  const std::byte* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) crc = __builtin_ia32_crc32di(crc, load_le64(p));
  auto rest = static_cast<std::uint32_t>(crc);
  for (; n > 0; --n, ++p) rest = __builtin_ia32_crc32qi(rest, static_cast<unsigned char>(*p));
  return ~rest;
}
#endif

}  // namespace

std::uint32_t crc32c(Bytes bytes, std::uint32_t seed) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2")) return crc32c_of_processor(bytes, seed);
#endif
  std::uint32_t crc = ~seed;
  const std::byte* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    const std::uint64_t word = load_le64(p) ^ crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= kCrc[7 - k][word >> (8 * k) & 0xFF];
  }
  for (; n > 0; --n, ++p) crc = kCrc[0][(crc ^ static_cast<std::uint8_t>(*p)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

std::uint64_t fnv1a64(Bytes bytes, std::uint64_t seed) {
  std::uint64_t hash = seed;
  for (const std::byte b : bytes) hash = (hash ^ static_cast<std::uint8_t>(b)) * 0x100000001b3ULL;
  return hash;
}

std::uint64_t siphash24(SipKey key, Bytes bytes) {
  SipState s = sip_start(key);
  const std::byte* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    const std::uint64_t word = load_le64(p);
    s.v3 ^= word;
    s.round();
    s.round();
    s.v0 ^= word;
  }
  const std::uint64_t last = static_cast<std::uint64_t>(bytes.size()) << 56 | rest_word(p, n);
  s.v3 ^= last;
  s.round();
  s.round();
  s.v0 ^= last;
  s.v2 ^= 0xFF;
  for (int i = 0; i < 4; ++i) s.round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

SipHash128::SipHash128(SipKey key) {
  const SipState s = sip_start(key);
  v0_ = s.v0;
  v1_ = s.v1 ^ 0xEE;
  v2_ = s.v2;
  v3_ = s.v3;
}

void SipHash128::word(std::uint64_t word) {
  SipState s{v0_, v1_, v2_, v3_ ^ word};
  s.round();
  v0_ = s.v0 ^ word;
  v1_ = s.v1;
  v2_ = s.v2;
  v3_ = s.v3;
  ++words_;
}

void SipHash128::bytes(Bytes bytes) {
  SipState s{v0_, v1_, v2_, v3_};
  const std::byte* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    const std::uint64_t word = load_le64(p);
    s.v3 ^= word;
    s.round();
    s.v0 ^= word;
  }
  v0_ = s.v0;
  v1_ = s.v1;
  v2_ = s.v2;
  v3_ = s.v3;
  words_ += bytes.size() / 8;
  if (n > 0) word(rest_word(p, n));
}

SipHash128::Digest SipHash128::finish() {
  word(words_ << 59);  // the count of bytes, as SipHash has it, of what is fed in words
  SipState s{v0_, v1_, v2_ ^ 0xEE, v3_};
  for (int i = 0; i < 3; ++i) s.round();
  const std::uint64_t first = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
  s.v1 ^= 0xDD;
  for (int i = 0; i < 3; ++i) s.round();
  return {first, s.v0 ^ s.v1 ^ s.v2 ^ s.v3};
}

}  // namespace picket
