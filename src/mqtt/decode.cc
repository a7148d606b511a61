#include "mqtt/codec.h"
#include "text.h"

namespace picket::mqtt {
namespace {

constexpr std::string_view kProtocolName = "MQTT";
constexpr std::uint8_t kProtocolLevel = 4;

/// Section 2.2.2: PUBLISH uses the flags; three types carry 0010, all others 0000 [MQTT-2.2.2-1, MQTT-2.2.2-2].
bool flags_allowed(PacketType type, std::uint8_t flags) {
  switch (type) {
    case PacketType::publish:
      return true;  // decode_publish() looks at them
    case PacketType::pubrel:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
      return flags == 2;
    default:
      return flags == 0;
  }
}

bool role_accepts(Role role, PacketType type) {
  if (role == Role::server_first) return type == PacketType::connect;
  switch (type) {
    case PacketType::publish:
    case PacketType::puback:
    case PacketType::pubrec:
    case PacketType::pubrel:
    case PacketType::pubcomp:
      return true;
    case PacketType::connect:
    case PacketType::subscribe:
    case PacketType::unsubscribe:
    case PacketType::pingreq:
    case PacketType::disconnect:
      return role == Role::server;
    default:
      return role == Role::client;
  }
}

/// Section 2.2.3: 7 bits a byte, least significant first, at most 4 bytes. nullopt: not yet.
Result<std::optional<std::uint32_t>> remaining_length(Cursor& in) {
  Cursor at = in;
  std::uint32_t value = 0;
  for (unsigned shift = 0; shift < 28; shift += 7) {
    if (at.empty()) return std::nullopt;
    TRY(const auto byte, at.u8());
    value |= static_cast<std::uint32_t>(byte & 0x7fU) << shift;
    if ((byte & 0x80U) == 0) {
      in = at;
      return value;
    }
  }
  return fail(Errc::malformed, "mqtt.frame.remaining_length", in.offset());
}

/// A 16-bit length and as many bytes.
Result<Bytes> field(Cursor& in, std::string_view where) {
  const auto at = in.offset();
  const auto length = in.be<std::uint16_t>();
  if (!length || *length > in.remaining()) return fail(Errc::malformed, where, at);
  return in.take(*length);
}

Result<std::string_view> text_field(Cursor& in, std::string_view where) {
  TRY(const Bytes bytes, field(in, where));
  TRY_VOID(check_text(as_text(bytes), where));
  return as_text(bytes);
}

Result<std::uint8_t> byte_field(Cursor& in, std::string_view where) {
  if (in.empty()) return fail(Errc::malformed, where, in.offset());
  return in.u8();
}

/// [MQTT-2.3.1-1]: never 0.
Result<std::uint16_t> packet_id(Cursor& in, std::string_view where) {
  const auto at = in.offset();
  const auto id = in.be<std::uint16_t>();
  if (!id || *id == 0) return fail(Errc::malformed, where, at);
  return *id;
}

Result<> at_end(const Cursor& in, std::string_view where) {
  if (!in.empty()) return fail(Errc::malformed, where, in.offset());
  return {};
}

Result<Will> decode_will(Cursor& in, std::uint8_t flags, const Limits& limits) {
  Will will{.qos = static_cast<QoS>(flags >> 3 & 3), .retain = (flags & 0x20) != 0};
  TRY(will.topic, text_field(in, "mqtt.connect.will_topic"));  // [MQTT-3.1.3-10]
  TRY_VOID(check_topic(will.topic, limits.literal_wildcards, "mqtt.connect.will_topic"));
  TRY(will.payload.bytes, field(in, "mqtt.connect.will_message"));
  return will;
}

/// Section 3.1.2.3, the byte that says which fields follow.
Result<> check_connect_flags(std::uint8_t flags, std::uint64_t at) {
  const bool will = (flags & 0x04) != 0;
  if ((flags & 0x01) != 0) return fail(Errc::malformed, "mqtt.connect.reserved_flag", at);         // [MQTT-3.1.2-3]
  if ((flags & 0x18) == 0x18) return fail(Errc::malformed, "mqtt.connect.will_qos", at);           // [MQTT-3.1.2-14]
  if (!will && (flags & 0x18) != 0) return fail(Errc::malformed, "mqtt.connect.will_qos", at);     // [MQTT-3.1.2-13]
  if (!will && (flags & 0x20) != 0) return fail(Errc::malformed, "mqtt.connect.will_retain", at);  // [MQTT-3.1.2-15]
  if ((flags & 0xc0) == 0x40) return fail(Errc::malformed, "mqtt.connect.password_flag", at);      // [MQTT-3.1.2-22]
  return {};
}

Result<Packet> decode_connect(Cursor& in, const Limits& limits) {
  const auto start = in.offset();
  TRY(const auto name, text_field(in, "mqtt.connect.protocol_name"));
  if (name != kProtocolName) return fail(Errc::malformed, "mqtt.connect.protocol_name", start);  // [MQTT-3.1.2-1]
  TRY(const auto level, byte_field(in, "mqtt.connect.protocol_level"));
  if (level != kProtocolLevel) return ConnectOtherLevel{level};  // [MQTT-3.1.2-2]: answered, not just closed
  TRY(const auto flags, byte_field(in, "mqtt.connect.flags"));
  TRY_VOID(check_connect_flags(flags, in.offset() - 1));
  Connect packet{.clean_session = (flags & 0x02) != 0};
  const auto keep_alive = in.be<std::uint16_t>();
  if (!keep_alive) return fail(Errc::malformed, "mqtt.connect.keep_alive", in.offset());
  packet.keep_alive_s = *keep_alive;
  TRY(packet.client_id, text_field(in, "mqtt.connect.client_id"));  // [MQTT-3.1.3-3]
  if ((flags & 0x04) != 0) {
    TRY(packet.will, decode_will(in, flags, limits));
  }
  if ((flags & 0x80) != 0) {
    TRY(packet.user_name, text_field(in, "mqtt.connect.user_name"));  // [MQTT-3.1.3-11]
  }
  if ((flags & 0x40) != 0) {
    TRY(const Bytes password, field(in, "mqtt.connect.password"));
    packet.password = Payload{password};
  }
  TRY_VOID(at_end(in, "mqtt.connect.length"));
  return packet;
}

Result<Packet> decode_connack(Cursor& in) {
  TRY(const auto flags, byte_field(in, "mqtt.connack.flags"));
  if (flags > 1) return fail(Errc::malformed, "mqtt.connack.flags", in.offset() - 1);
  TRY(const auto code, byte_field(in, "mqtt.connack.code"));
  if (code > 5) return fail(Errc::malformed, "mqtt.connack.code", in.offset() - 1);
  if (code != 0 && flags != 0) return fail(Errc::malformed, "mqtt.connack.flags", in.offset() - 2);  // [MQTT-3.2.2-4]
  TRY_VOID(at_end(in, "mqtt.connack.length"));
  return Connack{.session_present = flags == 1, .code = static_cast<ConnectCode>(code)};
}

Result<Packet> decode_publish(Cursor& in, std::uint8_t flags, const Limits& limits) {
  const auto start = in.offset();
  const auto qos = static_cast<std::uint8_t>(flags >> 1 & 3);
  Publish packet{.dup = (flags & 8) != 0, .retain = (flags & 1) != 0};
  if (qos == 3) return fail(Errc::malformed, "mqtt.publish.qos", start);                // [MQTT-3.3.1-4]
  if (qos == 0 && packet.dup) return fail(Errc::malformed, "mqtt.publish.dup", start);  // [MQTT-3.3.1-2]
  packet.qos = static_cast<QoS>(qos);
  TRY(packet.topic, text_field(in, "mqtt.publish.topic"));  // [MQTT-3.3.2-1]
  TRY_VOID(check_topic(packet.topic, limits.literal_wildcards, "mqtt.publish.topic"));
  if (qos != 0) {
    TRY(packet.packet_id, packet_id(in, "mqtt.publish.packet_id"));
  }
  packet.payload.bytes = in.take_rest();
  return packet;
}

template <class T>
Result<Packet> decode_acknowledgement(Cursor& in, std::string_view where) {
  TRY(const auto id, packet_id(in, where));
  TRY_VOID(at_end(in, where));
  return T{id};
}

Result<Packet> decode_subscribe(Cursor& in, const Limits& limits) {
  Subscribe packet;
  TRY(packet.packet_id, packet_id(in, "mqtt.subscribe.packet_id"));
  if (in.empty()) return fail(Errc::malformed, "mqtt.subscribe.filters", in.offset());  // [MQTT-3.8.3-3]
  while (!in.empty()) {
    if (packet.subscriptions.size() == limits.filters_max) {
      return fail(Errc::limit_exceeded, "mqtt.subscribe.filters", in.offset());
    }
    TRY(const auto filter, text_field(in, "mqtt.subscribe.filter"));  // [MQTT-3.8.3-1]
    TRY_VOID(check_filter(filter, limits.literal_wildcards, "mqtt.subscribe.filter"));
    TRY(const auto qos, byte_field(in, "mqtt.subscribe.qos"));
    if (qos > 2) return fail(Errc::malformed, "mqtt.subscribe.qos", in.offset() - 1);  // [MQTT-3-8.3-4]
    packet.subscriptions.push_back({filter, static_cast<QoS>(qos)});
  }
  return packet;
}

Result<Packet> decode_suback(Cursor& in, const Limits& limits) {
  Suback packet;
  TRY(packet.packet_id, packet_id(in, "mqtt.suback.packet_id"));
  if (in.empty()) return fail(Errc::malformed, "mqtt.suback.codes", in.offset());
  if (in.remaining() > limits.filters_max) return fail(Errc::limit_exceeded, "mqtt.suback.codes", in.offset());
  while (!in.empty()) {
    TRY(const auto code, in.u8());
    if (code > 2 && code != 0x80) return fail(Errc::malformed, "mqtt.suback.code", in.offset() - 1);  // [MQTT-3.9.3-2]
    packet.codes.push_back(static_cast<SubackCode>(code));
  }
  return packet;
}

Result<Packet> decode_unsubscribe(Cursor& in, const Limits& limits) {
  Unsubscribe packet;
  TRY(packet.packet_id, packet_id(in, "mqtt.unsubscribe.packet_id"));
  if (in.empty()) return fail(Errc::malformed, "mqtt.unsubscribe.filters", in.offset());  // [MQTT-3.10.3-2]
  while (!in.empty()) {
    if (packet.filters.size() == limits.filters_max) {
      return fail(Errc::limit_exceeded, "mqtt.unsubscribe.filters", in.offset());
    }
    TRY(const auto filter, text_field(in, "mqtt.unsubscribe.filter"));  // [MQTT-3.10.3-1]
    TRY_VOID(check_filter(filter, limits.literal_wildcards, "mqtt.unsubscribe.filter"));
    packet.filters.push_back(filter);
  }
  return packet;
}

template <class T>
Result<Packet> decode_empty(const Cursor& in, std::string_view where) {
  TRY_VOID(at_end(in, where));
  return T{};
}

Result<Packet> decode_body(const Frame& frame, Cursor& body, const Limits& limits) {
  switch (frame.type) {
    case PacketType::connect:
      return decode_connect(body, limits);
    case PacketType::connack:
      return decode_connack(body);
    case PacketType::publish:
      return decode_publish(body, frame.flags, limits);
    case PacketType::puback:
      return decode_acknowledgement<Puback>(body, "mqtt.puback.packet_id");
    case PacketType::pubrec:
      return decode_acknowledgement<Pubrec>(body, "mqtt.pubrec.packet_id");
    case PacketType::pubrel:
      return decode_acknowledgement<Pubrel>(body, "mqtt.pubrel.packet_id");
    case PacketType::pubcomp:
      return decode_acknowledgement<Pubcomp>(body, "mqtt.pubcomp.packet_id");
    case PacketType::subscribe:
      return decode_subscribe(body, limits);
    case PacketType::suback:
      return decode_suback(body, limits);
    case PacketType::unsubscribe:
      return decode_unsubscribe(body, limits);
    case PacketType::unsuback:
      return decode_acknowledgement<Unsuback>(body, "mqtt.unsuback.packet_id");
    case PacketType::pingreq:
      return decode_empty<Pingreq>(body, "mqtt.pingreq.length");
    case PacketType::pingresp:
      return decode_empty<Pingresp>(body, "mqtt.pingresp.length");
    case PacketType::disconnect:
      return decode_empty<Disconnect>(body, "mqtt.disconnect.length");
  }
  return fail(Errc::malformed, "mqtt.frame.type");
}

}  // namespace

Result<std::optional<Frame>> decode_frame(Cursor& in, const Limits& limits, Role role) {
  if (in.empty()) return std::nullopt;
  Cursor at = in;
  TRY(const auto first, at.u8());
  const auto type = static_cast<std::uint8_t>(first >> 4);
  if (type == 0 || type == 15) return fail(Errc::malformed, "mqtt.frame.type", in.offset());
  Frame frame{.type = static_cast<PacketType>(type), .flags = static_cast<std::uint8_t>(first & 0x0fU)};
  if (!role_accepts(role, frame.type)) return fail(Errc::malformed, "mqtt.frame.role", in.offset());
  if (!flags_allowed(frame.type, frame.flags)) return fail(Errc::malformed, "mqtt.frame.flags", in.offset());
  TRY(const auto length, remaining_length(at));
  if (!length) return std::nullopt;
  frame.remaining_bytes = *length;
  frame.header_bytes = static_cast<std::size_t>(at.offset() - in.offset());
  const bool connect = frame.type == PacketType::connect;
  if (frame.size() > (connect ? limits.connect_bytes_max : limits.packet_bytes_max)) {
    return fail(Errc::limit_exceeded, connect ? "mqtt.connect.size" : "mqtt.frame.size", in.offset());
  }
  in = at;
  return frame;
}

Result<std::optional<Packet>> decode(Cursor& in, const Limits& limits, Role role) {
  Cursor at = in;
  TRY(const auto frame, decode_frame(at, limits, role));
  if (!frame || frame->remaining_bytes > at.remaining()) return std::nullopt;
  TRY(Cursor body, at.sub(frame->remaining_bytes));
  TRY(auto packet, decode_body(*frame, body, limits));
  in = at;
  return packet;
}

}  // namespace picket::mqtt
