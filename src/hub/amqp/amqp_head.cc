#include "hub/amqp_head.h"

#include <algorithm>

#include "socket.h"

namespace picket::hub {

struct AmqpHead::Parts {
  amqp::HeadContext context;
  std::unique_ptr<net::Listener> listener;
};

AmqpHead::AmqpHead(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

namespace {

amqp::ConnectionLimits limits_of(const AmqpHeadOptions& options) {
  return {.unauthenticated_max = options.unauthenticated_max, .storage_patience = options.storage_patience};
}

}  // namespace

Result<std::unique_ptr<AmqpHead>> AmqpHead::open(AmqpHeadNeeds needs, AmqpHeadOptions options) {
  const amqp::Services services{
      .commands = needs.commands, .methods = needs.methods, .files = needs.files, .events = needs.events};
  std::unique_ptr<AmqpHead> head(new AmqpHead(
      std::unique_ptr<Parts>(new Parts{.context = {.needs = needs,
                                                   .options = options,
                                                   .twins = amqp::TwinsOfDevices(needs.twins),
                                                   .services = services,
                                                   .limits = limits_of(options),
                                                   .authenticator = {options.hubs, needs.identities, needs.settings}},
                                       .listener = nullptr})));
  auto& context = head->parts_->context;
  if (needs.twins != nullptr) context.services.twins = &context.twins;
  auto listening = context.options.listener;
  if (!listening.on_handshake_failed) {
    listening.on_handshake_failed = [&context](const net::Endpoint& peer, std::string_view reason) {
      HubEvent event{.time = context.needs.clock.now(), .kind = HubEventKind::tls_failed};
      event.identity.hub = context.options.hubs.default_hub;
      event.source_address = peer.address;
      event.source_port = peer.port;
      event.protocol = "amqp";
      event.reason = std::string(reason);
      context.needs.log.record(event);
    };
  }
  const auto handler = [&context](net::Connection connection) -> net::asio::awaitable<void> {
    amqp::SocketConnection session(context, std::move(connection), "tls");
    co_await session.run();
  };
  TRY(head->parts_->listener, net::Listener::open(needs.threads, std::move(listening), &needs.tls, handler));
  context.public_port = options.public_port != 0 ? options.public_port : head->parts_->listener->port();
  return head;
}

AmqpHead::~AmqpHead() { stop(); }

std::uint16_t AmqpHead::port() const { return parts_->listener->port(); }

AmqpHeadStats AmqpHead::stats() const {
  const auto& from = parts_->context.counters;
  AmqpHeadStats out{.connections = from.connections,
                    .connects = from.connects,
                    .connected = from.connected,
                    .messages_stored = from.messages_stored,
                    .auth_failed = from.auth_failed,
                    .slow_readers = from.slow_readers,
                    .throttled = from.throttled,
                    .listener = parts_->listener->stats()};
  std::ranges::copy(from.disconnects, out.disconnects.begin());
  return out;
}

boost::asio::awaitable<void> AmqpHead::serve(net::Connection connection, std::string_view transport) {
  amqp::SocketConnection session(parts_->context, std::move(connection), transport);
  co_await session.run();
}

void AmqpHead::stop() {
  parts_->context.stopping = true;
  if (parts_->listener) parts_->listener->stop();
}

}  // namespace picket::hub
