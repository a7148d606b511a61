#include "derived_change.h"

namespace picket::pipeline {

const std::string& id_of(const DerivedChange& change) {
  const auto* alert = std::get_if<AlertChange>(&change);
  return alert != nullptr ? alert->alert_id : std::get<RecommendationChange>(change).recommendation_id;
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
  return std::holds_alternative<AlertChange>(change) ? journal::RecordKind::alert_change
                                                     : journal::RecordKind::recommendation_change;
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
  return fail(Errc::unsupported, "derived.kind");
}

}  // namespace picket::pipeline
