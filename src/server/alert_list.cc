#include "alert_list.h"

#include <chrono>

#include <boost/json.hpp>

#include "base/core/json_writer.h"
#include "base/server/log.h"
#include "pipeline/alert.h"
#include "pipeline/incident.h"

namespace picket::server {
namespace {

/// Of a group that was dismissed, so many are told to readers of live updates.
constexpr std::size_t kToldMax = 200;

state::Alert alert_of(const pipeline::AlertChange& change, std::string json) {
  return {.alert_id = change.alert_id,
          .alert_type = change.alert_type,
          .display_name = change.display_name,
          .severity = change.severity,
          .hub = change.device.hub,
          .device_id = change.device.device_id,
          .module_id = change.device.module_id,
          .start = change.start,
          .end = change.end,
          .updated = change.generated,
          .change = change.change,
          .json = std::move(json),
          .count = change.count,
          .suppressed_by = change.suppressed_by};
}

state::Incident incident_of(pipeline::IncidentChange change, std::string json) {
  return {.incident_id = change.incident_id,
          .kind = change.kind,
          .title = change.title,
          .severity = change.severity,
          .hub = change.device.hub,
          .device_id = change.device.device_id,
          .start = change.start,
          .end = change.end,
          .updated = change.generated,
          .change = change.change,
          .merged_into = change.merged_into,
          .json = std::move(json),
          .alerts = std::move(change.alerts)};
}

/// Members of a triage record's object.
struct TriageReader {
  boost::json::object fields;

  static Result<TriageReader> parse(std::string_view json) {
    boost::system::error_code failed;
    boost::json::value parsed = boost::json::parse(json, failed);
    if (failed || !parsed.is_object()) return fail(Errc::malformed, "triage.json");
    return TriageReader{std::move(parsed.get_object())};
  }
  [[nodiscard]] std::optional<std::string> optional(const char* name) const {
    const auto* found = fields.if_contains(name);
    if (found == nullptr || !found->is_string()) return std::nullopt;
    return std::string(found->get_string());
  }
  [[nodiscard]] Result<std::string> text(const char* name) const {
    auto found = optional(name);
    if (!found) return fail(Errc::malformed, "triage.field");
    return *std::move(found);
  }
};

void write_optional(JsonWriter& json, std::string_view name, const std::optional<std::string>& value) {
  if (value) json.key(name).value(*value);
}

}  // namespace

Result<> AlertList::apply(std::span<const journal::RecordView> records, const journal::Position& after) {
  const std::string position = after.to_text();
  done_ = {};
  TRY_VOID(alerts_.database().write_together([&]() -> Result<> {
    for (const journal::RecordView& record : records) TRY_VOID(apply_one(record, position));
    return {};
  }));
  tell();
  resume(after);
  return {};
}

Result<> AlertList::apply_one(const journal::RecordView& record, const std::string& position) {
  if (record.kind == journal::RecordKind::alert_change) return apply_change(record, position);
  if (record.kind == journal::RecordKind::triage) return apply_triage(record, position);
  if (record.kind == journal::RecordKind::incident_change) return apply_incident(record, position);
  return {};
}

void AlertList::tell() {
  changes_ += done_.stats.changes;
  triages_ += done_.stats.triages;
  incident_changes_ += done_.stats.incident_changes;
  rejected_ += done_.stats.rejected;
  for (const auto& change : done_.changes) {
    if (const auto* alert = std::get_if<0>(&change))
      listener_(alert->first, alert->second);
    else
      incident_listener_(std::get<1>(change));
  }
}

void AlertList::resume(const journal::Position& position) {
  {
    const std::scoped_lock lock(mutex_);
    applied_ = position;
  }
  changed_.notify_all();
}

bool AlertList::wait_applied(journal::RecordId id, Duration timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::microseconds(timeout.us), [&] { return applied_.covers(id); });
}

Result<> AlertList::apply_change(const journal::RecordView& record, const std::string& position) {
  const auto change = pipeline::parse_alert_change(as_text(record.body));
  if (!change) return reject(record, change.error(), position);
  const state::Alert alert = alert_of(*change, std::string(as_text(record.body)));
  TRY(const bool changed, alerts_.apply(alert, position, record.id.sequence));
  if (!changed) return {};
  ++done_.stats.changes;
  note_incidents(record.id.sequence);
  TRY(state::Alert stored, alerts_.find(alert.alert_id));
  done_.changes.emplace_back(
      std::pair(change->change == 0 ? AlertEvent::raised : AlertEvent::updated, std::move(stored)));
  return {};
}

