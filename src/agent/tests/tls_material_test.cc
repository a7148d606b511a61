#include "agent/tls_material.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/core/file.h"
#include "mini_hub.h"

namespace picket::agent {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class TlsMaterialTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "picket-tls-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    put("ca.crt", authority_.pem());
    take(authority_.issue_client("d"));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void put(const std::string& name, std::string_view text) {
    ASSERT_TRUE(replace_file(folder_ + "/" + name, as_bytes(text)));
  }
  void take(const test::TestAuthority::Server& identity) {
    put("d.crt", identity.certificate_pem);
    put("d.key", identity.key_pem);
  }
  TlsFiles files() const { return {folder_ + "/ca.crt", folder_ + "/d.crt", folder_ + "/d.key"}; }
  std::string refusal(TlsFiles of) {
    const auto opened = TlsMaterial::open(std::move(of));
    return opened ? "taken" : opened.error();
  }

  test::TestAuthority authority_;
  std::string folder_;
};

TEST_F(TlsMaterialTest, NamesTheFileThatIsWrong) {
  EXPECT_EQ(refusal(files()), "taken");
  EXPECT_THAT(refusal({}), HasSubstr("ca_file is not set"));
  EXPECT_THAT(refusal({files().ca_file, files().certificate_file, ""}), HasSubstr("belong together"));
  EXPECT_THAT(refusal({"/nowhere", "", ""}), HasSubstr("/nowhere"));
  TlsFiles wrong = files();
  wrong.ca_file = files().key_file;
  EXPECT_THAT(refusal(wrong), HasSubstr("trusted certificates"));
  wrong = files();
  wrong.certificate_file = files().key_file;
  EXPECT_THAT(refusal(wrong), HasSubstr("device's certificate is no PEM"));
  wrong = files();
  wrong.key_file = files().certificate_file;
  EXPECT_THAT(refusal(wrong), HasSubstr("private key is no PEM"));
  put("locked.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIGjMF8GCSqGSIb3DQEF\n-----END ENCRYPTED PRIVATE KEY-----\n");
  wrong = files();
  wrong.key_file = folder_ + "/locked.key";
  EXPECT_THAT(refusal(wrong), HasSubstr("encrypted with a password"));
}

TEST_F(TlsMaterialTest, AKeyThatOthersMayReadIsRefused) {
  ASSERT_EQ(::chmod(files().key_file.c_str(), 0640), 0);
  EXPECT_THAT(refusal(files()), AllOf(HasSubstr("chmod 600"), HasSubstr(files().key_file)));
}

TEST_F(TlsMaterialTest, AKeyMustBeThatOfTheCertificate) {
  put("d.key", authority_.issue_client("d").key_pem);
  EXPECT_THAT(refusal(files()), AllOf(HasSubstr("not that of the certificate"), Not(HasSubstr("PRIVATE KEY"))));
}

TEST_F(TlsMaterialTest, AKeyInHardwareNeedsTheOtherBuild) {
  TlsFiles hardware = files();
  hardware.key_file = "pkcs11:object=key";
  EXPECT_THAT(refusal(hardware), HasSubstr("OpenSSL build"));
}

TEST_F(TlsMaterialTest, TakesNewFilesAndKeepsTheOldOnesUntilTheyFit) {
  auto material = TlsMaterial::open(files());
  ASSERT_TRUE(material);
  const auto before = material->certificate_end();
  EXPECT_FALSE(material->refresh().value());
  const auto next = authority_.issue_client("d", test::TestAuthority::KeyKind::ec, 7'200);
  put("d.crt", next.certificate_pem);
  EXPECT_FALSE(material->refresh()) << "the key of the new certificate is not there yet";
  EXPECT_EQ(material->certificate_end(), before);
  put("d.key", next.key_pem);
  EXPECT_TRUE(material->refresh().value());
  EXPECT_GT(material->certificate_end(), before);
  EXPECT_FALSE(material->refresh().value());
}

TEST_F(TlsMaterialTest, AnEndIsReadToTheSecond) {
  const auto material = TlsMaterial::open(files());
  ASSERT_TRUE(material);
  const auto end = material->certificate_end();
  ASSERT_TRUE(end);
  EXPECT_NEAR(static_cast<double>((*end - system_clock().now()).whole_seconds()), 3'600.0, 120.0);
}

TEST_F(TlsMaterialTest, AYearAheadTheCertificateHasExpiredAndAYearBackItHasNot) {
  auto material = TlsMaterial::open(files());
  ASSERT_TRUE(material);
  const Timestamp now = system_clock().now();
  EXPECT_TRUE(material->current(now - Duration::days(365)));
  const auto late = material->current(now + Duration::days(365));
  ASSERT_FALSE(late);
  EXPECT_THAT(late.error(), AllOf(HasSubstr("expired"), HasSubstr("clock")));
  EXPECT_TRUE(material->current(now)) << "the clock came back";
}

}  // namespace
}  // namespace picket::agent
