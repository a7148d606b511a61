#include "mqtt_connection.h"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "command_channel.h"
#include "hub/event_facts.h"
#include "hub/sas_token.h"
#include "mqtt_limits.h"
#include "provisioning_channel.h"

namespace picket::hub {
namespace {

/// Reads without a wait before others get their turn.
constexpr int kReadsInTurn = 16;
/// How long an ended connection may take to receive our last bytes.
constexpr Duration kFarewell = Duration::seconds(2);
constexpr int kFarewellReadsMax = 64;

/// schema/errors.json; 0: IoT Hub has no code for it that is documented.
int code_of(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::evicted:
      return kEvictedByNewConnection;
    case DisconnectReason::token_expired:
    case DisconnectReason::topic_denied:
      return kUnauthorized;
    case DisconnectReason::peer_gone:
    case DisconnectReason::keep_alive:
      return kConnectionLost;
    case DisconnectReason::throttled:
      return kThrottled;
    default:
      return 0;
  }
}

}  // namespace

/// Wakes the reading coroutine: a timer that is set far away and cancelled.
struct MqttConnection::Wakeup {
  explicit Wakeup(net::asio::any_io_executor executor) : timer(std::move(executor)) {}
  net::asio::steady_timer timer;
};

MqttConnection::MqttConnection(HeadContext& context, net::Connection connection, Transport transport)
    : context_(context),
      connection_(std::move(connection)),
      address_(context.needs.directory.enter(connection_.admission.thread(), *this)),
      name_(context.threads[thread()].connections.enter(*this)),
      session_({}, context.needs.clock.monotonic()),
      transport_(transport) {}

MqttConnection::~MqttConnection() {
  if (anchor_) anchor_->connection = nullptr;
  context_.threads[thread()].connections.leave(name_);
  context_.needs.directory.leave(address_);
  gone();
}

net::asio::awaitable<void> MqttConnection::run() {
  auto& batch = context_.threads[thread()].batch;
  while (!end_) {
    if (!reading()) {
      co_await wait();
      continue;
    }
    take_packets();
    const auto pace = commit();
    if (!batch.empty()) {
      // The thread's batch is for those who need not wait.
      TelemetryBatch waiting;
      std::swap(waiting, batch);
      co_await append_patiently(waiting, pace);
    }
    flush();
    if (end_) break;
    if (later_) {
      co_await handle_later(*later_);
      later_.reset();
    } else if (reading()) {
      const auto received = co_await receive();
      if (!received) close(DisconnectReason::peer_gone, received.error().where);
    }
  }
  later_.reset();
  log_end();
  gone();
  if (proven_) context_.needs.directory.release(sender_.identity, address_);
  co_await farewell();
  if (will_ && *end_ != DisconnectReason::client) co_await send_will();
  while (writing_) co_await wait();
}

/// Until there are no whole packets, one must wait, or the batch is full.
void MqttConnection::take_packets() {
  const auto now = context_.needs.clock.monotonic();
  auto& batch = context_.threads[thread()].batch;
  while (!end_ && !later_ && reading() && !batch.full()) {
    const auto packet = inbox_.next(kPacketLimits, session_.role());
    if (!packet) {
      const bool large = packet.error().where == "mqtt.frame.size";
      return close(large ? DisconnectReason::message_too_large : DisconnectReason::protocol, packet.error().where);
    }
    if (!*packet) return;
    auto event = session_.on_packet(**packet, now, output_);
    if (!event) {
      flush();  // a refusal may be there
      return close(DisconnectReason::protocol, event.error().where);
    }
    if (*event) handle(**event);  // its views stay valid until the next receive()
  }
}

net::asio::awaitable<Result<>> MqttConnection::receive() {
  inbox_.release();
  if (++reads_ % kReadsInTurn == 0) co_await net::asio::post(connection_.stream->executor(), net::asio::use_awaitable);
  said_ = false;
  // Of all connections of the thread; ours from the end of the read until the bytes are copied.
  const auto scratch = context_.needs.directory.scratch(thread());
  CO_TRY(const auto n, co_await connection_.stream->read_some(scratch));
  inbox_.append(Bytes(scratch).first(n));
  co_return Result<>{};
}

