#include "recommendation_list.h"

#include "base/server/log.h"
#include "pipeline/recommendation.h"

namespace picket::server {

Result<> RecommendationList::apply(const journal::RecordView& record, const journal::Position& after) {
  if (record.kind != journal::RecordKind::recommendation_change) return {};
  const std::string position = after.to_text();
  const auto change = pipeline::parse_recommendation_change(as_text(record.body));
  if (!change) {
    ++rejected_;
    log::error("recommendations", "record {} is passed by: {}", to_text(record.id), describe(change.error()));
    return recommendations_.set_position(position);
  }
  TRY(const bool changed, recommendations_.apply({.recommendation_id = change->recommendation_id,
                                                  .type = change->type,
                                                  .display_name = change->display_name,
                                                  .severity = change->severity,
                                                  .state = std::string(to_string(change->state)),
                                                  .hub = change->device.hub,
                                                  .device_id = change->device.device_id,
                                                  .first = change->first_evaluated,
                                                  .updated = change->generated,
                                                  .source = change->source.sequence,
                                                  .change = change->change,
                                                  .json = std::string(as_text(record.body))},
                                                 position));
  changes_ += changed ? 1 : 0;
  return {};
}

}  // namespace picket::server
