// What a device publishes, and telemetry on its way to the journal.
#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "provisioning_channel.h"

namespace picket::hub {
namespace {

constexpr Duration kStorageRetryFirst = Duration::milliseconds(5);
constexpr Duration kStorageRetryMax = Duration::seconds(1);
/// How often a wait looks at the hub's clock, and whether the connection has ended.
constexpr Duration kPauseStep = Duration::milliseconds(100);
/// A device that is slowed for long is logged this often.
constexpr Duration kThrottleLogEvery = Duration::minutes(1);

std::chrono::microseconds chrono(Duration duration) { return std::chrono::microseconds(duration.us); }

}  // namespace

void MqttConnection::on_publish(const mqtt::PublishRequested& request) {
  if (provisioning_) return on_provisioning_publish(request);
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
       completion = Stored{name_, batch.sequence(), batch.bytes(), false}](Result<journal::RecordId> result) mutable {
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
  if (context_.needs.counters != nullptr) {
    context_.needs.counters->count(sender_.identity, Operation::d2c_message, Protocol::mqtt, batch.body_bytes(), count);
  }
  in_flight_bytes_ += batch.bytes();
  batch.clear();
  return true;
}

/// The thread's batch is empty afterwards, or must go to append_patiently() with the result.
Duration MqttConnection::commit() {
  auto& batch = context_.threads[thread()].batch;
  if (batch.empty()) return {};
  const auto pace = pay(batch);
  Result<> refused;
  if (pace.us == 0 && !end_) append(batch, refused);
  if (end_) batch.clear();
  return pace;
}

/// How long the batch has to wait. `batch.paid` tells whether that is enough, or is to be asked again.
Duration MqttConnection::pay(TelemetryBatch& batch) {
  auto* throttle = context_.needs.throttle;
  batch.paid = true;
  if (throttle == nullptr) return {};
  const auto now = context_.needs.clock.monotonic();
  const auto verdict = throttle->take(key(), Meter::d2c_messages, static_cast<double>(batch.count()), now);
  batch.paid = !verdict.refused;
  if (verdict.delay.us != 0) throttled("d2c_messages");
  if (batch.paid && !throttle->take_of_day(sender_.identity.hub, batch.blocks(), context_.needs.clock.now())) {
    throttled("messages_per_day", kQuotaExceeded);
    if (auto* counters = context_.needs.counters) {
      counters->fail({.identity = sender_.identity,
                      .operation = Operation::d2c_message,
                      .protocol = Protocol::mqtt,
                      .code = kQuotaExceeded,
                      .reason = "messages_per_day",
                      .source_address = connection_.stream->peer().address},
                     context_.needs.clock.now());
    }
    close(DisconnectReason::throttled, "hub.quota.messages_per_day");  // no PUBACK
  }
  return verdict.delay;
}

void MqttConnection::throttled(std::string_view what, int code) {
  ++context_.counters.throttled;
  const auto now = context_.needs.clock.monotonic();
  if (throttle_logged_.us != 0 && now < throttle_logged_ + kThrottleLogEvery) return;
  throttle_logged_ = now;
  log(HubEventKind::throttled, what, {}, code);
}

/// By the hub's clock; ends early with the connection or the head.
net::asio::awaitable<void> MqttConnection::pause(Duration how_long) {
  const auto until = context_.needs.clock.monotonic() + how_long;
  net::asio::steady_timer timer(connection_.stream->executor());
  while (context_.needs.clock.monotonic() < until && !end_ && !context_.stopping) {
    boost::system::error_code ignored;
    timer.expires_after(chrono(std::min(kPauseStep, how_long)));
    co_await timer.async_wait(net::asio::redirect_error(net::asio::use_awaitable, ignored));
  }
  session_.touch(context_.needs.clock.monotonic());
}

/// Waits until the rate allows it, and while the journal is full or the disk reserve is reached; the client gets no
/// PUBACK meanwhile.
net::asio::awaitable<void> MqttConnection::append_patiently(TelemetryBatch& batch, Duration pace) {
  while (pace.us != 0) {
    co_await pause(pace);
    if (end_) co_return;
    if (context_.stopping) co_return close(DisconnectReason::shutdown, "hub.throttle");
    if (batch.paid) break;
    pace = pay(batch);
    if (end_) co_return;
  }
  const auto patience = context_.needs.clock.monotonic() + context_.options.storage_patience;
  auto retry = kStorageRetryFirst;
  Result<> refused;
  for (bool first = true; !append(batch, refused); first = false) {
    if (first) ++context_.counters.storage_waits;
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
  if (!append(batch, refused)) co_await append_patiently(batch, {});
}

}  // namespace picket::hub
