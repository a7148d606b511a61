#include "agent/collector_set.h"

#include <algorithm>

#include <sys/epoll.h>

#include "base/core/json_writer.h"

namespace picket::agent {

namespace {

void add(Counters& sum, const Counters& more) {
  sum.seen += more.seen;
  sum.delivered += more.delivered;
  sum.dropped_kernel += more.dropped_kernel;
  sum.dropped_user += more.dropped_user;
  sum.incomplete += more.incomplete;
}

}  // namespace

void CollectorSet::start(const CollectorSettings& settings) {
  settings_ = &settings;
  for (const CollectorSpec& spec : collector_table()) collectors_.emplace_back().spec = &spec;
  for (std::size_t i = 0; i < collectors_.size(); ++i) start_one(i);
}

void CollectorSet::start_again(std::span<const std::string> names) {
  for (std::size_t i = 0; i < collectors_.size(); ++i) {
    if (std::ranges::find(names, collectors_[i].spec->name) != names.end()) start_one(i);
  }
}

bool CollectorSet::run_now(std::string_view name) {
  for (std::size_t i = 0; i < collectors_.size(); ++i) {
    if (collectors_[i].spec->name != name || !collectors_[i].collector->running()) continue;
    stop_one(collectors_[i]);
    start_one(i);
    return collectors_[i].collector->running();
  }
  return false;
}

void CollectorSet::start_one(std::size_t index) {
  Running& running = collectors_[index];
  // Made anew: priority and interval are settings too.
  running.collector = std::make_unique<Collector>(
      *running.spec, Environment{.settings = *settings_, .clock = loop_.clock(), .sink = sink_, .agent = &agent_});
  running.enabled = settings_->choice(running.spec->name).enabled;
  running.reason.clear();
  const std::string name = "collector " + std::string(running.spec->name) + ": ";
  if (!running.enabled) return;
  const auto begun = running.collector->start();
  for (const auto& refusal : running.collector->refusals()) {
    if (!running.reason.empty()) running.reason += "; ";
    running.reason.append(refusal.tier).append(": ").append(describe(refusal.error));
  }
  if (!begun) {
    if (running.reason.empty()) running.reason = describe(begun.error());
    return log_(name + "not running: " + running.reason);
  }
  log_(name + std::string(running.collector->tier_in_use()) +
       (running.reason.empty() ? "" : " (" + running.reason + ")"));
  watch(index);
}

void CollectorSet::watch(std::size_t index) {
  Collector& collector = *collectors_[index].collector;
  std::optional<std::uint32_t>& timer = collectors_[index].timer;
  if (!timer) timer = loop_.add_timer([this, index] { tick(index, collectors_[index].collector->on_timer()); });
  for (const int fd : collector.fds()) {
    const auto added = loop_.add(
        fd, EPOLLIN, [this, index, fd](std::uint32_t) { tick(index, collectors_[index].collector->on_ready(fd)); });
    if (!added) log_("collector " + std::string(collector.name()) + ": " + describe(added.error()));
  }
  loop_.set_timer(*timer, loop_.clock().monotonic());
}

void CollectorSet::tick(std::size_t index, Duration delay) {
  loop_.set_timer(*collectors_[index].timer, loop_.clock().monotonic() + std::max(delay, Duration::milliseconds(1)));
}

void CollectorSet::stop() {
  for (Running& each : collectors_) stop_one(each);
}

void CollectorSet::stop(std::span<const std::string> names) {
  for (Running& each : collectors_) {
    if (std::ranges::find(names, each.spec->name) != names.end()) stop_one(each);
  }
}

void CollectorSet::stop_one(Running& running) {
  if (!running.collector->running()) return;
  running.collector->on_timer();  // what the kernel has buffered
  loop_.stop_timer(*running.timer);
  for (const int fd : running.collector->fds()) loop_.remove(fd);
  add(running.former, running.collector->counters());
  running.collector->stop();
}

Counters CollectorSet::counters(const Running& running) {
  Counters out = running.former;
  add(out, running.collector->counters());
  return out;
}

std::vector<CollectorAccount> CollectorSet::accounts() const {
  std::vector<CollectorAccount> out;
  for (const Running& each : collectors_) {
    if (!each.collector->running()) continue;
    out.push_back({each.spec->name, each.collector->tier_in_use(), each.collector->sampled(), counters(each)});
  }
  return out;
}

std::string CollectorSet::coverage_json() const {
  JsonWriter json;
  json.begin_array();
  for (const Running& each : collectors_) {
    json.begin_object().key("Name").value(each.collector->name());
    json.key("Tier").value(each.collector->tier_in_use());
    const bool best = each.collector->running() && each.reason.empty();
    json.key("Coverage")
        .value(!each.enabled                ? "off"
               : !each.collector->running() ? "none"
               : each.collector->sampled()  ? "sampled"
               : best                       ? "full"
                                            : "reduced");
    json.key("Reason").value(each.reason).end_object();
  }
  return json.end_array().take();
}

std::uint64_t CollectorSet::dropped() const {
  std::uint64_t dropped = 0;
  for (const Running& each : collectors_) {
    const Counters counters = CollectorSet::counters(each);
    dropped += counters.dropped_kernel + counters.dropped_user;
  }
  return dropped;
}

std::vector<CollectorStatus> CollectorSet::status() const {
  std::vector<CollectorStatus> out;
  for (const Running& each : collectors_) {
    out.push_back({std::string(each.collector->name()), std::string(each.collector->tier_in_use()), each.reason,
                   each.enabled, each.collector->sampled(), counters(each)});
  }
  return out;
}

}  // namespace picket::agent
