#include <algorithm>
#include <chrono>
#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "base/core/encoding.h"
#include "device_topics.h"
#include "hub/event_facts.h"
#include "mqtt_limits.h"
#include "provisioning_channel.h"

namespace picket::hub {
namespace {

constexpr std::string_view kAnswers = "$dps/registrations/res/#";
constexpr std::string_view kRegister = "$dps/registrations/PUT/iotdps-register/";
constexpr std::string_view kStatus = "$dps/registrations/GET/iotdps-get-operationstatus/";
constexpr std::size_t kDeniedMax = 5;

/// "?$rid=1&operationId=x": these have no `$`.
std::string operation_of(std::string_view tail) {
  constexpr std::string_view kName = "operationId=";
  auto at = tail.find(kName);
  if (at == std::string_view::npos || (at > 0 && tail[at - 1] != '&' && tail[at - 1] != '?')) return {};
  tail.remove_prefix(at + kName.size());
  return percent_decode(tail.substr(0, tail.find('&'))).value_or(std::string());
}

}  // namespace

/// True: the CONNECT is one of DPS, and is answered.
bool MqttConnection::on_provisioning_connect(const mqtt::Connect& packet) {
  auto* provisioning = context_.needs.provisioning;
  if (provisioning == nullptr || !packet.user_name) return false;
  auto claim = parse_provisioning_user_name(packet.client_id, *packet.user_name);
  if (!claim) return false;
  if (packet.password) claim->token = as_text(packet.password->bytes);
  claim->source = connection_.stream->peer().address;
  auto chain = connection_.stream->client_chain_der();
  if (!chain.empty()) {
    claim->certificate.emplace();
    claim->certificate->leaf_der = std::move(chain.front());
    std::move(chain.begin() + 1, chain.end(), std::back_inserter(claim->certificate->chain_der));
  }
  auto grant = provisioning->authenticate(*claim);
  if (!grant) {
    ++context_.counters.refused_provisioning;
    auto failed = event(HubEventKind::auth_failed);
    failed.reason = "provisioning";
    failed.code = grant.error().code;
    failed.object = claim->registration_id;
    context_.needs.log.record(failed);
    refuse(grant.error().status() >= 500 ? mqtt::ConnectCode::server_unavailable : mqtt::ConnectCode::not_authorized);
    return true;
  }
  connection_.admission.authenticated();
  provisioning_ = std::make_unique<ProvisioningChannel>(*std::move(grant));
  clean_ = true;
  session_.accept(false, context_.needs.clock.monotonic(), output_);
  flush();
  return true;
}

void MqttConnection::on_provisioning_publish(const mqtt::PublishRequested& request) {
  auto& channel = *provisioning_;
  const auto topic = request.packet.topic;
  const bool registers = topic.starts_with(kRegister);
  if (!registers && !topic.starts_with(kStatus)) {
    log(HubEventKind::topic_denied, "unknown_topic", topic, kUnauthorized);
    return close(DisconnectReason::topic_denied);
  }
  if (request.sequence) session_.stored(*request.sequence, output_);
  const auto tail = topic.substr(registers ? kRegister.size() : kStatus.size());
  const auto request_id = request_id_of(tail);
  if (!request_id || !channel.answers) {
    ++context_.counters.unanswered;
    return;
  }
  const auto reply = [id = std::string(*request_id)](MqttConnection& self, const HubResult<ProvisioningReply>& answer) {
    --self.provisioning_->requests;
    if (answer) self.provisioning_answer(id, *answer);
  };
  const auto paused = [reply](MqttConnection& self, HubResult<ProvisioningReply> answer) {
    const auto pause = std::chrono::microseconds(self.context_.options.provisioning_pause.us);
    if (pause.count() == 0) return reply(self, answer);
    auto timer = std::make_shared<net::asio::steady_timer>(self.connection_.stream->executor(), pause);
    timer->async_wait(
        [timer, last = self.answer<ProvisioningReply>(reply), answer = std::move(answer)](auto error) mutable {
          if (!error) last(std::move(answer));
        });
  };
  if (channel.requests >= ProvisioningChannel::kRequestsMax) {
    return provisioning_answer(*request_id, to_reply({kThrottled, "Too many requests at a time."}));
  }
  ++channel.requests;
  auto done = [answer = answer<ProvisioningReply>(paused)](ProvisioningReply result) mutable {
    answer(std::move(result));
  };
  auto& provisioning = *context_.needs.provisioning;
  if (registers) {
    provisioning.register_device(channel.grant, std::string(as_text(request.packet.payload.bytes)), std::move(done));
  } else {
    provisioning.operation_status(channel.grant, operation_of(tail), std::move(done));
  }
}

void MqttConnection::provisioning_answer(std::string_view request_id, const ProvisioningReply& reply) {
  auto& channel = *provisioning_;
  if (!channel.answers) {
    ++context_.counters.unanswered;
    return;
  }
  auto topic = "$dps/registrations/res/" + std::to_string(reply.status) + "/?$rid=" + std::string(request_id);
  if (reply.retry_after_seconds > 0) topic += "&retry-after=" + std::to_string(reply.retry_after_seconds);
  mqtt::Publish packet{.topic = topic, .payload = {as_bytes(reply.body)}, .qos = *channel.answers};
  if (packet.qos == mqtt::QoS::at_least_once) {
    packet.packet_id = channel.next_packet_id;
    channel.next_packet_id = static_cast<std::uint16_t>(channel.next_packet_id % 0xffff + 1);
  }
  publish(packet);
}

void MqttConnection::on_provisioning_subscribe(const mqtt::Subscribe& packet) {
  std::vector<mqtt::SubackCode> codes;
  for (const auto& subscription : packet.subscriptions) {
    if (subscription.filter == kAnswers) {
      provisioning_->answers = std::min(subscription.qos, mqtt::QoS::at_least_once);
      codes.push_back(static_cast<mqtt::SubackCode>(*provisioning_->answers));
      continue;
    }
    codes.push_back(mqtt::SubackCode::failure);
    ++context_.counters.subscribes_denied;
    if (++denied_filters_ > kDeniedMax) return close(DisconnectReason::too_many_subscriptions);
  }
  if (!session_.suback(packet.packet_id, codes, output_)) return close(DisconnectReason::protocol, "hub.suback");
  flush();
}

void MqttConnection::on_provisioning_unsubscribe(const mqtt::Unsubscribe& packet) {
  if (std::ranges::find(packet.filters, kAnswers) != packet.filters.end()) provisioning_->answers.reset();
  session_.unsuback(packet.packet_id, output_);
  flush();
}

}  // namespace picket::hub
