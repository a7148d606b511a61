// The pipeline put together: its keys, its rules' profile, the indicators it matches and the tables it fills.
#pragma once

#include <memory>

#include "activity_sink.h"
#include "api/event_rate.h"
#include "intelligence_keeper.h"
#include "pipeline/runner.h"
#include "pipeline/workspace_sink.h"
#include "presence.h"
#include "stored_tables.h"

namespace picket::server {

class EventPipeline {
 public:
  /// Everything outlives it.
  struct Parts {
    const Options& options;
    Storage& storage;
    const StoredTables& tables;
    Presence& presence;
    const Clock& clock;
  };
  /// Goes on where the last checkpoint stands. Errors: those of the parts; malformed "secrets.fingerprint_key".
  static Result<std::unique_ptr<EventPipeline>> start(const Parts& parts);

  /// Keeps indicators up to date; it is started and stopped by the owner.
  [[nodiscard]] IntelligenceKeeper& intelligence() const { return *intelligence_; }
  /// Into the workspace, also for those who write rows besides.
  [[nodiscard]] pipeline::RowSink& rows() { return rows_; }
  [[nodiscard]] const api::EventRate& events() const { return events_; }
  [[nodiscard]] const api::EventRate& dead_letters() const { return dead_letters_; }
  /// Any thread, until stop().
  [[nodiscard]] pipeline::Stats stats() const { return runner_->stats(); }
  [[nodiscard]] std::vector<pipeline::RuleLoad> rule_loads() const { return runner_->rule_loads(); }

  /// After those who read what it makes. Idempotent.
  void stop() { runner_.reset(); }

 private:
  explicit EventPipeline(const Parts& parts);
  Result<> run(const Parts& parts);

  api::EventRate events_;
  api::EventRate dead_letters_;
  pipeline::WorkspaceSink rows_;
  ActivitySink sink_;
  std::unique_ptr<IntelligenceKeeper> intelligence_;
  std::unique_ptr<pipeline::Runner> runner_;
};

}  // namespace picket::server
