// Decisions of people about alerts, on their way through the derived journal.
#pragma once

#include "alert_list.h"
#include "api/services.h"
#include "journal/journal.h"
#include "state/alerts.h"

namespace picket::server {

class TriageDesk final : public api::AlertDesk {
 public:
  TriageDesk(journal::Journal& derived, AlertList& list, const state::Alerts& alerts)
      : derived_(derived), list_(list), alerts_(alerts) {}
  /// Blocks for the group commit and the projection, at most a few seconds. Errors: not_found (no such alert),
  /// unavailable (the journal cannot take it now, or the projection is behind: it will still be applied).
  Result<state::Alert> triage(const state::Triage& triage) override;

 private:
  journal::Journal& derived_;
  AlertList& list_;
  const state::Alerts& alerts_;
};

}  // namespace picket::server
