// Sigma rules as a detector.
#pragma once

#include <memory>

#include "detector.h"

namespace picket::pipeline {

/// Runs the rules of content/rules/ and those of operators (rules_change records) over all events; alerts as the rules
/// name them, or under a rule's own title.
std::unique_ptr<Detector> make_sigma_rules();

}  // namespace picket::pipeline
