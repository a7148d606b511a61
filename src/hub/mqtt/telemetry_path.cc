// What a device publishes, and telemetry on its way to the journal.
#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mqtt_connection.h"

namespace picket::hub {
namespace {

constexpr Duration kStorageRetryFirst = Duration::milliseconds(5);
constexpr Duration kStorageRetryMax = Duration::seconds(1);

std::chrono::microseconds chrono(Duration duration) { return std::chrono::microseconds(duration.us); }

}  // namespace

void MqttConnection::on_publish(const mqtt::PublishRequested& request) {
  const auto& packet = request.packet;
  const auto topic = mqtt::publish_topic_of(packet.topic, sender_.identity.device_id, sender_.identity.module_id);
  switch (topic.kind) {
    case mqtt::PublishKind::telemetry:
      return on_telemetry(request, topic.tail);
    case mqtt::PublishKind::twin_get:
      on_twin_get(topic.tail);
      break;
    case mqtt::PublishKind::twin_reported:
      on_twin_reported(topic.tail, packet.payload.bytes);
      break;
    case mqtt::PublishKind::method_response:
      on_method_answer(topic.tail, packet.payload.bytes);
      break;
    case mqtt::PublishKind::foreign:
    case mqtt::PublishKind::unknown:
      log(HubEventKind::topic_denied, topic.kind == mqtt::PublishKind::foreign ? "other_identity" : "unknown_topic",
          packet.topic, kUnauthorized);
      return close(DisconnectReason::topic_denied);
  }
  // A request has an answer of its own; its PUBACK says only that it has come.
  if (request.sequence) session_.stored(*request.sequence, output_);
}

void MqttConnection::on_telemetry(const mqtt::PublishRequested& request, std::string_view bag) {
  auto& batch = context_.threads[thread()].batch;
  const auto added = batch.add(sender_, request.packet, bag, context_.needs.clock.now(), false);
  if (!added) {
    return close(added.error().where == "hub.message.size" ? DisconnectReason::message_too_large
                                                           : DisconnectReason::bad_properties,
                 added.error().where);
  }
  if (request.sequence) batch.expects(*request.sequence);
}

/// True: the journal has taken the batch.
bool MqttConnection::append(TelemetryBatch& batch, Result<>& refused) {
  const auto count = batch.count();
  refused = context_.needs.journal.append_all(
      batch.records(),
      [&stored = context_.counters.messages_stored, count, queue = context_.threads[thread()].completions,
       completion = Completion{address_.link, batch.sequence(), batch.bytes(), false}](
          Result<journal::RecordId> result) mutable {
        completion.stored = result.has_value();
        if (completion.stored) stored += count;
        queue->add(completion);
      });
  if (!refused) return false;
  auto& counters = context_.counters;
  counters.messages_received += count;
  counters.message_bytes_received += batch.body_bytes();
  if (batch.reserved_dropped() != 0) counters.reserved_properties += batch.reserved_dropped();
  messages_ += count;
  in_flight_bytes_ += batch.bytes();
  batch.clear();
  return true;
}

bool MqttConnection::commit() {
  Result<> refused;
  return append(context_.threads[thread()].batch, refused);
}

/// Waits while the journal is full or the disk reserve is reached; the client gets no PUBACK meanwhile.
net::asio::awaitable<void> MqttConnection::append_patiently(TelemetryBatch& batch) {
  const auto patience = context_.needs.clock.monotonic() + context_.options.storage_patience;
  auto retry = kStorageRetryFirst;
  ++context_.counters.storage_waits;
  Result<> refused;
  while (!append(batch, refused)) {
    const bool full = refused.error().code == Errc::limit_exceeded || refused.error().code == Errc::unavailable;
    if (!full || context_.needs.clock.monotonic() >= patience) {
      co_return close(DisconnectReason::storage, refused.error().where);
    }
    if (end_ && *end_ != DisconnectReason::peer_gone) co_return;
    if (context_.stopping) co_return close(DisconnectReason::shutdown, refused.error().where);
    net::asio::steady_timer pause(connection_.stream->executor(), chrono(retry));
    boost::system::error_code ignored;
    co_await pause.async_wait(net::asio::redirect_error(net::asio::use_awaitable, ignored));
    retry = std::min(retry * 2, kStorageRetryMax);
    session_.touch(context_.needs.clock.monotonic());
  }
}

net::asio::awaitable<void> MqttConnection::send_will() {
  const auto topic = mqtt::publish_topic_of(will_->topic, sender_.identity.device_id, sender_.identity.module_id);
  const mqtt::Publish packet{.topic = will_->topic, .payload = {will_->payload}, .retain = will_->retain};
  TelemetryBatch batch;
  if (!batch.add(sender_, packet, topic.tail, context_.needs.clock.now(), true)) co_return;
  Result<> refused;
  if (!append(batch, refused)) co_await append_patiently(batch);
}

}  // namespace picket::hub
