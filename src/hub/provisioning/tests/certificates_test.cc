#include "certificates.h"

#include <gtest/gtest.h>

#include "base/core/encoding.h"
#include "test_certificates.h"

namespace picket::hub {
namespace {

constexpr Timestamp kNow{1'795'000'000'000'000};

TEST(Certificates, ReadTheFormsThatPeoplePaste) {
  const TestCertificate certificate("dev,1+é", nullptr, {});
  const auto der = certificate.der();
  const auto pem = to_pem(der);
  for (const auto& text :
       {pem, "bag attributes\n" + pem, to_base64(der), to_base64(as_bytes(pem)), to_base64(der).insert(64, "\r\n")}) {
    const auto facts = parse_certificate_text(text);
    ASSERT_TRUE(facts) << text;
    EXPECT_EQ(facts->der, der);
    EXPECT_EQ(facts->common_name, "dev,1+é");
    EXPECT_EQ(facts->version, 3);
    EXPECT_EQ(facts->sha1.size(), 40U);
    EXPECT_EQ(facts->sha256.size(), 64U);
    EXPECT_FALSE(facts->authority);
    EXPECT_EQ(facts->not_before, Timestamp{1'790'000'000'000'000});
  }
}

TEST(Certificates, RefuseWhatIsNone) {
  const auto der = TestCertificate("d", nullptr, {}).der();
  auto longer = der;
  longer.push_back({});
  for (const auto& text : {std::string(), std::string("x"), std::string("AAAA"), to_base64(longer),
                           to_base64(Bytes(der).first(der.size() - 1)),
                           std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}) {
    EXPECT_FALSE(parse_certificate_text(text));
  }
  EXPECT_EQ(parse_certificate_text(std::string(3 * kCertificateBytesMax, 'A')).error().code, Errc::limit_exceeded);
}

TEST(Certificates, ACommonNameWithAZeroByteIsNone) {
  const TestCertificate certificate(std::string("dev1\0evil", 9), nullptr, {});
  EXPECT_EQ(parse_certificate_der(certificate.der())->common_name, "");
}

struct Chains : testing::Test {
  const TestCertificate root{"root", nullptr, {.authority = true}};
  const TestCertificate middle{"middle", &root, {.authority = true}};
  const TestCertificate leaf{"dev1", &middle, {}};
  const TestCertificate stranger{"root", nullptr, {.authority = true}};
  std::string why;
  std::optional<std::size_t> verify(const TestCertificate& what, const std::vector<Buffer>& chain,
                                    const std::vector<Buffer>& anchors, Timestamp now = kNow) {
    return verify_chain(what.der(), chain, anchors, now, why);
  }
};

TEST_F(Chains, EndAtTheNearestAnchor) {
  EXPECT_EQ(verify(leaf, {middle.der()}, {stranger.der(), root.der()}), 1U) << why;
  EXPECT_EQ(verify(leaf, {}, {middle.der()}), 0U) << "an intermediate one is enough";
  EXPECT_EQ(verify(leaf, {middle.der()}, {root.der(), middle.der()}), 1U);
  EXPECT_EQ(verify(leaf, {leaf.der(), stranger.der(), middle.der()}, {root.der()}), 0U) << "in any order";
}

TEST_F(Chains, WithoutAnAnchorProveNothing) {
  EXPECT_FALSE(verify(leaf, {middle.der(), root.der()}, {}));
  EXPECT_FALSE(verify(leaf, {middle.der(), root.der()}, {stranger.der()}));
  EXPECT_FALSE(verify(leaf, {}, {root.der()})) << "a link is missing";
  EXPECT_FALSE(verify(leaf, {}, {leaf.der()})) << "an anchor cannot prove itself";
  EXPECT_FALSE(verify(TestCertificate("dev1", nullptr, {}), {middle.der()}, {root.der()}));
}

TEST_F(Chains, ADeviceCannotSignAnother) {
  const TestCertificate forged("dev2", &leaf, {});
  EXPECT_FALSE(verify(forged, {leaf.der(), middle.der()}, {root.der()})) << why;
  EXPECT_FALSE(why.empty());
}

TEST_F(Chains, EndWithTheirTime) {
  const TestCertificate old("old", &root, {.not_after = kNow - Duration::seconds(1)});
  EXPECT_FALSE(verify(old, {}, {root.der()}));
  EXPECT_TRUE(verify(old, {}, {root.der()}, kNow - Duration::seconds(2)));
  const TestCertificate old_root("r", nullptr, {.authority = true, .not_after = kNow - Duration::seconds(1)});
  const TestCertificate young("young", &old_root, {});
  EXPECT_FALSE(verify(young, {}, {old_root.der()}));
}

TEST_F(Chains, RubbishIsNotTrusted) {
  EXPECT_FALSE(verify(leaf, {Buffer(100), Buffer()}, {Buffer(7), Buffer()}));
  EXPECT_EQ(verify(leaf, {Buffer(100), middle.der()}, {Buffer(7), root.der()}), 1U);
}

}  // namespace
}  // namespace picket::hub
