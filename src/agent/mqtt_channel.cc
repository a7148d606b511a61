#include "mqtt_channel.h"

#include <algorithm>
#include <array>

#include "mqtt/codec.h"

namespace picket::agent {
namespace {

constexpr std::size_t kReadBytes = 4'096;

}  // namespace

MqttRefusal explain(mqtt::ConnectCode code) {
  switch (code) {
    case mqtt::ConnectCode::server_unavailable:
      return {UplinkProblem::busy, "the hub is busy or out of disk (CONNACK 3)"};
    case mqtt::ConnectCode::not_authorized:
    case mqtt::ConnectCode::bad_user_name_or_password:
      return {
          UplinkProblem::denied,
          "the hub does not accept this identity (CONNACK 5): is the key current, the device enabled, this device's "
          "clock right?"};
    case mqtt::ConnectCode::identifier_rejected:
      return {UplinkProblem::denied, "the hub does not know this device or module (CONNACK 2)"};
    case mqtt::ConnectCode::unacceptable_protocol:
      return {UplinkProblem::protocol, "the peer does not speak MQTT 3.1.1 (CONNACK 1)"};
    case mqtt::ConnectCode::accepted:
      break;
  }
  return {UplinkProblem::protocol, "the peer answered CONNECT with an unknown code"};
}

MqttChannel::MqttChannel(EventLoop& loop, Transport& transport)
    : loop_(loop), transport_(transport), timer_(loop.add_timer([this] { service(); })) {}

void MqttChannel::begin(Owner& owner, mqtt::ClientOptions options, const std::string& client_id,
                        const std::string& user, const std::string& password, bool clean) {
  owner_ = &owner;
  link_.emplace(options);
  if (const auto written = link_->session.connect(client_id, user, password, clean, now(), link_->out); !written) {
    end(UplinkProblem::protocol, "the identity cannot be sent: " + describe(written.error()));
    return;
  }
  service();
}

void MqttChannel::drop() {
  loop_.stop_timer(timer_);
  link_.reset();
  transport_.close();
}

bool MqttChannel::end(UplinkProblem problem, std::string reason) {
  drop();
  owner_->on_ended(problem, std::move(reason));
  return false;
}

void MqttChannel::leave() {
  if (!link_) return;
  link_->session.disconnect(link_->out);
  // Best effort, and no farther than this: an answer that comes now is for nobody.
  while (link_->out_at < link_->out.size()) {
    const auto progress = transport_.write(Bytes(link_->out).subspan(link_->out_at));
    if (!progress || progress->wait != TlsWait::none) break;
    link_->out_at += progress->bytes;
  }
  transport_.leave();
  drop();
}

void MqttChannel::service() {
  if (!link_) return;
  if (!receive()) return;
  if (const auto timely = link_->session.on_time(now(), link_->out); !timely) {
    end(UplinkProblem::lost, timely.error().where == "mqtt.client.ack_timeout" ? "the hub acknowledges nothing any more"
                                                                               : "the hub does not answer any more");
    return;
  }
  owner_->on_turn();
}

void MqttChannel::watch(std::optional<Duration> latest) {
  transport_.watch(out_pending() > 0);
  const Duration end = latest.value_or(now() + Duration::hours(1));
  loop_.set_timer(timer_, std::min({link_->session.next_deadline(), now() + Duration::hours(1), end}));
}

bool MqttChannel::receive() {
  std::array<std::byte, kReadBytes> bytes;
  mqtt::Limits limits{.connect_bytes_max = kPacketBytesMax, .packet_bytes_max = kPacketBytesMax};
  limits.literal_wildcards = true;
  for (;;) {
    const auto progress = transport_.read(bytes);
    if (!progress) {
      return end(progress.error().code == Errc::denied ? UplinkProblem::denied : UplinkProblem::lost,
                 progress.error().code == Errc::denied ? "the hub does not accept this device's certificate"
                                                       : "the connection broke: " + describe(progress.error()));
    }
    if (progress->wait != TlsWait::none) return true;
    if (progress->bytes == 0) {
      return end(UplinkProblem::lost, link_->told_connected
                                          ? "the hub closed the connection"
                                          : "the hub closed the connection instead of answering CONNECT");
    }
    link_->inbox.append(Bytes(bytes).first(progress->bytes));
    for (;;) {
      const auto packet = link_->inbox.next(limits, mqtt::Role::client);
      if (!packet) return end(UplinkProblem::protocol, "not MQTT: " + describe(packet.error()));
      if (!*packet) break;
      const auto event = link_->session.on_packet(**packet, now(), link_->out);
      if (!event) return end(UplinkProblem::protocol, "not MQTT: " + describe(event.error()));
      if (!*event) continue;
      if (const auto* refused = std::get_if<mqtt::ClientRefused>(&**event)) {
        const auto [problem, reason] = explain(refused->code);
        return end(problem, std::string(reason));
      }
      link_->told_connected = link_->told_connected || std::holds_alternative<mqtt::ClientConnected>(**event);
      if (!owner_->on_event(**event)) return false;
    }
  }
}

bool MqttChannel::flush() {
  Link& each = *link_;
  while (each.out_at < each.out.size()) {
    const auto progress = transport_.write(Bytes(each.out).subspan(each.out_at));
    if (!progress) {
      // Acknowledgements may have come before the end. Without them a hub that cuts each connection after a few
      // messages would get the same few for ever.
      if (receive()) end(UplinkProblem::lost, "the connection broke: " + describe(progress.error()));
      return false;
    }
    if (progress->wait != TlsWait::none) return true;
    each.out_at += progress->bytes;
  }
  each.out_at = 0;
  each.out.clear();
  if (each.out.capacity() > kOutBytesMax) each.out.shrink_to_fit();
  return true;
}

}  // namespace picket::agent
