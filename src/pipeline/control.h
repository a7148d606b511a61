// Bodies of the records that change what the pipeline does: docs/formats/control-records.md.
#pragma once

#include <string>
#include <string_view>

#include "base/core/result.h"
#include "pipeline/catalogue.h"

namespace picket::pipeline {

struct RulesChange {
  Profile profile = Profile::standard;
};

/// {"Group":"name"} Errors: malformed.
Result<std::string> parse_group_change(std::string_view json);
/// {"Profile":"default"|"parity"} Errors: malformed.
Result<RulesChange> parse_rules_change(std::string_view json);

}  // namespace picket::pipeline
