#include "agent/live_settings.h"

#include <algorithm>
#include <utility>

#include "base/core/file.h"
#include "base/core/hash.h"
#include "message/events.h"
#include "support/event_record.h"

namespace picket::agent {
namespace {

constexpr SipKey kPlainKey{};  ///< The hashes only tell texts of one sender apart.

bool tier_exists(std::string_view collector, std::string_view tier) {
  return std::ranges::any_of(collector_table(), [&](const CollectorSpec& spec) {
    return spec.name == collector && std::ranges::find(spec.tiers, tier, &Tier::name) != spec.tiers.end();
  });
}

message::ConfigurationErrorType error_type(TwinProblem::Kind kind) {
  switch (kind) {
    case TwinProblem::Kind::conflict:
      return message::ConfigurationErrorType::Conflict;
    case TwinProblem::Kind::not_optimal:
      return message::ConfigurationErrorType::NotOptimal;
    case TwinProblem::Kind::type:
      break;
  }
  return message::ConfigurationErrorType::TypeMismatch;
}

}  // namespace

AggregateOptions aggregate_options(const Config& config) {
  AggregateOptions out = config.aggregate;
  out.process_priority = config.collectors.choice("process").priority.value_or(out.process_priority);
  out.connection_priority = config.collectors.choice("network").priority.value_or(out.connection_priority);
  for (const auto& [collector, choice] : config.collectors.choices) {
    if (choice.cache) out.entries_by_collector[collector] = *choice.cache;
  }
  return out;
}

LiveSettings::LiveSettings(const Config& local, bool follow_twin, Log log)
    : local_(local),
      log_(std::move(log)),
      twin_settings_{.config = local},
      twin_([this](std::string_view desired) { on_desired(desired); }) {
  if (!follow_twin) return;
  const auto kept = read_file(local.data_dir + std::string(kFileName), kTwinBytesMax);
  if (!kept) return;
  const auto good = parse_json(*kept);
  if (!good) {
    log_("settings: " + local.data_dir + std::string(kFileName) + " is damaged and not used");
    return;
  }
  twin_settings_ = overlay_twin(local, *good, {}, tier_exists);
  const auto changed = changed_settings(local, config());
  if (!changed.empty())
    log_("settings: " + std::to_string(changed.size()) + " by the module twin, as it was last seen");
}

void LiveSettings::attach(Parts parts) { parts_.emplace(std::move(parts)); }

void LiveSettings::on_desired(std::string_view desired) {
  const std::uint64_t hash = siphash24(kPlainKey, as_bytes(desired));
  if (hash == seen_ || !parts_) return report();
  seen_ = hash;
  if (desired.size() > kTwinBytesMax) return log_("settings: the module twin is too large and not used");
  const auto json = parse_json(desired);
  if (!json) return;  // TwinClient has checked it
  change_to(overlay_twin(local_, *json, twin_settings_.good, tier_exists));
}

void LiveSettings::change_to(TwinSettings next) {
  const auto keys = changed_settings(config(), next.config);
  if (next.good != twin_settings_.good) save(next.good);
  if (!keys.empty()) {
    ++changes_;
    std::vector<std::string> concerned;
    std::string names;
    for (const std::string& key : keys) {
      names += (names.empty() ? "" : ", ") + key;
      const std::string_view collector = collector_of_setting(key);
      if (!collector.empty() && std::ranges::find(concerned, collector) == concerned.end()) {
        concerned.emplace_back(collector);
      }
    }
    log_("settings: changed by the module twin: " + names);
    parts_->collectors.stop(concerned);
    parts_->aggregator.flush();
    parts_->outbox.flush();
    twin_settings_ = std::move(next);
    parts_->aggregator.change_options(aggregate_options(config()));
    parts_->outbox.change_options(config().outbox);
    parts_->spool.change_limits(config().spool_bytes_max, config().spool_age_max);
    parts_->collectors.start_again(concerned);
    parts_->changed();
  } else {
    twin_settings_ = std::move(next);
  }
  complain();
  report();
}

/// A device that cannot keep them asks the hub after each start.
void LiveSettings::save(const std::string& good) {
  const std::string path = local_.data_dir + std::string(kFileName);
  if (const auto written = replace_file(path, as_bytes(good)); !written) {
    log_("settings: " + path + ": " + describe(written.error()));
  }
}

/// Each problem once as log line and event, until something else is wrong.
void LiveSettings::complain() {
  std::string all;
  for (const TwinProblem& problem : twin_settings_.problems) all += problem.name + "\n" + problem.reason + "\n";
  const std::uint64_t hash = siphash24(kPlainKey, as_bytes(all));
  if (std::exchange(complained_, hash) == hash || all.empty()) return;
  for (const TwinProblem& problem : twin_settings_.problems) {
    log_("settings: " + problem.name.substr(0, 256) + " of the module twin: " + problem.reason);
    const message::ConfigurationError item{.configuration_name = problem.name,
                                           .error_type = error_type(problem.kind),
                                           .used_configuration = problem.used,
                                           .message = problem.reason,
                                           .source = "twin"};
    SnapshotEvents<message::ConfigurationError> event(parts_->aggregator, moment_of(system_clock()),
                                                      {"settings", "twin", false}, Priority::high);
    if (event.add(item)) event.finish();
  }
}

void LiveSettings::report() {
  if (!parts_) return;
  twin_.report(reported_twin(twin_settings_, PICKET_VERSION, parts_->collectors.coverage_json()));
}

TwinStatus LiveSettings::status() const {
  return {.link = twin_.status(),
          .changes = changes_,
          .problems = twin_settings_.problems,
          .invalid = twin_settings_.invalid};
}

}  // namespace picket::agent
