#include "custom/custom_rules.h"
#include "hub_detector.h"
#include "hub_rules/hub_rules.h"
#include "posture/posture.h"

namespace picket::pipeline {
namespace {

constexpr HubDetectorEntry kDetectors[] = {
    {.name = "hub.administration", .make = make_administration},
    {.name = "hub.credentials", .make = make_credentials},
    {.name = "hub.shared_credentials", .make = make_shared_credentials},
    {.name = "hub.tls", .make = make_tls},
    {.name = "hub.ip_filter", .make = make_ip_filter},
    {.name = "hub.logging", .make = make_logging},
    {.name = "hub.fleet", .make = make_fleet, .messages = true},
    {.name = "hub.edge", .make = make_edge},
    {.name = "hub.certificates", .make = make_certificates},
    {.name = "hub.sessions", .make = make_sessions},
    {.name = "hub.silence", .make = make_silence, .messages = true},
    {.name = "hub.traits", .make = make_traits, .messages = true},
    {.name = "hub.origin", .make = make_origin},
    {.name = "posture.agent_messages", .make = make_agent_messages, .messages = true},
    {.name = "posture.agent_settings", .make = make_agent_settings, .events = true},
    {.name = "posture.baseline", .make = make_baseline, .events = true},
    {.name = "posture.firewall", .make = make_firewall, .events = true},
    {.name = "posture.open_ports", .make = make_open_ports, .events = true},
    {.name = "custom.rules", .make = make_custom_rules, .events = true},
};

}  // namespace

std::span<const HubDetectorEntry> all_hub_detectors() { return kDetectors; }

}  // namespace picket::pipeline
