#include "device_hub.h"

#include <condition_variable>
#include <mutex>

#include <fmt/format.h>

#include "base/server/log.h"
#include "device_hub_counters.h"
#include "hub/session_store.h"
#include "hub/standing.h"
#include "initial_twin.h"
#include "response_audit.h"

namespace picket::server {
namespace {

/// How often services look for what is due: locks and calls whose time is over, counts to be written.
constexpr auto kRound = std::chrono::milliseconds(250);

hub::Protocol protocol_of(std::string_view name) {
  if (name == "amqp") return hub::Protocol::amqp;
  if (name == "https") return hub::Protocol::https;
  if (name == "mqtt") return hub::Protocol::mqtt;
  return hub::Protocol::service;
}

Identity identity_of(const hub::IdentityKey& key, std::string generation_id = {}) {
  return {key.hub, key.device_id, key.module_id, std::move(generation_id)};
}

/// What the queue reports, in the words of the operations log.
void count_command(hub::OperationCounters& counters, const hub::CommandOperation& done) {
  using hub::CommandEvent;
  using hub::Operation;
  const Identity identity = identity_of(done.device, done.generation_id);
  const auto count = [&](Operation operation) {
    counters.count(identity, operation, protocol_of(done.protocol), done.size_bytes);
  };
  switch (done.event) {
    case CommandEvent::sent:
      return;  // counted when a device gets it
    case CommandEvent::delivered:
      return count(Operation::c2d_message);
    case CommandEvent::completed:
      return count(Operation::c2d_completed);
    case CommandEvent::abandoned:
      return count(Operation::c2d_abandoned);
    case CommandEvent::rejected:
    case CommandEvent::delivery_exceeded:
      return count(Operation::c2d_rejected);
    case CommandEvent::expired:
      // One that no device was ever given says nothing about the device.
      return done.protocol.empty() ? void() : count(Operation::c2d_rejected);
    case CommandEvent::purged:
      return count(Operation::queue_purge);
  }
}

/// Jobs call devices as a service client does.
class JobMethods final : public hub::MethodInvoker {
 public:
  explicit JobMethods(hub::Methods& methods) : methods_(methods) {}
  void invoke(const hub::IdentityKey& target, hub::JobMethod method, std::string_view caller,
              hub::Done<hub::JobMethodAnswer> done) override {
    methods_.invoke(target,
                    {.name = std::move(method.name),
                     .payload = std::move(method.payload),
                     .response_timeout = method.response_timeout,
                     .connect_timeout = method.connect_timeout},
                    caller, [done = std::move(done)](hub::HubResult<hub::MethodReply> reply) mutable {
                      if (!reply) return done(std::unexpected(std::move(reply.error())));
                      done(hub::JobMethodAnswer{reply->status, std::move(reply->payload)});
                    });
  }

