#include "hub/mqtt_head.h"

#include <algorithm>
#include <latch>

#include <boost/asio/use_awaitable.hpp>

#include "mqtt_connection.h"

namespace picket::hub {

struct MqttHead::Parts {
  HeadContext context;
  std::unique_ptr<net::Listener> listener;
  std::uint64_t journal_listener = 0;  ///< 0: none.
  bool stopped = false;

  void open_completions();
  void close_completions();
};

void MqttHead::Parts::open_completions() {
  auto& threads = context.needs.threads;
  context.threads.resize(threads.size());
  for (std::size_t i = 0; i < threads.size(); ++i) {
    auto& parts = context.threads[i];
    const auto deliver = [&parts] {
      parts.completions->take(parts.durable);
      for (const auto& stored : parts.durable) {
        if (auto* connection = parts.connections.find(stored.connection)) connection->stored(stored);
      }
    };
    parts.completions = std::make_shared<CompletionQueue>([&threads, i, deliver] { threads.post(i, deliver); });
  }
  journal_listener = context.needs.journal.add_listener([this] {
    for (const auto& parts : context.threads) parts.completions->end_of_group();
  });
  if (journal_listener == 0) return;  // a journal that does not tell
  for (const auto& parts : context.threads) parts.completions->wake_at_end();
}

/// Connections have gone. What is posted already runs before this returns.
void MqttHead::Parts::close_completions() {
  if (journal_listener != 0) context.needs.journal.remove_listener(journal_listener);
  std::latch done(static_cast<std::ptrdiff_t>(context.threads.size()));
  for (std::size_t i = 0; i < context.threads.size(); ++i) {
    context.threads[i].completions->close();
    context.needs.threads.post(i, [&done] { done.count_down(); });
  }
  done.wait();
}

MqttHead::MqttHead(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<MqttHead>> MqttHead::open(MqttHeadNeeds needs, MqttHeadOptions options) {
  auto& threads = needs.threads;
  std::unique_ptr<MqttHead> head(
      new MqttHead(std::unique_ptr<Parts>(new Parts{.context = {needs, std::move(options)}})));
  auto& context = head->parts_->context;
  head->parts_->open_completions();
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
                    .refused_provisioning = from.refused_provisioning,
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
  parts.close_completions();
}

}  // namespace picket::hub
