// Detectors of the hub's own records: one file each, one line each in hub_detector_table.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hub_detector.h"

namespace picket::pipeline {

std::unique_ptr<HubDetector> make_administration();
std::unique_ptr<HubDetector> make_credentials();

/// A finding with what every finding about a hub record says: when, from where, by whom, and the record as evidence.
HubFinding finding_of(const HubRecord& record, std::string_view alert_type, std::string group_key = {});

}  // namespace picket::pipeline
