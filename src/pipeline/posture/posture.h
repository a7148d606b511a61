// Recommendations that the events of agents give (spec catalogue, section 7): one file each, one line each in
// hub_detector_table.cc.
#pragma once

#include <memory>

#include "hub_detector.h"

namespace picket::pipeline {

/// IoT_AgentSendsUnutilizedMessages; in the parity profile only.
std::unique_ptr<HubDetector> make_agent_messages();
/// IoT_TwinConfigurationNotOptimal, IoT_TwinConfigurationConflict.
std::unique_ptr<HubDetector> make_agent_settings();
/// IoT_Baseline, and IoT_CISBenchmarks_… for each check that fails.
std::unique_ptr<HubDetector> make_baseline();
/// IoT_PermissiveFirewallPolicy, IoT_PermissiveInputFirewallRules, IoT_PermissiveOutputFirewallRules.
std::unique_ptr<HubDetector> make_firewall();
/// IoT_OpenPorts.
std::unique_ptr<HubDetector> make_open_ports();

}  // namespace picket::pipeline
