#include "derived_change.h"

namespace picket::pipeline {

const std::string& id_of(const DerivedChange& change) {
  if (const auto* alert = std::get_if<AlertChange>(&change)) return alert->alert_id;
  if (const auto* incident = std::get_if<IncidentChange>(&change)) return incident->incident_id;
  return std::get<RecommendationChange>(change).recommendation_id;
}

std::uint32_t number_of(const DerivedChange& change) {
  return std::visit([](const auto& one) { return one.change; }, change);
}

const Identity& device_of(const DerivedChange& change) {
  return std::visit([](const auto& one) -> const Identity& { return one.device; }, change);
}

Timestamp generated_of(const DerivedChange& change) {
  return std::visit([](const auto& one) { return one.generated; }, change);
}

journal::RecordId source_of(const DerivedChange& change) {
  return std::visit([](const auto& one) { return one.source; }, change);
}

journal::RecordKind record_kind_of(const DerivedChange& change) {
  if (std::holds_alternative<AlertChange>(change)) return journal::RecordKind::alert_change;
  if (std::holds_alternative<IncidentChange>(change)) return journal::RecordKind::incident_change;
  return journal::RecordKind::recommendation_change;
}

bool is_change(journal::RecordKind kind) {
  return kind == journal::RecordKind::alert_change || kind == journal::RecordKind::recommendation_change ||
         kind == journal::RecordKind::incident_change;
}

std::string body_of(const DerivedChange& change) {
  return std::visit([](const auto& one) { return to_json(one); }, change);
}

Result<DerivedChange> parse_derived_change(journal::RecordKind kind, std::string_view body) {
  if (kind == journal::RecordKind::alert_change) {
    TRY(auto alert, parse_alert_change(body));
    return DerivedChange(std::move(alert));
  }
  if (kind == journal::RecordKind::recommendation_change) {
    TRY(auto recommendation, parse_recommendation_change(body));
    return DerivedChange(std::move(recommendation));
  }
  if (kind == journal::RecordKind::incident_change) {
    TRY(auto incident, parse_incident_change(body));
    return DerivedChange(std::move(incident));
  }
  return fail(Errc::unsupported, "derived.kind");
}

}  // namespace picket::pipeline
