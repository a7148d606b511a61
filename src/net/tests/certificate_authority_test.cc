#include "net/certificate_authority.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include "base/core/file.h"
#include "base/core/random.h"

namespace picket::net {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000};

class CertificateAuthority : public testing::Test {
 protected:
  ~CertificateAuthority() override { std::filesystem::remove_all(directory_); }
  ServerIdentity open(const std::vector<std::string>& names = {}, Timestamp now = kNow) {
    return open_or_create_server_identity(directory_, names, now).value();
  }
  static std::shared_ptr<X509> certificate(const std::string& pem) {
    BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
    std::shared_ptr<X509> read(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr), X509_free);
    BIO_free(bio);
    return read;
  }
  std::string directory_ = testing::TempDir() + "/ca-" + random_uuid();
};

TEST_F(CertificateAuthority, FirstStartMakesBothAndLaterStartsKeepThem) {
  const auto first = open();
  EXPECT_TRUE(first.ca_created);
  EXPECT_TRUE(first.certificate_created);
  const auto second = open();
  EXPECT_FALSE(second.ca_created);
  EXPECT_FALSE(second.certificate_created);
  EXPECT_EQ(first.ca_certificate_pem, second.ca_certificate_pem);
  EXPECT_EQ(first.certificate_pem, second.certificate_pem);
}

TEST_F(CertificateAuthority, KeysAreForTheOwnerOnly) {
  open();
  for (const auto* name : {"/ca.key", "/server.key"}) {
    struct stat info{};
    ASSERT_EQ(stat((directory_ + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600u) << name;
  }
}

TEST_F(CertificateAuthority, ServerCertificateCarriesItsNames) {
  const auto server = certificate(open({"hub.example.org", "192.0.2.7", "2001:db8::7"}).certificate_pem);
  for (const auto* host : {"localhost", "hub.example.org"}) {
    EXPECT_EQ(X509_check_host(server.get(), host, 0, 0, nullptr), 1) << host;
  }
  for (const auto* address : {"127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"}) {
    EXPECT_EQ(X509_check_ip_asc(server.get(), address, 0), 1) << address;
  }
  EXPECT_NE(X509_check_host(server.get(), "example.org", 0, 0, nullptr), 1);
}

TEST_F(CertificateAuthority, ANewNameMakesANewCertificateUnderTheSameCa) {
  const auto first = open();
  const auto second = open({"hub.example.org"});
  EXPECT_TRUE(second.certificate_created);
  EXPECT_EQ(first.ca_certificate_pem, second.ca_certificate_pem);
}

TEST_F(CertificateAuthority, RenewsBeforeTheEnd) {
  open();
  const auto last_good = kNow + kServerCertificateLifetime - kServerCertificateRenewal - Duration::days(2);
  EXPECT_FALSE(open({}, last_good).certificate_created);
  EXPECT_TRUE(open({}, last_good + Duration::days(2)).certificate_created);
}

TEST_F(CertificateAuthority, LostCaKeyIsAnErrorNotANewCa) {
  open();
  std::filesystem::remove(directory_ + "/ca.key");
  EXPECT_FALSE(open_or_create_server_identity(directory_, {}, kNow).has_value());
}

TEST_F(CertificateAuthority, DamagedServerPairIsMadeAgain) {
  open();
  ASSERT_TRUE(replace_file(directory_ + "/server.key", as_bytes("nonsense")).has_value());
  EXPECT_TRUE(open().certificate_created);
}

TEST_F(CertificateAuthority, NamesFromConfigurationAreChecked) {
  for (const auto* name : {"", "a b", "a,DNS:evil", "*.", "ex\xc3\xa4mple"}) {
    EXPECT_EQ(open_or_create_server_identity(directory_, {name}, kNow).error().where, "net.ca.name") << name;
  }
}

}  // namespace
}  // namespace picket::net
