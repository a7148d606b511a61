// OpenSSL directly on the socket's descriptor: asio::ssl::stream keeps 79 kB an idle connection, this 16 kB.
#include <algorithm>
#include <vector>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/err.h>
#include <sys/socket.h>

#include "certificate_facts.h"
#include "openssl_types.h"
#include "socket.h"

namespace picket::net {
namespace {

/// The chain is good but for time, which OpenSSL was told to leave to us.
void judge_time(ClientCertificate& out, const std::vector<X509*>& chain) {
  long result = X509_V_OK;
  for (X509* one : chain) {
    out.chain_not_after = std::min(out.chain_not_after, end_of(one));
    const int when = X509_cmp_timeframe(nullptr, X509_get0_notBefore(one), X509_get0_notAfter(one));
    if (when != 0 && result == X509_V_OK)
      result = when < 0 ? X509_V_ERR_CERT_NOT_YET_VALID : X509_V_ERR_CERT_HAS_EXPIRED;
  }
  out.verified = out.chained && result == X509_V_OK;
  out.verify_result = X509_verify_cert_error_string(result);
}

std::optional<ClientCertificate> client_certificate(SSL* ssl) {
  const X509Ptr certificate(SSL_get1_peer_certificate(ssl));
  if (!certificate) return std::nullopt;
  const auto result = SSL_get_verify_result(ssl);
  ClientCertificate out{facts_of(certificate.get()), false, X509_verify_cert_error_string(result), false, {}, {}};
  out.chain_not_after = out.not_after;
  STACK_OF(X509)* verified = SSL_get0_verified_chain(ssl);
  if (result != X509_V_OK || verified == nullptr) return out;
  std::vector<X509*> chain;
  for (int i = 0; i < sk_X509_num(verified); ++i) chain.push_back(sk_X509_value(verified, i));
  for (std::size_t i = 1; i < chain.size(); ++i) out.issuer_thumbprints.push_back(sha256_thumbprint(chain[i]));
  out.chained = !out.issuer_thumbprints.empty();
  judge_time(out, chain);
  return out;
}

/// Nothing after a resumption without a key exchange.
std::string group_of(SSL* ssl) {
  const auto id = SSL_get_negotiated_group(ssl);
  const char* name = id <= 0 ? nullptr : SSL_group_to_name(ssl, static_cast<int>(id));
  return name == nullptr ? std::string() : std::string(name);
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
              .group = group_of(ssl_.get()),
              .server_name = text_or_empty(SSL_get_servername(ssl_.get(), TLSEXT_NAMETYPE_host_name)),
              .resumed = SSL_session_reused(ssl_.get()) == 1,
              .client_certificate = client_certificate(ssl_.get())};
    co_return Result<>{};
  }
  [[nodiscard]] const std::string& failure_reason() const override { return failure_reason_; }

