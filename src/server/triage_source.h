// What the state knows of alerts and incidents, for the tables of the workspace.
#pragma once

#include "alert_list.h"
#include "pipeline/projector.h"
#include "state/alerts.h"
#include "state/incidents.h"

namespace picket::server {

class StateTriageSource final : public pipeline::TriageSource {
 public:
  StateTriageSource(AlertList& list, const state::Alerts& alerts, const state::Incidents& incidents)
      : list_(list), alerts_(alerts), incidents_(incidents) {}

  bool wait_applied(journal::RecordId id) override;
  Result<std::string> status_at(std::string_view alert_id, journal::RecordId record) override;
  Result<std::vector<AlertState>> triaged_by(journal::RecordId record) override;
  Result<std::vector<pipeline::IncidentRow>> incidents_of(journal::RecordId record) override;

 private:
  AlertList& list_;
  const state::Alerts& alerts_;
  const state::Incidents& incidents_;
};

}  // namespace picket::server
