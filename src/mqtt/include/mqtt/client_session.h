// The device's side of an MQTT connection: what to send next, what an answer means. Pure: bytes and time in and out.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/core/time.h"
#include "mqtt/codec.h"

namespace picket::mqtt {

struct ClientOptions {
  std::uint16_t keep_alive_s = 240;  ///< 1 to 1177: the hub waits 1.5 times as long. A ping goes out after half of it.
  std::size_t window = 16;           ///< PUBLISH packets without PUBACK at a time.
  Duration connect_timeout = Duration::seconds(30);
  Duration ack_timeout = Duration::seconds(30);  ///< Then a message is due to be sent again with a new packet id.
  std::uint32_t resends_max = 3;  ///< Of one message in one connection; one more time-out means the connection is dead.
  Duration ping_timeout = Duration::seconds(30);
  Limits limits{};
};

/// What the session tells its owner. Views live until the next Inbox::append().
struct ClientConnected {
  bool session_present = false;
};
struct ClientRefused {
  ConnectCode code{};
};
/// The hub has stored the message: it may leave the spool. Told once a token, also when sent more than once.
struct ClientAcknowledged {
  std::uint64_t token = 0;
};
struct ClientReceived {
  Publish message;  ///< A QoS 1 message has been acknowledged already.
};
struct ClientSubscribed {
  std::uint16_t packet_id = 0;
  std::vector<SubackCode> codes;
};
using ClientEvent = std::variant<ClientConnected, ClientRefused, ClientAcknowledged, ClientReceived, ClientSubscribed>;

/// One connection, from CONNECT to its end; a new connection is a new session. The owner moves bytes: what a call
/// appends to `out` goes to the socket in that order; received bytes go into an Inbox with Role::client, each packet to
/// on_packet(). `now` is monotonic (Clock::monotonic()). After any Error the connection is to be closed; messages not
/// yet acknowledged are the owner's to publish again on the next one. Single-threaded.
class ClientSession {
 public:
  explicit ClientSession(ClientOptions options);

  /// Writes CONNECT. Errors: malformed or limit_exceeded when a field is not sendable.
  Result<> connect(std::string_view client_id, std::string_view user_name, std::string_view password,
                   bool clean_session, Duration now, Buffer& out);

  /// True when connected and the window has room.
  [[nodiscard]] bool can_publish() const;

  /// Writes a QoS 1 PUBLISH. `token` is the owner's name of the message, such as its spool sequence number. Publishing
  /// a token that due_again() has named is the re-send. Errors: unavailable (can_publish() is false, or the token is in
  /// flight and not due), and those of encode().
  Result<> publish(std::uint64_t token, std::string_view topic, Bytes payload, Duration now, Buffer& out);
  /// Writes a QoS 0 PUBLISH.
  Result<> publish_at_most_once(std::string_view topic, Bytes payload, Duration now, Buffer& out);

  /// Writes SUBSCRIBE and returns its packet id. Errors: unavailable (not connected, or kSubscribesMax without an
  /// answer).
  Result<std::uint16_t> subscribe(std::span<const Subscription> subscriptions, Duration now, Buffer& out);

  /// Writes DISCONNECT; nothing may be sent after it.
  void disconnect(Buffer& out);

  /// One packet from the hub. Errors: malformed (it breaks the protocol, or answers what was not asked).
  Result<std::optional<ClientEvent>> on_packet(const Packet& packet, Duration now, Buffer& out);

  /// To be called at next_deadline() or later. Writes PINGREQ when due. Error unavailable: no CONNACK, PINGRESP or
  /// PUBACK in time; the connection is dead.
  Result<> on_time(Duration now, Buffer& out);

  /// A message whose PUBACK is late and that the owner shall publish() again (or give up with forget()); nullopt: none.
  [[nodiscard]] std::optional<std::uint64_t> due_again(Duration now) const;
  /// Drops a token, e.g. when the spool had to evict it. A PUBACK for it is then ignored.
  void forget(std::uint64_t token);

  /// When on_time() or due_again() next have something to do.
  [[nodiscard]] Duration next_deadline() const;

  [[nodiscard]] bool connected() const { return state_ == State::connected; }
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
  /// PUBACKs that matched nothing, e.g. the second one of a message that was sent twice.
  [[nodiscard]] std::uint64_t stray_acks() const { return stray_acks_; }

  static constexpr std::size_t kSubscribesMax = 8;

 private:
  enum class State : std::uint8_t { idle, connecting, connected, closed };
  struct InFlight {
    std::uint64_t token = 0;
    std::vector<std::uint16_t> packet_ids;  ///< Every id it was sent with on this connection; the last is the newest.
    Duration due{};                         ///< When the PUBACK of the newest is late.
  };
  struct PendingSubscribe {
    std::uint16_t packet_id = 0;
    std::size_t filters = 0;
  };

  std::uint16_t take_packet_id();
  [[nodiscard]] bool id_in_use(std::uint16_t id) const;
  Result<std::optional<ClientEvent>> on_connack(const Connack& packet, Duration now);
  Result<std::optional<ClientEvent>> on_puback(std::uint16_t packet_id);
  Result<std::optional<ClientEvent>> on_publish(const Publish& packet, Buffer& out);
  Result<std::optional<ClientEvent>> on_suback(const Suback& packet);

  ClientOptions options_;
  State state_ = State::idle;
  std::vector<InFlight> in_flight_;  ///< At most options_.window entries.
  std::vector<PendingSubscribe> subscribes_;
  std::uint16_t last_packet_id_ = 0;
  Duration connect_deadline_{};
  Duration last_sent_{};
  std::optional<Duration> ping_deadline_;
  std::uint64_t stray_acks_ = 0;
};

}  // namespace picket::mqtt
