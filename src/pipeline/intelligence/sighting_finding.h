// Sightings of indicators as findings.
#pragma once

#include "detector.h"
#include "pipeline/indicators.h"

namespace picket::pipeline {

Finding finding_of(const IndicatorSighting& sighting, const DetectorEvent& event);
/// Of stored events; the alert says so.
Finding finding_of(const RetroHit& hit, const RetroHunt& hunt);

}  // namespace picket::pipeline
