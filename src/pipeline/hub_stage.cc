#include "hub_stage.h"

#include "hub_row.h"

namespace picket::pipeline {
namespace {

constexpr Duration kMinute = Duration::minutes(1);

/// Settings that people change stand in the state, so they come as audit records.
std::optional<RulesChange> settings_of(const HubRecord& record) {
  RulesChange out;
  if (!record.audit) return std::nullopt;
  if (record.kind == "recommendation.set" && record.enabled) {
    out.recommendations.emplace_back(record.type, *record.enabled);
    return out;
  }
  if (record.kind == "rule.set" || record.kind == "rule.delete") {
    RulesChange::SigmaRule rule{record.object, std::nullopt, record.enabled};
    if (record.kind == "rule.delete") rule.yaml = "";
    if (!record.rules.empty()) rule.yaml = record.rules;
    out.sigma_rule = std::move(rule);
    return out;
  }
  if (record.kind != "security_group.set" && record.kind != "security_group.delete") return std::nullopt;
  const bool is_set = record.kind == "security_group.set";
  out.security_group = {record.device.hub, record.object, is_set ? record.resource : std::string()};
  return out;
}

}  // namespace

HubStage::HubStage(AlertBook& alerts, const RecommendationCatalogue& catalogue, workspace::TableIndex table, SipKey key,
                   GroupOf group_of)
    : alerts_(alerts), recommendations_(catalogue), seen_audits_(key), table_(table), group_of_(std::move(group_of)) {
  for (const HubDetectorEntry& entry : all_hub_detectors()) {
    detectors_.push_back({entry.name, entry.make()});
    detectors_.back().detector->use_groups(group_of_);
  }
  for (std::size_t i = 0; i < detectors_.size(); ++i) {
    if (all_hub_detectors()[i].messages) of_messages_.push_back(&detectors_[i]);
    if (all_hub_detectors()[i].events) of_events_.push_back(&detectors_[i]);
  }
}

void HubStage::raise(const Running& running, const Moment& moment) {
  for (HubFinding& found : findings_.alerts) {
    if (!settings_.security_on(found.device.hub)) continue;
    ++found_;
    const std::string group = group_of_(found.device);
    alerts_.raise(found.finding,
                  {.rule = running.name,
                   .device = found.device,
                   .group = group,
                   .profile = moment.profile,
                   .enqueued = moment.enqueued,
                   .source = moment.source},
                  moment.out);
  }
  const RecommendationBook::Context context{running.name, moment.profile, moment.enqueued, moment.source};
  for (const Verdict& verdict : findings_.verdicts) {
    if (settings_.security_on(verdict.device.hub)) recommendations_.take(verdict, context, moment.out);
  }
  for (RecommendationChange& check : findings_.checks) {
    if (!settings_.security_on(check.device.hub)) continue;
    check.rule = running.name;
    check.source = moment.source;
    check.generated = moment.enqueued;
    moment.out.emplace_back(std::move(check));
  }
  findings_.alerts.clear();
  findings_.verdicts.clear();
  findings_.checks.clear();
}

bool HubStage::is_double(const journal::RecordView& record) {
  const auto* outbox_id = record.property("outbox-id");
  if (record.kind != journal::RecordKind::audit || outbox_id == nullptr) return false;
  const bool seen = seen_audits_.seen(*outbox_id, record.body);
  if (seen) ++doubles_;
  return seen;
}

void HubStage::add_row(const HubRecord& record, RowBatch& batch) const { add_hub_row(record, table_, batch); }

void HubStage::process(const HubRecord& parsed, const Moment& moment) {
  ++records_;
  settings_.see(parsed);
  if (const auto rules = settings_of(parsed)) {
    if (on_rules) on_rules(*rules);
    configure(*rules, moment);
  }
  if (parsed.audit && parsed.kind.starts_with("suppression.") && on_suppression) on_suppression(parsed);
  if (parsed.security_group && on_group) on_group(parsed.device, *parsed.security_group, moment.enqueued);
  for (const Running& running : detectors_) {
    running.detector->see(parsed, findings_);
    raise(running, moment);
  }
  if (parsed.audit && parsed.kind == "device.delete") {
    recommendations_.remove_device(parsed.device, {"hub.registry", moment.profile, moment.enqueued, moment.source},
                                   moment.out);
  }
}

void HubStage::see_message(const SeenMessage& message, const Moment& moment) {
  for (const Running* running : of_messages_) {
    running->detector->see_message(message, findings_);
    raise(*running, moment);
  }
}

void HubStage::see_event(const DetectorEvent& event, const Moment& moment) {
  for (const Running* running : of_events_) {
    running->detector->see_event(event, findings_);
    raise(*running, moment);
  }
}

void HubStage::see_empty(const DetectorEvent& event, const Moment& moment) {
  for (const Running* running : of_events_) {
    running->detector->see_empty(event, findings_);
    raise(*running, moment);
  }
}

void HubStage::message_done(const Moment& moment) {
  for (const Running* running : of_events_) {
    running->detector->message_done(findings_);
    raise(*running, moment);
  }
}

void HubStage::advance(const Moment& moment) {
  const std::int64_t minute = moment.enqueued.us / kMinute.us;
  if (minute == settings_.minute()) return;
  settings_.set_minute(minute);
  for (const Running& running : detectors_) {
    running.detector->minute({minute * kMinute.us}, findings_);
    raise(running, moment);
  }
}

void HubStage::see_group(const Identity& device, std::string_view group) {
  for (const Running& running : detectors_) running.detector->see_group(device, group);
}

void HubStage::see_intelligence(const journal::RecordView& record) {
  for (const Running& running : detectors_) running.detector->see_intelligence(record);
}

void HubStage::configure(const RulesChange& rules, const Moment& moment) {
  const RecommendationBook::Context context{"settings", moment.profile, moment.enqueued, moment.source};
  for (const auto& [type, enabled] : rules.recommendations) {
    recommendations_.set_enabled(type, enabled, context, moment.out);
  }
  for (const Running& running : detectors_) {
    running.detector->configure(rules, moment.enqueued);
    raise(running, moment);
  }
}

std::vector<StatePart*> HubStage::parts() {
  std::vector<StatePart*> out{&recommendations_, &settings_, &seen_audits_};
  for (const Running& running : detectors_) {
    if (StatePart* part = running.detector->state()) out.push_back(part);
  }
  return out;
}

void HubStage::add_stats(Stats& stats) const {
  stats.hub_records = records_;
  stats.hub_records_double = doubles_;
  stats.findings += found_;
  stats.recommendations = recommendations_.size();
  stats.recommendations_evicted = recommendations_.evicted();
  for (const Running& running : detectors_) stats.detector_entries_evicted += running.detector->evicted();
}

}  // namespace picket::pipeline
