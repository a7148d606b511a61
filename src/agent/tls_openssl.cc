// TLS 1.2 and 1.3 with OpenSSL 3, where a device has room for it or keeps its key in hardware.
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "agent/tls.h"
#include "openssl_key.h"

namespace picket::agent {
namespace {

template <class T, void (*kFree)(T*)>
struct Free {
  void operator()(T* each) const { kFree(each); }
};
using Ssl = std::unique_ptr<SSL, Free<SSL, SSL_free>>;
using SslContext = std::unique_ptr<SSL_CTX, Free<SSL_CTX, SSL_CTX_free>>;
using Certificate = std::unique_ptr<X509, Free<X509, X509_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO, BIO_free_all>>;

void free_chain(STACK_OF(X509) * each) { sk_X509_pop_free(each, X509_free); }

bool is_numeric(const std::string& name) {
  std::array<std::uint8_t, 16> bytes{};
  return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

/// Alerts by which a TLS 1.3 server refuses our certificate, when the handshake is over on this side already.
bool is_certificate_alert(int reason) {
  constexpr std::array kAlerts{SSL_R_SSLV3_ALERT_BAD_CERTIFICATE,         SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED,
                               SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED,     SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN,
                               SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE, SSL_R_TLSV1_ALERT_UNKNOWN_CA,
                               SSL_R_TLSV1_ALERT_ACCESS_DENIED,           SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED};
  for (const int alert : kAlerts) {
    if (reason == alert) return true;
  }
  return false;
}

class Session final : public TlsSession {
 public:
  explicit Session(std::string name) : name_(std::move(name)) {}

  Result<> start(SSL_CTX* context, int fd) {
    ssl_.reset(SSL_new(context));
    if (!ssl_ || SSL_set_fd(ssl_.get(), fd) != 1) return fail(Errc::limit_exceeded, "tls.setup");
    X509_VERIFY_PARAM* verify = SSL_get0_param(ssl_.get());
    // SNI carries names only (RFC 6066).
    const bool named = is_numeric(name_) ? X509_VERIFY_PARAM_set1_ip_asc(verify, name_.c_str()) == 1
                                         : SSL_set1_host(ssl_.get(), name_.c_str()) == 1 &&
                                               SSL_set_tlsext_host_name(ssl_.get(), name_.c_str()) == 1;
    if (!named) return fail(Errc::malformed, "tls.server_name");
    SSL_set_connect_state(ssl_.get());
    return {};
  }

  Result<TlsWait> handshake() override {
    ERR_clear_error();
    const int status = SSL_do_handshake(ssl_.get());
    if (status == 1) return TlsWait::none;
    switch (SSL_get_error(ssl_.get(), status)) {
      case SSL_ERROR_WANT_READ:
        return TlsWait::read;
      case SSL_ERROR_WANT_WRITE:
        return TlsWait::write;
      case SSL_ERROR_SYSCALL:
        problem_ = "the connection broke during the TLS handshake";
        return fail(Errc::io, "tls.handshake.io");
      default:
        return refuse_handshake();
    }
  }

  Result<Progress> read(std::span<std::byte> out) override {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int status = SSL_read_ex(ssl_.get(), out.data(), out.size(), &bytes);
    if (status == 1) return Progress{bytes, TlsWait::none};
    return wait_or_error(status, "tls.read");
  }

  Result<Progress> write(Bytes bytes) override {
    ERR_clear_error();
    std::size_t written = 0;
    const int status = SSL_write_ex(ssl_.get(), bytes.data(), bytes.size(), &written);
    if (status == 1) return Progress{written, TlsWait::none};
    auto failed = wait_or_error(status, "tls.write");
    if (failed && failed->wait == TlsWait::none) return fail(Errc::io, "tls.write.closed");
    return failed;
  }

  void close() override { SSL_shutdown(ssl_.get()); }
  [[nodiscard]] std::string problem() const override { return problem_; }
  [[nodiscard]] std::string version() const override { return SSL_get_version(ssl_.get()); }

 private:
  Result<Progress> wait_or_error(int status, std::string_view where) {
    switch (SSL_get_error(ssl_.get(), status)) {
      case SSL_ERROR_WANT_READ:
        return Progress{0, TlsWait::read};
      case SSL_ERROR_WANT_WRITE:
        return Progress{0, TlsWait::write};
      case SSL_ERROR_ZERO_RETURN:
        return Progress{};
      case SSL_ERROR_SYSCALL:
        return fail(Errc::io, where);
      default: {
        const int reason = ERR_GET_REASON(ERR_peek_last_error());
        // A peer that just closes, without a good-bye: as common as one that says it.
        if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) return Progress{};
        return fail(is_certificate_alert(reason) ? Errc::denied : Errc::malformed, where);
      }
    }
  }

  std::unexpected<Error> refuse_handshake() {
    const long verdict = SSL_get_verify_result(ssl_.get());
    // The newest: what failed underneath stands before it.
    const unsigned long error = ERR_peek_last_error();
    const int reason = ERR_GET_REASON(error);
    if (verdict != X509_V_OK) {
      problem_ = certificate_problem(verdict);
      return fail(Errc::denied, "tls.certificate");
    }
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING) {
      problem_ = "the peer closed the connection during the TLS handshake";
      return fail(Errc::unavailable, "tls.handshake.closed");
    }
    if (is_certificate_alert(reason)) {
      problem_ = "the hub does not accept this device's certificate";
      return fail(Errc::denied, "tls.handshake.own_certificate");
    }
    if (reason >= SSL_AD_REASON_OFFSET) {
      problem_ = "the peer refused the TLS handshake (no version or cipher in common?)";
      return fail(Errc::malformed, "tls.handshake.alert");
    }
    const char* text = ERR_reason_error_string(error);
    problem_ = "no TLS handshake with this peer (is it the hub's MQTT port?)";
    if (text != nullptr) problem_ += std::string(": ") + text;
    return fail(Errc::malformed, "tls.handshake");
  }

