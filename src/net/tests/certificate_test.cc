#include "net/certificate.h"

#include <gtest/gtest.h>

#include "test_certificates.h"

namespace picket::net {
namespace {

TEST(Certificate, SaysWhatItSays) {
  const Timestamp begin{1'790'000'000'000'000};
  const auto ca = make_test_certificate({.common_name = "fleet CA", .is_ca = true});
  const auto device = make_test_certificate(
      {.common_name = "press-1", .issuer = &ca, .not_before = begin, .not_after = begin + Duration::days(2)});
  const auto facts = parse_certificate("text before\n" + device.certificate_pem + "text behind\n");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->common_name, "press-1");
  EXPECT_EQ(facts->subject, "CN=press-1");
  EXPECT_EQ(facts->issuer, "CN=fleet CA");
  EXPECT_EQ(facts->not_before, begin);
  EXPECT_EQ(facts->not_after, begin + Duration::days(2));
  EXPECT_FALSE(facts->is_ca);
  EXPECT_EQ(facts->key_kind, "EC");
  EXPECT_EQ(facts->key_bits, 256);
  EXPECT_EQ(facts->signature_algorithm, "ecdsa-with-SHA256");
  EXPECT_EQ(facts->sha1_thumbprint.size(), 40u);
  EXPECT_EQ(facts->sha256_thumbprint.size(), 64u);
  EXPECT_FALSE(facts->serial.empty());
  EXPECT_TRUE(parse_certificate(ca.certificate_pem)->is_ca);
}

TEST(Certificate, TellsTheKindOfTheKey) {
  const auto facts = parse_certificate(make_test_certificate({.common_name = "old", .rsa = true}).certificate_pem);
  EXPECT_EQ(facts->key_kind, "RSA");
  EXPECT_EQ(facts->key_bits, 2048);
}

TEST(Certificate, KeepsTheCertificateOnly) {
  const auto made = make_test_certificate({.common_name = "a"});
  EXPECT_EQ(certificate_pem("words\n" + made.certificate_pem + made.private_key_pem), made.certificate_pem);
}

TEST(Certificate, RefusesWhatIsNone) {
  for (const std::string& text : {std::string(), std::string("no certificate"),
                                  std::string("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")}) {
    EXPECT_FALSE(parse_certificate(text)) << text;
  }
  EXPECT_EQ(parse_certificate(std::string(kCertificateBytesMax + 1, 'a')).error().code, Errc::limit_exceeded);
}

TEST(Possession, IsProvenByACertificateThatOnlyTheKeyCanMake) {
  const auto ca = make_test_certificate({.common_name = "fleet CA", .is_ca = true});
  const auto proof = make_test_certificate({.common_name = "C0DE", .issuer = &ca});
  EXPECT_EQ(proves_possession(ca.certificate_pem, proof.certificate_pem, "C0DE"), true);
  EXPECT_EQ(proves_possession(ca.certificate_pem, proof.certificate_pem, "C0D"), false);
  EXPECT_EQ(proves_possession(ca.certificate_pem, proof.certificate_pem, ""), false);
  // Another CA of the same name.
  const auto other = make_test_certificate({.common_name = "fleet CA", .is_ca = true});
  const auto forged = make_test_certificate({.common_name = "C0DE", .issuer = &other});
  EXPECT_EQ(proves_possession(ca.certificate_pem, forged.certificate_pem, "C0DE"), false);
  EXPECT_EQ(proves_possession(ca.certificate_pem, ca.certificate_pem, "C0DE"), false);
  EXPECT_FALSE(proves_possession(ca.certificate_pem, "nothing", "C0DE"));
}

}  // namespace
}  // namespace picket::net
