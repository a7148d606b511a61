// SUBSCRIBE and UNSUBSCRIBE, and the session that outlives the connection (decision 17).
#include <boost/asio/use_awaitable.hpp>

#include "command_channel.h"
#include "hub/await.h"

namespace picket::hub {
namespace {

/// IoT Hub's bound of subscriptions, tried ones included.
constexpr std::size_t kSubscriptionsMax = 5;

}  // namespace

net::asio::awaitable<void> MqttConnection::on_subscribe(const mqtt::Subscribe& packet) {
  std::vector<mqtt::SubackCode> codes;
  auto filters = filters_;
  for (const auto& subscription : packet.subscriptions) {
    const auto filter = mqtt::filter_of(subscription.filter, sender_.identity.device_id, sender_.identity.module_id);
    if (filter) {
      filters.add(*filter, subscription.qos);
      codes.push_back(static_cast<mqtt::SubackCode>(subscription.qos));
    } else {
      codes.push_back(mqtt::SubackCode::failure);
      ++denied_filters_;
      ++context_.counters.subscribes_denied;
      log(HubEventKind::subscribe_denied, "unknown_filter", subscription.filter);
    }
    if (denied_filters_ + static_cast<std::size_t>(filters.count()) > kSubscriptionsMax) {
      co_return close(DisconnectReason::too_many_subscriptions);
    }
  }
  if (!co_await keep_filters(filters)) co_return;
  if (!session_.suback(packet.packet_id, codes, output_)) co_return close(DisconnectReason::protocol, "hub.suback");
  flush();
  serve_filters();
}

net::asio::awaitable<void> MqttConnection::on_unsubscribe(const mqtt::Unsubscribe& packet) {
  auto filters = filters_;
  for (const auto text : packet.filters) {
    const auto filter = mqtt::filter_of(text, sender_.identity.device_id, sender_.identity.module_id);
    if (filter) filters.remove(*filter);
  }
  if (!co_await keep_filters(filters)) co_return;
  session_.unsuback(packet.packet_id, output_);
  flush();
  serve_filters();
}

/// In force, and durable unless the session is clean. False: the connection has ended.
net::asio::awaitable<bool> MqttConnection::keep_filters(FilterSet filters) {
  auto* sessions = context_.needs.sessions;
  if (sessions != nullptr && !clean_ && filters != filters_) {
    const auto start = [&](Done<> done) { sessions->store(sender_.identity, filters.mask(), std::move(done)); };
    const auto stored = co_await answer_of<void>(connection_.stream->executor(), start);
    session_.touch(context_.needs.clock.monotonic());
    if (!stored) close(DisconnectReason::storage, "hub.session.store");
    if (end_ == DisconnectReason::revoked) drop_session();  // what was stored after the first one
  }
  filters_ = filters;
  co_return !end_;
}

/// Makes what is delivered agree with the filters.
void MqttConnection::serve_filters() {
  const auto& needs = context_.needs;
  const bool methods = filters_.has(mqtt::Filter::methods);
  if (needs.methods != nullptr && methods != takes_methods_) {
    takes_methods_ = methods;
    methods ? needs.methods->available(key()) : needs.methods->gone(key());
  }
  const bool commands = filters_.has(mqtt::Filter::devicebound) || filters_.has(mqtt::Filter::module_inputs);
  if (needs.commands == nullptr || commands == (commands_ != nullptr)) return;
  if (commands) {
    commands_ = std::make_unique<CommandChannel>();
    ask_for_command();
  } else {
    commands_.reset();
    needs.commands->unlock_all(key());
  }
}

/// Credentials that have lost their force leave no subscription behind.
void MqttConnection::drop_session() {
  if (context_.needs.sessions == nullptr || clean_ || !connected_) return;
  context_.needs.sessions->store(sender_.identity, 0, [](const HubResult<>&) {});
}

}  // namespace picket::hub
