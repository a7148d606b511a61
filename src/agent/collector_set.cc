#include "agent/collector_set.h"

#include <algorithm>

#include <sys/epoll.h>

#include "base/core/json_writer.h"

namespace picket::agent {

void CollectorSet::start(const CollectorSettings& settings) {
  const Environment environment{settings, loop_.clock(), sink_};
  for (const CollectorSpec& spec : collector_table()) {
    Running& running = collectors_.emplace_back();
    running.collector = std::make_unique<Collector>(spec, environment);
    running.enabled = settings.choice(spec.name).enabled;
    if (running.enabled) start_one(running);
  }
  for (std::size_t i = 0; i < collectors_.size(); ++i) {
    if (collectors_[i].collector->running()) watch(i);
  }
}

void CollectorSet::start_one(Running& running) {
  const auto begun = running.collector->start();
  for (const auto& refusal : running.collector->refusals()) {
    if (!running.reason.empty()) running.reason += "; ";
    running.reason.append(refusal.tier).append(": ").append(describe(refusal.error));
  }
  const std::string name = "collector " + std::string(running.collector->name()) + ": ";
  if (!begun) {
    if (running.reason.empty()) running.reason = describe(begun.error());
    return log_(name + "not running: " + running.reason);
  }
  log_(name + std::string(running.collector->tier_in_use()) +
       (running.reason.empty() ? "" : " (" + running.reason + ")"));
}

void CollectorSet::watch(std::size_t index) {
  Collector& collector = *collectors_[index].collector;
  collectors_[index].timer = loop_.add_timer([this, index] { tick(index, collectors_[index].collector->on_timer()); });
  for (const int fd : collector.fds()) {
    const auto added = loop_.add(
        fd, EPOLLIN, [this, index, fd](std::uint32_t) { tick(index, collectors_[index].collector->on_ready(fd)); });
    if (!added) log_("collector " + std::string(collector.name()) + ": " + describe(added.error()));
  }
  loop_.set_timer(collectors_[index].timer, loop_.clock().monotonic());
}

void CollectorSet::tick(std::size_t index, Duration delay) {
  loop_.set_timer(collectors_[index].timer, loop_.clock().monotonic() + std::max(delay, Duration::milliseconds(1)));
}

void CollectorSet::stop() {
  for (Running& each : collectors_) {
    if (each.collector->running()) {
      each.collector->on_timer();  // what the kernel has buffered
      loop_.stop_timer(each.timer);
    }
    for (const int fd : each.collector->fds()) loop_.remove(fd);
    each.collector->stop();
  }
}

void CollectorSet::send_statistics() const {
  for (const Running& each : collectors_) {
    if (each.collector->running()) sink_.emit(each.collector->statistics(moment_of(loop_.clock())));
  }
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
    const Counters counters = each.collector->counters();
    dropped += counters.dropped_kernel + counters.dropped_user;
  }
  return dropped;
}

std::vector<CollectorStatus> CollectorSet::status() const {
  std::vector<CollectorStatus> out;
  for (const Running& each : collectors_) {
    out.push_back({std::string(each.collector->name()), std::string(each.collector->tier_in_use()), each.reason,
                   each.enabled, each.collector->sampled(), each.collector->counters()});
  }
  return out;
}

}  // namespace picket::agent
