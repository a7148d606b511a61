#include "net/certificate_authority.h"

#include <algorithm>
#include <array>
#include <optional>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/core/file.h"
#include "base/core/random.h"
#include "openssl_types.h"

namespace picket::net {
namespace {

constexpr std::size_t kPemBytesMax = 64 * 1024;
constexpr std::size_t kNamesMax = 100;
/// Clocks of devices run late; a certificate that begins now would not be valid yet for them.
constexpr Duration kBackdate = Duration::days(1);

struct Pair {
  X509Ptr certificate;
  KeyPtr key;
};

BioPtr memory(const std::string& text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<std::string> to_pem(X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_X509(out.get(), certificate) != 1) return fail(Errc::internal, "net.ca.write");
  return text_of(out.get());
}

Result<std::string> to_pem(EVP_PKEY* key) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PKCS8PrivateKey(out.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(Errc::internal, "net.ca.write");
  }
  return text_of(out.get());
}

bool is_address(const std::string& name) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 || inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

/// Letters, digits, '-', '.', '_', and '*' as the first label.
bool is_dns_name(const std::string& name) {
  if (name.empty() || name.size() > 253) return false;
  const std::string_view rest = name.starts_with("*.") ? std::string_view(name).substr(2) : std::string_view(name);
  return !rest.empty() && std::ranges::all_of(rest, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

Result<std::vector<std::string>> all_names(const std::vector<std::string>& configured) {
  std::vector<std::string> names = {"localhost", "127.0.0.1", "::1"};
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0 && is_dns_name(host.data())) names.emplace_back(host.data());
  for (const auto& name : configured) {
    if (!is_address(name) && !is_dns_name(name)) return fail(Errc::malformed, "net.ca.name");
    names.push_back(name);
  }
  std::vector<std::string> unique;
  for (auto& name : names) {
    if (std::ranges::find(unique, name) == unique.end()) unique.push_back(std::move(name));
  }
  if (unique.size() > kNamesMax) return fail(Errc::limit_exceeded, "net.ca.names");
  return unique;
}

Result<> add_extension(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (!extension || X509_add_ext(certificate, extension.get(), -1) != 1)
    return fail(Errc::internal, "net.ca.extension");
  return {};
}

Result<> add_names(X509* certificate, const std::vector<std::string>& names) {
  const NamesPtr list(sk_GENERAL_NAME_new_null());
  for (const auto& name : names) {
    std::unique_ptr<GENERAL_NAME, FreeWith<GENERAL_NAME_free>> entry(GENERAL_NAME_new());
    if (is_address(name)) {
      GENERAL_NAME_set0_value(entry.get(), GEN_IPADD, a2i_IPADDRESS(name.c_str()));
    } else {
      ASN1_IA5STRING* text = ASN1_IA5STRING_new();
      ASN1_STRING_set(text, name.data(), static_cast<int>(name.size()));
      GENERAL_NAME_set0_value(entry.get(), GEN_DNS, text);
    }
    if (sk_GENERAL_NAME_push(list.get(), entry.get()) == 0) return fail(Errc::internal, "net.ca.names");
    static_cast<void>(entry.release());
  }
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, list.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return fail(Errc::internal, "net.ca.names");
  }
  return {};
}

/// A certificate with new key, random serial and the given subject, not signed yet.
Result<Pair> make_pair(const std::string& common_name, Timestamp begin, Timestamp end) {
  Pair pair{X509Ptr(X509_new()), KeyPtr(EVP_EC_gen("P-256"))};
  if (!pair.certificate || !pair.key) return fail(Errc::internal, "net.ca.key");
  X509* certificate = pair.certificate.get();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), random_u64() >> 1 | 1);
  ASN1_TIME_set(X509_getm_notBefore(certificate), static_cast<time_t>(begin.us / 1'000'000));
  ASN1_TIME_set(X509_getm_notAfter(certificate), static_cast<time_t>(end.us / 1'000'000));
  X509_NAME* subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("Picket"), -1, -1, 0);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.c_str()),
                             -1, -1, 0);
  if (X509_set_pubkey(certificate, pair.key.get()) != 1) return fail(Errc::internal, "net.ca.key");
  return pair;
}

