// The hub's side of an MQTT connection: which packet is allowed when, acknowledgements in order, deadlines. Pure.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "base/core/time.h"
#include "mqtt/codec.h"

namespace picket::mqtt {

/// IoT Hub waits 1.5 times the client's keep-alive, at most this long, also when the client asks for none.
inline constexpr Duration kKeepAliveWaitMax = Duration::seconds(1767);

struct ServerOptions {
  Duration connect_timeout = Duration::seconds(10);  ///< From the start of the session to a whole CONNECT.
  std::size_t unacknowledged_max = 1024;             ///< PUBLISH packets stored or being stored, before their PUBACK.
};

// What the session asks of its owner. Views live until the next Inbox::append().

/// The owner answers with accept() or refuse(). Until then it feeds no further packet.
struct ConnectRequested {
  Connect packet;
};
/// The owner stores the message and says stored(sequence) when it is durable. QoS 0 has no sequence and no answer.
struct PublishRequested {
  Publish packet;
  std::optional<std::uint64_t> sequence;
};
/// The owner answers with suback().
struct SubscribeRequested {
  Subscribe packet;
};
/// The owner answers with unsuback().
struct UnsubscribeRequested {
  Unsubscribe packet;
};
/// The client has acknowledged a QoS 1 message of ours.
struct DeliveryAcknowledged {
  std::uint16_t packet_id = 0;
};
/// DISCONNECT: the owner closes; a will is not to be sent.
struct ClientDisconnected {};

using ServerEvent = std::variant<ConnectRequested, PublishRequested, SubscribeRequested, UnsubscribeRequested,
                                 DeliveryAcknowledged, ClientDisconnected>;

/// One connection. Bytes it appends to `out` go to the socket in that order. `now` is monotonic. After any Error the
/// owner sends what is in `out` (a refusal may be there) and closes. Strand only.
class ServerSession {
 public:
  ServerSession(ServerOptions options, Duration now);

  /// The role for Inbox::next().
  [[nodiscard]] Role role() const { return state_ == State::fresh ? Role::server_first : Role::server; }

  /// False while the owner owes an answer to CONNECT or to `unacknowledged_max` messages, and after the end.
  [[nodiscard]] bool wants_input() const;

  /// One packet; nullopt: nothing for the owner to do. PINGREQ is answered here. Errors: malformed (violation),
  /// unsupported (QoS 2, other protocol level: its refusal is in `out`), denied (client id missing: refusal in `out`).
  Result<std::optional<ServerEvent>> on_packet(const Packet& packet, Duration now, Buffer& out);

  /// Answers to ConnectRequested. accept() starts the keep-alive.
  void accept(bool session_present, Duration now, Buffer& out);
  void refuse(ConnectCode code, Buffer& out);

  /// The message is durable. PUBACKs leave in the order of their PUBLISH [MQTT-4.6.0-2], so this may write none or
  /// many. A sequence that is not waiting is ignored.
  void stored(std::uint64_t sequence, Buffer& out);

  /// The same for this message and every one before it.
  void stored_through(std::uint64_t sequence, Buffer& out);

  /// `codes`: one for each filter, in their order. SubackCode::exactly_once is written as at_least_once, as IoT Hub
  /// does.
  Result<> suback(std::uint16_t packet_id, std::span<const SubackCode> codes, Buffer& out);
  void unsuback(std::uint16_t packet_id, Buffer& out);

  /// Restarts the keep-alive wait; for an owner that had stopped reading on its own account.
  void touch(Duration now);

  /// When the client's time is up: for CONNECT at first, then for any packet. nullopt: never (the owner owes an
  /// answer).
  [[nodiscard]] std::optional<Duration> deadline() const;

  [[nodiscard]] bool connected() const { return state_ == State::connected; }
  [[nodiscard]] std::size_t unacknowledged() const { return waiting_.size(); }

 private:
  enum class State : std::uint8_t { fresh, deciding, connected, closed };
  struct Waiting {
    std::uint16_t packet_id = 0;
    bool stored = false;
  };

  Result<std::optional<ServerEvent>> on_connect(const Connect& packet, Buffer& out);
  Result<std::optional<ServerEvent>> on_publish(const Publish& packet);
  void acknowledge_front(Buffer& out);

  ServerOptions options_;
  State state_ = State::fresh;
  Duration started_;
  Duration last_packet_{};
  Duration wait_ = kKeepAliveWaitMax;  ///< Keep-alive of the client times 1.5.
  std::deque<Waiting> waiting_;
  std::uint64_t first_sequence_ = 0;  ///< Of waiting_.front().
};

}  // namespace picket::mqtt