 private:
  hub::Methods& methods_;
};

}  // namespace

DeviceHub::DeviceHub(const DeviceHubNeeds& needs, DeviceHubOptions options)
    : needs_(needs),
      options_(std::move(options)),
      identities_(needs.database),
      administration_(needs.database, settings_, needs.clock, options_.installation_id),
      days_(needs.database),
      operations_(needs.messages),
      online_log_(operations_, needs.presence),
      operation_counters_(online_log_),
      directory_(needs.threads, needs.clock, {}),
      registry_(needs.database, needs.clock),
      twins_(needs.database, needs.clock),
      provisioning_registry_(registry_, settings_, options_.hub, options_.host) {}

Result<std::unique_ptr<DeviceHub>> DeviceHub::start(const DeviceHubNeeds& needs, DeviceHubOptions options,
                                                    std::string& detail) {
  std::unique_ptr<DeviceHub> out(new DeviceHub(needs, std::move(options)));
  TRY_VOID(out->start_settings());
  TRY_VOID(out->start_services());
  out->connect_services();
  TRY_VOID(out->start_heads(detail));
  out->runner_ = std::jthread([hub = out.get()](const std::stop_token& stop) { hub->run(stop); });
  return out;
}

DeviceHub::~DeviceHub() { stop(); }

Result<> DeviceHub::start_settings() {
  const auto loaded = administration_.load({.name = options_.hub});
  if (!loaded) {
    log::error("hub", "{}", loaded.error().message);
    return fail(Errc::io, "hub.settings");
  }
  administration_.on_authorities_changed(options_.authorities_changed);
  throttle_.set_identities(hub::identity_limits());
  apply_tiers();
  TRY(const auto days, days_.list());
  for (const auto& day : days) throttle_.restore({day.hub, day.day, day.blocks});
  days_kept_ = throttle_.days();
  return {};
}

Result<> DeviceHub::start_services() {
  sessions_ = hub::make_sessions(needs_.database);
  hub::CommandOptions commands;
  commands.on_operation = [this](const hub::CommandOperation& done) { count_command(operation_counters_, done); };
  commands_ = hub::make_commands(needs_.database, directory_, needs_.clock, std::move(commands));
  hub::MethodOptions methods;
  methods.exists = [this](const hub::IdentityKey& key) {
    const auto found = identities_.find(key.hub, key.device_id, key.module_id);
    return !found || found->has_value();  // a store that does not answer is no reason to say that a device is unknown
  };
  methods.on_operation = [this](const hub::MethodOperation& done) {
    operation_counters_.count(identity_of(done.target), hub::Operation::method_invoke, hub::Protocol::service,
                              done.request_bytes + done.response_bytes);
  };
  methods_ = hub::make_methods(
      [this](const hub::IdentityKey& key, hub::Notification notification, std::move_only_function<void(bool)> taken) {
        directory_.notify(key, std::move(notification), std::move(taken));
      },
      needs_.clock, std::move(methods));
  audited_methods_ = std::make_unique<AuditedMethods>(*methods_, needs_.database, needs_.clock);
  job_methods_ = std::make_unique<JobMethods>(*audited_methods_);
  automation_ = std::make_unique<hub::Automation>(needs_.database, twins_, *job_methods_, needs_.clock);
  queries_ = std::make_unique<hub::QueryService>(needs_.database, twins_);
  hub::FileOptions files;
  files.directory = options_.blobs;
  files.key_file = options_.secrets + "/blob.key";
  files.public_host = options_.host;
  files.on_operation = [this](const hub::FileOperation& done) {
    operation_counters_.count(
        done.device,
        done.event == hub::FileEvent::opened ? hub::Operation::upload_start : hub::Operation::upload_notify,
        hub::Protocol::https, done.size_bytes);
  };
  TRY(files_, hub::make_files(needs_.database, needs_.clock, std::move(files)));
  TRY(provisioning_, hub::make_provisioning(
                         needs_.database, provisioning_registry_, needs_.clock,
                         {.on_operation = [this](const hub::ProvisioningOperation& done) { log_provisioning(done); }}));
  TRY(router_, hub::start_router(needs_.messages, [this](const hub::IdentityKey& key) { return twins_.document(key); },
                                 needs_.clock,
                                 {.directory = options_.forward + "/routes",
                                  .log = [](std::string_view line) { log::warning("hub", "{}", line); }}));
  route_desk_ = std::make_unique<RouteDesk>(
      needs_.database, *router_, [this](const hub::IdentityKey& key) { return twins_.document(key); }, needs_.clock);
  TRY_VOID(route_desk_->load());
  events_ = hub::make_event_stream(needs_.messages, router_->view(), [this](std::string_view hub) {
    const auto settings = settings_.of(hub);
    return settings ? needs_.clock.now() - Duration::days(settings->configuration.retention_days) : Timestamp{};
  });
  diagnostics_ = std::make_unique<Diagnostics>(
      needs_.messages, settings_, needs_.clock,
      DiagnosticsOptions{.directory = options_.forward + "/diagnostics",
                         .log = [](std::string_view line) { log::warning("hub", "{}", line); }});
  follow_diagnostics();
  return {};
}

/// Refused proofs look like any other failed credentials; what was registered is an audit record already.
void DeviceHub::log_provisioning(const hub::ProvisioningOperation& done) {
  if (done.registered) return;
  online_log_.record({.time = done.time,
                      .kind = hub::HubEventKind::auth_failed,
                      .identity = {options_.hub, done.registration_id, "", ""},
                      .source_address = done.source,
                      .protocol = "provisioning",
                      .code = hub::kUnauthorized,
                      .reason = done.reason,
                      .object = done.enrollment});
}

hub::ExportTwin DeviceHub::export_twin(const hub::IdentityKey& key) const {
  hub::ExportTwin out;
  const auto row = twins_.store().find(key.hub, key.device_id, key.module_id);
  if (!row) return out;  // removed since it was listed
  out.etag = row->etag;
  out.tags = row->tags;
  out.desired = row->desired;
  out.reported = row->reported;
  return out;
}

void DeviceHub::connect_services() {
  needs_.presence.attach(&directory_);
  administration_.on_rights_changed([this](std::string_view hub) { review(hub); });
  registry_.on_credentials_changed([this](const hub::IdentityKey& key) { directory_.revoke(key); });
  registry_.set_activity([this](const hub::IdentityKey& key) {
    const auto activity = needs_.presence.module(key.hub, key.device_id, key.module_id);
    hub::IdentityActivity out;
    out.connected = activity.connected;
    out.last_activity = activity.last.value_or(Timestamp{});
    out.cloud_to_device_messages = commands_->count(key).value_or(0);
    return out;
  });
  registry_.set_twins(
      [](hub::RegistryTransaction& transaction, const hub::BulkItem& item) {
        const hub::IdentityKey key{transaction.hub(), item.device.device_id, item.module ? item.module->module_id : ""};
        return put_initial_twin(transaction.database(), key, {item.tags, item.desired}, transaction.actor(),
                                transaction.now());
      },
      [this](const hub::IdentityKey& key) { return export_twin(key); });
  twins_.set_facts([this](const hub::IdentityKey& key) {
    const auto activity = needs_.presence.module(key.hub, key.device_id, key.module_id);
    return hub::LiveFacts{.connected = activity.connected,
                          .last_activity = activity.last.value_or(Timestamp{}),
                          .cloud_to_device_messages = commands_->count(key).value_or(0)};
  });
  twins_.on_changed([this](const hub::TwinChanged& changed) {
    if (changed.tags || changed.desired_patch) {  // whoever made it: service clients, operators, jobs, configurations
      operation_counters_.count(identity_of(changed.identity), hub::Operation::twin_update, hub::Protocol::service,
                                changed.desired_patch ? changed.desired_patch->size() : 0);
    }
    if (!changed.desired_patch) return;
    directory_.notify(changed.identity, hub::DesiredPatch{changed.desired_patch, changed.desired_version}, {});
  });
}

/// Connections that the hub's settings do not allow any more end now.
void DeviceHub::review(std::string_view hub) {
  directory_.review(std::string(hub), [this, settings = settings_.of(hub)](const hub::Standing& standing) {
    return settings != nullptr && hub::still_stands(standing, *settings, identities_);
  });
}

Result<> DeviceHub::start_heads(std::string& detail) {
  hub::HubNames names;
  names.default_hub = options_.hub;
  const auto opened = [&](const auto& head, std::string_view protocol, std::uint16_t port) {
    if (!head) detail = fmt::format("{} port {} of {}", protocol, port, options_.address);
  };
  hub::MqttHeadOptions mqtt{.hubs = names};
  mqtt.listener.address = options_.address;
  mqtt.listener.port = options_.mqtt_port;
  auto mqtt_head = hub::MqttHead::open({.threads = needs_.threads,
                                        .tls = needs_.tls,
                                        .identities = identities_,
                                        .journal = needs_.messages,
                                        .log = online_log_,
                                        .clock = needs_.clock,
                                        .directory = directory_,
                                        .settings = &settings_,
                                        .presence = &needs_.presence,
                                        .sessions = sessions_.get(),
                                        .twins = &device_twins_,
                                        .methods = audited_methods_.get(),
                                        .commands = commands_.get(),
                                        .throttle = &throttle_,
                                        .counters = &operation_counters_,
                                        .provisioning = provisioning_.get()},
                                       std::move(mqtt));
  opened(mqtt_head, "MQTT", options_.mqtt_port);
  TRY(mqtt_, std::move(mqtt_head));

  hub::AmqpHeadOptions amqp{.hubs = names};
  amqp.listener.address = options_.address;
  amqp.listener.port = options_.amqp_port;
  auto amqp_head = hub::AmqpHead::open({.threads = needs_.threads,
                                        .tls = needs_.tls,
                                        .identities = identities_,
                                        .journal = needs_.messages,
                                        .log = online_log_,
                                        .clock = needs_.clock,
                                        .directory = directory_,
                                        .settings = &settings_,
                                        .presence = &needs_.presence,
                                        .throttle = &throttle_,
                                        .counters = &operation_counters_,
                                        .commands = commands_.get(),
                                        .methods = audited_methods_.get(),
                                        .twins = &twins_,
                                        .files = files_.get(),
                                        .events = events_.get()},
                                       std::move(amqp));
  opened(amqp_head, "AMQP", options_.amqp_port);
  TRY(amqp_, std::move(amqp_head));

  hub::HttpsHeadOptions https{.hubs = names};
  https.listener.address = options_.address;
  https.listener.port = options_.https_port;
  https.registry_directory = options_.registry;
  auto https_head = hub::HttpsHead::open(
      {.threads = needs_.threads,
       .tls = needs_.tls,
       .identities = identities_,
       .journal = needs_.messages,
       .log = online_log_,
       .clock = needs_.clock,
       .directory = &directory_,
       .counters = &operation_counters_,
       .throttle = &throttle_,
       .settings = &settings_,
       .registry = &registry_,
       .twins = &twins_,
       .methods = audited_methods_.get(),
       .commands = commands_.get(),
       .files = files_.get(),
       .provisioning = provisioning_.get(),
       .queries = queries_.get(),
       .jobs = &automation_->jobs(),
       .configurations = &automation_->configurations(),
       .connected_devices = [this](std::string_view) { return mqtt_->stats().connected + amqp_->stats().connected; },
       .websocket = {{"mqtt", [this](net::Connection connection) { return mqtt_->serve(std::move(connection)); }},
                     {"AMQPWSB10",
                      [this](net::Connection connection) { return amqp_->serve(std::move(connection)); }}}},
      std::move(https));
  opened(https_head, "HTTPS", options_.https_port);
  TRY(https_, std::move(https_head));
  automation_->start();
  return {};
}

/// Settings change rarely and are cheap to look at: the limits follow within a round.
void DeviceHub::apply_tiers() {
  for (const auto& settings : settings_.all()) {
    auto& in_force = tiers_[settings->name];
    const std::pair wanted(settings->tier, settings->units);
    if (in_force == wanted) continue;
    throttle_.set_hub(settings->name, hub::tier_limits(settings->tier, settings->units));
    in_force = wanted;
  }
}

/// What a kill takes from the count is at most what came since.
void DeviceHub::keep_days() {
  auto days = throttle_.days();
  if (days == days_kept_) return;
  std::vector<state::HubDay> rows;
  for (const auto& day : days) rows.push_back({day.hub, day.day, day.blocks});
  if (const auto kept = days_.put(rows); kept) days_kept_ = std::move(days);
}

/// A sink that cannot be opened must not keep the hub from its work; the next round tries again.
void DeviceHub::follow_diagnostics() {
  const auto done = diagnostics_->follow_settings();
  constexpr int kRoundsOfAMinute = 240;
  if (!done && diagnostics_failures_++ % kRoundsOfAMinute == 0)
    log::warning("hub", "diagnostics: {}", describe(done.error()));
}

void DeviceHub::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  constexpr std::uint64_t kRoundsBetweenDays = 40;  // 10 s
  std::uint64_t rounds = 0;
  while (!stop.stop_requested()) {
    commands_->run_due();
    methods_->run_due();
    files_->run_due();
    operation_counters_.tick(needs_.clock.now());
    apply_tiers();
    follow_diagnostics();
    if (++rounds % kRoundsBetweenDays == 0) keep_days();
    wake.wait_for(lock, stop, kRound, [] { return false; });
  }
}

