#include "mqtt/client_session.h"

#include <algorithm>

#include "base/core/check.h"

namespace picket::mqtt {
namespace {

constexpr Duration kNever{INT64_MAX};

}  // namespace

ClientSession::ClientSession(ClientOptions options) : options_(options) {
  CHECK(options_.window > 0 && options_.window <= 1024, "the window leaves packet ids free");
  CHECK(options_.keep_alive_s > 0, "a connection without pings does not notice its death");
  options_.limits.literal_wildcards = true;  // device ids in topics and filters are literals and may hold any character
}

Result<> ClientSession::connect(std::string_view client_id, std::string_view user_name, std::string_view password,
                                bool clean_session, Duration now, Buffer& out) {
  CHECK(state_ == State::idle, "a session connects once");
  Connect packet{.client_id = client_id, .clean_session = clean_session, .keep_alive_s = options_.keep_alive_s};
  packet.user_name = user_name;
  if (!password.empty()) packet.password = Payload{as_bytes(password)};  // absent with a client certificate
  TRY_VOID(encode(packet, out, options_.limits));
  state_ = State::connecting;
  connect_deadline_ = now + options_.connect_timeout;
  last_sent_ = now;
  return {};
}

bool ClientSession::can_publish() const { return connected() && in_flight_.size() < options_.window; }

Result<> ClientSession::publish(std::uint64_t token, std::string_view topic, Bytes payload, Duration now, Buffer& out) {
  const auto found = std::ranges::find(in_flight_, token, &InFlight::token);
  const bool again = found != in_flight_.end();
  if (again ? !connected() || found->due > now : !can_publish()) return fail(Errc::unavailable, "mqtt.client.window");
  const auto id = take_packet_id();
  // A re-send is a new packet: the hub's own SDK does it this way, and a de-duplicating hub goes by the message id.
  TRY_VOID(encode(Publish{.topic = topic, .payload = {payload}, .qos = QoS::at_least_once, .packet_id = id}, out,
                  options_.limits));
  auto& entry = again ? *found : in_flight_.emplace_back(InFlight{.token = token});
  entry.packet_ids.push_back(id);
  entry.due = now + options_.ack_timeout;
  last_sent_ = now;
  return {};
}

Result<> ClientSession::publish_at_most_once(std::string_view topic, Bytes payload, Duration now, Buffer& out) {
  if (!connected()) return fail(Errc::unavailable, "mqtt.client.not_connected");
  TRY_VOID(encode(Publish{.topic = topic, .payload = {payload}}, out, options_.limits));
  last_sent_ = now;
  return {};
}

Result<std::uint16_t> ClientSession::subscribe(std::span<const Subscription> subscriptions, Duration now, Buffer& out) {
  if (!connected() || subscribes_.size() == kSubscribesMax) return fail(Errc::unavailable, "mqtt.client.subscribe");
  const auto id = take_packet_id();
  TRY_VOID(encode(Subscribe{id, {subscriptions.begin(), subscriptions.end()}}, out, options_.limits));
  subscribes_.push_back({id, subscriptions.size()});
  last_sent_ = now;
  return id;
}

void ClientSession::disconnect(Buffer& out) {
  if (state_ == State::connected) CHECK(encode(Disconnect{}, out), "DISCONNECT is encodable");
  state_ = State::closed;
}

Result<std::optional<ClientEvent>> ClientSession::on_packet(const Packet& packet, Duration now, Buffer& out) {
  if (const auto* connack = std::get_if<Connack>(&packet)) return on_connack(*connack, now);
  if (!connected()) return fail(Errc::malformed, "mqtt.client.connack_first");  // [MQTT-3.2.0-1]
  if (const auto* puback = std::get_if<Puback>(&packet)) return on_puback(puback->packet_id);
  if (const auto* publish = std::get_if<Publish>(&packet)) return on_publish(*publish, out);
  if (const auto* suback = std::get_if<Suback>(&packet)) return on_suback(*suback);
  if (std::holds_alternative<Pingresp>(packet)) {
    ping_deadline_.reset();
    return std::nullopt;
  }
  return fail(Errc::malformed, "mqtt.client.unexpected");  // PUBREC, PUBREL, PUBCOMP, UNSUBACK answer nothing we send
}

Result<std::optional<ClientEvent>> ClientSession::on_connack(const Connack& packet, Duration now) {
  if (state_ != State::connecting) return fail(Errc::malformed, "mqtt.client.second_connack");
  if (packet.code != ConnectCode::accepted) {
    state_ = State::closed;
    return ClientRefused{packet.code};
  }
  state_ = State::connected;
  last_sent_ = now;
  return ClientConnected{packet.session_present};
}

Result<std::optional<ClientEvent>> ClientSession::on_puback(std::uint16_t packet_id) {
  const auto found = std::ranges::find_if(in_flight_, [&](const InFlight& each) {
    return std::ranges::find(each.packet_ids, packet_id) != each.packet_ids.end();
  });
  if (found == in_flight_.end()) {
    ++stray_acks_;
    return std::nullopt;
  }
  const auto token = found->token;
  in_flight_.erase(found);
  return ClientAcknowledged{token};
}

Result<std::optional<ClientEvent>> ClientSession::on_publish(const Publish& packet, Buffer& out) {
  if (packet.qos == QoS::exactly_once) return fail(Errc::malformed, "mqtt.client.qos2");  // never subscribed with it
  if (packet.qos == QoS::at_least_once) TRY_VOID(encode(Puback{packet.packet_id}, out));
  return ClientReceived{packet};
}

Result<std::optional<ClientEvent>> ClientSession::on_suback(const Suback& packet) {
  const auto found = std::ranges::find(subscribes_, packet.packet_id, &PendingSubscribe::packet_id);
  if (found == subscribes_.end() || found->filters != packet.codes.size()) {
    return fail(Errc::malformed, "mqtt.client.suback");  // [MQTT-3.9.3-1]
  }
  subscribes_.erase(found);
  return ClientSubscribed{packet.packet_id, packet.codes};
}

Result<> ClientSession::on_time(Duration now, Buffer& out) {
  if (state_ == State::connecting && now >= connect_deadline_)
    return fail(Errc::unavailable, "mqtt.client.connect_timeout");
  if (!connected()) return {};
  if (ping_deadline_ && now >= *ping_deadline_) return fail(Errc::unavailable, "mqtt.client.ping_timeout");
  for (const auto& each : in_flight_) {
    if (each.due <= now && each.packet_ids.size() > options_.resends_max) {
      return fail(Errc::unavailable, "mqtt.client.ack_timeout");
    }
  }
  if (!ping_deadline_ && now >= last_sent_ + Duration::milliseconds(std::int64_t{options_.keep_alive_s} * 500)) {
    TRY_VOID(encode(Pingreq{}, out));
    ping_deadline_ = now + options_.ping_timeout;
    last_sent_ = now;
  }
  return {};
}

std::optional<std::uint64_t> ClientSession::due_again(Duration now) const {
  if (!connected()) return std::nullopt;
  const auto found = std::ranges::find_if(in_flight_, [&](const InFlight& each) { return each.due <= now; });
  if (found == in_flight_.end()) return std::nullopt;
  return found->token;
}

void ClientSession::forget(std::uint64_t token) {
  std::erase_if(in_flight_, [&](const InFlight& each) { return each.token == token; });
}

Duration ClientSession::next_deadline() const {
  if (state_ == State::connecting) return connect_deadline_;
  if (!connected()) return kNever;
  auto next = ping_deadline_.value_or(last_sent_ + Duration::milliseconds(std::int64_t{options_.keep_alive_s} * 500));
  for (const auto& each : in_flight_) next = std::min(next, each.due);
  return next;
}

std::uint16_t ClientSession::take_packet_id() {
  do {
    ++last_packet_id_;
    if (last_packet_id_ == 0) last_packet_id_ = 1;
  } while (id_in_use(last_packet_id_));
  return last_packet_id_;
}

bool ClientSession::id_in_use(std::uint16_t id) const {
  return std::ranges::any_of(
             in_flight_,
             [&](const InFlight& each) { return std::ranges::find(each.packet_ids, id) != each.packet_ids.end(); }) ||
         std::ranges::find(subscribes_, id, &PendingSubscribe::packet_id) != subscribes_.end();
}

}  // namespace picket::mqtt
