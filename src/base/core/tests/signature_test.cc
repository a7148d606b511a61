// The server signs with OpenSSL; devices check with either library.
#include "base/core/signature.h"

#include <gtest/gtest.h>

#include "base/core/signing.h"

namespace picket {
namespace {

class Signature : public ::testing::Test {
 protected:
  Signature() : private_key_(make_signing_key().value()), public_key_(public_key_of(private_key_).value()) {}

  std::string private_key_, public_key_;
};

TEST_F(Signature, OfTheSameKeyAndMessageHolds) {
  const auto signature = sign(private_key_, as_bytes("isolate"));
  ASSERT_TRUE(signature);
  EXPECT_TRUE(verify_signature(public_key_, as_bytes("isolate"), *signature));
  EXPECT_TRUE(check_public_key(public_key_));
}

TEST_F(Signature, OfAnotherMessageOrKeyIsDenied) {
  const auto signature = sign(private_key_, as_bytes("isolate")).value();
  const auto message = verify_signature(public_key_, as_bytes("release"), signature);
  ASSERT_FALSE(message);
  EXPECT_EQ(message.error().code, Errc::denied);
  const auto other = public_key_of(make_signing_key().value()).value();
  EXPECT_FALSE(verify_signature(other, as_bytes("isolate"), signature));
}

TEST_F(Signature, WithAnyByteChangedOrCutIsDenied) {
  const auto signature = sign(private_key_, as_bytes("isolate")).value();
  for (std::size_t i = 0; i < signature.size(); ++i) {
    auto changed = signature;
    changed[i] ^= std::byte{1};
    EXPECT_FALSE(verify_signature(public_key_, as_bytes("isolate"), changed)) << i;
    EXPECT_FALSE(verify_signature(public_key_, as_bytes("isolate"), Bytes(signature).first(i))) << i;
  }
}

TEST_F(Signature, TakesNoPrivateKeyForAPublicOneAndNoText) {
  EXPECT_FALSE(check_public_key(private_key_));
  EXPECT_FALSE(check_public_key("-----BEGIN PUBLIC KEY-----\nbroken"));
  EXPECT_FALSE(check_public_key(""));
  EXPECT_FALSE(sign(public_key_, as_bytes("x")));
}

}  // namespace
}  // namespace picket
