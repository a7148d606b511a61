// ATT&CK ids before and after version 19, which took Defense Evasion apart. Alerts speak v19; rules and SIEMs may speak
// v15 to v18.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace picket::pipeline {

/// Today's id of a technique: "T1562.004" -> "T1686"; other ids as they are.
std::string_view current_technique(std::string_view id);
/// Ids that became this one, oldest first: "T1686" -> {"T1562.004"}.
std::vector<std::string_view> former_techniques(std::string_view id);

/// One row of the table.
struct TechniqueAlias {
  std::string_view before;
  std::string_view now;
};
/// The whole table, by `before`.
const std::vector<TechniqueAlias>& technique_aliases();

}  // namespace picket::pipeline
