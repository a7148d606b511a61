// The detector of indicators.
#pragma once

#include <memory>

#include "detector.h"

namespace picket::pipeline {

/// IoT_TiConnection, IoT_MaliciousNameQueriesDetection, IoT_PossibleMalware, IoT_MaliciousFile: what a device connects
/// to, looks up, fetches and runs, against the set of indicators in force.
std::unique_ptr<Detector> make_indicators();

}  // namespace picket::pipeline
