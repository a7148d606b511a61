#include "tls_client.h"

#include <csignal>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace picket::net {
namespace {

int open_socket(std::uint16_t port, const TestClientOptions& options) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto ms = options.timeout.count();
  const timeval timeout{ms / 1000, (ms % 1000) * 1000};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  if (!options.source_address.empty()) {
    inet_pton(AF_INET, options.source_address.c_str(), &address.sin_addr);
    if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      close(fd);
      return -1;
    }
  }
  address.sin_port = htons(port);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    close(fd);
    return -1;
  }
  return fd;
}

BIO* memory(const std::string& text) { return BIO_new_mem_buf(text.data(), static_cast<int>(text.size())); }

void use_options(SSL_CTX* context, const TestClientOptions& options) {
  if (options.tls12_only) SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
  if (!options.ca_pem.empty()) {
    BIO* bio = memory(options.ca_pem);
    X509* ca = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca);
    X509_free(ca);
    BIO_free(bio);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  }
  if (!options.certificate_pem.empty()) {
    BIO* bio = memory(options.certificate_pem);
    X509* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_certificate(context, certificate);
    X509_free(certificate);
    BIO_free(bio);
    bio = memory(options.private_key_pem);
    EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr);
    SSL_CTX_use_PrivateKey(context, key);
    EVP_PKEY_free(key);
    BIO_free(bio);
  }
}

}  // namespace

struct TestClient::State {
  int fd = -1;
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
  ~State() {
    SSL_free(ssl);
    SSL_CTX_free(context);
    if (fd >= 0) close(fd);
  }
};

TestClient::TestClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
TestClient::~TestClient() = default;

std::unique_ptr<TestClient> TestClient::connect(std::uint16_t port, const TestClientOptions& options) {
  return connect(port, options, nullptr);
}

std::unique_ptr<TestClient> TestClient::connect_tcp(std::uint16_t port) {
  TestClientOptions options;
  options.tls = false;
  return connect(port, options, nullptr);
}

std::unique_ptr<TestClient> TestClient::resume(std::uint16_t port, const std::shared_ptr<void>& session) {
  return connect(port, {}, session.get());
}

std::unique_ptr<TestClient> TestClient::connect(std::uint16_t port, const TestClientOptions& options, void* session) {
  std::signal(SIGPIPE, SIG_IGN);
  auto state = std::make_unique<State>();
  state->fd = open_socket(port, options);
  if (state->fd < 0) return nullptr;
  if (options.tls) {
    state->context = SSL_CTX_new(TLS_client_method());
    use_options(state->context, options);
    state->ssl = SSL_new(state->context);
    SSL_set_fd(state->ssl, state->fd);
    SSL_set_tlsext_host_name(state->ssl, options.host.c_str());
    if (!options.ca_pem.empty()) SSL_set1_host(state->ssl, options.host.c_str());
    if (session != nullptr) SSL_set_session(state->ssl, static_cast<SSL_SESSION*>(session));
    if (SSL_connect(state->ssl) != 1) return nullptr;
  }
  return std::unique_ptr<TestClient>(new TestClient(std::move(state)));
}

bool TestClient::send(Bytes bytes) {
  if (state_->ssl == nullptr) return send_raw(bytes);
  ERR_clear_error();
  return bytes.empty() ||
         SSL_write(state_->ssl, bytes.data(), static_cast<int>(bytes.size())) == static_cast<int>(bytes.size());
}

bool TestClient::send_raw(Bytes bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(state_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes = bytes.subspan(static_cast<std::size_t>(n));
  }
  return true;
}

std::optional<Buffer> TestClient::receive(std::size_t n) {
  Buffer out(n);
  for (std::size_t have = 0; have < n;) {
    ERR_clear_error();
    const auto size = static_cast<int>(n - have);
    const auto got = state_->ssl != nullptr ? SSL_read(state_->ssl, out.data() + have, size)
                                            : static_cast<int>(::recv(state_->fd, out.data() + have, n - have, 0));
    if (got <= 0) return std::nullopt;
    have += static_cast<std::size_t>(got);
  }
  return out;
}

bool TestClient::closed_by_peer() {
  std::byte buffer[4096];
  while (true) {
    errno = 0;
    const auto got = ::recv(state_->fd, buffer, sizeof buffer, 0);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) return true;
    if (got < 0) return false;
  }
}

std::string TestClient::version() const { return SSL_get_version(state_->ssl); }

std::shared_ptr<void> TestClient::session() {
  return {SSL_get1_session(state_->ssl), [](void* session) { SSL_SESSION_free(static_cast<SSL_SESSION*>(session)); }};
}

bool TestClient::resumed() const { return SSL_session_reused(state_->ssl) == 1; }

}  // namespace picket::net
