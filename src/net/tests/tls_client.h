// A blocking TLS (or plain TCP) client for tests: each wait ends after `timeout`, so that a test cannot hang.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/core/bytes.h"

namespace picket::net {

struct TestClientOptions {
  bool tls = true;
  std::string ca_pem;  ///< Empty: the server's certificate is not verified.
  std::string host = "localhost";
  std::string certificate_pem;  ///< Of the client; may be empty.
  std::string private_key_pem;
  bool tls12_only = false;
  std::string source_address;  ///< "127.0.0.2"; empty: the system's choice.
  std::chrono::milliseconds timeout{30'000};
};

class TestClient {
 public:
  /// nullptr: no connection or no handshake.
  static std::unique_ptr<TestClient> connect(std::uint16_t port, const TestClientOptions& options = {});
  /// TCP only, without handshake.
  static std::unique_ptr<TestClient> connect_tcp(std::uint16_t port);
  ~TestClient();

  bool send(Bytes bytes);
  bool send_raw(Bytes bytes);  ///< Past TLS, straight to the socket.
  /// Exactly `n` bytes; nullopt: the peer closed, or time is up.
  std::optional<Buffer> receive(std::size_t n);
  /// Waits for the end; false: it did not come in time. Bytes before it are skipped.
  bool closed_by_peer();
  [[nodiscard]] std::string version() const;
  /// A session ticket to resume with, once something was received; and resuming with it.
  std::shared_ptr<void> session();
  static std::unique_ptr<TestClient> resume(std::uint16_t port, const std::shared_ptr<void>& session);
  [[nodiscard]] bool resumed() const;

 private:
  struct State;
  explicit TestClient(std::unique_ptr<State> state);
  static std::unique_ptr<TestClient> connect(std::uint16_t port, const TestClientOptions& options, void* session);
  std::unique_ptr<State> state_;
};

}  // namespace picket::net