  // OpenSSL is asked before the socket, since bytes may sit in it behind the last record read. When it has none, as
  // after almost every read, the socket is waited for at once: a read that finds nothing is a call for nothing.
  asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into) override {
    const auto size = static_cast<int>(std::min<std::size_t>(into.size(), INT_MAX));
    auto step = nothing_buffered() ? Result<Step>() : attempt_read(into.data(), size);
    while (step && step->bytes == 0) {
      // Not through wait_for(): one coroutine less for each message.
      boost::system::error_code code;
      co_await socket_.async_wait(step->waits_for, asio::redirect_error(asio::use_awaitable, code));
      if (code) co_return fail_with(code, "net.stream.read");
      step = attempt_read(into.data(), size);
    }
    if (!step) co_return std::unexpected(step.error());
    co_return step->bytes;
  }

  asio::awaitable<Result<>> wait_readable() override {
    if (nothing_buffered()) CO_TRY_VOID(co_await wait_for(Socket::wait_read, "net.stream.wait"));
    char one = 0;
    CO_TRY_VOID(co_await repeat("net.stream.wait", [&] { return SSL_peek(ssl_.get(), &one, 1); }));
    co_return Result<>{};
  }

  asio::awaitable<Result<>> write(Bytes bytes) override {
    while (!bytes.empty()) {
      CO_TRY(const auto n, co_await repeat("net.stream.write", [&] { return ssl_write(bytes); }));
      bytes = bytes.subspan(n);
    }
    co_return Result<>{};
  }

  Result<std::size_t> try_write(Bytes bytes) override {
    std::size_t written = 0;
    while (written < bytes.size()) {
      TRY(const auto step, attempt("net.stream.write", [&] { return ssl_write(bytes.subspan(written)); }));
      if (step.bytes == 0) break;
      written += step.bytes;
    }
    return written;
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

  [[nodiscard]] bool peer_finished() const override { return net::peer_finished(socket_); }
  [[nodiscard]] const Endpoint& peer() const override { return peer_; }
  [[nodiscard]] const TlsFacts* tls() const override { return &facts_; }
  asio::any_io_executor executor() override { return socket_.get_executor(); }

  [[nodiscard]] std::vector<Buffer> client_chain_der() const override {
    std::vector<Buffer> out;
    const auto add = [&out](const X509* certificate) {
      const int size = i2d_X509(certificate, nullptr);
      if (size <= 0 || out.size() >= kClientChainMax) return;
      Buffer der(static_cast<std::size_t>(size));
      auto* at = reinterpret_cast<unsigned char*>(der.data());
      if (i2d_X509(certificate, &at) == size) out.push_back(std::move(der));
    };
    const X509Ptr leaf(SSL_get1_peer_certificate(ssl_.get()));
    if (!leaf) return out;
    add(leaf.get());
    const STACK_OF(X509)* others = SSL_get_peer_cert_chain(ssl_.get());  // on a server without the leaf
    for (int i = 0; i < sk_X509_num(others); ++i) add(sk_X509_value(others, i));
    return out;
  }

 private:
  /// What a call of OpenSSL came to.
  struct Step {
    std::size_t bytes = 0;
    Socket::wait_type waits_for = Socket::wait_read;  ///< With 0 bytes: try again behind this.
  };

  [[nodiscard]] bool usable() const { return !closed_ && !broken_ && ssl_; }

  [[nodiscard]] bool nothing_buffered() const {
    return usable() && SSL_has_pending(ssl_.get()) == 0 && SSL_get_shutdown(ssl_.get()) == 0;
  }

  Result<Step> attempt_read(std::byte* into, int size) {
    return attempt("net.stream.read", [&] { return SSL_read(ssl_.get(), into, size); });
  }

  int ssl_write(Bytes bytes) {
    return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX)));
  }

  /// Calls an OpenSSL operation once.
  template <class Operation>
  Result<Step> attempt(std::string_view where, const Operation& operation) {
    if (!usable()) return fail(Errc::unavailable, "net.stream.closed");
    if (ERR_peek_error() != 0) ERR_clear_error();  // clearing what is empty costs a tenth of a small write
    const int n = operation();
    if (n > 0) return Step{static_cast<std::size_t>(n)};
    const int reason = SSL_get_error(ssl_.get(), n);
    if (reason == SSL_ERROR_WANT_READ) return Step{0, Socket::wait_read};
    if (reason == SSL_ERROR_WANT_WRITE) return Step{0, Socket::wait_write};
    return broken(reason, where);
  }

  /// Calls it until it has a result. `operation` lives in the frame of the caller, which waits for this.
  template <class Operation>
  asio::awaitable<Result<std::size_t>> repeat(std::string_view where, Operation operation) {
    while (true) {
      CO_TRY(const auto step, attempt(where, operation));
      if (step.bytes > 0) co_return step.bytes;
      CO_TRY_VOID(co_await wait_for(step.waits_for, where));
    }
  }

  asio::awaitable<Result<>> wait_for(Socket::wait_type readiness, std::string_view where) {
    boost::system::error_code code;
    co_await socket_.async_wait(readiness, asio::redirect_error(asio::use_awaitable, code));
    if (code) co_return fail_with(code, where);
    co_return Result<>{};
  }

  std::unexpected<Error> broken(int reason, std::string_view where) {
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
