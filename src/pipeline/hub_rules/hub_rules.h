// Detectors of the hub's own records: one file each, one line each in hub_detector_table.cc.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hub_detector.h"

namespace picket::pipeline {

/// The six alerts about certificates and diagnostic settings.
std::unique_ptr<HubDetector> make_administration();
/// The four alerts about credentials that do not hold.
std::unique_ptr<HubDetector> make_credentials();
/// IoT_SharedCredentials.
std::unique_ptr<HubDetector> make_shared_credentials();
/// IoT_VulnerableTLSCipherSuite; IoT_WeakTlsAttempt.
std::unique_ptr<HubDetector> make_tls();
/// IoT_IPFilter_DenyAll, IoT_IPFilter_PermissiveRule, IoT_RecommendedIpRulesByBaseLine.
std::unique_ptr<HubDetector> make_ip_filter();
/// IoT_DiagnosticLogs; IoT_LoggingDisabled, IoT_Logging.
std::unique_ptr<HubDetector> make_logging();
/// IoT_InstallAgent, IoT_DormantDevice; IoT_DormantDeviceActive.
std::unique_ptr<HubDetector> make_fleet();
/// IoT_PrivilegedDockerOptions, IoT_ACRAuthentication, IoT_InconsistentModuleSettings, IoT_EdgeLoggingOptions,
/// IoT_EdgeHubMemOptimize.
std::unique_ptr<HubDetector> make_edge();

/// IoT_CertificateExpiring, IoT_CertificateOld, IoT_CertificateWeakKey, IoT_CaCertificateExpiring;
/// IoT_RevokedCertificateActive.
std::unique_ptr<HubDetector> make_certificates();
/// IoT_ConflictingClientIds, IoT_ClonedIdentity, IoT_ConnectionAttemptRate, IoT_DisconnectedUnusuallyLong.
std::unique_ptr<HubDetector> make_sessions();
/// IoT_DeviceSilent, IoT_AgentSilent.
std::unique_ptr<HubDetector> make_silence();
/// IoT_SdkDowngrade, IoT_ProtocolChanged, IoT_MessageSizeUnusual; IoT_ClockSkew.
std::unique_ptr<HubDetector> make_traits();
/// IoT_FirstSeenCountry, IoT_FirstSeenNetwork.
std::unique_ptr<HubDetector> make_origin();

/// A finding with what every finding about a hub record says: when, from where, by whom, and the record as evidence.
HubFinding finding_of(const HubRecord& record, std::string_view alert_type, std::string group_key = {});

}  // namespace picket::pipeline
