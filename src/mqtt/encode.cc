#include <array>

#include "base/core/byte_writer.h"
#include "mqtt/codec.h"
#include "text.h"

namespace picket::mqtt {
namespace {

constexpr std::uint8_t kReservedFlags = 2;  // of PUBREL, SUBSCRIBE, UNSUBSCRIBE

Result<> check_id(std::uint16_t id, std::string_view where) {
  if (id == 0) return fail(Errc::malformed, where);
  return {};
}

Result<> check_field(std::size_t size_bytes, std::string_view where) {
  if (size_bytes > kFieldBytesMax) return fail(Errc::limit_exceeded, where);
  return {};
}

std::size_t field_bytes(std::size_t size_bytes) { return 2 + size_bytes; }

void write_field(ByteWriter& out, Bytes bytes) { out.be(static_cast<std::uint16_t>(bytes.size())).bytes(bytes); }
void write_field(ByteWriter& out, std::string_view text) { write_field(out, as_bytes(text)); }

/// Section 2.2.
Result<> write_header(ByteWriter& out, PacketType type, std::uint8_t flags, std::size_t remaining_bytes) {
  if (remaining_bytes > kRemainingLengthMax) return fail(Errc::limit_exceeded, "mqtt.encode.size");
  out.u8(static_cast<std::uint8_t>(static_cast<unsigned>(type) << 4 | flags));
  do {
    const auto low = static_cast<std::uint8_t>(remaining_bytes & 0x7fU);
    remaining_bytes >>= 7;
    out.u8(remaining_bytes == 0 ? low : static_cast<std::uint8_t>(low | 0x80U));
  } while (remaining_bytes != 0);
  return {};
}

/// One overload a packet type; each checks everything before it writes the first byte.
struct Encoder {
  ByteWriter out;
  const Limits& limits;

  Result<> check(const Connect& packet) const {
    TRY_VOID(check_field(packet.client_id.size(), "mqtt.connect.client_id"));
    TRY_VOID(check_text(packet.client_id, "mqtt.connect.client_id"));
    if (packet.password && !packet.user_name) return fail(Errc::malformed, "mqtt.connect.password_flag");
    if (packet.user_name) {
      TRY_VOID(check_field(packet.user_name->size(), "mqtt.connect.user_name"));
      TRY_VOID(check_text(*packet.user_name, "mqtt.connect.user_name"));
    }
    if (packet.password) TRY_VOID(check_field(packet.password->bytes.size(), "mqtt.connect.password"));
    if (packet.will) {
      TRY_VOID(check_field(packet.will->topic.size(), "mqtt.connect.will_topic"));
      TRY_VOID(check_topic(packet.will->topic, limits.literal_wildcards, "mqtt.connect.will_topic"));
      TRY_VOID(check_field(packet.will->payload.bytes.size(), "mqtt.connect.will_message"));
    }
    return {};
  }

  Result<> operator()(const Connect& packet) {
    TRY_VOID(check(packet));
    std::size_t size = 10 + field_bytes(packet.client_id.size());
    auto flags = static_cast<std::uint8_t>(packet.clean_session ? 0x02 : 0);
    if (packet.will) {
      flags = static_cast<std::uint8_t>(flags | 0x04U | static_cast<unsigned>(packet.will->qos) << 3);
      if (packet.will->retain) flags |= 0x20U;
      size += field_bytes(packet.will->topic.size()) + field_bytes(packet.will->payload.bytes.size());
    }
    if (packet.user_name) {
      flags |= 0x80U;
      size += field_bytes(packet.user_name->size());
    }
    if (packet.password) {
      flags |= 0x40U;
      size += field_bytes(packet.password->bytes.size());
    }
    TRY_VOID(write_header(out, PacketType::connect, 0, size));
    write_field(out, "MQTT");
    out.u8(4).u8(flags).be(packet.keep_alive_s);
    write_field(out, packet.client_id);
    if (packet.will) {
      write_field(out, packet.will->topic);
      write_field(out, packet.will->payload.bytes);
    }
    if (packet.user_name) write_field(out, *packet.user_name);
    if (packet.password) write_field(out, packet.password->bytes);
    return {};
  }

  Result<> operator()(const ConnectOtherLevel&) { return fail(Errc::unsupported, "mqtt.connect.protocol_level"); }

  Result<> operator()(const Connack& packet) {
    if (packet.session_present && packet.code != ConnectCode::accepted) {
      return fail(Errc::malformed, "mqtt.connack.flags");
    }
    TRY_VOID(write_header(out, PacketType::connack, 0, 2));
    out.u8(packet.session_present ? 1 : 0).u8(static_cast<std::uint8_t>(packet.code));
    return {};
  }

