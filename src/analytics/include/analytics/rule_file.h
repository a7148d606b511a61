// Files of rules: Sentinel's analytic-rule YAML, and ARM templates in JSON that hold alert rules or rule templates.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analytics/rule.h"

namespace picket::analytics {

inline constexpr std::size_t kRuleFileBytesMax = 8U << 20;
inline constexpr Duration kFrequencyMin = Duration::minutes(1);
inline constexpr Duration kPeriodMax = Duration::days(14);

struct RuleFile {
  std::vector<Rule> rules;
  std::vector<std::string> complaints;  ///< What could not be used, each a sentence that names the rule.
};

/// Reads one file. A rule with a mistake is left out and told; unknown members are left alone. Never fails otherwise.
RuleFile read_rule_file(std::string_view text);

/// One rule alone as JSON that read_rule_file() reads, for storing rules of a file apart.
std::string to_json(const Rule& rule);

}  // namespace picket::analytics
