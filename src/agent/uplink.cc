#include "agent/uplink.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "agent/event_encoder.h"
#include "base/core/random.h"
#include "message/message_builder.h"
#include "mqtt/client_session.h"
#include "mqtt/inbox.h"
#include "mqtt/property_bag.h"

namespace picket::agent {
namespace {

constexpr std::size_t kReadBytes = 4'096;
constexpr std::size_t kOutBytesMax = 64 << 10;        ///< More is not encoded before this has left.
constexpr std::size_t kPacketBytesMax = 64 << 10;     ///< The hub sends nothing larger that the agent uses.
constexpr Duration kSettled = Duration::seconds(10);  ///< A connection that lasted so long ends the back-off.
constexpr Duration kRenewalGrace = Duration::seconds(10);
constexpr std::string_view kClientType = "picket-agent/";
constexpr std::string_view kMethodsFilter = "$iothub/methods/POST/#";
constexpr std::string_view kMethodTopic = "$iothub/methods/POST/";
constexpr std::string_view kRequestId = "/?$rid=";

sockaddr_storage make_address(const IpAddress& address, std::uint16_t port, socklen_t& length) {
  sockaddr_storage out{};
  if (address.length == 4) {
    sockaddr_in in{.sin_family = AF_INET, .sin_port = htons(port)};
    std::memcpy(&in.sin_addr, address.bytes.data(), 4);
    std::memcpy(&out, &in, sizeof in);
    length = sizeof in;
  } else {
    sockaddr_in6 in{.sin6_family = AF_INET6, .sin6_port = htons(port)};
    std::memcpy(&in.sin6_addr, address.bytes.data(), 16);
    std::memcpy(&out, &in, sizeof in);
    length = sizeof in;
  }
  return out;
}

struct Refusal {
  UplinkProblem problem;
  std::string_view reason;
};
Refusal explain(mqtt::ConnectCode code) {
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

}  // namespace

std::string_view to_string(UplinkState state) {
  constexpr std::string_view names[] = {"stopped",  "waiting", "resolving", "connecting",
                                        "securing", "joining", "connected"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(UplinkProblem problem) {
  constexpr std::string_view names[] = {"none",   "name", "network",  "tls", "certificate",
                                        "denied", "busy", "protocol", "lost"};
  return names[static_cast<std::size_t>(problem)];
}

std::string message_id(StreamId id) { return std::to_string(id.epoch) + "-" + std::to_string(id.sequence); }

struct Uplink::Impl {
  /// A message on its way: kept as it was sent, so that a repeat on this connection is the same bytes.
  struct Sent {
    StreamId id;
    std::string topic;
    Buffer body;
  };
  /// Everything that ends with a TCP connection.
  struct Connection {
    UniqueFd fd;
    std::unique_ptr<TlsSession> tls;
    mqtt::ClientSession session;
    mqtt::Inbox inbox;
    Buffer out;
    std::size_t out_at = 0;
    TlsWait write_wait = TlsWait::none;
    Duration connected_at;
    Connection(UniqueFd each, mqtt::ClientOptions options) : fd(std::move(each)), session(options) {}
  };

  Impl(UplinkOptions each, ConnectionString who, EventLoop& on, std::unique_ptr<TlsContext> trust, Spool& from)
      : options(std::move(each)),
        identity(std::move(who)),
        loop(on),
        tls(std::move(trust)),
        spool(from),
        resolver(on),
        retry_timer(on.add_timer([this] { attempt(); })),
        connect_timer(on.add_timer([this] { end(UplinkProblem::network, "no connection within the time limit"); })),
        session_timer(on.add_timer([this] { service(); })),
        renew_timer(on.add_timer([this] { begin_renewal(); })) {}

  // Attempts.
  void attempt();
  void try_next_address();
  void on_tcp_ready();
  void on_handshake();
  void join();
  void end(UplinkProblem problem, std::string reason);
  void drop_connection();
  void begin_renewal();
  void renew();

  // A connection that stands.
  void on_ready(std::uint32_t events);
  void service();
  void send_new();
  bool receive();
  bool handle(const mqtt::Packet& packet);
  bool handle_event(const mqtt::ClientEvent& event);
  bool on_connected();
  bool on_message(const mqtt::Publish& message);
  bool send_again();
  bool pump();
  bool publish(const SpoolEntry& entry);
  bool flush();
  void watch();

  void set_state(UplinkState state) {
    status.state = state;
    status.since = loop.clock().now();
  }
  [[nodiscard]] Duration now() const { return loop.clock().monotonic(); }
  [[nodiscard]] std::size_t in_flight_bytes() const {
    std::size_t out = 0;
    for (const Sent& each : sent) out += each.body.size();
    return out;
  }

  UplinkOptions options;
  ConnectionString identity;
  EventLoop& loop;
  std::unique_ptr<TlsContext> tls;
  Spool& spool;
  Resolver resolver;
  std::uint32_t retry_timer, connect_timer, session_timer, renew_timer;
  Backoff backoff;
  UplinkStatus status;
  OnAcknowledged on_acknowledged;
  OnMethod on_method;
  std::vector<IpAddress> addresses;  ///< Not tried yet.
  std::unique_ptr<Connection> connection;
  std::deque<Sent> sent;
  std::uint64_t pumped = 0;              ///< append_mark() of the spool when it was last asked for messages.
  std::optional<StreamId> highest_sent;  ///< Anything up to here is a repeat.
  bool renewing = false;
};

// ---- attempts ----

void Uplink::Impl::attempt() {
  ++status.attempts;
  status.next_attempt.reset();
  set_state(UplinkState::resolving);
  loop.set_timer(connect_timer, now() + options.settings.connect_timeout);
  resolver.resolve(identity.endpoint.host, [this](Result<std::vector<IpAddress>> found) {
    if (!found) {
      return end(UplinkProblem::name,
                 found.error().code == Errc::not_found
                     ? "there is no host '" + identity.endpoint.host + "' (check HostName in the connection string)"
                     : "no name server answered for '" + identity.endpoint.host + "'");
    }
    addresses = *std::move(found);
    try_next_address();
  });
}

void Uplink::Impl::try_next_address() {
  const IpAddress address = addresses.front();
  addresses.erase(addresses.begin());
  set_state(UplinkState::connecting);
  const auto failed = [&] {
    const std::string where = format_address(address) + " port " + std::to_string(identity.endpoint.port);
    const std::string reason = "cannot reach " + where + ": " + std::strerror(errno);
    drop_connection();
    if (!addresses.empty()) return try_next_address();
    end(UplinkProblem::network, reason);
  };
  UniqueFd fd(::socket(address.length == 4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return failed();
  // Messages are written whole: waiting for more to fill a packet only delays them.
  const int yes = 1;
  ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  socklen_t length = 0;
  const sockaddr_storage peer = make_address(address, identity.endpoint.port, length);
  const int status_code = ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer), length);
  if (status_code != 0 && errno != EINPROGRESS) return failed();
  mqtt::ClientOptions session{.keep_alive_s = options.settings.keep_alive_s, .window = options.settings.window};
  session.connect_timeout = options.settings.connect_timeout;
  connection = std::make_unique<Connection>(std::move(fd), session);
  if (!loop.add(connection->fd.get(), EPOLLOUT, [this, failed_address = address](std::uint32_t events) {
        if (status.state != UplinkState::connecting) return on_ready(events);
        int why = 0;
        socklen_t why_length = sizeof why;
        ::getsockopt(connection->fd.get(), SOL_SOCKET, SO_ERROR, &why, &why_length);
        if (why == 0) return on_tcp_ready();
        const std::string reason = "cannot reach " + format_address(failed_address) + " port " +
                                   std::to_string(identity.endpoint.port) + ": " + std::strerror(why);
        drop_connection();
        if (!addresses.empty()) return try_next_address();
        end(UplinkProblem::network, reason);
      })) {
    failed();
  }
}

void Uplink::Impl::on_tcp_ready() {
  set_state(UplinkState::securing);
  auto session = tls->connect(connection->fd.get(), identity.endpoint.host);
  if (!session) return end(UplinkProblem::tls, "TLS cannot start: " + describe(session.error()));
  connection->tls = *std::move(session);
  on_handshake();
}

void Uplink::Impl::on_handshake() {
  const auto wait = connection->tls->handshake();
  if (!wait) {
    const auto problem = wait.error().code == Errc::denied ? UplinkProblem::certificate : UplinkProblem::tls;
    return end(problem, connection->tls->problem());
  }
  if (*wait == TlsWait::none) return join();
  loop.change(connection->fd.get(), *wait == TlsWait::read ? EPOLLIN : EPOLLOUT);
}

void Uplink::Impl::join() {
  set_state(UplinkState::joining);
  loop.stop_timer(connect_timer);  // from here on the session keeps the time
  const Timestamp expires = loop.clock().now() + options.settings.token_lifetime;
  const std::string user = mqtt_user_name(identity, std::string(kClientType) + options.agent_version);
  const std::string token = make_sas_token(identity, expires);
  // clean=0 as the SDKs do: what the hub keeps for this identity survives the connection.
  if (const auto written =
          connection->session.connect(mqtt_client_id(identity), user, token, false, now(), connection->out);
      !written) {
    return end(UplinkProblem::protocol, "the identity cannot be sent: " + describe(written.error()));
  }
  service();
}

void Uplink::Impl::drop_connection() {
  loop.stop_timer(session_timer);
  loop.stop_timer(renew_timer);
  renewing = false;
  if (!connection) return;
  if (connection->connected_at.us > 0 && now() - connection->connected_at >= kSettled) backoff.reset();
  loop.remove(connection->fd.get());
  connection.reset();
  sent.clear();
  spool.rewind();
}

void Uplink::Impl::end(UplinkProblem problem, std::string reason) {
  resolver.cancel();
  loop.stop_timer(connect_timer);
  drop_connection();
  addresses.clear();
  status.problem = problem;
  status.reason = std::move(reason);
  set_state(UplinkState::waiting);
  const std::uint64_t random = random_u64();
  const Duration delay = problem == UplinkProblem::denied ? Backoff::refused(random) : backoff.next(random);
  status.next_attempt = loop.clock().now() + delay;
  loop.set_timer(retry_timer, now() + delay);
}

/// No more new messages; a new connection as soon as what is on its way is acknowledged.
void Uplink::Impl::begin_renewal() {
  if (renewing || sent.empty()) return renew();
  renewing = true;
  loop.set_timer(renew_timer, now() + kRenewalGrace);
}

void Uplink::Impl::renew() {
  connection->session.disconnect(connection->out);
  (void)flush();
  if (connection) connection->tls->close();
  drop_connection();
  attempt();
}

// ---- a connection that stands ----

void Uplink::Impl::on_ready(std::uint32_t) {
  if (status.state == UplinkState::securing) return on_handshake();
  service();
}

/// Everything that can be done now: receive, send again, send new, write. Each step returns false when it ended the
/// connection.
void Uplink::Impl::service() {
  if (!connection || !connection->tls || status.state < UplinkState::joining) return;
  if (!receive()) return;
  if (const auto timely = connection->session.on_time(now(), connection->out); !timely) {
    return end(UplinkProblem::lost, timely.error().where == "mqtt.client.ack_timeout"
                                        ? "the hub acknowledges nothing any more"
                                        : "the hub does not answer any more");
  }
  if (send_again()) send_new();
}

void Uplink::Impl::send_new() {
  pumped = spool.append_mark();
  if (!flush() || !pump()) return;
  if (renewing && sent.empty()) return renew();
  watch();
}

void Uplink::Impl::watch() {
  const bool pending = connection->out_at < connection->out.size();
  const bool write = pending && connection->write_wait != TlsWait::read;
  loop.change(connection->fd.get(), EPOLLIN | (write ? std::uint32_t{EPOLLOUT} : 0U));
  loop.set_timer(session_timer, std::min(connection->session.next_deadline(), now() + Duration::hours(1)));
}

bool Uplink::Impl::receive() {
  std::array<std::byte, kReadBytes> bytes;
  mqtt::Limits limits{.connect_bytes_max = kPacketBytesMax, .packet_bytes_max = kPacketBytesMax};
  limits.literal_wildcards = true;
  for (;;) {
    const auto progress = connection->tls->read(bytes);
    if (!progress) return end(UplinkProblem::lost, "the connection broke: " + describe(progress.error())), false;
    if (progress->wait != TlsWait::none) return true;
    if (progress->bytes == 0) {
      return end(UplinkProblem::lost, status.state == UplinkState::joining
                                          ? "the hub closed the connection instead of answering CONNECT"
                                          : "the hub closed the connection"),
             false;
    }
    connection->inbox.append(Bytes(bytes).first(progress->bytes));
    for (;;) {
      const auto packet = connection->inbox.next(limits, mqtt::Role::client);
      if (!packet) return end(UplinkProblem::protocol, "not MQTT: " + describe(packet.error())), false;
      if (!*packet) break;
      if (!handle(**packet)) return false;
    }
  }
}

bool Uplink::Impl::handle(const mqtt::Packet& packet) {
  const auto event = connection->session.on_packet(packet, now(), connection->out);
  if (!event) return end(UplinkProblem::protocol, "not MQTT: " + describe(event.error())), false;
  return !*event || handle_event(**event);
}

bool Uplink::Impl::handle_event(const mqtt::ClientEvent& event) {
  if (const auto* refused = std::get_if<mqtt::ClientRefused>(&event)) {
    const auto [problem, reason] = explain(refused->code);
    return end(problem, std::string(reason)), false;
  }
  if (std::holds_alternative<mqtt::ClientConnected>(event)) return on_connected();
  if (const auto* received = std::get_if<mqtt::ClientReceived>(&event)) return on_message(received->message);
  if (const auto* acknowledged = std::get_if<mqtt::ClientAcknowledged>(&event)) {
    const auto found =
        std::ranges::find_if(sent, [&](const Sent& each) { return each.id.sequence == acknowledged->token; });
    if (found == sent.end()) return true;
    const StreamId id = found->id;
    sent.erase(found);
    ++status.acknowledged;
    backoff.progress();
    status.last_acknowledged = loop.clock().now();
    spool.acknowledge(id);
    if (on_acknowledged) on_acknowledged(id);
  }
  return true;
}

bool Uplink::Impl::on_connected() {
  ++status.connections;
  status.problem = UplinkProblem::none;
  status.reason.clear();
  status.last_connected = loop.clock().now();
  connection->connected_at = now();
  set_state(UplinkState::connected);
  // As the SDKs do: at three quarters of the token's life, at least 15 minutes before its end when it lives an hour.
  loop.set_timer(renew_timer, now() + Duration{options.settings.token_lifetime.us / 4 * 3});
  if (!on_method) return true;
  const mqtt::Subscription methods{.filter = kMethodsFilter, .qos = mqtt::QoS::at_most_once};
  const auto asked = connection->session.subscribe({&methods, 1}, now(), connection->out);
  if (!asked) return end(UplinkProblem::lost, "methods cannot be asked for: " + describe(asked.error())), false;
  return true;
}

/// What is not a method is not for us: the hub sends only what was subscribed.
bool Uplink::Impl::on_message(const mqtt::Publish& message) {
  std::string_view topic = message.topic;
  if (!on_method || !topic.starts_with(kMethodTopic)) return true;
  topic.remove_prefix(kMethodTopic.size());
  const auto split = topic.rfind(kRequestId);
  if (split == std::string_view::npos) return true;
  const MethodAnswer answer = on_method({topic.substr(0, split), as_text(message.payload.bytes)});
  const std::string reply = "$iothub/methods/res/" + std::to_string(answer.status) + std::string(topic.substr(split));
  const auto sent_reply =
      connection->session.publish_at_most_once(reply, as_bytes(answer.payload), now(), connection->out);
  if (!sent_reply)
    return end(UplinkProblem::lost, "a method cannot be answered: " + describe(sent_reply.error())), false;
  return true;
}

bool Uplink::Impl::send_again() {
  while (const auto token = connection->session.due_again(now())) {
    const auto found = std::ranges::find_if(sent, [&](const Sent& each) { return each.id.sequence == *token; });
    if (found == sent.end()) {
      connection->session.forget(*token);
      continue;
    }
    const std::size_t before = connection->out.size();
    if (const auto written = connection->session.publish(*token, found->topic, found->body, now(), connection->out);
        !written) {
      return end(UplinkProblem::lost, "a message cannot be sent again: " + describe(written.error())), false;
    }
    ++status.sent;
    ++status.sent_again;
    status.bytes_sent += connection->out.size() - before;
  }
  return true;
}

bool Uplink::Impl::pump() {
  while (status.state == UplinkState::connected && !renewing && connection->session.can_publish() &&
         connection->out.size() - connection->out_at < kOutBytesMax && in_flight_bytes() < kWindowBytes) {
    const auto entry = spool.next(loop.clock().now());
    if (!entry) break;
    if (!publish(*entry) || !flush()) return false;
  }
  return true;
}

bool Uplink::Impl::publish(const SpoolEntry& entry) {
  message::MessageBuilder builder(message::kMessageBytesMax);
  // An entry is at most kSpoolPayloadMax, so it always fits.
  if (!builder.add(as_text(entry.payload))) return spool.acknowledge(entry.id);
  const std::string epoch = std::to_string(entry.id.epoch);
  const std::string message = builder.finish({.agent_version = options.agent_version,
                                              .agent_id = options.agent_id,
                                              .sent = loop.clock().now(),
                                              .boot_id = options.boot_id,
                                              .monotonic_ms = now().whole_ms(),
                                              .stream_epoch = epoch,
                                              .sequence = entry.id.sequence});
  auto compressed = options.settings.compress ? compress_message(message) : std::nullopt;
  mqtt::PropertyBag bag;
  bag.add(mqtt::system_property::kMessageId, message_id(entry.id));
  bag.add(mqtt::system_property::kContentType, "application/json");
  bag.add(mqtt::system_property::kContentEncoding, compressed ? "gzip" : "utf-8");
  bag.add(mqtt::system_property::kInterfaceId, mqtt::kSecurityInterface);
  Buffer body;
  if (compressed) {
    body = *std::move(compressed);
  } else {
    append(body, as_bytes(message));
  }
  sent.push_back({entry.id, telemetry_topic(identity) + mqtt::encode_property_bag(bag), std::move(body)});
  const Sent& each = sent.back();
  const std::size_t before = connection->out.size();
  if (const auto written = connection->session.publish(each.id.sequence, each.topic, each.body, now(), connection->out);
      !written) {
    return end(UplinkProblem::lost, "a message cannot be sent: " + describe(written.error())), false;
  }
  ++status.sent;
  if (highest_sent && entry.id <= *highest_sent) ++status.sent_again;
  highest_sent = highest_sent ? std::max(*highest_sent, entry.id) : entry.id;
  status.bytes_sent += connection->out.size() - before;
  return true;
}

bool Uplink::Impl::flush() {
  Connection& each = *connection;
  while (each.out_at < each.out.size()) {
    const auto progress = each.tls->write(Bytes(each.out).subspan(each.out_at));
    if (!progress) {
      // Acknowledgements may have come before the end. Without them a hub that cuts each connection after a few
      // messages would get the same few for ever.
      if (receive()) end(UplinkProblem::lost, "the connection broke: " + describe(progress.error()));
      return false;
    }
    each.write_wait = progress->wait;
    if (progress->wait != TlsWait::none) return true;
    each.out_at += progress->bytes;
  }
  each.out_at = 0;
  each.out.clear();
  if (each.out.capacity() > kOutBytesMax) each.out.shrink_to_fit();
  return true;
}

// ---- public face ----

Uplink::Uplink(UplinkOptions options, ConnectionString identity, EventLoop& loop, std::unique_ptr<TlsContext> tls,
               Spool& spool)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(identity), loop, std::move(tls), spool)) {}
Uplink::~Uplink() {
  if (impl_->connection) impl_->loop.remove(impl_->connection->fd.get());
}

void Uplink::start() { impl_->attempt(); }

void Uplink::stop() {
  if (impl_->connection && impl_->status.state == UplinkState::connected) {
    impl_->connection->session.disconnect(impl_->connection->out);
    if (impl_->flush()) impl_->connection->tls->close();
  }
  impl_->resolver.cancel();
  impl_->drop_connection();
  impl_->loop.stop_timer(impl_->connect_timer);
  impl_->loop.stop_timer(impl_->retry_timer);
  impl_->set_state(UplinkState::stopped);
}

void Uplink::wake() {
  if (impl_->status.state == UplinkState::connected && impl_->spool.append_mark() != impl_->pumped) impl_->send_new();
}

void Uplink::on_acknowledged(OnAcknowledged callback) { impl_->on_acknowledged = std::move(callback); }
void Uplink::on_method(OnMethod callback) { impl_->on_method = std::move(callback); }
const UplinkStatus& Uplink::status() const { return impl_->status; }

}  // namespace picket::agent
