#include "behavior/behavior.h"
#include "detector.h"
#include "rules/sigma_rules.h"

namespace picket::pipeline {
namespace {

using message::EventKind;

constexpr EventKind kAccounts[] = {EventKind::LocalUsers};
constexpr EventKind kConnections[] = {EventKind::ConnectionCreate};
constexpr EventKind kFiles[] = {EventKind::FileSystem};
constexpr EventKind kLogins[] = {EventKind::Login};
constexpr EventKind kProcesses[] = {EventKind::ProcessCreate};
constexpr EventKind kProcessesAndFiles[] = {EventKind::ProcessCreate, EventKind::FileSystem};
constexpr EventKind kProcessesAndHardware[] = {EventKind::ProcessCreate, EventKind::Peripheral};
constexpr EventKind kSelfTests[] = {EventKind::SelfTest};
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
    {.name = "behavior.beacon", .kinds = kConnections, .make = make_beacon},
    {.name = "behavior.bot_chain", .kinds = kProcessesAndFiles, .make = make_bot_chain},
    {.name = "behavior.brute_force", .kinds = kLogins, .make = make_brute_force},
    {.name = "behavior.configuration_error", .kinds = kSettings, .make = make_configuration_error},
    {.name = "behavior.dns_tunnel", .kinds = kLookUps, .make = make_dns_tunnel},
    {.name = "behavior.file_encryption", .kinds = kFiles, .make = make_file_encryption},
    {.name = "behavior.generated_names", .kinds = kLookUps, .make = make_generated_names},
    {.name = "behavior.hardware", .kinds = kProcessesAndHardware, .make = make_hardware},
    {.name = "behavior.local_accounts", .kinds = kAccounts, .make = make_local_accounts},
    {.name = "behavior.network_scan", .kinds = kConnections, .make = make_network_scan},
    {.name = "behavior.password_spray", .kinds = kLogins, .make = make_password_spray},
    {.name = "behavior.persistence", .kinds = kFiles, .make = make_persistence},
    {.name = "behavior.privilege", .kinds = kProcessesAndFiles, .make = make_privilege},
    {.name = "behavior.reverse_shell", .kinds = kProcesses, .make = make_reverse_shell},
    {.name = "behavior.self_test", .kinds = kSelfTests, .make = make_self_test},
    {.name = "behavior.shell_connection", .kinds = kConnections, .make = make_shell_connection},
    {.name = "behavior.traffic_volume", .kinds = kConnections, .make = make_traffic_volume},
    {.name = "behavior.unusual_login", .kinds = kLogins, .make = make_unusual_login},
    {.name = "behavior.web_shell", .kinds = kProcessesAndFiles, .make = make_web_shell},
    {.name = "sigma", .kinds = kRuled, .make = make_sigma_rules},
};

}  // namespace

std::span<const DetectorEntry> all_detectors() { return kDetectors; }

}  // namespace picket::pipeline