void MqttConnection::handle(mqtt::ServerEvent& event) {
  if (const auto* publish = std::get_if<mqtt::PublishRequested>(&event)) {
    on_publish(*publish);
  } else if (const auto* delivered = std::get_if<mqtt::DeliveryAcknowledged>(&event)) {
    on_delivered(delivered->packet_id);
  } else if (std::holds_alternative<mqtt::ClientDisconnected>(event)) {
    close(DisconnectReason::client);
  } else {
    later_ = std::make_unique<mqtt::ServerEvent>(std::move(event));
  }
}

net::asio::awaitable<void> MqttConnection::handle_later(const mqtt::ServerEvent& event) {
  if (const auto* connect = std::get_if<mqtt::ConnectRequested>(&event)) {
    co_await on_connect(connect->packet);
  } else if (const auto* subscribe = std::get_if<mqtt::SubscribeRequested>(&event)) {
    if (provisioning_) co_return on_provisioning_subscribe(subscribe->packet);
    co_await on_subscribe(subscribe->packet);
  } else if (const auto* unsubscribe = std::get_if<mqtt::UnsubscribeRequested>(&event)) {
    if (provisioning_) co_return on_provisioning_unsubscribe(unsubscribe->packet);
    co_await on_unsubscribe(unsubscribe->packet);
  }
}

void MqttConnection::close(DisconnectReason reason, std::string_view detail) {
  if (end_) return;
  end_ = reason;
  end_detail_ = detail;
  farewell_until_ = context_.needs.clock.monotonic() + kFarewell;
  if (reason == DisconnectReason::revoked) drop_session();
  // A refusal or the last PUBACKs still go out; otherwise the peer sees the end at once.
  lingers_ = (writing_ || said_) && (reason == DisconnectReason::client || reason == DisconnectReason::protocol);
  if (!lingers_) {
    connection_.stream->shutdown();
    connection_.stream->close();
  }
  wake();
}

void MqttConnection::close_then(DisconnectReason reason, std::move_only_function<void()> then) {
  close(reason);
  if (gone_) return then();
  when_gone_.push_back(std::move(then));
}

void MqttConnection::gone() {
  if (std::exchange(gone_, true)) return;
  if (takes_methods_) context_.needs.methods->gone(key());
  if (commands_) context_.needs.commands->unlock_all(key());
  for (auto& then : std::exchange(when_gone_, {})) then();
}

/// Lets the client read our last words: closing while its bytes are unread would reset the connection and lose them.
net::asio::awaitable<void> MqttConnection::farewell() {
  if (!lingers_) co_return;
  while (writing_) co_await wait();
  connection_.stream->shutdown();
  for (int i = 0; i < kFarewellReadsMax; ++i) {  // bounded: a flood must not keep the thread from its deadlines
    const auto skipped = co_await connection_.stream->read_some(context_.needs.directory.scratch(thread()));
    if (!skipped) break;
  }
  connection_.stream->close();
}

void MqttConnection::granted() {
  granted_ = true;
  wake();
}

void MqttConnection::stored(const Stored& completion) {
  // While we did not read, the silence was ours; told before the next look at the deadlines, not when reading resumes.
  const bool was_reading = reading();
  if (!was_reading) session_.touch(context_.needs.clock.monotonic());
  in_flight_bytes_ -= std::min(in_flight_bytes_, completion.bytes);
  if (!completion.stored) return close(DisconnectReason::storage, "hub.journal.given_up");
  if (completion.sequence && !end_) {
    session_.stored_through(*completion.sequence, output_);
    flush();
  }
  if (!was_reading) wake();
}

bool MqttConnection::notify(const Notification& notification) {
  if (!connected_ || end_) return false;
  if (const auto* desired = std::get_if<DesiredPatch>(&notification)) return notify_desired(*desired);
  if (const auto* call = std::get_if<MethodCall>(&notification)) return call_method(*call);
  if (!commands_) return false;
  ask_for_command();
  return true;
}

void MqttConnection::check_deadlines(Duration now, Timestamp time) {
  if (end_) {
    if (now >= farewell_until_) connection_.stream->close();
    return;
  }
  if (context_.stopping && !reading()) return close(DisconnectReason::shutdown);  // nobody reads the end of the stream
  if (paused_ && now >= paused_until_) {
    paused_ = false;
    session_.touch(now);  // the silence was ours
    wake();
  }
  const auto deadline = session_.deadline();
  if (deadline && now >= *deadline && reading()) {
    return close(DisconnectReason::keep_alive, connected_ ? "keep_alive" : "connect_timeout");
  }
  if (proven_ && time >= credential_end_ + kTokenGrace) close(DisconnectReason::token_expired);
}

