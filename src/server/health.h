// The server's counters in one place, for the API and /metrics.
#pragma once

#include <functional>

#include "alert_list.h"
#include "api/event_rate.h"
#include "api/services.h"
#include "housekeeper.h"
#include "journal/journal.h"
#include "pipeline/stats.h"
#include "workspace/workspace.h"

namespace picket::server {

/// Everything referred to outlives it.
class Health final : public api::Health {
 public:
  struct Parts {
    std::function<std::vector<api::CounterGroup>()> hub;
    const journal::Journal& messages;
    const journal::Journal& derived;
    std::function<pipeline::Stats()> pipeline;
    std::function<std::vector<pipeline::RuleLoad>()> rule_loads;
    const workspace::Workspace& workspace;
    const AlertList& alerts;
    const Housekeeper& housekeeper;
    const api::EventRate& rate;
    const api::EventRate& dead_letter_rate;
    const Clock& clock;
    std::function<api::CounterGroup()> software{};
  };
  explicit Health(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] std::vector<api::CounterGroup> counters() const override;
  [[nodiscard]] api::Lag lag() const override;
  [[nodiscard]] std::vector<pipeline::RuleLoad> rule_loads() const override { return parts_.rule_loads(); }
  [[nodiscard]] api::DeadLetters dead_letters() const override;
  [[nodiscard]] std::vector<api::MinuteCount> events_per_minute(Timestamp now) const override;
  [[nodiscard]] double events_per_second(Timestamp now) const override;

 private:
  Parts parts_;
};

}  // namespace picket::server
