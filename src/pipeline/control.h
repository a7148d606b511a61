// Bodies of the records that change what the pipeline does: docs/formats/control-records.md.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/result.h"
#include "pipeline/catalogue.h"

namespace picket::pipeline {

/// What a rules_change record changes; the rest stays as it is.
struct RulesChange {
  std::optional<Profile> profile;
  std::vector<std::pair<std::string, bool>> recommendations;  ///< Type -> enabled.
  struct SecurityGroup {
    std::string hub;
    std::string name;
    std::string resource;  ///< JSON of the device security group; empty: deleted.
  };
  std::optional<SecurityGroup> security_group;
  struct SigmaRule {
    std::string name;                 ///< Of a file of rules; for `enabled`, the id of one rule.
    std::optional<std::string> yaml;  ///< The file's new text; empty: it is gone.
    std::optional<bool> enabled;
  };
  std::optional<SigmaRule> sigma_rule;
};

/// {"Group":"name"} Errors: malformed.
Result<std::string> parse_group_change(std::string_view json);
/// {"Profile":"default"|"parity","Recommendations":{type:"Enabled"|"Disabled"},
///  "DeviceSecurityGroup":{"Hub":…,"Name":…,"Resource":{…}}}; each may be absent. Errors: malformed.
Result<RulesChange> parse_rules_change(std::string_view json);

}  // namespace picket::pipeline
