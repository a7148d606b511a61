// TLS 1.2 with mbedTLS 2.28.
#include "agent/tls.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <sys/socket.h>

namespace picket::agent {
namespace {

/// A type of mbedTLS with its init and free.
template <class T, void (*kInit)(T*), void (*kFree)(T*)>
class Owned {
 public:
  Owned() { kInit(&value_); }
  ~Owned() { kFree(&value_); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  T* get() { return &value_; }
  const T* get() const { return &value_; }
  const T* operator->() const { return &value_; }
  T* operator->() { return &value_; }

 private:
  T value_;
};
using Config = Owned<mbedtls_ssl_config, mbedtls_ssl_config_init, mbedtls_ssl_config_free>;
using Ssl = Owned<mbedtls_ssl_context, mbedtls_ssl_init, mbedtls_ssl_free>;
using Certificates = Owned<mbedtls_x509_crt, mbedtls_x509_crt_init, mbedtls_x509_crt_free>;
using Entropy = Owned<mbedtls_entropy_context, mbedtls_entropy_init, mbedtls_entropy_free>;
using PrivateKey = Owned<mbedtls_pk_context, mbedtls_pk_init, mbedtls_pk_free>;
using Random = Owned<mbedtls_ctr_drbg_context, mbedtls_ctr_drbg_init, mbedtls_ctr_drbg_free>;

struct NumericName {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t length = 0;  ///< 0: the name is no address.
};

NumericName parse_numeric(const std::string& name) {
  NumericName out;
  if (::inet_pton(AF_INET, name.c_str(), out.bytes.data()) == 1) out.length = 4;
  if (out.length == 0 && ::inet_pton(AF_INET6, name.c_str(), out.bytes.data()) == 1) out.length = 16;
  return out;
}

/// mbedTLS 2.28 compares DNS names only; an address must stand in a subjectAltName of its own kind (RFC 2818, 3.1).
bool bears_address(const mbedtls_x509_crt& certificate, const NumericName& name) {
  constexpr int kKindMask = 0x1f;
  for (const mbedtls_x509_sequence* each = &certificate.subject_alt_names; each != nullptr; each = each->next) {
    if ((each->buf.tag & kKindMask) != MBEDTLS_X509_SAN_IP_ADDRESS || each->buf.len != name.length) continue;
    if (std::memcmp(each->buf.p, name.bytes.data(), name.length) == 0) return true;
  }
  return false;
}

class Session final : public TlsSession {
 public:
  Session(int fd, const std::string& name) : fd_(fd), name_(name), numeric_(parse_numeric(name)) {}

  Result<> start(const mbedtls_ssl_config* config) {
    if (mbedtls_ssl_setup(ssl_.get(), config) != 0) return fail(Errc::limit_exceeded, "tls.setup");
    // SNI carries names only (RFC 6066); addresses are compared in verify().
    if (numeric_.length == 0 && mbedtls_ssl_set_hostname(ssl_.get(), name_.c_str()) != 0) {
      return fail(Errc::malformed, "tls.server_name");
    }
    mbedtls_ssl_set_verify(ssl_.get(), &Session::verify, this);
    mbedtls_ssl_set_bio(ssl_.get(), &fd_, &Session::send, &Session::receive, nullptr);
    return {};
  }

  Result<TlsWait> handshake() override {
    const int status = mbedtls_ssl_handshake(ssl_.get());
    switch (status) {
      case 0:
        return TlsWait::none;
      case MBEDTLS_ERR_SSL_WANT_READ:
        return TlsWait::read;
      case MBEDTLS_ERR_SSL_WANT_WRITE:
        return TlsWait::write;
      case MBEDTLS_ERR_X509_CERT_VERIFY_FAILED:
        problem_ = certificate_problem(mbedtls_ssl_get_verify_result(ssl_.get()));
        return fail(Errc::denied, "tls.certificate");
      case MBEDTLS_ERR_SSL_CONN_EOF:
        problem_ = "the peer closed the connection during the TLS handshake";
        return fail(Errc::unavailable, "tls.handshake.closed");
      case kIoFailed:
        problem_ = "the connection broke during the TLS handshake";
        return fail(Errc::io, "tls.handshake.io");
      case MBEDTLS_ERR_SSL_FATAL_ALERT_MESSAGE:
        problem_ = "the peer refused the TLS handshake (no version or cipher in common?)";
        return fail(Errc::malformed, "tls.handshake.alert");
      default:
        problem_ = "no TLS 1.2 handshake with this peer (is it the hub's MQTT port?)";
        return fail(Errc::malformed, "tls.handshake");
    }
  }