/// A packet of our own. False: too much waits already, and the connection is closed; or it cannot be said in MQTT.
bool MqttConnection::publish(const mqtt::Publish& packet) {
  if (end_ || !mqtt::encode(packet, output_, kPacketLimits)) return false;
  flush();
  return !end_;
}

void MqttConnection::flush() {
  if (output_.size() > context_.options.output_bytes_max) {
    output_.clear();
    return close(DisconnectReason::slow_reader);
  }
  if (output_.empty() || writing_) return;
  said_ = true;
  const auto sent = connection_.stream->try_write(output_);
  if (!sent) {
    output_.clear();
    return close(DisconnectReason::peer_gone, sent.error().where);
  }
  if (*sent == output_.size()) return Buffer().swap(output_);  // an idle connection holds no buffers
  output_.erase(output_.begin(), output_.begin() + static_cast<std::ptrdiff_t>(*sent));
  writing_ = true;
  // run() does not return before writing_ is false again, so `this` outlives the coroutine.
  net::asio::co_spawn(connection_.stream->executor(), write_out(), net::asio::detached);
}

net::asio::awaitable<void> MqttConnection::write_out() {
  Buffer sending;
  while (!output_.empty()) {
    sending.clear();
    sending.swap(output_);
    const auto written = co_await connection_.stream->write(sending);
    if (!written) {
      output_.clear();
      close(DisconnectReason::peer_gone, written.error().where);
    }
  }
  Buffer().swap(output_);
  writing_ = false;
  if (commands_ && !end_) ask_for_command();  // there is room again
  wake();
}

void MqttConnection::wake() {
  if (wakeup_) wakeup_->timer.cancel();
}

/// Until wake(). A wake() before the wait would be lost, so callers look at their condition first, on this thread.
net::asio::awaitable<void> MqttConnection::wait() {
  boost::system::error_code ignored;
  wakeup_ = std::make_unique<Wakeup>(connection_.stream->executor());
  wakeup_->timer.expires_at(net::asio::steady_timer::time_point::max());
  co_await wakeup_->timer.async_wait(net::asio::redirect_error(net::asio::use_awaitable, ignored));
  wakeup_.reset();
}

HubEvent MqttConnection::event(HubEventKind kind) const {
  HubEvent out{.time = context_.needs.clock.now(), .kind = kind};
  describe(out, *connection_.stream);
  if (transport_ == Transport::other && connection_.stream->tls() != nullptr) out.transport = "websocket";
  out.identity.hub = context_.options.hubs.default_hub;
  if (proven_) {
    out.identity = sender_.identity;
    out.authenticated = true;
    out.sdk = sdk_;
  }
  return out;
}

void MqttConnection::log(HubEventKind kind, std::string_view reason, std::string_view object, int code) {
  auto out = event(kind);
  out.reason = reason;
  out.object = object.substr(0, HubEvent::kObjectBytesMax);
  out.code = code;
  context_.needs.log.record(out);
}

void MqttConnection::log_end() {
  if (provisioning_) return;
  if (!connected_) {
    if (*end_ == DisconnectReason::protocol || *end_ == DisconnectReason::keep_alive) {
      log(HubEventKind::auth_failed, end_detail_, {}, code_of(DisconnectReason::protocol));
      ++context_.counters.refused_protocol;
    }
    return;
  }
  const auto now = context_.needs.clock.now();
  if (context_.needs.presence != nullptr) context_.needs.presence->disconnected(sender_.identity, now, *end_);
  if (*end_ == DisconnectReason::evicted) log(HubEventKind::evicted, {}, {}, code_of(*end_));
  auto out = event(HubEventKind::disconnect);
  out.reason = to_string(*end_);
  out.object = end_detail_;
  out.code = code_of(*end_);
  out.messages = messages_;
  context_.needs.log.record(out);
  // Last: whoever sees the counter finds the event in the log.
  --context_.counters.connected;
  ++context_.counters.disconnects[static_cast<std::size_t>(*end_)];
}

}  // namespace picket::hub
