// A hub for tests: real TLS and MQTT on a loopback port, with the faults a test asks for.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "mqtt/packet.h"

namespace picket::agent::test {

/// A certificate authority of one test, and certificates by it.
class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  [[nodiscard]] std::string pem() const;
  struct Server {
    std::string certificate_pem, key_pem;
  };
  /// `names` as in a subjectAltName: "DNS:localhost,IP:127.0.0.1". Valid from `from_s` to `until_s` seconds from now.
  [[nodiscard]] Server issue(const std::string& names, long from_s = -60, long until_s = 3'600) const;
  enum class KeyKind : std::uint8_t { ec, rsa };
  /// Of a device: with this common name.
  [[nodiscard]] Server issue_client(const std::string& common_name, KeyKind kind = KeyKind::ec,
                                    long until_s = 3'600) const;
  /// For a public key (PEM) whose private one stays where it is.
  [[nodiscard]] std::string certify(const std::string& common_name, const std::string& public_key_pem) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// One message as it arrived.
struct Arrived {
  std::string topic;
  std::string body;  ///< Decompressed.
  std::string message_id;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  bool compressed = false;
};

/// Accepts connections one after another on a thread of its own; a new one does not evict the old one.
class MiniHub {
 public:
  struct Faults {
    std::atomic<int> refuse{0};          ///< Answer CONNECT with this code.
    std::atomic<int> close_after{0};     ///< Cut the connection instead of the n-th PUBACK of each connection.
    std::atomic<int> withhold_every{0};  ///< Never acknowledge every n-th PUBLISH the first time it comes.
    std::atomic<bool> close_on_connect{false};
    std::atomic<bool> confirm_self_tests{true};  ///< By the direct method, as Picket's server does.
    std::atomic<int> registration_status{200};   ///< Answer of the provisioning service to a registration.
    std::atomic<int> decides_after{1};           ///< Questions until a registration is decided.
  };

  explicit MiniHub(const TestAuthority::Server& identity, std::uint16_t port = 0);
  ~MiniHub();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  Faults faults;

  [[nodiscard]] std::vector<Arrived> arrived() const;
  [[nodiscard]] std::size_t connections() const { return connections_; }
  [[nodiscard]] std::vector<std::string> client_ids() const;
  [[nodiscard]] std::string last_user_name() const;
  [[nodiscard]] std::string last_password() const;
  /// Common name of the client's certificate in the newest connection; empty: it showed none.
  [[nodiscard]] std::string last_common_name() const;
  [[nodiscard]] std::string last_tls_version() const;
  [[nodiscard]] std::size_t websockets() const { return websockets_; }
  [[nodiscard]] std::size_t pongs() const { return pongs_; }
  [[nodiscard]] std::size_t registrations() const { return registrations_; }
  /// What went wrong inside a WebSocket; empty: nothing.
  [[nodiscard]] std::string websocket_problem() const;
  /// Topics of the agent's answers to methods.
  [[nodiscard]] std::vector<std::string> method_answers() const;
  /// What the next question for the twin is answered with, and what was reported last.
  void set_twin(std::string desired);
  [[nodiscard]] std::string twin_reported() const;

 private:
  struct Peer;
  void serve();
  void serve_one(int fd);
  bool handle(Peer& peer, const mqtt::Packet& packet);
  void confirm(Peer& peer, const std::string& body);
  void answer_twin(Peer& peer, const mqtt::Publish& request);
  void provision(Peer& peer, const mqtt::Publish& request);
  bool open_websocket(Peer& peer, Bytes first);

  struct Tls;
  std::unique_ptr<Tls> tls_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> connections_{0};
  mutable std::mutex mutex_;
  std::vector<Arrived> arrived_;
  std::vector<std::string> client_ids_;
  std::vector<std::string> withheld_;
  std::vector<std::string> method_answers_;
  std::string user_name_, password_, common_name_, tls_version_, websocket_problem_;
  std::string twin_desired_ = "{}", twin_reported_;
  std::atomic<std::size_t> websockets_{0}, pongs_{0}, registrations_{0};
  std::thread thread_;
};

}  // namespace picket::agent::test
