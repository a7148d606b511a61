// Incidents of scheduled analytics rules: which alerts of a run go into which incident, as changes of the derived
// journal.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analytics/evaluate.h"
#include "pipeline/alert.h"
#include "pipeline/incident.h"
#include "state/incidents.h"

namespace picket::server {

/// Gathers the alerts of one run. The thread of the rules only.
class RuleIncidents {
 public:
  RuleIncidents(const state::Incidents& incidents, std::string hub, const analytics::Rule& rule,
                analytics::IncidentMemory& memory, Timestamp now)
      : incidents_(incidents), hub_(std::move(hub)), rule_(rule), memory_(memory), now_(now) {}

  /// Puts the alert into its incident. Errors: unavailable, the incident's last change is in the journal and not in
  /// state yet: the run is to be repeated a little later.
  Result<> add(const analytics::Alert& alert, const pipeline::AlertChange& change, Timestamp run);
  /// The incidents as they are now, each once; those that had all the alerts already are left out.
  std::vector<pipeline::IncidentChange> take();

 private:
  struct Gathered {
    pipeline::IncidentChange change;
    bool grown = false;
  };
  [[nodiscard]] std::string id_of(std::string_view incident) const;
  Result<pipeline::IncidentChange> begin(const analytics::Placement& place, const pipeline::AlertChange& alert) const;

  const state::Incidents& incidents_;
  std::string hub_;
  const analytics::Rule& rule_;
  analytics::IncidentMemory& memory_;
  Timestamp now_;
  std::map<std::string, Gathered, std::less<>> gathered_;  ///< By the memory's key.
};

}  // namespace picket::server