  [[nodiscard]] std::string certificate_problem(long verdict) const {
    const std::string out = "the hub's certificate ";
    switch (verdict) {
      case X509_V_ERR_HOSTNAME_MISMATCH:
      case X509_V_ERR_IP_ADDRESS_MISMATCH:
        return out + "is not for '" + name_ + "'";
      case X509_V_ERR_CERT_NOT_YET_VALID:
        return out + "is not valid yet; is this device's clock right?";
      case X509_V_ERR_CERT_HAS_EXPIRED:
        return out + "has expired; or is this device's clock wrong?";
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
      case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      case X509_V_ERR_CERT_SIGNATURE_FAILURE:
        return out + "is not signed by a certificate in ca_file";
      default:
        return out + "is not acceptable: " + X509_verify_cert_error_string(verdict);
    }
  }

  std::string name_;
  std::string problem_;
  Ssl ssl_;
};

/// Verifies a chain with OpenSSL's own code. Inside the TPM's library each signature of the chain would go through the
/// TPM, which holds three objects at a time and then refuses.
int verify_apart_from_tpm(X509_STORE_CTX* given, void*) {
  const auto copy = [](X509* from) {
    unsigned char* der = nullptr;
    const int length = i2d_X509(from, &der);
    const unsigned char* at = der;
    X509* const out = length > 0 ? d2i_X509(nullptr, &at, length) : nullptr;
    OPENSSL_free(der);
    return out;
  };
  const Certificate leaf(copy(X509_STORE_CTX_get0_cert(given)));
  const std::unique_ptr<STACK_OF(X509), Free<STACK_OF(X509), free_chain>> chain(sk_X509_new_null());
  const STACK_OF(X509)* sent = X509_STORE_CTX_get0_untrusted(given);
  for (int i = 0; i < sk_X509_num(sent); ++i) {
    if (X509* const each = copy(sk_X509_value(sent, i))) sk_X509_push(chain.get(), each);
  }
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(given, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX, X509_STORE_CTX_free>> apart(X509_STORE_CTX_new());
  if (X509_STORE_CTX_init(apart.get(), SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)), leaf.get(), chain.get()) != 1) {
    return 0;
  }
  X509_STORE_CTX_set_default(apart.get(), "ssl_server");
  X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(apart.get()), SSL_get0_param(ssl));
  const int good = X509_verify_cert(apart.get());
  X509_STORE_CTX_set_error(given, X509_STORE_CTX_get_error(apart.get()));
  return good == 1 ? 1 : 0;
}