void DeviceHub::stop() {
  if (std::exchange(stopped_, true)) return;
  runner_.request_stop();
  if (runner_.joinable()) runner_.join();
  needs_.presence.attach(nullptr);
  if (automation_) automation_->stop();
  if (methods_) methods_->stop();
  // What came in over a WebSocket is served by the other two, so it ends first.
  if (https_) https_->stop();
  if (amqp_) amqp_->stop();
  if (mqtt_) mqtt_->stop();
  operation_counters_.flush(needs_.clock.now());
  keep_days();
  directory_.stop();
  events_.reset();
  if (router_) router_->stop();
  if (diagnostics_) diagnostics_->stop();
}

std::vector<api::CounterGroup> DeviceHub::counters() const {
  std::uint64_t devices = 0;
  std::uint64_t blocks = 0;
  for (const auto& hub : settings_.all()) {
    if (const auto counts = registry_.counts(hub->name)) devices += counts->devices;
    blocks += throttle_.used_today(hub->name, needs_.clock.now());
  }
  return device_hub_counters({.mqtt = mqtt_->stats(),
                              .amqp = amqp_->stats(),
                              .https = https_->stats(),
                              .commands = commands_->stats(),
                              .methods = methods_->stats(),
                              .files = files_->stats(),
                              .routes = router_->stats(),
                              .diagnostics = diagnostics_->stats(),
                              .operations = operation_counters_.stats(),
                              .jobs = automation_->jobs().totals(),
                              .connected_devices = needs_.presence.connected_devices(),
                              .devices = devices,
                              .blocks_today = blocks,
                              .operations_dropped = operations_.dropped(),
                              .database = needs_.database.stats()});
}

}  // namespace picket::server
