#include "hub_detector.h"
#include "hub_rules/hub_rules.h"

namespace picket::pipeline {
namespace {

constexpr HubDetectorEntry kDetectors[] = {
    {.name = "hub.administration", .make = make_administration},
    {.name = "hub.credentials", .make = make_credentials},
};

}  // namespace

std::span<const HubDetectorEntry> all_hub_detectors() { return kDetectors; }

}  // namespace picket::pipeline
