#include "engine.h"

#include <algorithm>
#include <chrono>

#include "base/core/check.h"
#include "control.h"
#include "event_time.h"
#include "pipeline/control_records.h"
#include "workspace/tables.h"

namespace picket::pipeline {
namespace {

constexpr Duration kMinute = Duration::minutes(1);
constexpr std::size_t kModelPartBytesMax = 64;
constexpr std::uint64_t kTimedOneIn = 64;

std::string_view property_of(const journal::RecordView& record, std::string_view name) {
  const auto* value = record.property(name);
  return value == nullptr ? std::string_view{} : *value;
}

/// What devices have in common that should behave alike; empty when the device told nothing of it.
std::string model_name(const DetectorEvent& event) {
  std::string out;
  for (const auto field : {message::Field::HardwareVendor, message::Field::HardwareModel,
                           message::Field::FirmwareVersion, message::Field::OSName, message::Field::OSVersion}) {
    const auto text = event.text(field).substr(0, kModelPartBytesMax);
    if (text.empty()) continue;
    if (!out.empty()) out += " / ";
    out += text;
  }
  return out;
}

bool is_of_hub(const journal::RecordView& record) {
  return record.kind == journal::RecordKind::hub_event || record.kind == journal::RecordKind::audit;
}

}  // namespace

Engine::Engine(EngineOptions options, const Catalogue& catalogue, const workspace::Schema& schema,
               const RecommendationCatalogue& recommendations)
    : options_(std::move(options)),
      rows_(schema, options_.installation_id),
      duplicates_(options_.fingerprint_key),
      alerts_(catalogue, suppressions_, incidents_) {
  for (const DetectorEntry& entry : all_detectors())
    detectors_.push_back({.name = entry.name, .detector = entry.make()});
  for (std::size_t i = 0; i < detectors_.size(); ++i) {
    for (const message::EventKind kind : all_detectors()[i].kinds) {
      by_kind_[static_cast<std::size_t>(kind)].push_back(&detectors_[i]);
    }
  }
  const auto table = schema.find_table(workspace::kHubOperations);
  CHECK(table.has_value(), "the workspace was opened with make_workspace_schema()");
  hub_ = std::make_unique<HubStage>(alerts_, recommendations, *table, options_.fingerprint_key,
                                    [this](const Identity& device) { return std::string(devices_.group_of(device)); });
  hub_->on_rules = [this](const RulesChange& rules) { configure(rules); };
  hub_->on_suppression = [this](const HubRecord& audit) {
    if (!suppressions_.see(audit)) ++stats_.control_records_bad;
  };
  hub_->on_group = [this](const Identity& device, std::string group, Timestamp enqueued) {
    set_group(device, std::move(group), enqueued);
  };
}

Engine::~Engine() = default;

std::vector<StatePart*> Engine::parts() {
  const auto [streams, fingerprints] = duplicates_.parts();
  std::vector<StatePart*> out{streams,          fingerprints, &devices_,      &settings_, &processes_,
                              &process_groups_, &alerts_,     &suppressions_, &incidents_};
  for (const Running& running : detectors_) {
    if (StatePart* part = running.detector->state()) out.push_back(part);
  }
  for (StatePart* part : hub_->parts()) out.push_back(part);
  return out;
}

Moment Engine::moment_of(const journal::RecordView& record, std::vector<DerivedChange>& changes) const {
  return {record.enqueued, record.id, settings_.profile(), changes};
}

void Engine::set_group(const journal::IdentityView& identity, std::string group, Timestamp enqueued) {
  if (group.size() > kGroupBytesMax) group.resize(kGroupBytesMax);
  if (group.empty()) group = kDefaultGroup;
  hub_->see_group(identity.to_identity(), group);
  devices_.set_group(identity, std::move(group), enqueued);
}

void Engine::process(const journal::RecordView& record, RowBatch& batch, std::vector<DerivedChange>& changes,
                     Pass pass) {
  duplicates_.begin(record, pass);
  const bool is_message = record.kind == journal::RecordKind::message;
  if (pass == Pass::rows) {
    if (is_message) process_message(record, batch, changes, pass);
    if (is_of_hub(record)) process_hub(record, batch, changes, pass);
    return;
  }
  ++stats_.records;
  alerts_.advance(record.enqueued, record.id, changes);
  if (record.enqueued.us / kMinute.us != minute_) minute_passed(record, changes);
  hub_->advance(moment_of(record, changes));
  if (is_message) return process_message(record, batch, changes, pass);
  if (is_of_hub(record)) return process_hub(record, batch, changes, pass);
  switch (record.kind) {
    case journal::RecordKind::group_change:
    case journal::RecordKind::rules_change:
      process_control(record, changes);
      break;
    case journal::RecordKind::intelligence_change:
      hub_->see_intelligence(record);
      process_intelligence(record, changes);
      break;
    default:
      break;  // of no consequence for what is detected here
  }
}

void Engine::process_hub(const journal::RecordView& record, RowBatch& batch, std::vector<DerivedChange>& changes,
                         Pass pass) {
  const auto parsed = parse_hub_record(record);
  if (!parsed) {
    if (pass != Pass::rows) ++stats_.hub_records_bad;
    if (pass != Pass::detection) rows_.add_dead_letter(record, parsed.error(), 0, batch);
    return;
  }
  const auto is_double = [this](const journal::RecordView& one) { return hub_->is_double(one); };
  if (duplicates_.has_record(record, pass, is_double)) return;
  if (pass != Pass::detection) hub_->add_row(*parsed, batch);
  if (pass != Pass::rows) hub_->process(*parsed, moment_of(record, changes));
}

/// Forgetting depends on record time alone, so a replay forgets at the same records. `minute_` need not be saved:
/// forgetting a second time at the same time changes nothing.
void Engine::minute_passed(const journal::RecordView& record, std::vector<DerivedChange>& changes) {
  minute_ = record.enqueued.us / kMinute.us;
  const Timestamp begin{minute_ * kMinute.us};
  for (Running& running : detectors_) {
    device_findings_.clear();
    running.detector->minute(begin, device_findings_);
    if (!settings_.is_on(running.name)) device_findings_.clear();
    running.findings += device_findings_.size();
    for (const DeviceFinding& found : device_findings_) {
      const journal::IdentityView whose(found.device);
      raise(found.finding, running.name, found.device, devices_.group_of(whose), record, changes);
    }
    running.detector->forget(begin);
  }
  processes_.forget(begin);
  process_groups_.forget(begin);
  alerts_.forget(begin);
  incident_changes_.clear();
  incidents_.minute({record.enqueued, record.id}, incident_changes_);
  for (IncidentChange& change : incident_changes_) changes.emplace_back(std::move(change));
}

void Engine::use_indicators(const OpenIndicators& open) {
  for (const Running& running : detectors_) running.detector->use_indicators(open);
}

void Engine::process_intelligence(const journal::RecordView& record, std::vector<DerivedChange>& changes) {
  for (const Running& running : detectors_) {
    device_findings_.clear();
    running.detector->see_intelligence(record, device_findings_);
    for (const DeviceFinding& found : device_findings_) {
      const journal::IdentityView whose(found.device);
      raise(found.finding, running.name, found.device, devices_.group_of(whose), record, changes);
    }
  }
}

void Engine::process_control(const journal::RecordView& record, std::vector<DerivedChange>& changes) {
  if (record.kind == journal::RecordKind::group_change) {
    if (auto group = parse_group_change(as_text(record.body))) {
      return set_group(record.identity, *std::move(group), record.enqueued);
    }
  } else if (const auto rules = parse_rules_change(as_text(record.body))) {
    if (rules->profile) settings_.set_profile(*rules->profile);
    configure(*rules);
    return hub_->configure(*rules, moment_of(record, changes));
  }
  ++stats_.control_records_bad;
}

void Engine::process_message(const journal::RecordView& record, RowBatch& batch, std::vector<DerivedChange>& changes,
                             Pass pass) {
  Stats& stats = pass == Pass::rows ? uncounted_ : stats_;
  // Exactly this value: everything else is telemetry, and none of our business.
  if (property_of(record, "$.ifid") != kSecurityInterface) {
    ++stats.messages_other;
    return;
  }
  ++stats.messages;
  auto decoded = decoder_.decode(record.body, {.content_encoding = property_of(record, "$.ce"),
                                               .content_type = property_of(record, "$.ct"),
                                               .mti = property_of(record, "mti")});
  if (duplicates_.has_message(record, decoded ? &*decoded : nullptr, pass)) {
    ++stats.duplicate_messages;
    return;
  }
  if (!decoded) {
    ++stats.dead_letters;
    if (pass != Pass::detection) rows_.add_dead_letter(record, decoded.error(), 0, batch);
    return;
  }
  const std::vector<bool> duplicates = duplicates_.events(record, *decoded, pass);
  const message::SecurityMessage& message = batch.keep(*std::move(decoded));
  const Moment moment = moment_of(record, changes);
  if (pass != Pass::rows) {
    hub_->see_message({.sender = record.identity.to_identity(),
                       .enqueued = record.enqueued,
                       .sent = message.sent_utc,
                       .bytes = record.body.size(),
                       .profile = moment.profile},
                      moment);
  }
  process_events(record, message, duplicates, batch, changes, pass);
  if (pass != Pass::rows) hub_->message_done(moment);
  for (const message::RejectedEvent& rejected : message.rejected) {
    ++stats.dead_letters;
    if (pass != Pass::detection)
      rows_.add_dead_letter(record, rejected.error, static_cast<std::uint32_t>(rejected.index), batch);
  }
}

void Engine::process_events(const journal::RecordView& record, const message::SecurityMessage& message,
                            const std::vector<bool>& duplicates, RowBatch& batch, std::vector<DerivedChange>& changes,
                            Pass pass) {
  Stats& stats = pass == Pass::rows ? uncounted_ : stats_;
  const Identity device = record.identity.to_identity();
  const std::string group(devices_.group_of(record.identity));
  std::string model(devices_.model_of(record.identity));
  const Duration correction = clock_correction(message.sent_utc, record.enqueued);
  for (std::size_t e = 0; e < message.events.size(); ++e) {
    const message::Event& event = message.events[e];
    if (e < duplicates.size() && duplicates[e]) {
      ++stats.duplicate_events;
      continue;
    }
    ++stats.events;
    const Timestamp time = event_time(event.timestamp_utc, correction, record.enqueued);
    for (std::size_t i = 0; i < event.items.size(); ++i) {
      const workspace::RowId row{record.id.sequence, static_cast<std::uint32_t>(message.event_index[e]),
                                 static_cast<std::uint32_t>(i)};
      if (pass != Pass::detection) rows_.add_item(record, message, event, event.items[i], row, time, batch);
      if (pass == Pass::rows) continue;
      const DetectorEvent seen{event, event.items[i], device,          group,     model, processes_, process_groups_,
                               row,   time,           record.enqueued, correction};
      if (event.kind == message::EventKind::SystemInformation && !event.is_empty) {
        devices_.set_model(device, model_name(seen), record.enqueued);
        model = devices_.model_of(record.identity);
      }
      detect(seen, record, changes);
    }
  }
}

void Engine::detect(const DetectorEvent& event, const journal::RecordView& record,
                    std::vector<DerivedChange>& changes) {
  if (event.event.is_empty) return hub_->see_empty(event, moment_of(record, changes));
  for (Running* running : by_kind_[static_cast<std::size_t>(event.event.kind)]) {
    if (!settings_.is_on(running->name)) continue;
    findings_.clear();
    look(*running, event);
    running->findings += findings_.size();
    for (const Finding& finding : findings_) {
      const Identity& whose = finding.device.value_or(event.device);
      const auto group = finding.device ? devices_.group_of(journal::IdentityView(whose)) : event.group;
      raise(finding, running->name, whose, group, record, changes);
    }
  }
  hub_->see_event(event, moment_of(record, changes));
  processes_.see(event);
}

/// The clock is for operators only: nothing that is decided depends on it.
void Engine::look(Running& running, const DetectorEvent& event) {
  if (running.looked_at++ % kTimedOneIn != 0) return running.detector->see(event, findings_);
  const auto before = std::chrono::steady_clock::now();
  running.detector->see(event, findings_);
  const auto taken = std::chrono::steady_clock::now() - before;
  ++running.timed;
  running.timed_ns += static_cast<std::uint64_t>(std::chrono::nanoseconds(taken).count());
}

void Engine::raise(const Finding& finding, std::string_view detector, const Identity& device, std::string_view group,
                   const journal::RecordView& record, std::vector<DerivedChange>& changes) {
  ++stats_.findings;
  alerts_.raise(finding,
                {.rule = finding.rule.empty() ? detector : std::string_view(finding.rule),
                 .device = device,
                 .group = group,
                 .profile = settings_.profile(),
                 .enqueued = record.enqueued,
                 .source = record.id},
                changes);
}

void Engine::configure(const RulesChange& rules) {
  if (const auto& rule = rules.sigma_rule; rule && rule->enabled && rule->name.starts_with(kDetectorPrefix)) {
    return settings_.set_on(rule->name, *rule->enabled);
  }
  for (const Running& running : detectors_) running.detector->configure(rules);
}

void Engine::add_stats(Stats& stats) const {
  stats.records = stats_.records;
  stats.messages = stats_.messages;
  stats.messages_other = stats_.messages_other;
  stats.events = stats_.events;
  stats.duplicate_messages = stats_.duplicate_messages;
  stats.duplicate_events = stats_.duplicate_events;
  stats.dead_letters = stats_.dead_letters;
  stats.control_records_bad = stats_.control_records_bad;
  stats.findings = stats_.findings;
  duplicates_.add_stats(stats);
  stats.devices_known = devices_.size();
  stats.devices_evicted = devices_.evicted();
  stats.detector_entries_evicted = 0;
  for (const Running& running : detectors_) stats.detector_entries_evicted += running.detector->evicted();
  stats.detector_entries_evicted += processes_.evicted() + process_groups_.evicted();
  stats.hub_records_bad = stats_.hub_records_bad;
  hub_->add_stats(stats);
  stats.open_alerts = alerts_.open();
  stats.open_alerts_evicted = alerts_.evicted();
  stats.open_incidents = incidents_.open();
  stats.incident_alerts_left_out = incidents_.left_out();
  stats.suppressions = suppressions_.size();
}

std::vector<RuleLoad> Engine::loads() const {
  std::vector<RuleLoad> out;
  for (const Running& running : detectors_) {
    if (!running.name.starts_with(kDetectorPrefix)) {  // what it runs is told instead
      running.detector->add_loads(out);
      continue;
    }
    const std::uint64_t cpu_us = running.timed == 0 ? 0 : running.timed_ns * running.looked_at / running.timed / 1000;
    out.push_back({.id = std::string(running.name),
                   .looked_at = running.looked_at,
                   .matches = running.findings,
                   .throttled = 0,
                   .cpu_us = cpu_us});
  }
  return out;
}

}  // namespace picket::pipeline
