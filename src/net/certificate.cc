#include "net/certificate.h"

#include <array>
#include <ctime>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "base/core/encoding.h"
#include "certificate_facts.h"

namespace picket::net {
namespace {

Timestamp to_timestamp(const ASN1_TIME* time) {
  std::tm tm{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &tm) != 1) return {};
  return {static_cast<std::int64_t>(timegm(&tm)) * 1'000'000};
}

std::string thumbprint(X509* certificate, const EVP_MD* digest) {
  std::array<std::byte, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  if (X509_digest(certificate, digest, reinterpret_cast<unsigned char*>(bytes.data()), &size) != 1) return {};
  return to_hex(Bytes(bytes).first(size));
}

std::string common_name(X509* certificate) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  if (size < 0) return {};
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return name;
}

std::string one_line(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::string serial(X509* certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  char* text = number == nullptr ? nullptr : BN_bn2hex(number);
  std::string out = text == nullptr ? "" : text;
  OPENSSL_free(text);
  BN_free(number);
  return out;
}

std::string key_kind(const EVP_PKEY* key) {
  const char* name = key == nullptr ? nullptr : EVP_PKEY_get0_type_name(key);
  return name == nullptr ? "" : name;
}

std::string signature_algorithm(X509* certificate) {
  const char* name = OBJ_nid2ln(X509_get_signature_nid(certificate));
  return name == nullptr ? "" : name;
}

Result<X509Ptr> read(std::string_view text) {
  if (text.size() > kCertificateBytesMax) return fail(Errc::limit_exceeded, "net.certificate");
  const BioPtr bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    certificate.reset(d2i_X509(nullptr, &data, static_cast<long>(text.size())));
  }
  ERR_clear_error();
  if (!certificate) return fail(Errc::malformed, "net.certificate");
  return certificate;
}

}  // namespace

std::string sha256_thumbprint(X509* certificate) { return thumbprint(certificate, EVP_sha256()); }
Timestamp end_of(X509* certificate) { return to_timestamp(X509_get0_notAfter(certificate)); }

Certificate facts_of(X509* certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(certificate);
  return {.common_name = common_name(certificate),
          .subject = one_line(X509_get_subject_name(certificate)),
          .issuer = one_line(X509_get_issuer_name(certificate)),
          .serial = serial(certificate),
          .sha1_thumbprint = thumbprint(certificate, EVP_sha1()),
          .sha256_thumbprint = sha256_thumbprint(certificate),
          .not_before = to_timestamp(X509_get0_notBefore(certificate)),
          .not_after = end_of(certificate),
          .is_ca = X509_check_ca(certificate) > 0,
          .key_kind = key_kind(key),
          .key_bits = key == nullptr ? 0 : EVP_PKEY_get_bits(key),
          .signature_algorithm = signature_algorithm(certificate)};
}

Result<Certificate> parse_certificate(std::string_view pem_or_der) {
  TRY(const auto certificate, read(pem_or_der));
  auto facts = facts_of(certificate.get());
  ERR_clear_error();
  return facts;
}

Result<std::string> certificate_pem(std::string_view pem_or_der) {
  TRY(const auto certificate, read(pem_or_der));
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(out.get(), certificate.get()) != 1) return fail(Errc::internal, "net.certificate");
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return std::string(text, static_cast<std::size_t>(size));
}

Result<bool> proves_possession(std::string_view ca, std::string_view proof, std::string_view code) {
  TRY(const auto authority, read(ca));
  TRY(const auto answer, read(proof));
  const auto name = common_name(answer.get());
  const bool named = !code.empty() && name == code;
  const bool signed_by_it = X509_verify(answer.get(), X509_get0_pubkey(authority.get())) == 1;
  ERR_clear_error();
  return named && signed_by_it;
}

}  // namespace picket::net
