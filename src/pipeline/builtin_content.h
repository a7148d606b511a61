// Files of content/ that are part of the program.
#pragma once

#include <string_view>

namespace picket::pipeline {

extern const std::string_view kAlertsYaml;
extern const std::string_view kRulesYaml;  ///< All of content/rules, one YAML document after another.
extern const std::string_view kRecommendationsYaml;

}  // namespace picket::pipeline