  Result<Progress> read(std::span<std::byte> out) override {
    const int status = mbedtls_ssl_read(ssl_.get(), reinterpret_cast<unsigned char*>(out.data()), out.size());
    if (status > 0) return Progress{static_cast<std::size_t>(status), TlsWait::none};
    if (status == 0 || status == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY || status == MBEDTLS_ERR_SSL_CONN_EOF) {
      return Progress{};
    }
    return wait_or_error(status, "tls.read");
  }

  Result<Progress> write(Bytes bytes) override {
    // After a wait mbedTLS only flushes the record it has made and then returns the length of this call, not the
    // record's: offering more the second time would lose the difference.
    const std::size_t length = offered_ > 0 ? offered_ : bytes.size();
    const int status = mbedtls_ssl_write(ssl_.get(), reinterpret_cast<const unsigned char*>(bytes.data()), length);
    offered_ = status == MBEDTLS_ERR_SSL_WANT_READ || status == MBEDTLS_ERR_SSL_WANT_WRITE ? length : 0;
    if (status > 0) return Progress{static_cast<std::size_t>(status), TlsWait::none};
    return wait_or_error(status, "tls.write");
  }

  void close() override { mbedtls_ssl_close_notify(ssl_.get()); }
  [[nodiscard]] std::string problem() const override { return problem_; }
  [[nodiscard]] std::string version() const override { return mbedtls_ssl_get_version(ssl_.get()); }

 private:
  static constexpr int kIoFailed = -1;

  static Result<Progress> wait_or_error(int status, std::string_view where) {
    if (status == MBEDTLS_ERR_SSL_WANT_READ) return Progress{0, TlsWait::read};
    if (status == MBEDTLS_ERR_SSL_WANT_WRITE) return Progress{0, TlsWait::write};
    return fail(status == kIoFailed ? Errc::io : Errc::malformed, where);
  }

  static int send(void* self, const unsigned char* bytes, std::size_t length) {
    const ssize_t n = ::send(*static_cast<int*>(self), bytes, length, MSG_NOSIGNAL);
    if (n >= 0) return static_cast<int>(n);
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_WRITE : kIoFailed;
  }
  static int receive(void* self, unsigned char* bytes, std::size_t length) {
    const ssize_t n = ::recv(*static_cast<int*>(self), bytes, length, 0);
    if (n >= 0) return static_cast<int>(n);
    return errno == EAGAIN || errno == EINTR ? MBEDTLS_ERR_SSL_WANT_READ : kIoFailed;
  }
  static int verify(void* self, mbedtls_x509_crt* certificate, int depth, std::uint32_t* flags) {
    const auto& session = *static_cast<const Session*>(self);
    if (depth == 0 && session.numeric_.length > 0 && !bears_address(*certificate, session.numeric_)) {
      *flags |= MBEDTLS_X509_BADCERT_CN_MISMATCH;
    }
    return 0;
  }

  [[nodiscard]] std::string certificate_problem(std::uint32_t flags) const {
    std::string out = "the hub's certificate ";
    // The first reason that a person can act on.
    if ((flags & MBEDTLS_X509_BADCERT_CN_MISMATCH) != 0) return out + "is not for '" + name_ + "'";
    if ((flags & MBEDTLS_X509_BADCERT_FUTURE) != 0) return out + "is not valid yet; is this device's clock right?";
    if ((flags & MBEDTLS_X509_BADCERT_EXPIRED) != 0) return out + "has expired; or is this device's clock wrong?";
    if ((flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED) != 0) return out + "is not signed by a certificate in ca_file";
    return out + "is not acceptable (weak key or wrong use)";
  }

