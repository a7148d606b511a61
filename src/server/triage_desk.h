// Decisions of people about alerts and incidents, on their way through the derived journal.
#pragma once

#include "alert_list.h"
#include "api/services.h"
#include "journal/journal.h"
#include "state/alerts.h"
#include "state/incidents.h"

namespace picket::server {

class TriageDesk final : public api::AlertDesk {
 public:
  /// `hub`: of groups, which are about no single device.
  TriageDesk(journal::Journal& derived, AlertList& list, const state::Alerts& alerts, const state::Incidents& incidents,
             std::string hub)
      : derived_(derived), list_(list), alerts_(alerts), incidents_(incidents), hub_(std::move(hub)) {}
  /// Blocks for the group commit and the projection, at most a few seconds. Errors: not_found (no such alert, or
  /// nothing in the group to change), unavailable (the journal cannot take it now, or the projection is behind: it will
  /// still be applied).
  Result<state::Alert> triage(const state::Triage& triage) override;
  Result<state::Incident> triage(const state::IncidentTriage& triage) override;

 private:
  Result<journal::RecordId> record(const Identity& identity, Timestamp time, const std::string& body);

  journal::Journal& derived_;
  AlertList& list_;
  const state::Alerts& alerts_;
  const state::Incidents& incidents_;
  const std::string hub_;
};

}  // namespace picket::server
