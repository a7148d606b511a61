// Rules of operators that keep known alerts out of the way: what matches is stored as dismissed, with the rule's id.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/core/result.h"
#include "base/core/time.h"

namespace picket::pipeline {

inline constexpr std::size_t kSuppressionTextBytesMax = 1024;

/// Each member that is not empty must match. `*` stands for any text and `?` for one byte in device, entity value and
/// field value.
struct Suppression {
  std::string id;
  std::string name;
  std::string reason;  ///< Why: never empty.
  std::string device;
  std::string group;         ///< Device security group.
  std::string type;          ///< AlertType, case ignored.
  std::string rule;          ///< As alerts name it, e.g. "behavior.brute_force" or the id of a Sigma rule.
  std::string entity_type;   ///< "ip", "account", "process", "file", "dns"; empty: any.
  std::string entity_value;  ///< Of any member of the entity.
  std::string field_name;    ///< Of the extended properties, case ignored.
  std::string field_value;
  std::optional<Timestamp> expires;  ///< From then on it matches nothing.
  bool enabled = true;

  friend bool operator==(const Suppression&, const Suppression&) = default;
};

/// {"name", "reason", "match": {"device", "group", "type", "rule", "entity": {"type", "value"}, "field": {"name",
/// "value"}}, "expires", "enabled"}. Errors: malformed "suppression.…" (nothing to match, no reason, unknown members).
Result<Suppression> parse_suppression(std::string_view json);
/// Its JSON, whole; with the id.
std::string to_json(const Suppression& suppression);

/// Whether `text` fits the pattern.
bool glob_match(std::string_view pattern, std::string_view text);

}  // namespace picket::pipeline
