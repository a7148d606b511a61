#include "mqtt_connection.h"

#include <algorithm>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "mqtt/property_bag.h"

namespace picket::hub {
namespace {

/// IoT Hub allows 5 filters; there are fewer documented ones, so the bound is on attempts at others.
constexpr std::size_t kDeniedFiltersMax = 5;
constexpr Duration kStorageRetryFirst = Duration::milliseconds(5);
constexpr Duration kStorageRetryMax = Duration::seconds(1);
/// Reads without a wait before others get their turn.
constexpr int kReadsInTurn = 16;
/// How long an ended connection may take to receive our last bytes.
constexpr Duration kFarewell = Duration::seconds(2);
constexpr int kFarewellReadsMax = 64;

/// Device ids may hold '+' and '#': topics are compared as literals here.
constexpr mqtt::Limits kLimits{.literal_wildcards = true};

std::chrono::microseconds chrono(Duration duration) { return std::chrono::microseconds(duration.us); }

/// schema/errors.json; 0: IoT Hub has no code for it that is documented.
int code_of(DisconnectReason reason) {
  switch (reason) {
    case DisconnectReason::evicted:
      return 400027;
    case DisconnectReason::token_expired:
    case DisconnectReason::topic_denied:
      return 401003;
    case DisconnectReason::peer_gone:
    case DisconnectReason::keep_alive:
      return 404104;
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

MqttConnection::MqttConnection(HeadContext& context, net::Connection connection)
    : context_(context),
      connection_(std::move(connection)),
      shard_(*context.shards[connection_.admission.thread()]),
      address_(shard_.enter(*this)),
      session_({}, context.needs.clock.monotonic()),
      wakeup_(std::make_unique<Wakeup>(connection_.stream->executor())) {}

MqttConnection::~MqttConnection() {
  shard_.leave(address_);
  gone();
}

net::asio::awaitable<void> MqttConnection::run() {
  while (!end_) {
    if (reading()) {
      co_await step();
    } else {
      co_await wait();
    }
  }
  log_end();
  gone();
  if (grant_) shard_.release(grant_->identity, address_);
  co_await farewell();
  if (will_ && *end_ != DisconnectReason::client) co_await send_will();
  while (writing_) co_await wait();
}

/// One packet, or more bytes.
net::asio::awaitable<void> MqttConnection::step() {
  const auto packet = inbox_.next(kLimits, session_.role());
  if (!packet) {
    const bool large = packet.error().where == "mqtt.frame.size";
    co_return close(large ? DisconnectReason::message_too_large : DisconnectReason::protocol, packet.error().where);
  }
  if (!*packet) {
    const auto received = co_await receive();
    if (!received) close(DisconnectReason::peer_gone, received.error().where);
    co_return;
  }
  const auto event = session_.on_packet(**packet, context_.needs.clock.monotonic(), output_);
  flush();
  if (!event) co_return close(DisconnectReason::protocol, event.error().where);
  if (*event) co_await handle(**event);  // its views stay valid: only this coroutine touches the inbox
}

net::asio::awaitable<Result<>> MqttConnection::receive() {
  if (++reads_ % kReadsInTurn == 0) co_await net::asio::post(connection_.stream->executor(), net::asio::use_awaitable);
  CO_TRY_VOID(co_await connection_.stream->wait_readable());
  // Does not wait, so that the thread's scratch buffer is ours until the bytes are copied.
  CO_TRY(const auto n, co_await connection_.stream->read_some(shard_.scratch()));
  inbox_.append(Bytes(shard_.scratch()).first(n));
  co_return Result<>{};
}

net::asio::awaitable<void> MqttConnection::handle(const mqtt::ServerEvent& event) {
  if (const auto* connect = std::get_if<mqtt::ConnectRequested>(&event)) {
    co_await on_connect(connect->packet);
  } else if (const auto* publish = std::get_if<mqtt::PublishRequested>(&event)) {
    co_await on_publish(*publish);
  } else if (const auto* subscribe = std::get_if<mqtt::SubscribeRequested>(&event)) {
    on_subscribe(subscribe->packet);
  } else if (const auto* unsubscribe = std::get_if<mqtt::UnsubscribeRequested>(&event)) {
    on_unsubscribe(unsubscribe->packet);
  } else if (std::holds_alternative<mqtt::ClientDisconnected>(event)) {
    close(DisconnectReason::client);
  }
}

net::asio::awaitable<void> MqttConnection::on_connect(const mqtt::Connect& packet) {
  auto& counters = context_.counters;
  if (overloaded() || !shard_.take_connect()) {
    ++counters.refused_overload;
    log(HubEventKind::throttled, "connect", {}, 429001);
    co_return refuse(mqtt::ConnectCode::server_unavailable);
  }
  auto result = authenticate(packet, context_.options.hubs, context_.needs.identities, context_.needs.clock.now());
  if (!result) co_return refuse(result.error());
  grant_ = *std::move(result);
  sender_ = {grant_->identity, partition_of(grant_->identity), auth_method(*grant_)};
  connection_.admission.authenticated();
  shard_.claim(grant_->identity, address_);
  while (!granted_ && !end_) co_await wait();
  if (end_) co_return;
  // Disabled, deleted or made anew since the check above: revoke() could not find what was not in the directory yet.
  const auto again = authenticate(packet, context_.options.hubs, context_.needs.identities, context_.needs.clock.now());
  if (!again) co_return refuse(again.error());
  if (again->identity != grant_->identity) co_return refuse(mqtt::ConnectCode::not_authorized);
  if (packet.will) {
    will_ = {std::string(packet.will->topic),
             Buffer(packet.will->payload.bytes.begin(), packet.will->payload.bytes.end()), packet.will->retain};
  }
  connected_ = true;
  ++counters.connects;
  ++counters.connected;
  const auto now = context_.needs.clock.now();
  if (context_.needs.presence != nullptr) context_.needs.presence->connected(grant_->identity, now);
  log(HubEventKind::connect, {});
  session_.accept(false, context_.needs.clock.monotonic(), output_);
  flush();
}

void MqttConnection::refuse(mqtt::ConnectCode code) {
  session_.refuse(code, output_);
  flush();
  close(DisconnectReason::client);  // not connected, so nothing is logged as a disconnect
}

void MqttConnection::refuse(const Refusal& refusal) {
  ++context_.counters.refused[static_cast<std::size_t>(refusal.check)];
  auto failed = event(HubEventKind::auth_failed);
  failed.identity = refusal.claimed;
  failed.sdk = refusal.sdk;
  failed.token_expiry = refusal.token_expiry;
  failed.policy_name = refusal.policy_name;
  failed.reason = to_string(refusal.check);
  failed.code = hub_code(refusal.check);
  context_.needs.log.record(failed);
  refuse(refusal.check == AuthCheck::store_unavailable ? mqtt::ConnectCode::server_unavailable
                                                       : mqtt::ConnectCode::not_authorized);
}

bool MqttConnection::overloaded() const {
  const auto stats = context_.needs.journal.stats();
  return stats.reserve_reached || stats.failing;
}

net::asio::awaitable<void> MqttConnection::on_publish(const mqtt::PublishRequested& request) {
  const auto topic =
      mqtt::publish_topic_of(request.packet.topic, sender_.identity.device_id, sender_.identity.module_id);
  switch (topic.kind) {
    case mqtt::PublishKind::telemetry:
      co_await append(request.packet, topic.tail, request.sequence, false);
      break;
    case mqtt::PublishKind::twin_get:
    case mqtt::PublishKind::twin_reported:
      on_twin_get(topic.tail);
      if (request.sequence) session_.stored(*request.sequence, output_);
      break;
    case mqtt::PublishKind::method_response:
      ++context_.counters.not_offered;
      if (request.sequence) session_.stored(*request.sequence, output_);
      break;
    case mqtt::PublishKind::foreign:
    case mqtt::PublishKind::unknown:
      log(HubEventKind::topic_denied, topic.kind == mqtt::PublishKind::foreign ? "other_identity" : "unknown_topic",
          request.packet.topic, 401003);
      close(DisconnectReason::topic_denied);
      break;
  }
  flush();
}

/// This hub has no twins yet. Silence would hang the SDK; the status in the topic is ignored by it, the body is not.
void MqttConnection::on_twin_get(std::string_view tail) {
  ++context_.counters.not_offered;
  if (!filters_.contains(mqtt::Filter::twin_responses)) return;
  const auto topic = std::string("$iothub/twin/res/501/").append(tail);
  constexpr std::string_view kBody = R"({"errorCode":501000,"message":"This hub does not serve twins."})";
  if (!mqtt::encode(mqtt::Publish{.topic = topic, .payload = {as_bytes(kBody)}}, output_, kLimits)) {
    close(DisconnectReason::protocol, "hub.twin.topic");
  }
}

net::asio::awaitable<void> MqttConnection::append(const mqtt::Publish& packet, std::string_view bag_text,
                                                  std::optional<std::uint64_t> sequence, bool will) {
  const auto bag = mqtt::decode_property_bag(bag_text);
  if (!bag) co_return close(DisconnectReason::bad_properties, bag.error().where);
  if (packet.payload.bytes.size() + bag->counted_bytes() > kMessageBytesMax) {
    co_return close(DisconnectReason::message_too_large, "hub.message.size");
  }
  const auto stamped = stamp(sender_, *bag, packet.retain, will);
  auto& counters = context_.counters;
  counters.reserved_properties += stamped.reserved_dropped;
  ++counters.messages_received;
  counters.message_bytes_received += packet.payload.bytes.size();
  ++messages_;
  const journal::Record record{.kind = journal::RecordKind::message,
                               .partition = sender_.partition,
                               .enqueued = context_.needs.clock.now(),
                               .identity = sender_.identity,
                               .properties = stamped.properties,
                               .body = packet.payload.bytes};
  const Completion completion{address_.connection, sequence, packet.payload.bytes.size() + bag_text.size() + 1, false};
  co_await append_record(record, completion);
}

/// Waits while the journal is full or the disk reserve is reached; the client gets no PUBACK meanwhile.
net::asio::awaitable<void> MqttConnection::append_record(const journal::Record& record, Completion completion) {
  const auto patience = context_.needs.clock.monotonic() + context_.options.storage_patience;
  auto retry = kStorageRetryFirst;
  for (bool first = true;; first = false) {
    const auto appended = context_.needs.journal.append(
        record, [queue = shard_.completions(), completion](Result<journal::RecordId> result) mutable {
          completion.stored = result.has_value();
          queue->add(completion);
        });
    if (appended) break;
    if (first) ++context_.counters.storage_waits;
    const bool full = appended.error().code == Errc::limit_exceeded || appended.error().code == Errc::unavailable;
    if (!full || context_.needs.clock.monotonic() >= patience) {
      co_return close(DisconnectReason::storage, appended.error().where);
    }
    if (end_ && *end_ != DisconnectReason::peer_gone) co_return;
    if (context_.stopping) co_return close(DisconnectReason::shutdown, appended.error().where);
    net::asio::steady_timer pause(connection_.stream->executor(), chrono(retry));
    boost::system::error_code ignored;
    co_await pause.async_wait(net::asio::redirect_error(net::asio::use_awaitable, ignored));
    retry = std::min(retry * 2, kStorageRetryMax);
    session_.touch(context_.needs.clock.monotonic());
  }
  in_flight_bytes_ += completion.bytes;
}

net::asio::awaitable<void> MqttConnection::send_will() {
  const auto topic = mqtt::publish_topic_of(will_->topic, sender_.identity.device_id, sender_.identity.module_id);
  const mqtt::Publish packet{.topic = will_->topic, .payload = {will_->payload}, .retain = will_->retain};
  co_await append(packet, topic.tail, std::nullopt, true);
}

void MqttConnection::on_subscribe(const mqtt::Subscribe& packet) {
  std::vector<mqtt::SubackCode> codes;
  for (const auto& subscription : packet.subscriptions) {
    const auto filter = mqtt::filter_of(subscription.filter, sender_.identity.device_id, sender_.identity.module_id);
    if (filter) {
      filters_.insert(*filter);
      codes.push_back(static_cast<mqtt::SubackCode>(subscription.qos));
      continue;
    }
    codes.push_back(mqtt::SubackCode::failure);
    ++context_.counters.subscribes_denied;
    log(HubEventKind::subscribe_denied, "unknown_filter", subscription.filter);
    if (++denied_filters_ > kDeniedFiltersMax) return close(DisconnectReason::too_many_subscriptions);
  }
  if (!session_.suback(packet.packet_id, codes, output_)) return close(DisconnectReason::protocol, "hub.suback");
  flush();
}

void MqttConnection::on_unsubscribe(const mqtt::Unsubscribe& packet) {
  for (const auto text : packet.filters) {
    const auto filter = mqtt::filter_of(text, sender_.identity.device_id, sender_.identity.module_id);
    if (filter) filters_.erase(*filter);
  }
  session_.unsuback(packet.packet_id, output_);
  flush();
}

void MqttConnection::close(DisconnectReason reason, std::string_view detail) {
  if (end_) return;
  end_ = reason;
  end_detail_ = detail;
  farewell_until_ = context_.needs.clock.monotonic() + kFarewell;
  // A refusal or the last PUBACKs still go out; otherwise the peer sees the end at once.
  lingers_ = writing_ && (reason == DisconnectReason::client || reason == DisconnectReason::protocol);
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
  gone_ = true;
  for (auto& then : std::exchange(when_gone_, {})) then();
}

/// Lets the client read our last words: closing while its bytes are unread would reset the connection and lose them.
net::asio::awaitable<void> MqttConnection::farewell() {
  if (!lingers_) co_return;
  while (writing_) co_await wait();
  connection_.stream->shutdown();
  for (int i = 0; i < kFarewellReadsMax; ++i) {  // bounded: a flood must not keep the thread from its deadlines
    const auto skipped = co_await connection_.stream->read_some(shard_.scratch());
    if (!skipped) break;
  }
  connection_.stream->close();
}

void MqttConnection::granted() {
  granted_ = true;
  wake();
}

void MqttConnection::completed(const Completion& completion) {
  // While we did not read, the silence was ours; told before the next look at the deadlines, not when reading resumes.
  if (!reading()) session_.touch(context_.needs.clock.monotonic());
  in_flight_bytes_ -= std::min(in_flight_bytes_, completion.bytes);
  if (!completion.stored) return close(DisconnectReason::storage, "hub.journal.given_up");
  if (completion.sequence && !end_) {
    session_.stored(*completion.sequence, output_);
    flush();
  }
  wake();
}

void MqttConnection::check_deadlines(Duration now, Timestamp time) {
  if (end_) {
    if (now >= farewell_until_) connection_.stream->close();
    return;
  }
  const auto deadline = session_.deadline();
  if (deadline && now >= *deadline && reading()) {
    return close(DisconnectReason::keep_alive, connected_ ? "keep_alive" : "connect_timeout");
  }
  if (grant_ && time >= grant_->token_expiry + kTokenGrace) close(DisconnectReason::token_expired);
}

void MqttConnection::flush() {
  if (output_.size() > context_.options.output_bytes_max) {
    output_.clear();
    return close(DisconnectReason::slow_reader);
  }
  if (output_.empty() || writing_) return;
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
  writing_ = false;
  wake();
}

void MqttConnection::wake() { wakeup_->timer.cancel(); }

/// Until wake(). A wake() before the wait would be lost, so callers look at their condition first, on this thread.
net::asio::awaitable<void> MqttConnection::wait() {
  boost::system::error_code ignored;
  wakeup_->timer.expires_at(net::asio::steady_timer::time_point::max());
  co_await wakeup_->timer.async_wait(net::asio::redirect_error(net::asio::use_awaitable, ignored));
}

HubEvent MqttConnection::event(HubEventKind kind) const {
  HubEvent out{.time = context_.needs.clock.now(), .kind = kind};
  const auto& peer = connection_.stream->peer();
  out.source_address = peer.address;
  out.source_port = peer.port;
  if (const auto* tls = connection_.stream->tls()) {
    out.tls_version = tls->version;
    out.tls_cipher = tls->cipher;
    out.server_name = tls->server_name;
  }
  out.identity.hub = context_.options.hubs.default_hub;
  if (grant_) {
    out.identity = grant_->identity;
    out.authenticated = true;
    out.sdk = grant_->claim.sdk;
    out.token_expiry = grant_->token_expiry;
    out.key_slot = grant_->key_slot == KeySlot::primary ? "primary" : "secondary";
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
  if (!connected_) {
    if (*end_ == DisconnectReason::protocol || *end_ == DisconnectReason::keep_alive) {
      log(HubEventKind::auth_failed, end_detail_, {}, code_of(DisconnectReason::protocol));
      ++context_.counters.refused_protocol;
    }
    return;
  }
  const auto now = context_.needs.clock.now();
  if (context_.needs.presence != nullptr) context_.needs.presence->disconnected(grant_->identity, now, *end_);
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
