// Runs scheduled analytics rules when they are due: query, evaluation, alerts and incidents into the derived journal.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <thread>

#include "analytics/rule_file.h"
#include "api/analytics_desk.h"
#include "durable_group.h"
#include "journal/journal.h"
#include "kql/schema.h"
#include "pipeline/alert.h"
#include "state/analytics.h"
#include "state/incidents.h"
#include "workspace/workspace.h"

namespace picket::server {

/// Owns one thread of low priority. A run that is repeated after a crash makes the same alerts, by id.
class AnalyticsRunner final : public api::AnalyticsDesk {
 public:
  struct Parts {
    state::Analytics& rules;
    const state::Incidents& incidents;  ///< A projection of `derived`.
    workspace::Workspace& workspace;
    std::function<kql::Schema()> schema;  ///< With the stored functions of the moment. Any thread.
    journal::Journal& derived;
    const Clock& clock;
    std::string hub;
    std::string installation_id;
    /// Events come a little after they happened: a run looks at the time up to so long ago.
    Duration ingestion_delay = Duration::minutes(5);
  };

  explicit AnalyticsRunner(Parts parts) : parts_(std::move(parts)) {}
  ~AnalyticsRunner() override { stop(); }

  void start();
  void stop();

  [[nodiscard]] std::optional<std::string> problem(const analytics::Rule& rule) const override;
  [[nodiscard]] std::vector<api::RuleTrial> try_out(const analytics::Rule& rule, Timestamp from, Timestamp to,
                                                    const std::stop_token& end) const override;

  /// Runs what is due now, each rule at most once; what the thread does every few seconds.
  void run_due(const std::stop_token& end);

  struct Stats {
    std::uint64_t runs = 0;
    std::uint64_t failures = 0;
    std::uint64_t alerts = 0;
    std::uint64_t incident_changes = 0;
  };
  [[nodiscard]] Stats stats() const { return {runs_, failures_, alerts_, incident_changes_}; }

 private:
  struct Known {
    Timestamp changed;
    analytics::Rule rule;
  };
  [[nodiscard]] pipeline::AlertChange change_of(const analytics::Rule& rule, const analytics::Alert& alert,
                                                Timestamp run) const;
  Result<> append(journal::RecordKind kind, const Identity& identity, const std::string& body, DurableGroup& group);
  [[nodiscard]] std::expected<analytics::Table, std::string> query(const analytics::Rule& rule,
                                                                   const analytics::Window& window,
                                                                   const std::stop_token& end) const;
  const analytics::Rule* rule_of(const state::AnalyticsRuleRow& row);
  void run(const state::AnalyticsRuleRow& row, const analytics::Rule& rule, const std::stop_token& end);
  Result<> raise(const analytics::Rule& rule, const std::vector<analytics::Alert>& alerts,
                 const analytics::Window& window, analytics::IncidentMemory& memory);

  Parts parts_;
  std::map<std::string, Known> known_;  ///< By id; the thread's own.
  std::atomic<std::uint64_t> runs_ = 0;
  std::atomic<std::uint64_t> failures_ = 0;
  std::atomic<std::uint64_t> alerts_ = 0;
  std::atomic<std::uint64_t> incident_changes_ = 0;
  std::jthread thread_;
};

}  // namespace picket::server
