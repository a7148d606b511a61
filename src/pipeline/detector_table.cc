#include "behavior/behavior.h"
#include "detector.h"
#include "intelligence/indicators.h"
#include "rules/sigma_rules.h"

namespace picket::pipeline {
namespace {

using message::EventKind;

constexpr EventKind kAccounts[] = {EventKind::LocalUsers};
constexpr EventKind kConnections[] = {EventKind::ConnectionCreate};
constexpr EventKind kFiles[] = {EventKind::FileSystem};
constexpr EventKind kLogins[] = {EventKind::Login};
constexpr EventKind kProcesses[] = {EventKind::ProcessCreate};
constexpr EventKind kProcessesAndConnections[] = {EventKind::ProcessCreate, EventKind::ConnectionCreate};
constexpr EventKind kMining[] = {EventKind::ProcessCreate, EventKind::ProcessTerminate, EventKind::ConnectionCreate};
constexpr EventKind kProcessesAndFiles[] = {EventKind::ProcessCreate, EventKind::FileSystem};
constexpr EventKind kProcessesAndHardware[] = {EventKind::ProcessCreate, EventKind::Peripheral};
constexpr EventKind kSelfTests[] = {EventKind::SelfTest};
constexpr EventKind kListed[] = {EventKind::ProcessCreate, EventKind::ConnectionCreate, EventKind::Dns,
                                 EventKind::Login, EventKind::FileSystem};
constexpr EventKind kLookUps[] = {EventKind::Dns};
constexpr EventKind kSettings[] = {EventKind::ConfigurationError};

/// Everything that rules can be written for.
constexpr EventKind kRuled[] = {EventKind::ProcessCreate,
                                EventKind::ProcessTerminate,
                                EventKind::ConnectionCreate,
                                EventKind::ListeningPorts,
                                EventKind::Dns,
                                EventKind::FirewallConfiguration,
                                EventKind::Login,
                                EventKind::LocalUsers,
                                EventKind::FileSystem,
                                EventKind::Peripheral};

constexpr DetectorEntry kDetectors[] = {
    {"behavior.beacon", "IoT_Beaconing", "Connections that come as regularly as a program makes them", kConnections,
     make_beacon},
    {"behavior.bot_chain", "IoT_CommonBots", "A file fetched, made executable, run and wiped, as bots do it",
     kProcessesAndFiles, make_bot_chain},
    {"behavior.brute_force", "IoT_BruteForceFailed, IoT_BruteForceSuccess",
     "Failed logins of one address, and a success after them", kLogins, make_brute_force},
    {"behavior.configuration_error", "IoT_TwinConfigurationParseFailure", "Settings that the agent could not use",
     kSettings, make_configuration_error},
    {"behavior.dns_tunnel", "IoT_DnsTunnel", "Data carried in the names that are looked up", kLookUps, make_dns_tunnel},
    {"behavior.file_encryption", "IoT_Ransomware", "One program gives many files one new ending", kFiles,
     make_file_encryption},
    {"behavior.generated_names", "IoT_GeneratedNames", "Look-ups of domains that a program made up", kLookUps,
     make_generated_names},
    {"behavior.hardware", "IoT_UnusualHardware, IoT_RemovableMediaExecution",
     "Hardware that no device of the model had, and programs run from a stick", kProcessesAndHardware, make_hardware},
    {"behavior.indicators",
     "IoT_TiConnection, IoT_MaliciousNameQueriesDetection, IoT_PossibleMalware, IoT_MaliciousFile",
     "Addresses, names, URLs and files that threat intelligence lists", kListed, make_indicators},
    {"behavior.local_accounts", "IoT_LocalUserAddedToGroup, IoT_LocalUserRemovedFromGroup, IoT_LocalUserDeleted",
     "Differences between two lists of local users", kAccounts, make_local_accounts},
    {"behavior.miner", "IoT_MinerBehavior",
     "A busy processor, a long quiet connection, a processor tuned: two of three", kMining, make_miner},
    {"behavior.network_scan", "IoT_NetworkScan, IoT_NetworkSpreading",
     "Many hosts or ports tried in vain, and hosts tried on the ports that bots spread over", kProcessesAndConnections,
     make_network_scan},
    {"behavior.password_spray", "IoT_PasswordSpray", "Many users, or many devices, tried from one address", kLogins,
     make_password_spray},
    {"behavior.persistence", "IoT_Persistence", "Changes where programs are started again", kProcessesAndFiles,
     make_persistence},
    {"behavior.privilege", "IoT_PrivilegeEscalation", "A process of root whose parent was not, and files that make one",
     kProcessesAndFiles, make_privilege},
    {"behavior.reverse_shell", "IoT_ReverseShell", "A shell whose input is a connection", kProcesses,
     make_reverse_shell},
    {"behavior.self_test", "IoT_SelfTest", "The self-test of an agent", kSelfTests, make_self_test},
    {"behavior.shell_connection", "IoT_ReverseShell", "A shell that connects by itself", kConnections,
     make_shell_connection},
    {"behavior.slow_scan", "IoT_NetworkScan", "Hosts and ports tried in vain over a day, however slowly", kConnections,
     make_slow_scan},
    {"behavior.traffic_volume", "IoT_UnusualUpload, IoT_DenialOfService",
     "Far more sent, or far more connections, than is usual for the device", kConnections, make_traffic_volume},
    {"behavior.unusual_login", "IoT_UnusualLogin", "A user from a network, or at an hour, that the model has not seen",
     kLogins, make_unusual_login},
    {"behavior.web_shell", "IoT_WebShell", "Tools of reconnaissance below a web server", kProcessesAndFiles,
     make_web_shell},
    {"sigma", "", "", kRuled, make_sigma_rules},
};

}  // namespace

std::span<const DetectorEntry> all_detectors() { return kDetectors; }

}  // namespace picket::pipeline
