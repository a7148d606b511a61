// One MQTT client of the hub benchmark: as little work as possible beside the bytes, so that the server is what is measured.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include <openssl/ssl.h>

#include "base/core/bytes.h"
#include "base/core/file.h"

namespace picket::load {

/// What all clients of a run share; outlives them.
struct HubTarget {
  std::uint16_t port = 8883;
  SSL_CTX* tls = nullptr;  ///< nullptr: plain TCP.
  std::string host = "localhost";
  Buffer key;  ///< The same for every device.
  std::uint16_t keep_alive_s = 1177;
  std::int64_t token_seconds = 200'000;
};

/// What arrived in one read.
struct Arrived {
  std::uint32_t pubacks = 0;
  std::uint32_t pingresps = 0;
  std::uint32_t subacks = 0;
  std::uint32_t messages = 0;  ///< PUBLISH, such as the answer to a twin request.
};

/// Non-blocking; driven by readiness of fd(). One thread.
class HubClient {
 public:
  enum class State : std::uint8_t { closed, connecting, handshake, connack, ready };

  /// Number `index` is device "dev<index>", from a source address of its own 127.0.1.x.
  bool open(const HubTarget& target, std::uint32_t index);
  /// Does what the socket allows. False: closed, and the reason is in error().
  bool advance(const HubTarget& target, Arrived& arrived);
  /// Packets to send; written at once as far as possible. False: closed.
  bool send(std::span<const std::byte> packets);
  /// Ends the connection without a word.
  void close();

  [[nodiscard]] int fd() const { return fd_.get(); }
  [[nodiscard]] State state() const { return state_; }
  [[nodiscard]] bool wants_write() const { return state_ == State::connecting || wants_write_; }
  [[nodiscard]] const char* error() const { return error_; }
  [[nodiscard]] std::uint32_t index() const { return index_; }
  /// Packet ids acknowledged in the last advance(): they are free again.
  [[nodiscard]] std::span<const std::uint16_t> acknowledged() const { return {acknowledged_.data(), acknowledged_.size()}; }

 private:
  bool handshake(const HubTarget& target);
  bool read(Arrived& arrived);
  bool take_packets(Arrived& arrived);
  bool flush();
  bool fail(const char* error);
  int read_some(std::span<std::byte> into);

  UniqueFd fd_;
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  State state_ = State::closed;
  bool wants_write_ = false;
  std::uint32_t index_ = 0;
  const char* error_ = "";
  Buffer in_;
  Buffer out_;
  std::vector<std::uint16_t> acknowledged_;
};

/// A QoS 1 PUBLISH of `body_bytes` on the device's telemetry topic; the packet id stands at the returned offset.
std::size_t encode_telemetry(std::uint32_t index, std::size_t body_bytes, Buffer& out);
/// SUBSCRIBEs as an SDK with twin, methods and cloud-to-device messages sends them, one filter each.
Buffer encode_subscriptions(std::uint32_t index);
Buffer encode_twin_request();
Buffer encode_ping();
/// How many SUBACKs encode_subscriptions() asks for.
inline constexpr std::uint32_t kSubscriptions = 4;

}  // namespace picket::load
