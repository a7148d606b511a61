#include "hub/mqtt_head.h"

#include <algorithm>

#include <boost/asio/use_awaitable.hpp>

#include "mqtt_connection.h"

namespace picket::hub {
struct MqttHead::Parts {
  HeadContext context;
  std::unique_ptr<net::Listener> listener;
  bool stopped = false;
};

MqttHead::MqttHead(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<MqttHead>> MqttHead::open(MqttHeadNeeds needs, MqttHeadOptions options) {
  auto& threads = needs.threads;
  std::unique_ptr<MqttHead> head(
      new MqttHead(std::unique_ptr<Parts>(new Parts{.context = {needs, std::move(options)}})));
  auto& context = head->parts_->context;
  for (std::size_t i = 0; i < threads.size(); ++i) {
    context.threads.push_back({.completions = needs.directory.completions(i), .batch = {}});
  }
  auto listening = context.options.listener;
  if (!listening.on_handshake_failed) {
    listening.on_handshake_failed = [&context](const net::Endpoint& peer, std::string_view reason) {
      context.needs.log.record({.time = context.needs.clock.now(),
                                .kind = HubEventKind::tls_failed,
                                .identity = {.hub = context.options.hubs.default_hub},
                                .source_address = peer.address,
                                .source_port = peer.port,
                                .reason = std::string(reason)});
    };
  }
  const auto handler = [&context](net::Connection connection) -> net::asio::awaitable<void> {
    MqttConnection session(context, std::move(connection), Transport::listener);
    co_await session.run();
  };
  TRY(head->parts_->listener, net::Listener::open(threads, std::move(listening), &needs.tls, handler));
  return head;
}

MqttHead::~MqttHead() { stop(); }

std::uint16_t MqttHead::port() const { return parts_->listener->port(); }

MqttHeadStats MqttHead::stats() const {
  const auto& from = parts_->context.counters;
  MqttHeadStats out{.connects = from.connects,
                    .connected = from.connected,
                    .messages_received = from.messages_received,
                    .messages_stored = from.messages_stored,
                    .message_bytes_received = from.message_bytes_received,
                    .refused_overload = from.refused_overload,
                    .refused_protocol = from.refused_protocol,
                    .subscribes_denied = from.subscribes_denied,
                    .sessions_resumed = from.sessions_resumed,
                    .reserved_properties = from.reserved_properties,
                    .not_offered = from.not_offered,
                    .unanswered = from.unanswered,
                    .twin_requests = from.twin_requests,
                    .method_calls = from.method_calls,
                    .method_answers = from.method_answers,
                    .commands_sent = from.commands_sent,
                    .commands_completed = from.commands_completed,
                    .stray_acknowledgements = from.stray_acknowledgements,
                    .throttled = from.throttled,
                    .storage_waits = from.storage_waits,
                    .listener = parts_->listener->stats()};
  std::ranges::copy(from.refused, out.refused.begin());
  std::ranges::copy(from.disconnects, out.disconnects.begin());
  return out;
}

net::asio::awaitable<void> MqttHead::serve(net::Connection connection) {
  MqttConnection session(parts_->context, std::move(connection), Transport::other);
  co_await session.run();
}

void MqttHead::close_identity(std::string_view hub, std::string_view device_id, std::string_view module_id) {
  parts_->context.needs.directory.revoke({std::string(hub), std::string(device_id), std::string(module_id)});
}

void MqttHead::stop() {
  auto& parts = *parts_;
  if (std::exchange(parts.stopped, true)) return;
  parts.context.stopping = true;  // before the wait for connections, some of which may be waiting for the disk
  if (parts.listener) parts.listener->stop();
}

}  // namespace picket::hub
