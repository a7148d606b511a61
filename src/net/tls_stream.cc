// OpenSSL directly on the socket's descriptor: asio::ssl::stream keeps 79 kB an idle connection, this 16 kB.
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/err.h>
#include <sys/socket.h>

#include "base/core/encoding.h"
#include "openssl_types.h"
#include "socket.h"

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

std::string issuer(X509* certificate) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), X509_get_issuer_name(certificate), 0, XN_FLAG_RFC2253);
  char* text = nullptr;
  const auto size = BIO_get_mem_data(out.get(), &text);
  return size > 0 ? std::string(text, static_cast<std::size_t>(size)) : std::string();
}

std::optional<ClientCertificate> client_certificate(SSL* ssl) {
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return std::nullopt;
  const auto result = SSL_get_verify_result(ssl);
  return ClientCertificate{.common_name = common_name(certificate.get()),
                           .issuer = issuer(certificate.get()),
                           .sha1_thumbprint = thumbprint(certificate.get(), EVP_sha1()),
                           .sha256_thumbprint = thumbprint(certificate.get(), EVP_sha256()),
                           .not_before = to_timestamp(X509_get0_notBefore(certificate.get())),
                           .not_after = to_timestamp(X509_get0_notAfter(certificate.get())),
                           .verified = result == X509_V_OK,
                           .verify_result = X509_verify_cert_error_string(result)};
}

std::string text_or_empty(const char* text) { return text == nullptr ? std::string() : std::string(text); }

class TlsStream final : public TlsServerStream {
 public:
  TlsStream(Socket socket, std::shared_ptr<SSL_CTX> context)
      : socket_(std::move(socket)),
        peer_(peer_of(socket_)),
        context_(std::move(context)),
        ssl_(SSL_new(context_.get())) {
    boost::system::error_code ignored;
    socket_.native_non_blocking(true, ignored);
    if (ssl_) SSL_set_fd(ssl_.get(), socket_.native_handle());
  }

  asio::awaitable<Result<>> handshake() override {
    CO_TRY_VOID(co_await repeat("net.tls.handshake", [this] { return SSL_accept(ssl_.get()); }));
    facts_ = {.version = text_or_empty(SSL_get_version(ssl_.get())),
              .cipher = text_or_empty(SSL_get_cipher_name(ssl_.get())),
              .server_name = text_or_empty(SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)),
              .resumed = SSL_session_reused(ssl_.get()) == 1,
              .client_certificate = client_certificate(ssl_.get())};
    co_return Result<>{};
  }
  [[nodiscard]] const std::string& failure_reason() const override { return failure_reason_; }

  // Always OpenSSL first, then the socket: the bytes may already sit in OpenSSL, behind the last record read.
  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into) override {
    const auto size = static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX));
    co_return co_await repeat("net.stream.read", [&] { return SSL_read(ssl_.get(), into.data(), size); });
  }

  asio::awaitable<Result<>> wait_readable() override {
    char one = 0;
    CO_TRY_VOID(co_await repeat("net.stream.wait", [&] { return SSL_peek(ssl_.get(), &one, 1); }));
    co_return Result<>{};
  }

  asio::awaitable<Result<>> write(Bytes bytes) override {
    while (!bytes.empty()) {
      const auto size = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
      CO_TRY(const auto n,
             co_await repeat("net.stream.write", [&] { return SSL_write(ssl_.get(), bytes.data(), size); }));
      bytes = bytes.subspan(n);
    }
    co_return Result<>{};
  }

  void shutdown() override {
    if (!usable()) return;
    ERR_clear_error();
    if (SSL_is_init_finished(ssl_.get()) == 1) SSL_shutdown(ssl_.get());
    ::shutdown(socket_.native_handle(), SHUT_WR);
  }

  void close() override {
    closed_ = true;
    ::shutdown(socket_.native_handle(), SHUT_RDWR);
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  [[nodiscard]] const Endpoint& peer() const override { return peer_; }
  [[nodiscard]] const TlsFacts* tls() const override { return &facts_; }
  asio::any_io_executor executor() override { return socket_.get_executor(); }

 private:
  [[nodiscard]] bool usable() const { return !closed_ && !broken_ && ssl_; }

  /// Calls an OpenSSL operation until it has a result, waiting for the socket in between. `operation` lives in the
  /// frame of the caller, which waits for this.
  template <class Operation>
  asio::awaitable<Result<std::size_t>> repeat(std::string_view where, Operation operation) {
    while (true) {
      if (!usable()) co_return fail(Errc::unavailable, "net.stream.closed");
      ERR_clear_error();
      const int n = operation();
      if (n > 0) co_return static_cast<std::size_t>(n);
      const int reason = SSL_get_error(ssl_.get(), n);
      if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) co_return broken(reason, where);
      boost::system::error_code code;
      const auto readiness = reason == SSL_ERROR_WANT_READ ? Socket::wait_read : Socket::wait_write;
      co_await socket_.async_wait(readiness, asio::redirect_error(asio::use_awaitable, code));
      if (code) co_return fail_with(code, where);
    }
  }

  Result<std::size_t> broken(int reason, std::string_view where) {
    if (reason == SSL_ERROR_ZERO_RETURN) return fail(Errc::unavailable, "net.stream.end");
    broken_ = true;  // after these two OpenSSL must not be used again
    if (reason == SSL_ERROR_SYSCALL) {
      failure_reason_ = "closed";
      return fail(Errc::unavailable, where);
    }
    failure_reason_ = text_or_empty(ERR_reason_error_string(ERR_peek_last_error()));
    return fail(Errc::malformed, where);
  }

  Socket socket_;
  Endpoint peer_;
  std::shared_ptr<SSL_CTX> context_;
  SslPtr ssl_;
  TlsFacts facts_;
  std::string failure_reason_;
  bool closed_ = false;
  bool broken_ = false;
};

}  // namespace

std::unique_ptr<TlsServerStream> make_tls_stream(Socket socket, std::shared_ptr<ssl_ctx_st> context) {
  return std::make_unique<TlsStream>(std::move(socket), std::move(context));
}

}  // namespace picket::net
