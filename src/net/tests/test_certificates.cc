#include "test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "base/core/random.h"

namespace picket::net {
namespace {

BIO* memory(const std::string& text) { return BIO_new_mem_buf(text.data(), static_cast<int>(text.size())); }

std::string take_text(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

void extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, nid, value);
  X509_add_ext(certificate, made, -1);
  X509_EXTENSION_free(made);
}

}  // namespace

TestCertificate make_test_certificate(const TestCertificateOptions& options) {
  X509* certificate = X509_new();
  EVP_PKEY* key = options.rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), random_u64() >> 1 | 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<time_t>(options.not_before.us / 1'000'000));
  ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<time_t>(options.not_after.us / 1'000'000));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(options.common_name.data()),
                             static_cast<int>(options.common_name.size()), -1, 0);
  X509_set_pubkey(certificate, key);
  X509* issuer = certificate;
  EVP_PKEY* signer = key;
  if (options.issuer != nullptr) {
    BIO* bio = memory(options.issuer->certificate_pem);
    issuer = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
    bio = memory(options.issuer->private_key_pem);
    signer = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    BIO_free(bio);
  }
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  extension(certificate, issuer, NID_basic_constraints, options.is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (options.is_ca) extension(certificate, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
  extension(certificate, issuer, NID_subject_key_identifier, "hash");
  X509_sign(certificate, signer, EVP_sha256());

  TestCertificate out;
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  out.certificate_pem = take_text(bio);
  bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PKCS8PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  out.private_key_pem = take_text(bio);
  if (options.issuer != nullptr) {
    X509_free(issuer);
    EVP_PKEY_free(signer);
  }
  X509_free(certificate);
  EVP_PKEY_free(key);
  return out;
}

}  // namespace picket::net
