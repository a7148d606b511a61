// The table of collectors, and the choice among their tiers.
#include "agent/collector.h"

namespace picket::agent {

#define PICKET_COLLECTOR(name) const CollectorSpec& name##_collector();
#include "agent/collector_list.inc"
#undef PICKET_COLLECTOR

std::span<const CollectorSpec> collector_table() {
#define PICKET_COLLECTOR(name) name##_collector(),
  static const CollectorSpec table[] = {
#include "agent/collector_list.inc"
  };
#undef PICKET_COLLECTOR
  return table;
}

Collector::Collector(const CollectorSpec& spec, const Environment& environment)
    : spec_(&spec), environment_(environment) {
  const CollectorChoice choice = environment.settings.choice(spec.name);
  environment_.priority = choice.priority.value_or(spec.priority);
  environment_.every = choice.every.value_or(spec.every);
}

Moment moment_of(const Clock& clock) { return {clock.now(), clock.monotonic()}; }

Result<> Collector::start() {
  stop();
  refusals_.clear();
  tier_ = nullptr;
  const std::string forced = environment_.settings.choice(spec_->name).tier;
  filter_ = spec_->filter != nullptr ? spec_->filter(environment_) : nullptr;
  filtered_.reset();
  if (filter_) {
    filtered_.emplace(Environment{environment_.settings, environment_.clock, *filter_, environment_.priority,
                                  environment_.every, environment_.agent});
  }
  Error last{Errc::not_found, "agent.collector.tier"};
  for (const Tier& tier : spec_->tiers) {
    if (forced != "auto" && forced != tier.name) continue;
    auto source = tier.open(filtered_ ? *filtered_ : environment_);
    if (source) {
      source_ = *std::move(source);
      tier_ = &tier;
      return {};
    }
    last = source.error();
    refusals_.push_back({tier.name, last});
  }
  return std::unexpected(last);
}

}  // namespace picket::agent