  int fd_;
  std::string name_;
  NumericName numeric_;
  std::string problem_;
  std::size_t offered_ = 0;  ///< Length of the write that waits; 0: none does.
  Ssl ssl_;
};

/// PEM parsing wants the terminating zero counted.
const unsigned char* pem_bytes(const std::string& pem) { return reinterpret_cast<const unsigned char*>(pem.c_str()); }

/// Days since 1970-01-01 of a date in the Gregorian calendar.
std::int64_t days_of(const mbedtls_x509_time& time) {
  const std::int64_t year = time.mon > 2 ? time.year : time.year - 1;  // years that begin in March
  const std::int64_t of_year = (153 * (time.mon > 2 ? time.mon - 3 : time.mon + 9) + 2) / 5 + time.day - 1;
  return year * 365 + year / 4 - year / 100 + year / 400 + of_year - 719'468;
}

Timestamp timestamp_of(const mbedtls_x509_time& time) {
  const std::int64_t seconds = ((days_of(time) * 24 + time.hour) * 60 + time.min) * 60 + time.sec;
  return Timestamp{seconds * 1'000'000};
}

class Context final : public TlsContext {
 public:
  /// Empty: done. Else what is wrong, for people.
  std::string start(const TlsOptions& options) {
    if (mbedtls_x509_crt_parse(trusted_.get(), pem_bytes(options.ca_pem), options.ca_pem.size() + 1) != 0) {
      return "the trusted certificates are no PEM certificates";
    }
    if (mbedtls_ctr_drbg_seed(random_.get(), mbedtls_entropy_func, entropy_.get(), nullptr, 0) != 0 ||
        mbedtls_ssl_config_defaults(config_.get(), MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                    MBEDTLS_SSL_PRESET_DEFAULT) != 0) {
      return "TLS cannot start: no randomness or no memory";
    }
    mbedtls_ssl_conf_min_version(config_.get(), MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_authmode(config_.get(), MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(config_.get(), trusted_.get(), nullptr);
    mbedtls_ssl_conf_rng(config_.get(), mbedtls_ctr_drbg_random, random_.get());
    return options.certificate_pem.empty() ? std::string() : take_identity(options);
  }

  Result<std::unique_ptr<TlsSession>> connect(int fd, const std::string& server_name) override {
    auto session = std::make_unique<Session>(fd, server_name);
    TRY_VOID(session->start(config_.get()));
    return session;
  }

  [[nodiscard]] std::optional<Timestamp> certificate_end() const override {
    if (own_->raw.p == nullptr) return std::nullopt;
    return timestamp_of(own_->valid_to);
  }

 private:
  std::string take_identity(const TlsOptions& options) {
    if (mbedtls_x509_crt_parse(own_.get(), pem_bytes(options.certificate_pem), options.certificate_pem.size() + 1) !=
        0) {
      return "the device's certificate is no PEM certificate";
    }
    if (is_key_name(options.key)) return "a key in a TPM or by PKCS#11 needs the OpenSSL build of the agent";
    if (mbedtls_pk_parse_key(key_.get(), pem_bytes(options.key), options.key.size() + 1, nullptr, 0) != 0) {
      // PKCS #8 says it in the first line, older forms in a header (RFC 1421); a small library knows neither.
      if (options.key.contains("ENCRYPTED")) return "the private key is encrypted with a password";
      return "the private key is no PEM key (EC or RSA)";
    }
    if (mbedtls_pk_check_pair(&own_->pk, key_.get()) != 0) return "the private key is not that of the certificate";
    if (mbedtls_ssl_conf_own_cert(config_.get(), own_.get(), key_.get()) != 0) return "TLS cannot start: no memory";
    return {};
  }

  Certificates trusted_;
  Certificates own_;
  PrivateKey key_;
  Entropy entropy_;
  Random random_;
  Config config_;
};

}  // namespace

Checked<std::unique_ptr<TlsContext>> make_tls_context(const TlsOptions& options) {
  auto context = std::make_unique<Context>();
  if (auto problem = context->start(options); !problem.empty()) return std::unexpected(std::move(problem));
  return context;
}

std::string_view tls_library() { return "mbedTLS"; }

}  // namespace picket::agent
