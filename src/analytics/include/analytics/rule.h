// A scheduled analytics rule as Sentinel has it: a query that runs now and then, and what its rows become.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/time.h"

namespace picket::analytics {

enum class Trigger : std::uint8_t { greater, less, equal, not_equal };

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

/// Columns that make an entity: type "IP", fields {Address, ColumnName}.
struct EntityMapping {
  std::string type;
  NamedTexts fields;  ///< Identifier and column.
};

/// Parts of an alert that its rows say. A format holds {{Column}}; empty: as the rule says.
struct Overrides {
  std::string name_format;
  std::string description_format;
  std::string severity_column;
  std::string tactics_column;
  NamedTexts properties;  ///< AlertLink, ConfidenceLevel, ProductName, ProviderName, RemediationSteps, … and column.
};

/// What alerts become one incident.
struct Incidents {
  enum class Matching : std::uint8_t { all_entities, any_alert, selected };
  bool create = true;
  bool group = false;  ///< False: each alert is an incident of its own.
  bool reopen = false;
  Duration lookback = Duration::hours(5);
  Matching matching = Matching::all_entities;
  std::vector<std::string> by_entities;  ///< Types; with `selected`.
  std::vector<std::string> by_details;   ///< displayName, severity.
  std::vector<std::string> by_custom;    ///< Labels of custom details.
};

struct Rule {
  std::string id;
  std::string name;
  std::string description;
  std::string severity = "Medium";  ///< Informational, Low, Medium, High.
  std::string version;
  bool enabled = true;
  bool near_real_time = false;
  std::string query;
  Duration frequency = Duration::hours(1);
  Duration period = Duration::hours(1);
  Trigger trigger = Trigger::greater;
  std::int64_t threshold = 0;
  std::vector<std::string> tactics;
  std::vector<std::string> techniques;  ///< T1059; T1059.004 stands in sub_techniques too.
  std::vector<std::string> sub_techniques;
  std::vector<EntityMapping> entities;
  std::vector<std::string> entity_columns;  ///< Columns that hold entities as JSON.
  NamedTexts custom_details;                ///< Label and column.
  Overrides overrides;
  bool alert_per_result = false;
  bool suppression = false;
  Duration suppression_time = Duration::hours(5);
  Incidents incidents;
};

/// Whether that many rows fire the rule.
bool fires(const Rule& rule, std::int64_t rows);

}  // namespace picket::analytics
