// Detectors that know how attacks behave; one file each.
#pragma once

#include <memory>

#include "detector.h"

namespace picket::pipeline {

/// IoT_Beaconing.
std::unique_ptr<Detector> make_beacon();
/// IoT_CommonBots: the chain of steps by which a bot comes onto a device.
std::unique_ptr<Detector> make_bot_chain();
/// IoT_BruteForceFailed, IoT_BruteForceSuccess.
std::unique_ptr<Detector> make_brute_force();
/// IoT_TwinConfigurationParseFailure.
std::unique_ptr<Detector> make_configuration_error();
/// IoT_DnsTunnel.
std::unique_ptr<Detector> make_dns_tunnel();
/// IoT_Ransomware, by what happens to files.
std::unique_ptr<Detector> make_file_encryption();
/// IoT_GeneratedNames.
std::unique_ptr<Detector> make_generated_names();
/// IoT_UnusualHardware, IoT_RemovableMediaExecution.
std::unique_ptr<Detector> make_hardware();
/// IoT_LocalUserAddedToGroup, IoT_LocalUserRemovedFromGroup, IoT_LocalUserDeleted.
std::unique_ptr<Detector> make_local_accounts();
/// IoT_MinerBehavior: two of three signs.
std::unique_ptr<Detector> make_miner();
/// IoT_NetworkScan, IoT_NetworkSpreading.
std::unique_ptr<Detector> make_network_scan();
/// IoT_PasswordSpray: over the names of a device, and over the devices of a hub.
std::unique_ptr<Detector> make_password_spray();
/// IoT_Persistence.
std::unique_ptr<Detector> make_persistence();
/// IoT_PrivilegeEscalation.
std::unique_ptr<Detector> make_privilege();
/// IoT_ReverseShell, by what standard input and output are.
std::unique_ptr<Detector> make_reverse_shell();
/// IoT_SelfTest.
std::unique_ptr<Detector> make_self_test();
/// IoT_ReverseShell, by the connections of shells.
std::unique_ptr<Detector> make_shell_connection();
/// IoT_NetworkScan, over a day: threshold random walk.
std::unique_ptr<Detector> make_slow_scan();
/// IoT_UnusualUpload, IoT_DenialOfService.
std::unique_ptr<Detector> make_traffic_volume();
/// IoT_UnusualLogin.
std::unique_ptr<Detector> make_unusual_login();
/// IoT_WebShell, by ancestors.
std::unique_ptr<Detector> make_web_shell();

}  // namespace picket::pipeline