class Context final : public TlsContext {
 public:
  /// Empty: done. Else what is wrong, for people.
  std::string start(const TlsOptions& options) {
    const bool in_tpm = options.key.starts_with("handle:");
    context_.reset(
        SSL_CTX_new_ex(in_tpm ? tpm_library() : nullptr, in_tpm ? kTpmProperties : nullptr, TLS_client_method()));
    if (!context_ || SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION) != 1) {
      return "TLS cannot start: no memory";
    }
    SSL_CTX_set_mode(context_.get(),
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    if (in_tpm) SSL_CTX_set_cert_verify_callback(context_.get(), verify_apart_from_tpm, nullptr);
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
    // Exactly what ca_file holds is trusted, also when it holds an intermediate certificate.
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context_.get()), X509_V_FLAG_PARTIAL_CHAIN);
    if (!trust(options.ca_pem)) return "the trusted certificates are no PEM certificates";
    return options.certificate_pem.empty() ? std::string() : take_identity(options);
  }

  Result<std::unique_ptr<TlsSession>> connect(int fd, const std::string& server_name) override {
    auto session = std::make_unique<Session>(server_name);
    TRY_VOID(session->start(context_.get(), fd));
    return session;
  }

  [[nodiscard]] std::optional<Timestamp> certificate_end() const override {
    const X509* own = SSL_CTX_get0_certificate(context_.get());
    std::tm end{};
    if (own == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(own), &end) != 1) return std::nullopt;
    return Timestamp{static_cast<std::int64_t>(::timegm(&end)) * 1'000'000};
  }

 private:
  static Bio text(const std::string& pem) { return Bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

  bool trust(const std::string& pem) {
    const Bio bio = text(pem);
    std::size_t count = 0;
    while (const Certificate each{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context_.get()), each.get());
      ++count;
    }
    ERR_clear_error();  // the end of the text is an error too
    return count > 0;
  }

  std::string take_identity(const TlsOptions& options) {
    const Bio bio = text(options.certificate_pem);
    const Certificate own(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!own || SSL_CTX_use_certificate(context_.get(), own.get()) != 1) {
      return "the device's certificate is no PEM certificate";
    }
    while (const Certificate issuer{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
      SSL_CTX_add1_chain_cert(context_.get(), issuer.get());
    }
    ERR_clear_error();
    const auto key = load_openssl_key(options.key);
    if (!key) return key.error();
    if (SSL_CTX_use_PrivateKey(context_.get(), key->get()) != 1) {
      return "the private key is not that of the certificate";
    }
    return {};
  }

  SslContext context_;
};

}  // namespace

Checked<std::unique_ptr<TlsContext>> make_tls_context(const TlsOptions& options) {
  // OpenSSL writes to its sockets without MSG_NOSIGNAL; a peer that is gone must not end the program.
  ::signal(SIGPIPE, SIG_IGN);
  auto context = std::make_unique<Context>();
  if (auto problem = context->start(options); !problem.empty()) return std::unexpected(std::move(problem));
  return context;
}

std::string_view tls_library() { return "OpenSSL"; }

}  // namespace picket::agent
