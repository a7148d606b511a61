#include "triage_source.h"

#include <algorithm>

namespace picket::server {
namespace {

constexpr Duration kWait = Duration::milliseconds(500);

}  // namespace

bool StateTriageSource::wait_applied(journal::RecordId id) { return list_.wait_applied(id, kWait); }

Result<std::string> StateTriageSource::status_at(std::string_view alert_id, journal::RecordId record) {
  return alerts_.status_at(alert_id, record.sequence);
}

Result<std::vector<pipeline::TriageSource::AlertState>> StateTriageSource::triaged_by(journal::RecordId record) {
  TRY(const auto alerts, alerts_.triaged_by(record.sequence));
  std::vector<AlertState> out;
  for (const state::Alert& alert : alerts) {
    TRY(const auto steps, alerts_.triage_of(alert.alert_id));
    const auto step = std::ranges::find(steps, record.sequence, &state::Triage::sequence);
    if (step != steps.end()) out.push_back({alert.json, step->status, step->time});
  }
  return out;
}

/// The incident's own facts are the newest, what people decided is as it was then.
Result<std::vector<pipeline::IncidentRow>> StateTriageSource::incidents_of(journal::RecordId record) {
  TRY(const auto steps, incidents_.steps_by(record.sequence));
  std::vector<pipeline::IncidentRow> out;
  for (const state::IncidentStep& step : steps) {
    TRY(const auto incident, incidents_.find(step.incident_id));
    auto change = pipeline::parse_incident_change(incident.json);
    if (!change) continue;
    TRY(const auto all, incidents_.steps_of(step.incident_id));
    pipeline::IncidentRow row;
    row.incident = *std::move(change);
    row.number = incident.number;
    row.status = step.status;
    row.owner = step.owner;
    row.classification = step.classification;
    row.classification_reason = step.classification_reason;
    row.comment = step.comment;
    row.created = incident.created;
    row.modified = step.time;
    if (step.status == "Closed") row.closed = incident.closed.us == 0 ? step.time : incident.closed;
    row.modified_by = step.user;
    const auto first = std::ranges::find(all, "triaged", &state::IncidentStep::change);
    if (first != all.end() && first->time <= step.time) row.first_modified = first->time;
    row.comments = static_cast<std::uint64_t>(
        std::ranges::count_if(all, [](const auto& one) { return one.change == "triaged" && !one.comment.empty(); }));
    // Several steps of one record are one row: the last.
    if (!out.empty() && out.back().number == row.number) out.pop_back();
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace picket::server