Result<> AlertList::apply_triage(const journal::RecordView& record, const std::string& position) {
  auto of_incident = parse_incident_triage(as_text(record.body));
  if (of_incident) {
    of_incident->sequence = record.id.sequence;
    return apply_incident_triage(*of_incident, position);
  }
  if (of_incident.error().code != Errc::not_found) return reject(record, of_incident.error(), position);
  auto triage = parse_triage(as_text(record.body));
  if (!triage) return reject(record, triage.error(), position);
  triage->sequence = record.id.sequence;
  const auto alert = alerts_.apply(*triage, position);
  if (!alert && alert.error().code == Errc::not_found) return {};  // older than what retention has left
  if (!alert) return std::unexpected(alert.error());
  ++done_.stats.triages;
  TRY(const auto triaged, alerts_.triaged_by(record.id.sequence));
  for (std::size_t i = 0; i < triaged.size() && i < kToldMax; ++i)
    done_.changes.emplace_back(std::pair(AlertEvent::triaged, triaged[i]));
  note_incidents(record.id.sequence);
  return {};
}

Result<> AlertList::apply_incident(const journal::RecordView& record, const std::string& position) {
  auto change = pipeline::parse_incident_change(as_text(record.body));
  if (!change) return reject(record, change.error(), position);
  const state::Incident incident = incident_of(*std::move(change), std::string(as_text(record.body)));
  TRY(const bool changed, incidents_.apply(incident, position, record.id.sequence));
  if (!changed) return {};
  ++done_.stats.incident_changes;
  note_incidents(record.id.sequence);
  return {};
}

Result<> AlertList::apply_incident_triage(const state::IncidentTriage& triage, const std::string& position) {
  const auto incident = incidents_.apply(triage, position);
  if (!incident && incident.error().code == Errc::not_found) return {};
  if (!incident) return std::unexpected(incident.error());
  ++done_.stats.triages;
  note_incidents(triage.sequence);
  return {};
}

/// Whatever the record did to incidents.
void AlertList::note_incidents(std::uint64_t sequence) {
  if (!incident_listener_) return;
  const auto steps = incidents_.steps_by(sequence);
  if (!steps) return;
  std::string last;
  for (const state::IncidentStep& step : *steps) {
    if (step.incident_id == last) continue;
    last = step.incident_id;
    if (auto incident = incidents_.find(last)) done_.changes.emplace_back(*std::move(incident));
  }
}

Result<> AlertList::reject(const journal::RecordView& record, const Error& error, const std::string& position) {
  ++done_.stats.rejected;
  log::error("alerts", "derived record {} cannot be read: {}", to_text(record.id), describe(error));
  return alerts_.set_position(position);
}

std::string to_json(const state::Triage& triage) {
  JsonWriter json;
  json.begin_object().key("format").value(1).key("alert_id").value(triage.alert_id).key("status").value(triage.status);
  json.key("user").value(triage.user).key("comment").value(triage.comment).key("time").value(triage.time);
  write_optional(json, "owner", triage.owner);
  write_optional(json, "classification", triage.classification);
  write_optional(json, "classification_reason", triage.classification_reason);
  if (triage.alert_id.empty()) {
    json.key("group_type").value(triage.group_type).key("group_day").value(triage.group_day);
  }
  return json.end_object().take();
}

Result<state::Triage> parse_triage(std::string_view json) {
  TRY(const auto in, TriageReader::parse(json));
  state::Triage out;
  TRY(out.alert_id, in.text("alert_id"));
  TRY(out.status, in.text("status"));
  TRY(out.user, in.text("user"));
  TRY(out.comment, in.text("comment"));
  TRY(const std::string time, in.text("time"));
  TRY(out.time, parse_rfc3339(time));
  out.owner = in.optional("owner");
  out.classification = in.optional("classification");
  out.classification_reason = in.optional("classification_reason");
  if (!out.alert_id.empty()) return out;
  TRY(out.group_type, in.text("group_type"));
  TRY(const std::string day, in.text("group_day"));
  TRY(out.group_day, parse_rfc3339(day));
  return out;
}

std::string to_json(const state::IncidentTriage& triage) {
  JsonWriter json;
  json.begin_object().key("format").value(1).key("incident_id").value(triage.incident_id);
  json.key("user").value(triage.user).key("comment").value(triage.comment).key("time").value(triage.time);
  write_optional(json, "status", triage.status);
  write_optional(json, "owner", triage.owner);
  write_optional(json, "classification", triage.classification);
  write_optional(json, "classification_reason", triage.classification_reason);
  return json.end_object().take();
}

Result<state::IncidentTriage> parse_incident_triage(std::string_view json) {
  TRY(const auto in, TriageReader::parse(json));
  state::IncidentTriage out;
  const auto id = in.optional("incident_id");
  if (!id) return fail(Errc::not_found, "triage.incident");
  out.incident_id = *id;
  TRY(out.user, in.text("user"));
  TRY(out.comment, in.text("comment"));
  TRY(const std::string time, in.text("time"));
  TRY(out.time, parse_rfc3339(time));
  out.status = in.optional("status");
  out.owner = in.optional("owner");
  out.classification = in.optional("classification");
  out.classification_reason = in.optional("classification_reason");
  return out;
}

}  // namespace picket::server
