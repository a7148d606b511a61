#include "triage_desk.h"

#include "durable_group.h"

namespace picket::server {
namespace {

constexpr Duration kAppliedWithin = Duration::seconds(5);

}  // namespace

Result<state::Alert> TriageDesk::triage(const state::Triage& triage) {
  TRY(const state::Alert alert, alerts_.find(triage.alert_id));
  const Identity identity{alert.hub, alert.device_id, alert.module_id, ""};
  const std::string body = to_json(triage);
  const journal::Record record{.kind = journal::RecordKind::triage,
                               .partition = partition_of(identity),
                               .enqueued = triage.time,
                               .identity = identity,
                               .properties = {},
                               .body = as_bytes(body)};
  DurableGroup group;
  if (!derived_.append(record, group.expect())) return fail(Errc::unavailable, "triage.append");
  TRY(const journal::RecordId id, group.wait());
  if (!list_.wait_applied(id, kAppliedWithin)) return fail(Errc::unavailable, "triage.apply");
  return alerts_.find(triage.alert_id);
}

}  // namespace picket::server
