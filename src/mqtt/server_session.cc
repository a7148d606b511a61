#include "mqtt/server_session.h"

#include <algorithm>

#include "base/core/check.h"

namespace picket::mqtt {
namespace {

/// For packets that are right by construction.
void write(const Packet& packet, Buffer& out) { CHECK(encode(packet, out), "a packet of the session is encodable"); }

}  // namespace

ServerSession::ServerSession(ServerOptions options, Duration now) : options_(options), started_(now) {}

bool ServerSession::wants_input() const {
  if (state_ == State::fresh) return true;
  return state_ == State::connected && waiting_.size() < options_.unacknowledged_max;
}

Result<std::optional<ServerEvent>> ServerSession::on_packet(const Packet& packet, Duration now, Buffer& out) {
  CHECK(wants_input(), "the owner feeds packets only when the session wants them");
  last_packet_ = now;
  if (const auto* other = std::get_if<ConnectOtherLevel>(&packet)) {
    if (state_ != State::fresh) return fail(Errc::malformed, "mqtt.session.second_connect");
    state_ = State::closed;
    if (other->level == 5) {
      encode_connack_v5_unsupported_version(out);
    } else {
      write(Connack{.code = ConnectCode::unacceptable_protocol}, out);  // [MQTT-3.1.2-2]
    }
    return fail(Errc::unsupported, "mqtt.connect.protocol_level");
  }
  if (const auto* connect = std::get_if<Connect>(&packet)) return on_connect(*connect, out);
  if (state_ == State::fresh) return fail(Errc::malformed, "mqtt.session.connect_first");  // [MQTT-3.1.0-1]
  if (const auto* publish = std::get_if<Publish>(&packet)) return on_publish(*publish);
  if (const auto* ack = std::get_if<Puback>(&packet)) return DeliveryAcknowledged{ack->packet_id};
  if (const auto* subscribe = std::get_if<Subscribe>(&packet)) return SubscribeRequested{*subscribe};
  if (const auto* unsubscribe = std::get_if<Unsubscribe>(&packet)) return UnsubscribeRequested{*unsubscribe};
  if (std::holds_alternative<Pingreq>(packet)) {
    write(Pingresp{}, out);  // [MQTT-3.12.4-1]
    return std::nullopt;
  }
  if (std::holds_alternative<Disconnect>(packet)) {
    state_ = State::closed;
    return ClientDisconnected{};
  }
  return fail(Errc::unsupported,
              "mqtt.session.qos2");  // PUBREC, PUBREL, PUBCOMP; the codec lets no server packet through
}

Result<std::optional<ServerEvent>> ServerSession::on_connect(const Connect& packet, Buffer& out) {
  if (state_ != State::fresh) return fail(Errc::malformed, "mqtt.session.second_connect");  // [MQTT-3.1.0-2]
  if (packet.client_id.empty()) {  // a hub needs it; [MQTT-3.1.3-8] asks for this answer when clean_session is 0
    refuse(ConnectCode::identifier_rejected, out);
    return fail(Errc::denied, "mqtt.connect.client_id");
  }
  const auto asked = Duration::milliseconds(std::int64_t{packet.keep_alive_s} * 1500);
  wait_ = asked.us == 0 ? kKeepAliveWaitMax : std::min(asked, kKeepAliveWaitMax);  // [MQTT-3.1.2-24]
  state_ = State::deciding;
  return ConnectRequested{packet};
}

Result<std::optional<ServerEvent>> ServerSession::on_publish(const Publish& packet) {
  switch (packet.qos) {
    case QoS::at_most_once:
      return PublishRequested{packet, std::nullopt};
    case QoS::at_least_once:
      waiting_.push_back({packet.packet_id, false});
      return PublishRequested{packet, first_sequence_ + waiting_.size() - 1};
    case QoS::exactly_once:
      break;
  }
  return fail(Errc::unsupported, "mqtt.session.qos2");
}

void ServerSession::accept(bool session_present, Duration now, Buffer& out) {
  CHECK(state_ == State::deciding, "accept() answers ConnectRequested");
  state_ = State::connected;
  last_packet_ = now;
  write(Connack{.session_present = session_present}, out);
}

void ServerSession::refuse(ConnectCode code, Buffer& out) {
  CHECK(state_ == State::fresh || state_ == State::deciding, "refuse() answers CONNECT");
  state_ = State::closed;
  write(Connack{.code = code}, out);
}

void ServerSession::stored(std::uint64_t sequence, Buffer& out) {
  if (sequence < first_sequence_ || sequence - first_sequence_ >= waiting_.size()) return;
  waiting_[static_cast<std::size_t>(sequence - first_sequence_)].stored = true;
  acknowledge_front(out);
}

void ServerSession::stored_through(std::uint64_t sequence, Buffer& out) {
  for (std::size_t i = 0; i < waiting_.size() && first_sequence_ + i <= sequence; ++i) waiting_[i].stored = true;
  acknowledge_front(out);
}

void ServerSession::acknowledge_front(Buffer& out) {
  while (!waiting_.empty() && waiting_.front().stored) {
    write(Puback{waiting_.front().packet_id}, out);
    waiting_.pop_front();
    ++first_sequence_;
  }
}

Result<> ServerSession::suback(std::uint16_t packet_id, std::span<const SubackCode> codes, Buffer& out) {
  Suback packet{packet_id, {codes.begin(), codes.end()}};
  std::ranges::replace(packet.codes, SubackCode::exactly_once, SubackCode::at_least_once);
  return encode(packet, out);
}

void ServerSession::unsuback(std::uint16_t packet_id, Buffer& out) { write(Unsuback{packet_id}, out); }

void ServerSession::touch(Duration now) { last_packet_ = now; }

std::optional<Duration> ServerSession::deadline() const {
  switch (state_) {
    case State::fresh:
      return started_ + options_.connect_timeout;
    case State::connected:
      return last_packet_ + wait_;
    case State::deciding:
    case State::closed:
      break;
  }
  return std::nullopt;
}

}  // namespace picket::mqtt
