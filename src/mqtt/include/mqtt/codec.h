// Bytes to MQTT 3.1.1 packets and back. Pure: no sockets, no time, no allocation for PUBLISH.
#pragma once

#include <cstdint>
#include <optional>

#include "base/core/bytes.h"
#include "base/core/cursor.h"
#include "base/core/result.h"
#include "mqtt/packet.h"

namespace picket::mqtt {

/// Who reads. A server refuses what only servers send (CONNACK, SUBACK, UNSUBACK, PINGRESP) and the other way round.
enum class Role : std::uint8_t {
  server_first,  ///< A server that has not seen CONNECT yet: accepts nothing else [MQTT-3.1.0-1].
  server,
  client,
};

/// Largest value of the "remaining length" field, section 2.2.3.
inline constexpr std::uint32_t kRemainingLengthMax = 268'435'455;
/// Text fields and binary fields carry a 16-bit length.
inline constexpr std::size_t kFieldBytesMax = 65'535;

/// Bounds of what decode() accepts. Whole packets, fixed header included.
struct Limits {
  std::size_t connect_bytes_max = 4096;
  std::size_t packet_bytes_max = 256 * 1024 + kFieldBytesMax + 16;
  std::size_t filters_max = 16;  ///< In one SUBSCRIBE or UNSUBSCRIBE, and codes in one SUBACK.
  /// IoT Hub device ids may hold '+' and '#', and stand in topics as literals. True lets these two through in PUBLISH
  /// topics, will topics and anywhere in filters; the reader then compares topics as literals and never matches.
  bool literal_wildcards = false;
};

/// The fixed header of a packet whose body may not be there yet.
struct Frame {
  PacketType type{};
  std::uint8_t flags = 0;
  std::size_t header_bytes = 0;     ///< 2 to 5.
  std::size_t remaining_bytes = 0;  ///< What follows the fixed header.
  [[nodiscard]] std::size_t size() const { return header_bytes + remaining_bytes; }
};

/// Reads a fixed header (section 2.2). nullopt: not yet. As soon as the bytes for it are there it reports: reserved
/// types, types the role does not accept, wrong flags, a length of more than 4 bytes (malformed), a packet over its
/// limit (limit_exceeded). `in` stands behind the header after success, else where it was. A reader must let its buffer
/// grow with the bytes it has received, never with Frame::size().
Result<std::optional<Frame>> decode_frame(Cursor& in, const Limits& limits, Role role);

/// Reads one packet. Three ends: a packet (`in` stands behind it); nullopt, not all of it there yet (`in` unmoved);
/// an Error (`in` unmoved), after which the connection must be closed [MQTT-4.8.0-1]. Error::where names the rule, such
/// as "mqtt.publish.qos". The packet's views point into the input of `in`.
Result<std::optional<Packet>> decode(Cursor& in, const Limits& limits, Role role);

/// Appends one packet. Errors leave `out` unchanged: limit_exceeded, a field over kFieldBytesMax or a packet over
/// kRemainingLengthMax; malformed, the packet breaks a rule that a peer's decode() would refuse (id 0, no filters, text
/// that is not UTF-8, wildcard in a topic, password without user name, ...).
Result<> encode(const Packet& packet, Buffer& out, const Limits& limits = {});

/// Appends the CONNACK of MQTT 5.0 with reason 0x84, "unsupported protocol version": what a client of that version
/// understands (MQTT 5.0, section 3.2.2.2).
void encode_connack_v5_unsupported_version(Buffer& out);

}  // namespace picket::mqtt
