#include "alert_projections.h"

#include "journal/position.h"
#include "server_log.h"

namespace picket::server {
namespace {

std::string_view name_of(AlertEvent event) {
  switch (event) {
    case AlertEvent::raised:
      return "raised";
    case AlertEvent::updated:
      return "updated";
    case AlertEvent::triaged:
      return "triaged";
  }
  return "updated";
}

}  // namespace

AlertProjections::AlertProjections(Storage& storage, api::Live& live, const std::string& hub)
    : live_(live),
      alerts_(
          storage.state.alerts, storage.state.incidents,
          [this](AlertEvent event, const state::Alert& alert) { tell(event, alert); },
          [this](const state::Incident& incident) { live_.incident(api::incident_json(incident)); }),
      triage_source_(alerts_, storage.state.alerts, storage.state.incidents),
      recommendations_(storage.state.recommendations),
      triage_(*storage.derived, alerts_, storage.state.alerts, storage.state.incidents, hub) {}

Result<std::unique_ptr<AlertProjections>> AlertProjections::start(Storage& storage, pipeline::RowSink& rows,
                                                                  api::Live& live, const std::string& hub) {
  std::unique_ptr<AlertProjections> out(new AlertProjections(storage, live, hub));
  TRY_VOID(out->run(storage, rows));
  return out;
}

Result<> AlertProjections::run(Storage& storage, pipeline::RowSink& rows) {
  TRY(table_projector_, pipeline::start_alert_table(*storage.derived, rows, storage.data.installation_id(),
                                                    log_to("alert table"), &triage_source_));
  TRY(const std::string applied, storage.state.alerts.position());
  if (!applied.empty()) {
    TRY(const auto position, journal::Position::parse(applied));
    alerts_.resume(position);
  }
  TRY(alert_projector_, pipeline::start_batch_projector(
                            "alert-list", applied, *storage.derived,
                            [this](std::span<const journal::RecordView> records, const journal::Position& after) {
                              return alerts_.apply(records, after);
                            },
                            log_to("alert list")));
  TRY(const std::string recommended, storage.state.recommendations.position());
  TRY(recommendation_projector_, pipeline::start_projector(
                                     "recommendation-list", recommended, *storage.derived,
                                     [this](const journal::RecordView& record, const journal::Position& after) {
                                       return recommendations_.apply(record, after);
                                     },
                                     log_to("recommendation list")));
  return {};
}

void AlertProjections::tell(AlertEvent event, const state::Alert& alert) {
  live_.alert(api::alert_change_json(name_of(event), alert));
  if (event == AlertEvent::raised) self_tests_.raised(alert);
  live_.device_changed(alert.device_id);
}

void AlertProjections::stop() {
  recommendation_projector_.reset();
  alert_projector_.reset();
  table_projector_.reset();
}

}  // namespace picket::server
