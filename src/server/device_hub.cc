#include "device_hub.h"

#include <condition_variable>
#include <mutex>

#include "base/server/log.h"
#include "device_hub_counters.h"

namespace picket::server {
namespace {

/// How often services look for what is due: locks and calls whose time is over, counts to be written.
constexpr auto kRound = std::chrono::milliseconds(250);

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
