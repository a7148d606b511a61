// The 14 control packets of MQTT 3.1.1 (OASIS standard, 29 October 2014) as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "base/core/bytes.h"

namespace picket::mqtt {

enum class QoS : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2 };

/// Section 2.2.1. The number is the upper half of a packet's first byte.
enum class PacketType : std::uint8_t {
  connect = 1,
  connack,
  publish,
  puback,
  pubrec,
  pubrel,
  pubcomp,
  subscribe,
  suback,
  unsubscribe,
  unsuback,
  pingreq,
  pingresp,
  disconnect,
};

/// Section 3.2.2.3.
enum class ConnectCode : std::uint8_t {
  accepted = 0,
  unacceptable_protocol = 1,
  identifier_rejected = 2,
  server_unavailable = 3,
  bad_user_name_or_password = 4,
  not_authorized = 5,
};

/// A view with value comparison, since std::span has none.
struct Payload {
  Bytes bytes;
  friend bool operator==(Payload a, Payload b) { return as_text(a.bytes) == as_text(b.bytes); }
};

// Texts and payloads are views. After decode() they point into the input and live as long as it stays where it is;
// for encode() they point wherever the caller keeps them.

struct Will {
  std::string_view topic;
  Payload payload;
  QoS qos = QoS::at_most_once;
  bool retain = false;
  friend bool operator==(const Will&, const Will&) = default;
};

struct Connect {
  std::string_view client_id;  ///< May be empty; a server then needs clean_session [MQTT-3.1.3-7].
  bool clean_session = true;
  std::uint16_t keep_alive_s = 0;  ///< 0: the client asks for no keep-alive.
  std::optional<Will> will;
  std::optional<std::string_view> user_name;
  std::optional<Payload> password;  ///< Only together with user_name [MQTT-3.1.2-22].
  friend bool operator==(const Connect&, const Connect&) = default;
};

/// A CONNECT of another protocol level: nothing behind the level is read. Never encoded.
struct ConnectOtherLevel {
  std::uint8_t level = 0;  ///< 5 is MQTT 5.0.
  friend bool operator==(const ConnectOtherLevel&, const ConnectOtherLevel&) = default;
};

struct Connack {
  bool session_present = false;
  ConnectCode code = ConnectCode::accepted;
  friend bool operator==(const Connack&, const Connack&) = default;
};

struct Publish {
  std::string_view topic;
  Payload payload;
  QoS qos = QoS::at_most_once;
  bool dup = false;
  bool retain = false;
  std::uint16_t packet_id = 0;  ///< 0 exactly when qos is at_most_once.
  friend bool operator==(const Publish&, const Publish&) = default;
};

/// The four acknowledgements of PUBLISH and UNSUBACK: nothing but a packet id.
template <PacketType kType>
struct Acknowledgement {
  std::uint16_t packet_id = 0;
  friend bool operator==(Acknowledgement, Acknowledgement) = default;
};
using Puback = Acknowledgement<PacketType::puback>;
using Pubrec = Acknowledgement<PacketType::pubrec>;
using Pubrel = Acknowledgement<PacketType::pubrel>;
using Pubcomp = Acknowledgement<PacketType::pubcomp>;
using Unsuback = Acknowledgement<PacketType::unsuback>;

struct Subscription {
  std::string_view filter;
  QoS qos = QoS::at_most_once;
  friend bool operator==(const Subscription&, const Subscription&) = default;
};

struct Subscribe {
  std::uint16_t packet_id = 0;
  std::vector<Subscription> subscriptions;  ///< 1 to Limits::filters_max.
  friend bool operator==(const Subscribe&, const Subscribe&) = default;
};

/// Section 3.9.3: the granted QoS, or failure.
enum class SubackCode : std::uint8_t { at_most_once = 0, at_least_once = 1, exactly_once = 2, failure = 0x80 };

struct Suback {
  std::uint16_t packet_id = 0;
  std::vector<SubackCode> codes;  ///< As many as the SUBSCRIBE had filters; never empty.
  friend bool operator==(const Suback&, const Suback&) = default;
};

struct Unsubscribe {
  std::uint16_t packet_id = 0;
  std::vector<std::string_view> filters;  ///< 1 to Limits::filters_max.
  friend bool operator==(const Unsubscribe&, const Unsubscribe&) = default;
};

/// The three packets without content.
template <PacketType kType>
struct Empty {
  friend bool operator==(Empty, Empty) = default;
};
using Pingreq = Empty<PacketType::pingreq>;
using Pingresp = Empty<PacketType::pingresp>;
using Disconnect = Empty<PacketType::disconnect>;

using Packet = std::variant<Connect, ConnectOtherLevel, Connack, Publish, Puback, Pubrec, Pubrel, Pubcomp, Subscribe,
                            Suback, Unsubscribe, Unsuback, Pingreq, Pingresp, Disconnect>;

}  // namespace picket::mqtt
