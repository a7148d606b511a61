// What people work with - alerts, incidents, recommendations - kept in step with the derived journal.
#pragma once

#include <memory>

#include "alert_list.h"
#include "api/server.h"
#include "pipeline/projector.h"
#include "pipeline/row_sink.h"
#include "recommendation_list.h"
#include "self_test_confirmer.h"
#include "storage.h"
#include "triage_desk.h"
#include "triage_source.h"

namespace picket::server {

class AlertProjections {
 public:
  /// From where each of them stands in the state. `storage`, `rows` and `live` outlive it. Errors: of state and
  /// journal.
  static Result<std::unique_ptr<AlertProjections>> start(Storage& storage, pipeline::RowSink& rows, api::Live& live,
                                                         const std::string& hub);

  [[nodiscard]] const AlertList& alerts() const { return alerts_; }
  [[nodiscard]] TriageDesk& triage() { return triage_; }
  /// Agents wait for the alerts of their self tests; told through the hub, which starts later and ends earlier.
  [[nodiscard]] SelfTestConfirmer& self_tests() { return self_tests_; }

  /// Before the pipeline. Idempotent.
  void stop();

 private:
  AlertProjections(Storage& storage, api::Live& live, const std::string& hub);
  Result<> run(Storage& storage, pipeline::RowSink& rows);
  void tell(AlertEvent event, const state::Alert& alert);

  api::Live& live_;
  SelfTestConfirmer self_tests_;
  AlertList alerts_;
  StateTriageSource triage_source_;
  RecommendationList recommendations_;
  TriageDesk triage_;
  std::unique_ptr<pipeline::Projector> table_projector_;
  std::unique_ptr<pipeline::Projector> alert_projector_;
  std::unique_ptr<pipeline::Projector> recommendation_projector_;
};

}  // namespace picket::server
