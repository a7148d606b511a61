#include "triage_desk.h"

#include "durable_group.h"

namespace picket::server {
namespace {

constexpr Duration kAppliedWithin = Duration::seconds(5);

}  // namespace

Result<journal::RecordId> TriageDesk::record(const Identity& identity, Timestamp time, const std::string& body) {
  const journal::Record record{.kind = journal::RecordKind::triage,
                               .partition = partition_of(identity),
                               .enqueued = time,
                               .identity = identity,
                               .properties = {},
                               .body = as_bytes(body)};
  DurableGroup group;
  if (!derived_.append(record, group.expect())) return fail(Errc::unavailable, "triage.append");
  TRY(const journal::RecordId id, group.wait());
  if (!list_.wait_applied(id, kAppliedWithin)) return fail(Errc::unavailable, "triage.apply");
  return id;
}

Result<state::Alert> TriageDesk::triage(const state::Triage& triage) {
  if (triage.alert_id.empty()) {
    TRY(const auto id, record({hub_, "", "", ""}, triage.time, to_json(triage)));
    TRY(auto triaged, alerts_.triaged_by(id.sequence));
    if (triaged.empty()) return fail(Errc::not_found, "alert");
    return std::move(triaged.front());
  }
  TRY(const state::Alert alert, alerts_.find(triage.alert_id));
  TRY_VOID(record({alert.hub, alert.device_id, alert.module_id, ""}, triage.time, to_json(triage)));
  return alerts_.find(triage.alert_id);
}

Result<state::Incident> TriageDesk::triage(const state::IncidentTriage& triage) {
  TRY(const state::Incident incident, incidents_.find(triage.incident_id));
  TRY_VOID(record({incident.hub, incident.device_id, "", ""}, triage.time, to_json(triage)));
  return incidents_.find(incident.incident_id);
}

}  // namespace picket::server