  Result<> operator()(const Publish& packet) {
    const bool numbered = packet.qos != QoS::at_most_once;
    if (numbered != (packet.packet_id != 0)) return fail(Errc::malformed, "mqtt.publish.packet_id");
    if (!numbered && packet.dup) return fail(Errc::malformed, "mqtt.publish.dup");
    TRY_VOID(check_field(packet.topic.size(), "mqtt.publish.topic"));
    TRY_VOID(check_topic(packet.topic, limits.literal_wildcards, "mqtt.publish.topic"));
    const auto flags = (packet.dup ? 8U : 0U) | static_cast<unsigned>(packet.qos) << 1 | (packet.retain ? 1U : 0U);
    TRY_VOID(write_header(out, PacketType::publish, static_cast<std::uint8_t>(flags),
                          field_bytes(packet.topic.size()) + (numbered ? 2 : 0) + packet.payload.bytes.size()));
    write_field(out, packet.topic);
    if (numbered) out.be(packet.packet_id);
    out.bytes(packet.payload.bytes);
    return {};
  }

  template <PacketType kType>
  Result<> operator()(const Acknowledgement<kType>& packet) {
    TRY_VOID(check_id(packet.packet_id, "mqtt.acknowledgement.packet_id"));
    TRY_VOID(write_header(out, kType, kType == PacketType::pubrel ? kReservedFlags : 0, 2));
    out.be(packet.packet_id);
    return {};
  }

  Result<> operator()(const Subscribe& packet) {
    TRY_VOID(check_id(packet.packet_id, "mqtt.subscribe.packet_id"));
    if (packet.subscriptions.empty()) return fail(Errc::malformed, "mqtt.subscribe.filters");
    if (packet.subscriptions.size() > limits.filters_max) return fail(Errc::limit_exceeded, "mqtt.subscribe.filters");
    std::size_t size = 2;
    for (const auto& each : packet.subscriptions) {
      TRY_VOID(check_field(each.filter.size(), "mqtt.subscribe.filter"));
      TRY_VOID(check_filter(each.filter, limits.literal_wildcards, "mqtt.subscribe.filter"));
      size += field_bytes(each.filter.size()) + 1;
    }
    TRY_VOID(write_header(out, PacketType::subscribe, kReservedFlags, size));
    out.be(packet.packet_id);
    for (const auto& each : packet.subscriptions) {
      write_field(out, each.filter);
      out.u8(static_cast<std::uint8_t>(each.qos));
    }
    return {};
  }

  Result<> operator()(const Suback& packet) {
    TRY_VOID(check_id(packet.packet_id, "mqtt.suback.packet_id"));
    if (packet.codes.empty()) return fail(Errc::malformed, "mqtt.suback.codes");
    if (packet.codes.size() > limits.filters_max) return fail(Errc::limit_exceeded, "mqtt.suback.codes");
    TRY_VOID(write_header(out, PacketType::suback, 0, 2 + packet.codes.size()));
    out.be(packet.packet_id);
    for (const auto code : packet.codes) out.u8(static_cast<std::uint8_t>(code));
    return {};
  }

  Result<> operator()(const Unsubscribe& packet) {
    TRY_VOID(check_id(packet.packet_id, "mqtt.unsubscribe.packet_id"));
    if (packet.filters.empty()) return fail(Errc::malformed, "mqtt.unsubscribe.filters");
    if (packet.filters.size() > limits.filters_max) return fail(Errc::limit_exceeded, "mqtt.unsubscribe.filters");
    std::size_t size = 2;
    for (const auto filter : packet.filters) {
      TRY_VOID(check_field(filter.size(), "mqtt.unsubscribe.filter"));
      TRY_VOID(check_filter(filter, limits.literal_wildcards, "mqtt.unsubscribe.filter"));
      size += field_bytes(filter.size());
    }
    TRY_VOID(write_header(out, PacketType::unsubscribe, kReservedFlags, size));
    out.be(packet.packet_id);
    for (const auto filter : packet.filters) write_field(out, filter);
    return {};
  }

  template <PacketType kType>
  Result<> operator()(const Empty<kType>&) {
    return write_header(out, kType, 0, 0);
  }
};

}  // namespace

Result<> encode(const Packet& packet, Buffer& out, const Limits& limits) {
  return std::visit(Encoder{ByteWriter(out), limits}, packet);
}

void encode_connack_v5_unsupported_version(Buffer& out) {
  // CONNACK, 3 bytes: acknowledge flags 0, reason 0x84, no properties.
  constexpr std::array<std::uint8_t, 5> kPacket = {0x20, 0x03, 0x00, 0x84, 0x00};
  append(out, std::as_bytes(std::span(kPacket)));
}

}  // namespace picket::mqtt
