#include "hub_session.h"

#include <algorithm>

#include "agent/compression.h"
#include "message/message_builder.h"
#include "mqtt/property_bag.h"

namespace picket::agent {
namespace {

constexpr std::string_view kClientType = "picket-agent/";
constexpr std::string_view kMethodsFilter = "$iothub/methods/POST/#";
constexpr std::string_view kMethodTopic = "$iothub/methods/POST/";
constexpr std::string_view kRequestId = "/?$rid=";

}  // namespace

void HubSession::begin(const ConnectionString& identity) {
  identity_ = identity;
  connected_ = holding_ = false;
  const Timestamp expires = loop_.clock().now() + options_.settings.token_lifetime;
  mqtt::ClientOptions session{.keep_alive_s = options_.settings.keep_alive_s, .window = options_.settings.window};
  session.connect_timeout = options_.settings.connect_timeout;
  // clean=0 as the SDKs do: what the hub keeps for this identity survives the connection.
  channel_.begin(*this, session, mqtt_client_id(identity),
                 mqtt_user_name(identity, std::string(kClientType) + options_.agent_version),
                 identity.key.empty() ? std::string() : make_sas_token(identity, expires), false);
}

void HubSession::forget() {
  connected_ = holding_ = false;
  if (events.twin != nullptr) events.twin->on_disconnected();
  sent_.clear();
  spool_.rewind();
}

void HubSession::hold() {
  holding_ = true;
  if (sent_.empty()) events.drained();
}

void HubSession::wake() {
  if (!connected_) return;
  const auto twin_due = events.twin != nullptr ? events.twin->next_deadline() : std::nullopt;
  if (spool_.append_mark() != pumped_ || (twin_due && *twin_due <= channel_.now())) send_new();
}

void HubSession::on_ended(UplinkProblem problem, std::string reason) {
  forget();
  events.ended(problem, std::move(reason));
}

void HubSession::on_turn() {
  if (send_again()) send_new();
}

void HubSession::send_new() {
  pumped_ = spool_.append_mark();
  if (!channel_.flush() || !ask_twin() || !pump()) return;
  channel_.watch(connected_ && events.twin != nullptr ? events.twin->next_deadline() : std::nullopt);
  if (holding_ && sent_.empty()) events.drained();
}

bool HubSession::on_event(const mqtt::ClientEvent& event) {
  if (std::holds_alternative<mqtt::ClientConnected>(event)) return on_connected();
  if (const auto* received = std::get_if<mqtt::ClientReceived>(&event)) return on_message(received->message);
  if (const auto* acknowledged = std::get_if<mqtt::ClientAcknowledged>(&event)) on_acknowledged(acknowledged->token);
  return true;
}

void HubSession::on_acknowledged(std::uint64_t token) {
  const auto found = std::ranges::find_if(sent_, [&](const Sent& each) { return each.id.sequence == token; });
  if (found == sent_.end()) return;
  const StreamId id = found->id;
  sent_.erase(found);
  ++status_.acknowledged;
  status_.last_acknowledged = loop_.clock().now();
  spool_.acknowledge(id);
  events.acknowledged(id);
}

bool HubSession::on_connected() {
  connected_ = true;
  events.connected();
  if (events.method && !subscribe({&kMethodsFilter, 1})) return false;
  if (events.twin == nullptr) return true;
  if (!subscribe(TwinClient::kFilters)) return false;
  events.twin->on_connected(channel_.now());
  return true;
}

bool HubSession::subscribe(std::span<const std::string_view> filters) {
  for (const std::string_view filter : filters) {
    const mqtt::Subscription each{.filter = filter, .qos = mqtt::QoS::at_most_once};
    const auto asked = channel_.session().subscribe({&each, 1}, channel_.now(), channel_.out());
    if (!asked) {
      return channel_.end(UplinkProblem::lost,
                          std::string(filter) + " cannot be asked for: " + describe(asked.error()));
    }
  }
  return true;
}

/// Requests about the twin go before messages: a message may be long.
bool HubSession::ask_twin() {
  if (!connected_ || events.twin == nullptr) return true;
  while (const auto request = events.twin->next(channel_.now())) {
    const auto sent = channel_.session().publish_at_most_once(request->topic, as_bytes(request->payload),
                                                              channel_.now(), channel_.out());
    if (!sent) return channel_.end(UplinkProblem::lost, "the twin cannot be asked for: " + describe(sent.error()));
  }
  return channel_.flush();
}

/// What is neither of the twin nor a method is not for us: the hub sends only what was subscribed.
bool HubSession::on_message(const mqtt::Publish& message) {
  std::string_view topic = message.topic;
  if (events.twin != nullptr && events.twin->on_message(topic, as_text(message.payload.bytes), channel_.now())) {
    return true;
  }
  if (!events.method || !topic.starts_with(kMethodTopic)) return true;
  topic.remove_prefix(kMethodTopic.size());
  const auto split = topic.rfind(kRequestId);
  if (split == std::string_view::npos) return true;
  const MethodAnswer answer = events.method({topic.substr(0, split), as_text(message.payload.bytes)});
  const std::string reply = "$iothub/methods/res/" + std::to_string(answer.status) + std::string(topic.substr(split));
  const auto sent_reply =
      channel_.session().publish_at_most_once(reply, as_bytes(answer.payload), channel_.now(), channel_.out());
  if (sent_reply) return true;
  return channel_.end(UplinkProblem::lost, "a method cannot be answered: " + describe(sent_reply.error()));
}

bool HubSession::send_again() {
  while (const auto token = channel_.session().due_again(channel_.now())) {
    const auto found = std::ranges::find_if(sent_, [&](const Sent& each) { return each.id.sequence == *token; });
    if (found == sent_.end()) {
      channel_.session().forget(*token);
      continue;
    }
    if (!publish_bytes(*found)) return false;
    ++status_.sent_again;
  }
  return true;
}

std::size_t HubSession::in_flight_bytes() const {
  std::size_t out = 0;
  for (const Sent& each : sent_) out += each.body.size();
  return out;
}

bool HubSession::pump() {
  while (connected_ && !holding_ && channel_.session().can_publish() &&
         channel_.out_pending() < MqttChannel::kOutBytesMax && in_flight_bytes() < Uplink::kWindowBytes) {
    const auto entry = spool_.next(spool_.time(loop_.clock()));
    if (!entry) break;
    if (!publish(*entry) || !channel_.flush()) return false;
  }
  return true;
}

bool HubSession::publish_bytes(const Sent& each) {
  const std::size_t before = channel_.out().size();
  const auto written =
      channel_.session().publish(each.id.sequence, each.topic, each.body, channel_.now(), channel_.out());
  if (!written) return channel_.end(UplinkProblem::lost, "a message cannot be sent: " + describe(written.error()));
  ++status_.sent;
  status_.bytes_sent += channel_.out().size() - before;
  return true;
}

bool HubSession::publish(const SpoolEntry& entry) {
  message::MessageBuilder builder(message::kMessageBytesMax);
  // An entry is at most kSpoolPayloadMax, so it always fits.
  if (!builder.add(as_text(entry.payload))) return spool_.acknowledge(entry.id);
  const std::string epoch = std::to_string(entry.id.epoch);
  const std::string message = builder.finish({.agent_version = options_.agent_version,
                                              .agent_id = options_.agent_id,
                                              .sent = loop_.clock().now(),
                                              .boot_id = options_.boot_id,
                                              .monotonic_ms = channel_.now().whole_ms(),
                                              .stream_epoch = epoch,
                                              .sequence = entry.id.sequence});
  auto compressed = options_.settings.compress ? compress_message(message) : std::nullopt;
  mqtt::PropertyBag bag;
  bag.add(mqtt::system_property::kMessageId, message_id(entry.id));
  bag.add(mqtt::system_property::kContentType, "application/json");
  bag.add(mqtt::system_property::kContentEncoding, compressed ? compression_name() : "utf-8");
  bag.add(mqtt::system_property::kInterfaceId, mqtt::kSecurityInterface);
  Buffer body;
  if (compressed) {
    body = *std::move(compressed);
  } else {
    append(body, as_bytes(message));
  }
  sent_.push_back({entry.id, telemetry_topic(identity_) + mqtt::encode_property_bag(bag), std::move(body)});
  if (!publish_bytes(sent_.back())) return false;
  if (highest_sent_ && entry.id <= *highest_sent_) ++status_.sent_again;
  highest_sent_ = highest_sent_ ? std::max(*highest_sent_, entry.id) : entry.id;
  return true;
}

}  // namespace picket::agent
