// Recommendations as the pipeline makes them: each change of state is a record of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/identity.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "journal/position.h"
#include "workspace/rows.h"

namespace picket::pipeline {

enum class RecommendationState : std::uint8_t { active, resolved };
/// "Active", "Resolved".
std::string_view to_string(RecommendationState state);

/// One change of one recommendation: docs/formats/recommendation.md. Number 0 is its first; a higher one replaces what
/// was known.
struct RecommendationChange {
  std::string recommendation_id;  ///< UUID form; a function of hub, device and type.
  std::uint32_t change = 0;
  std::string type;  ///< E.g. IoT_SharedCredentials.
  std::string display_name;
  std::string severity;  ///< Low, Medium, High.
  std::string description;
  std::vector<std::string> remediation;
  Identity device;  ///< Device empty: the hub itself.
  RecommendationState state{};
  std::string rule;         ///< The detector.
  std::string data = "{}";  ///< RecommendationAdditionalData: a JSON object.
  Timestamp discovered;     ///< When this change was seen.
  Timestamp first_evaluated;
  Timestamp state_changed;
  std::optional<Timestamp> resolved;
  Timestamp generated;  ///< Enqueued time of the record that caused this change.
  journal::RecordId source;

  friend bool operator==(const RecommendationChange&, const RecommendationChange&) = default;
};

/// Body of a derived journal record of kind recommendation_change.
std::string to_json(const RecommendationChange& change);
/// Errors: malformed "recommendation.…", unsupported "recommendation.format".
Result<RecommendationChange> parse_recommendation_change(std::string_view json);

/// The recommendation of one type about one device of a hub.
std::string make_recommendation_id(std::string_view hub, std::string_view device_id, std::string_view type);

/// Appends the cells of one SecurityRecommendation row (spec tables-and-portal, section 1.4), as security_alert_cells
/// does.
void security_recommendation_cells(const RecommendationChange& change, std::string_view installation_id,
                                   std::deque<std::string>& texts, std::vector<workspace::Cell>& cells);

}  // namespace picket::pipeline
