#include "base/core/encoding.h"

#include <gtest/gtest.h>

#include "base/core/crypto.h"
#include "base/core/hash.h"
#include "base/core/identity.h"
#include "base/core/random.h"
#include "base/core/sha256_stream.h"

namespace picket {
namespace {

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(to_base64(as_bytes(std::string_view(plain))), text);
    EXPECT_EQ(as_text(*from_base64(text)), plain);
  }
}

TEST(Base64, RefusesOtherSpellingsOfAValue) {
  for (const char* bad : {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zm 9v", "Zm9v\n", "Zm-v", "=Zm9"}) {
    EXPECT_FALSE(from_base64(bad)) << bad;
  }
}

TEST(Hex, RefusesOddLengthAndOtherDigits) {
  EXPECT_EQ(to_hex(*from_hex("00fFa5")), "00ffa5");
  EXPECT_FALSE(from_hex("0"));
  EXPECT_EQ(from_hex("000g").error().offset, 2u);
}

TEST(Percent, EncodesAllButUnreserved) {
  EXPECT_EQ(percent_encode("a b/é~"), "a%20b%2F%C3%A9~");
  EXPECT_EQ(*percent_decode("a%20b%2f+"), "a b/+");
  for (const char* bad : {"%", "%2", "%g0", "a%0"}) EXPECT_FALSE(percent_decode(bad)) << bad;
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  EXPECT_EQ(*percent_decode(percent_encode(all)), all);
}

TEST(Utf8, FollowsRfc3629) {
  for (const char* good :
       {"", "a", "\xC2\x80", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
    EXPECT_TRUE(is_utf8(good));
  }
  for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                          "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xC2", "\xE1\x80", "a\xFF"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

TEST(Crc32c, MatchesTheVectorsOfRfc3720) {
  EXPECT_EQ(crc32c(Buffer(32, std::byte{0})), 0x8A9136AAu);
  EXPECT_EQ(crc32c(Buffer(32, std::byte{0xFF})), 0x62A8AB43u);
  EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c(as_bytes("6789"), crc32c(as_bytes("12345"))), 0xE3069283u);
}

TEST(SipHash, MatchesThePublishedVectors) {
  const SipKey key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
  Buffer input;
  EXPECT_EQ(siphash24(key, input), 0x726fdb47dd0e0e31ULL);
  for (int i = 0; i < 15; ++i) input.push_back(static_cast<std::byte>(i));
  EXPECT_EQ(siphash24(key, input), 0xa129ca6149be45e5ULL);
}

TEST(Sha256, MatchesFips180AndRfc4231) {
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_TRUE(equal_constant_time(as_bytes("ab"), as_bytes("ab")));
  EXPECT_FALSE(equal_constant_time(as_bytes("ab"), as_bytes("ac")));
  EXPECT_FALSE(equal_constant_time(as_bytes("ab"), as_bytes("abc")));
}

TEST(Identity, HasAStablePartition) {
  // Fixed for ever: the number stands in journals.
  EXPECT_EQ(partition_of({"hub", "device-1", "", "g"}), partition_of({"hub", "device-1", "", "other generation"}));
  EXPECT_NE(fnv1a64(as_bytes("a")), fnv1a64(as_bytes("b")));
  EXPECT_EQ(fnv1a64(as_bytes("a")), 0xaf63dc4c8601ec8cULL);
  for (int i = 0; i < 100; ++i) EXPECT_LT(partition_of({"hub", std::to_string(i), "", ""}), kPartitions);
}

TEST(RandomUuid, IsVersion4) {
  const std::string id = random_uuid();
  ASSERT_EQ(id.size(), 36u);
  EXPECT_EQ(id[14], '4');
  EXPECT_TRUE(std::string_view("89ab").contains(id[19]));
  EXPECT_NE(id, random_uuid());
}

TEST(Sha256Stream, IsThatOfTheWhole) {
  const std::string text(100'000, 'p');
  Sha256Stream stream;
  for (std::size_t at = 0; at < text.size(); at += 777) stream.add(as_bytes(std::string_view(text).substr(at, 777)));
  EXPECT_EQ(stream.finish(), sha256(as_bytes(text)));
  EXPECT_EQ(Sha256Stream().finish(), sha256({}));
}

}  // namespace
}  // namespace picket
