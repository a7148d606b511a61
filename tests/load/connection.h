// One device of the load: a TLS connection that speaks MQTT and keeps every message until it was acknowledged.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include <openssl/ssl.h>

#include "base/core/bytes.h"
#include "base/core/file.h"
#include "base/core/time.h"
#include "mqtt/codec.h"
#include "mqtt/inbox.h"

namespace picket::load {

struct DeviceLogin {
  std::string device_id;
  std::string module_id;  ///< Empty: the device itself.
  std::string key;        ///< Base64.
};

/// A message on its way. It is kept, and sent again with the same `mid` and a new packet id after each reconnect, until
/// its PUBACK came.
struct Message {
  std::uint64_t number = 0;
  std::string body;
  std::string mid;  ///< Empty: sent without `$.mid`.
  Timestamp first_sent;
};

struct Totals {
  std::uint64_t published = 0;  ///< PUBLISH packets, repeats included.
  std::uint64_t acknowledged = 0;
  std::uint64_t repeated = 0;
  std::uint64_t connects = 0;
  std::uint64_t connection_losses = 0;
  std::uint64_t refused = 0;  ///< CONNACK other than 0.
};

/// Non-blocking; driven by the readiness of fd(). One thread.
class Connection {
 public:
  static constexpr std::size_t kUnacknowledgedMax = 32;

  Connection(const DeviceLogin& login, std::string host, std::uint16_t port, SSL_CTX* tls, Totals& totals);

  /// Begins a new TCP and TLS connection. False: the system refused at once.
  bool open(Timestamp now);
  /// Goes on with whatever the socket allows. Returns false when the connection was lost; messages are kept.
  bool advance(Timestamp now);
  /// Queues a message; it is sent as soon as the window allows.
  void send(Message message) { waiting_.push_back(std::move(message)); }

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] bool ready() const { return state_ == State::ready; }
  [[nodiscard]] bool closed() const { return state_ == State::closed; }
  /// True: also wait until the socket is writable.
  [[nodiscard]] bool wants_write() const { return wants_write_; }
  [[nodiscard]] std::size_t outstanding() const { return waiting_.size() + unacknowledged_.size(); }
  /// Numbers acknowledged since the last call.
  std::deque<Message> take_acknowledged() { return std::exchange(acknowledged_, {}); }

 private:
  enum class State { closed, connecting, handshake, connack, ready };

  bool handshake();
  bool read();
  bool handle(const mqtt::Packet& packet);
  bool flush();
  void fill_window(Timestamp now);
  void publish(Message message, Timestamp now);
  bool lose();
  [[nodiscard]] std::string password(Timestamp now) const;

  DeviceLogin login_;
  std::string host_;
  std::uint16_t port_;
  SSL_CTX* tls_;
  Totals& totals_;
  State state_ = State::closed;
  UniqueFd fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  mqtt::Inbox inbox_;
  mqtt::Limits limits_;
  Buffer out_;
  std::size_t out_at_ = 0;
  bool wants_write_ = false;
  std::uint16_t next_packet_id_ = 1;
  std::deque<Message> waiting_;
  std::map<std::uint16_t, Message> unacknowledged_;
  std::deque<Message> acknowledged_;
};

}  // namespace picket::load