Result<Pair> make_ca(Timestamp now) {
  // A name of its own: two installations' CAs in one trust store must not be taken for each other.
  TRY(Pair ca, make_pair("Picket private CA " + random_uuid().substr(0, 8), now - kBackdate, now + kCaLifetime));
  X509* certificate = ca.certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  TRY_VOID(add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  TRY_VOID(add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign"));
  TRY_VOID(add_extension(certificate, certificate, NID_subject_key_identifier, "hash"));
  if (X509_sign(certificate, ca.key.get(), EVP_sha256()) == 0) return fail(Errc::internal, "net.ca.sign");
  return ca;
}

Result<Pair> make_server(const Pair& ca, const std::vector<std::string>& names, Timestamp now) {
  TRY(Pair server, make_pair("localhost", now - kBackdate, now + kServerCertificateLifetime - kBackdate));
  X509* certificate = server.certificate.get();
  X509* issuer = ca.certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  TRY_VOID(add_extension(certificate, issuer, NID_basic_constraints, "critical,CA:FALSE"));
  TRY_VOID(add_extension(certificate, issuer, NID_key_usage, "critical,digitalSignature"));
  TRY_VOID(add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth"));
  TRY_VOID(add_extension(certificate, issuer, NID_subject_key_identifier, "hash"));
  TRY_VOID(add_extension(certificate, issuer, NID_authority_key_identifier, "keyid:always"));
  TRY_VOID(add_names(certificate, names));
  if (X509_sign(certificate, ca.key.get(), EVP_sha256()) == 0) return fail(Errc::internal, "net.ca.sign");
  return server;
}

/// nullopt: neither file is there. Half a pair is an error: a key is never replaced silently.
Result<std::optional<Pair>> load(const std::string& stem) {
  const bool certificate_there = access((stem + ".crt").c_str(), F_OK) == 0;
  const bool key_there = access((stem + ".key").c_str(), F_OK) == 0;
  if (!certificate_there && !key_there) return std::nullopt;
  TRY(const auto certificate_pem, read_file(stem + ".crt", kPemBytesMax));
  TRY(const auto key_pem, read_file(stem + ".key", kPemBytesMax));
  Pair pair{X509Ptr(PEM_read_bio_X509(memory(certificate_pem).get(), nullptr, nullptr, nullptr)),
            KeyPtr(PEM_read_bio_PrivateKey(memory(key_pem).get(), nullptr, nullptr, nullptr))};
  ERR_clear_error();
  if (!pair.certificate || !pair.key || X509_check_private_key(pair.certificate.get(), pair.key.get()) != 1) {
    return fail(Errc::malformed, "net.ca.file");
  }
  return pair;
}

Result<> store(const std::string& stem, const Pair& pair) {
  TRY(const auto key_pem, to_pem(pair.key.get()));
  TRY(const auto certificate_pem, to_pem(pair.certificate.get()));
  TRY_VOID(replace_file(stem + ".key", as_bytes(key_pem), 0600));
  return replace_file(stem + ".crt", as_bytes(certificate_pem), 0644);
}

/// The server's pair is ours to make again, so a half-written one (a crash between the files) is just not usable.
bool still_good(const Pair& server, const Pair& ca, const std::vector<std::string>& names, Timestamp now) {
  X509* certificate = server.certificate.get();
  if (X509_verify(certificate, ca.key.get()) != 1) return false;
  auto renewal = static_cast<time_t>((now + kServerCertificateRenewal).us / 1'000'000);
  if (X509_cmp_time(X509_get0_notAfter(certificate), &renewal) <= 0) return false;
  return std::ranges::all_of(names, [&](const std::string& name) {
    return is_address(name) ? X509_check_ip_asc(certificate, name.c_str(), 0) == 1
                            : X509_check_host(certificate, name.data(), name.size(), 0, nullptr) == 1;
  });
}

}  // namespace

Result<ServerIdentity> open_or_create_server_identity(const std::string& directory,
                                                      const std::vector<std::string>& names, Timestamp now) {
  TRY(const auto wanted, all_names(names));
  TRY_VOID(make_directories(directory, 0700));
  ServerIdentity identity;
  TRY(auto ca, load(directory + "/ca"));
  if (!ca) {
    TRY(ca, make_ca(now));
    TRY_VOID(store(directory + "/ca", *ca));
    identity.ca_created = true;
  }
  auto loaded = load(directory + "/server");
  std::optional<Pair> server = loaded ? *std::move(loaded) : std::nullopt;
  if (!server || !still_good(*server, *ca, wanted, now)) {
    TRY(server, make_server(*ca, wanted, now));
    TRY_VOID(store(directory + "/server", *server));
    identity.certificate_created = true;
  }
  ERR_clear_error();
  TRY(identity.ca_certificate_pem, to_pem(ca->certificate.get()));
  TRY(identity.certificate_pem, to_pem(server->certificate.get()));
  TRY(identity.private_key_pem, to_pem(server->key.get()));
  return identity;
}

}  // namespace picket::net
