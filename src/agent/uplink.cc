#include "agent/uplink.h"

#include <algorithm>

#include "agent/transport.h"
#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/random.h"
#include "hub_session.h"
#include "mqtt_channel.h"
#include "provisioning_session.h"

namespace picket::agent {
namespace {

constexpr Duration kSettled = Duration::seconds(10);  ///< A connection that lasted so long ends the back-off.
constexpr Duration kRenewalGrace = Duration::seconds(10);
constexpr Duration kFirstChoiceTime = Duration::seconds(10);  ///< Then "auto" goes on by WebSocket.
constexpr Duration kFilesEvery = Duration::minutes(1);
constexpr Duration kWarnEvery = Duration::days(1);
constexpr std::size_t kHomeMarkBytes = 8;

}  // namespace

std::string_view to_string(UplinkState state) {
  constexpr std::string_view names[] = {"stopped",  "waiting",   "resolving",    "connecting", "tunnelling",
                                        "securing", "upgrading", "provisioning", "joining",    "connected"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_string(UplinkProblem problem) {
  constexpr std::string_view names[] = {"none",        "name",   "network", "proxy",    "tls",
                                        "certificate", "denied", "busy",    "protocol", "lost"};
  return names[static_cast<std::size_t>(problem)];
}

std::string message_id(StreamId id) { return std::to_string(id.epoch) + "-" + std::to_string(id.sequence); }

struct Uplink::Impl final : Transport::Owner {
  Impl(UplinkOptions each, std::optional<ConnectionString> who, EventLoop& on, TlsMaterial with, Spool& from)
      : options(std::move(each)),
        identity(std::move(who)),
        loop(on),
        material(std::move(with)),
        transport(on, *this),
        channel(on, transport),
        hub(options, on, channel, from, status),
        provisioning(on, channel),
        retry_timer(on.add_timer([this] { attempt(); })),
        connect_timer(
            on.add_timer([this] { on_failed(UplinkProblem::network, "no connection within the time limit"); })),
        renew_timer(on.add_timer([this] { begin_renewal(); })),
        files_timer(on.add_timer([this] { look_at_files(); })) {
    hub.events.connected = [this] { on_connected(); };
    hub.events.ended = [this](UplinkProblem problem, std::string reason) { end(problem, std::move(reason)); };
    hub.events.drained = [this] { renew(); };
    hub.events.acknowledged = [this](StreamId id) {
      backoff.progress();
      if (on_acknowledged) on_acknowledged(id);
    };
    provisioning.events.assigned = [this](const Assignment& each) { on_assigned(each); };
    provisioning.events.ended = [this](UplinkProblem problem, std::string reason) { end(problem, std::move(reason)); };
    if (!identity && options.provisioning) recall_assignment();
    if (identity) show_identity();
  }

  void show_identity() {
    status.identity = mqtt_client_id(*identity);
    status.home = identity->host_name + "/" + status.identity;
    if (identity->key.empty()) return;
    const auto mark = hmac_sha256(identity->key, as_bytes("reported-to"));
    status.home += "#" + to_hex(Bytes(mark).first(kHomeMarkBytes));
  }

  // Attempts.
  void attempt();
  void open();
  void on_stage(UplinkState stage) override {
    if (stage == UplinkState::connecting) status.address = transport.address();
    set_state(stage);
  }
  void on_open() override;
  void on_ready() override { channel.service(); }
  void on_failed(UplinkProblem problem, std::string reason) override;
  void end(UplinkProblem problem, std::string reason);
  void stop_connection();
  [[nodiscard]] Duration delay_after(UplinkProblem problem);

  // A connection that stands.
  void on_connected();
  void begin_renewal();
  void renew();
  void look_at_files();
  void warn();

  // Provisioning.
  void recall_assignment();
  void on_assigned(const Assignment& each);

  void set_state(UplinkState state) {
    status.state = state;
    status.since = loop.clock().now();
  }
  [[nodiscard]] Duration now() const { return loop.clock().monotonic(); }
  [[nodiscard]] HostPort target() const;

  UplinkOptions options;
  std::optional<ConnectionString> identity;  ///< None: ask the provisioning service first.
  EventLoop& loop;
  TlsMaterial material;
  UplinkStatus status;
  Transport transport;
  MqttChannel channel;
  HubSession hub;
  ProvisioningSession provisioning;
  std::uint32_t retry_timer, connect_timer, renew_timer, files_timer;
  Backoff backoff;
  bool by_websocket = false;
  bool renewing = false;
  unsigned refusals = 0;  ///< By hubs that provisioning has named, since the last connection.
  std::optional<Duration> connected_at;
  std::optional<Duration> warned_at;
  OnAcknowledged on_acknowledged;
  OnWarning on_warning;
};

// ---- attempts ----

/// Where this attempt goes.
HostPort Uplink::Impl::target() const {
  HostPort out = identity ? identity->endpoint : options.provisioning->endpoint;
  if (identity && options.settings.gateway) out = *options.settings.gateway;
  if (by_websocket) out.port = options.settings.websocket_port;
  return out;
}

void Uplink::Impl::attempt() {
  ++status.attempts;
  status.next_attempt.reset();
  status.fallback.clear();
  // What worked before a renewal is tried first; after a failure the first choice is.
  if (!renewing) by_websocket = options.settings.transport == UplinkTransport::websocket;
  renewing = false;
  open();
}

void Uplink::Impl::open() {
  const HostPort to = target();
  status.hub = format_host_port(to);
  status.transport = by_websocket ? "websocket" : "mqtt";
  const auto tls = material.current(loop.clock().now());
  status.certificate_end = material.certificate_end();
  warn();
  if (!tls) return end(UplinkProblem::certificate, tls.error());
  const bool first_of_two = options.settings.transport == UplinkTransport::automatic && !by_websocket;
  const Duration limit = options.settings.connect_timeout;
  loop.set_timer(connect_timer, now() + (first_of_two ? std::min(limit, kFirstChoiceTime) : limit));
  transport.open({.hub = to, .websocket = by_websocket, .proxy = options.settings.proxy}, *tls);
}

void Uplink::Impl::on_open() {
  loop.stop_timer(connect_timer);  // from here on the session keeps the time
  const std::string version = "picket-agent/" + options.agent_version;
  if (identity) {
    set_state(UplinkState::joining);
    hub.begin(*identity);
  } else {
    set_state(UplinkState::provisioning);
    provisioning.begin(*options.provisioning, version, options.settings.connect_timeout);
  }
}

void Uplink::Impl::on_failed(UplinkProblem problem, std::string reason) {
  const bool unreachable = problem == UplinkProblem::network || problem == UplinkProblem::proxy;
  if (options.settings.transport != UplinkTransport::automatic || by_websocket || !unreachable) {
    if (!status.fallback.empty()) reason = status.fallback + "; by WebSocket: " + reason;
    return end(problem, std::move(reason));
  }
  status.fallback = std::move(reason);
  transport.close();
  by_websocket = true;
  open();
}

void Uplink::Impl::stop_connection() {
  loop.stop_timer(connect_timer);
  loop.stop_timer(renew_timer);
  loop.stop_timer(files_timer);
  provisioning.forget();
  channel.drop();
  hub.forget();
  if (connected_at && now() - *connected_at >= kSettled) backoff.reset();
  connected_at.reset();
}

Duration Uplink::Impl::delay_after(UplinkProblem problem) {
  const std::uint64_t random = random_u64();
  if (problem != UplinkProblem::denied) return backoff.next(random);
  if (!options.provisioning || !identity) return Backoff::refused(random);
  // The hub refuses what provisioning has told: it may tell another hub by now. Twice in a row is for people.
  identity.reset();
  status.identity.clear();
  return ++refusals > 1 ? Backoff::refused(random) : backoff.next(random);
}

void Uplink::Impl::end(UplinkProblem problem, std::string reason) {
  stop_connection();
  renewing = false;
  status.problem = problem;
  status.reason = std::move(reason);
  set_state(UplinkState::waiting);
  const Duration delay = delay_after(problem);
  status.next_attempt = loop.clock().now() + delay;
  loop.set_timer(retry_timer, now() + delay);
}

// ---- a connection that stands ----

void Uplink::Impl::on_connected() {
  ++status.connections;
  refusals = 0;
  status.problem = UplinkProblem::none;
  status.reason.clear();
  status.last_connected = loop.clock().now();
  connected_at = now();
  set_state(UplinkState::connected);
  // As the SDKs do: at three quarters of the token's life, at least 15 minutes before its end when it lives an hour.
  if (!identity->x509) loop.set_timer(renew_timer, now() + Duration{options.settings.token_lifetime.us / 4 * 3});
  if (status.certificate_end) loop.set_timer(files_timer, now() + kFilesEvery);
}

/// No more new messages; a new connection as soon as what is on its way is acknowledged.
void Uplink::Impl::begin_renewal() {
  if (renewing) return renew();
  renewing = true;
  loop.set_timer(renew_timer, now() + kRenewalGrace);
  hub.hold();
}

void Uplink::Impl::renew() {
  channel.leave();
  stop_connection();
  attempt();
}

/// A renewed certificate is shown to the hub at once: the old one may end before this connection does.
void Uplink::Impl::look_at_files() {
  loop.set_timer(files_timer, now() + kFilesEvery);
  warn();
  const auto fresh = material.refresh();
  if (fresh && *fresh) begin_renewal();
}

void Uplink::Impl::warn() {
  if (!on_warning || (warned_at && now() - *warned_at < kWarnEvery)) return;
  const std::string text = material.warning(loop.clock().now());
  if (text.empty()) return;
  warned_at = now();
  on_warning(text);
}

// ---- provisioning ----

void Uplink::Impl::recall_assignment() {
  const auto stored = load_assignment(*options.provisioning);
  if (!stored) return;
  auto who = identity_of(*stored, *options.provisioning);
  if (who) identity = *std::move(who);
}

void Uplink::Impl::on_assigned(const Assignment& each) {
  channel.leave();
  stop_connection();
  ++status.provisioned;
  auto who = identity_of(each, *options.provisioning);
  if (!who) return end(UplinkProblem::protocol, who.error());
  identity = *std::move(who);
  show_identity();
  // A device that cannot keep it asks again after each start.
  (void)store_assignment(*options.provisioning, each);
  attempt();
}

// ---- public face ----

Uplink::Uplink(UplinkOptions options, std::optional<ConnectionString> identity, EventLoop& loop, TlsMaterial tls,
               Spool& spool)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(identity), loop, std::move(tls), spool)) {}
/// The loop goes on without it: no timer may call what is gone.
Uplink::~Uplink() {
  Impl& impl = *impl_;
  for (const auto timer : {impl.retry_timer, impl.connect_timer, impl.renew_timer, impl.files_timer}) {
    impl.loop.stop_timer(timer);
  }
  impl.provisioning.forget();
  impl.channel.drop();
}

void Uplink::start() { impl_->attempt(); }

void Uplink::stop() {
  if (impl_->status.state == UplinkState::connected) impl_->channel.leave();
  impl_->stop_connection();
  impl_->renewing = false;
  impl_->loop.stop_timer(impl_->retry_timer);
  impl_->set_state(UplinkState::stopped);
}

void Uplink::wake() {
  if (impl_->status.state == UplinkState::connected) impl_->hub.wake();
}

void Uplink::on_acknowledged(OnAcknowledged callback) { impl_->on_acknowledged = std::move(callback); }
void Uplink::on_method(OnMethod callback) { impl_->hub.events.method = std::move(callback); }
void Uplink::keep_twin(TwinClient& twin) { impl_->hub.events.twin = &twin; }
void Uplink::on_warning(OnWarning callback) { impl_->on_warning = std::move(callback); }
const UplinkStatus& Uplink::status() const { return impl_->status; }

}  // namespace picket::agent
