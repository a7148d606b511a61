#include "base/core/hash.h"

#include <set>
#include <utility>

#include <gtest/gtest.h>

namespace picket {
namespace {

constexpr SipKey kKey{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

Buffer counted(std::size_t size) {
  Buffer out;
  for (std::size_t i = 0; i < size; ++i) out.push_back(static_cast<std::byte>(i));
  return out;
}

SipHash128::Digest of_bytes(Bytes bytes, SipKey key = kKey) {
  SipHash128 hash(key);
  hash.bytes(bytes);
  return hash.finish();
}

// Of an implementation in Python that gives the published vectors of SipHash-2-4 with 64 and 128 bits.
TEST(SipHash128, IsSipHash13OfWholeWords) {
  EXPECT_EQ(of_bytes({}), (SipHash128::Digest{0xbea58827b2bc7ee7ULL, 0x013030dd6adb62fdULL}));
  EXPECT_EQ(of_bytes(counted(16)), (SipHash128::Digest{0xeb8e511557d9a8d0ULL, 0x93179e3df8b013b5ULL}));
  EXPECT_EQ(of_bytes(counted(24)), (SipHash128::Digest{0xca92fdbc37f84b9eULL, 0x4ad0841a06d209ceULL}));
}

TEST(SipHash128, TakesWordsAsTheirBytes) {
  SipHash128 hash(kKey);
  hash.word(0x0706050403020100ULL);
  hash.word(0x0f0e0d0c0b0a0908ULL);
  EXPECT_EQ(hash.finish(), of_bytes(counted(16)));
}

TEST(SipHash128, TellsEachBitOfEachLengthApartInBothHalves) {
  std::set<std::uint64_t> first, second;
  std::size_t count = 0;
  for (std::size_t size = 1; size <= 17; ++size) {
    for (std::size_t bit = 0; bit < 8 * size; ++bit, ++count) {
      Buffer bytes(size, std::byte{0xA5});
      bytes[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
      SipHash128 hash(kKey);
      hash.word(size);  // as what has several lengths must
      hash.bytes(bytes);
      const auto digest = hash.finish();
      first.insert(digest.a);
      second.insert(digest.b);
    }
  }
  EXPECT_EQ(first.size(), count);
  EXPECT_EQ(second.size(), count);
}

TEST(SipHash128, DependsOnBothHalvesOfTheKey) {
  const Buffer input = counted(20);
  EXPECT_NE(of_bytes(input), of_bytes(input, {kKey.k0 ^ 1, kKey.k1}));
  EXPECT_NE(of_bytes(input), of_bytes(input, {kKey.k0, kKey.k1 ^ 1}));
}

}  // namespace
}  // namespace picket
