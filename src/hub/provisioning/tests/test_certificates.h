// Certificates made for a test.
#pragma once

#include <memory>
#include <string>

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/core/bytes.h"
#include "base/core/time.h"

namespace picket::hub {

class TestCertificate {
 public:
  struct Options {
    bool authority = false;
    Timestamp not_before{1'790'000'000'000'000};
    Timestamp not_after{1'990'000'000'000'000};
  };
  /// `issuer` nullptr: signs itself.
  TestCertificate(const std::string& common_name, const TestCertificate* issuer, Options options)
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), certificate_(X509_new(), X509_free) {
    static long serial = 1;
    X509* const x509 = certificate_.get();
    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), serial++);
    ASN1_TIME_set(X509_getm_notBefore(x509), options.not_before.us / 1'000'000);
    ASN1_TIME_set(X509_getm_notAfter(x509), options.not_after.us / 1'000'000);
    X509_set_pubkey(x509, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(common_name.data()),
                               static_cast<int>(common_name.size()), -1, 0);
    const TestCertificate& signer = issuer == nullptr ? *this : *issuer;
    X509_set_issuer_name(x509, X509_get_subject_name(signer.certificate_.get()));
    X509_EXTENSION* const basic = X509V3_EXT_conf_nid(nullptr, nullptr, NID_basic_constraints,
                                                      options.authority ? "critical,CA:TRUE" : "CA:FALSE");
    X509_add_ext(x509, basic, -1);
    X509_EXTENSION_free(basic);
    X509_sign(x509, signer.key_.get(), EVP_sha256());
  }

  [[nodiscard]] Buffer der() const {
    unsigned char* data = nullptr;
    const int size = i2d_X509(certificate_.get(), &data);
    const auto bytes = std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
    Buffer out(bytes.begin(), bytes.end());
    OPENSSL_free(data);
    return out;
  }

 private:
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
  std::unique_ptr<X509, decltype(&X509_free)> certificate_;
};

}  // namespace picket::hub
