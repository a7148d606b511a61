#include "certificates.h"

#include <algorithm>
#include <ctime>
#include <memory>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "base/core/encoding.h"

namespace picket::hub {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* pointer) const {
    Free(pointer);
  }
};
struct StackDeleter {
  void operator()(STACK_OF(X509) * stack) const { sk_X509_pop_free(stack, X509_free); }
};
struct StringDeleter {
  void operator()(char* text) const { OPENSSL_free(text); }
};
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Memory = std::unique_ptr<BIO, Deleter<BIO_free>>;
using Stack = std::unique_ptr<STACK_OF(X509), StackDeleter>;
using Store = std::unique_ptr<X509_STORE, Deleter<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Deleter<X509_STORE_CTX_free>>;
using BigNumber = std::unique_ptr<BIGNUM, Deleter<BN_free>>;

auto broken() { return fail(Errc::malformed, "provisioning.certificate"); }

Certificate from_der(Bytes der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  Certificate out(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (at != end) out.reset();
  ERR_clear_error();
  return out;
}

Buffer to_der(X509* certificate) {
  unsigned char* data = nullptr;
  const int size = i2d_X509(certificate, &data);
  if (size <= 0) return {};
  const auto bytes = std::as_bytes(std::span(data, static_cast<std::size_t>(size)));
  Buffer out(bytes.begin(), bytes.end());
  OPENSSL_free(data);
  return out;
}

std::string name_of(const X509_NAME* name) {
  const Memory memory(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &data);
  return {data, static_cast<std::size_t>(std::max(size, 0L))};
}

/// The last CN, as UTF-8. Empty: none, or one with a zero byte.
std::string common_name(const X509_NAME* name) {
  int last = -1;
  for (int at = -1; (at = X509_NAME_get_index_by_NID(name, NID_commonName, at)) >= 0;) last = at;
  if (last < 0) return {};
  unsigned char* data = nullptr;
  const int size = ASN1_STRING_to_UTF8(&data, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, last)));
  if (size < 0) return {};
  std::string out(reinterpret_cast<char*>(data), static_cast<std::size_t>(size));
  OPENSSL_free(data);
  return out.contains('\0') ? std::string() : out;
}

std::optional<Timestamp> time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return std::nullopt;
  return Timestamp{static_cast<std::int64_t>(::timegm(&parts)) * 1'000'000};
}

std::string digest(const EVP_MD* kind, Bytes der) {
  std::byte out[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(der.data(), der.size(), reinterpret_cast<unsigned char*>(out), &size, kind, nullptr);
  return to_hex(Bytes(out, size));
}

std::string serial_of(X509* certificate) {
  const BigNumber number(ASN1_INTEGER_to_BN(X509_get_serialNumber(certificate), nullptr));
  if (!number) return {};
  const std::unique_ptr<char, StringDeleter> text(BN_bn2hex(number.get()));
  return text ? text.get() : "";
}

Result<CertificateFacts> facts_of(X509* certificate) {
  CertificateFacts out;
  out.der = to_der(certificate);
  out.common_name = common_name(X509_get_subject_name(certificate));
  out.subject = name_of(X509_get_subject_name(certificate));
  out.issuer = name_of(X509_get_issuer_name(certificate));
  out.serial = serial_of(certificate);
  out.sha1 = digest(EVP_sha1(), out.der);
  out.sha256 = digest(EVP_sha256(), out.der);
  out.version = static_cast<int>(X509_get_version(certificate)) + 1;
  out.authority = X509_check_ca(certificate) != 0;
  const auto begin = time_of(X509_get0_notBefore(certificate));
  const auto end = time_of(X509_get0_notAfter(certificate));
  if (!begin || !end || out.der.empty()) return broken();
  out.not_before = *begin;
  out.not_after = *end;
  return out;
}

Result<CertificateFacts> from_pem(std::string_view text) {
  const Memory memory(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  const Certificate certificate(PEM_read_bio_X509(memory.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!certificate) return broken();
  return facts_of(certificate.get());
}

}  // namespace

Result<CertificateFacts> parse_certificate_der(Bytes der) {
  if (der.size() > kCertificateBytesMax) return fail(Errc::limit_exceeded, "provisioning.certificate");
  const auto certificate = from_der(der);
  if (!certificate) return broken();
  return facts_of(certificate.get());
}

Result<CertificateFacts> parse_certificate_text(std::string_view text) {
  if (text.size() > 2 * kCertificateBytesMax) return fail(Errc::limit_exceeded, "provisioning.certificate");
  if (text.contains("-----BEGIN CERTIFICATE-----")) return from_pem(text);
  std::string packed;
  for (const char c : text) {
    if (c != '\r' && c != '\n' && c != ' ') packed += c;
  }
  const auto bytes = from_base64(packed);
  if (!bytes) return broken();
  if (as_text(*bytes).contains("-----BEGIN CERTIFICATE-----")) return from_pem(as_text(*bytes));
  return parse_certificate_der(*bytes);
}

std::string to_pem(Bytes der) {
  const auto text = to_base64(der);
  std::string out = "-----BEGIN CERTIFICATE-----\n";
  constexpr std::size_t kLine = 64;
  for (std::size_t at = 0; at < text.size(); at += kLine) out += text.substr(at, kLine) + "\n";
  return out + "-----END CERTIFICATE-----\n";
}

namespace {

/// How many certificates stand between the leaf and `anchor` in a chain that verifies, plus one. nullopt: none does.
std::optional<int> distance_to(X509* leaf, STACK_OF(X509) * untrusted, X509* anchor, Timestamp now, std::string& why) {
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  if (!store || !context || X509_STORE_add_cert(store.get(), anchor) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), leaf, untrusted) != 1) {
    why = "internal";
    return std::nullopt;
  }
  auto* const parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_time(parameters, now.us / 1'000'000);
  X509_VERIFY_PARAM_set_depth(parameters, static_cast<int>(kChainMax));
  const bool good = X509_verify_cert(context.get()) == 1;
  why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  if (!good) return std::nullopt;
  auto* const built = X509_STORE_CTX_get0_chain(context.get());
  for (int at = 1; at < sk_X509_num(built); ++at) {  // 0 is the leaf
    if (X509_cmp(sk_X509_value(built, at), anchor) == 0) return at;
  }
  why = "the certificate is an anchor itself";
  return std::nullopt;
}

}  // namespace

std::optional<std::size_t> verify_chain(Bytes leaf_der, std::span<const Buffer> chain, std::span<const Buffer> anchors,
                                        Timestamp now, std::string& why) {
  const auto leaf = from_der(leaf_der);
  const Stack untrusted(sk_X509_new_null());
  why = "no authority is known for it";
  if (!leaf || !untrusted) return std::nullopt;
  for (const auto& der : chain.first(std::min(chain.size(), kChainMax))) {
    auto certificate = der.size() <= kCertificateBytesMax ? from_der(der) : Certificate();
    if (certificate && sk_X509_push(untrusted.get(), certificate.get()) > 0) (void)certificate.release();
  }
  // One by one: a store with two authorities of the same name tries only one of them.
  std::optional<std::size_t> nearest;
  int nearest_distance = 0;
  for (std::size_t i = 0; i < anchors.size(); ++i) {
    const auto anchor = from_der(anchors[i]);
    if (!anchor) continue;
    const auto distance = distance_to(leaf.get(), untrusted.get(), anchor.get(), now, why);
    if (!distance || (nearest && *distance >= nearest_distance)) continue;
    nearest = i;
    nearest_distance = *distance;
  }
  ERR_clear_error();
  return nearest;
}

}  // namespace picket::hub
