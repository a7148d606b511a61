// The published tables of docs: SecurityIoTRawEvent, DefenderIoTRawEvent, SecurityAlert, SecurityRecommendation,
// SecurityIncident; and ours: the event families, RawEvents, DeadLetter, HubOperations.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workspace/schema.h"

namespace picket::workspace {

inline constexpr std::string_view kMessagesStream = "messages";
inline constexpr std::string_view kDerivedStream = "derived";

inline constexpr std::string_view kSecurityIoTRawEvent = "SecurityIoTRawEvent";
inline constexpr std::string_view kDefenderIoTRawEvent = "DefenderIoTRawEvent";
inline constexpr std::string_view kRawEvents = "RawEvents";
inline constexpr std::string_view kSecurityAlert = "SecurityAlert";
inline constexpr std::string_view kSecurityRecommendation = "SecurityRecommendation";
inline constexpr std::string_view kSecurityIncident = "SecurityIncident";
inline constexpr std::string_view kDeadLetter = "DeadLetter";
inline constexpr std::string_view kHubOperations = "HubOperations";
inline constexpr std::string_view kSoftwareInventory = "SoftwareInventory";
inline constexpr std::string_view kSoftwareVulnerabilities = "SoftwareVulnerabilities";

/// The twelve columns of SecurityIoTRawEvent, as published, in their published order
/// (spec tables-and-portal, section 1.1).
std::span<const Column> raw_event_columns();

/// The columns that each family table begins with: raw_event_columns(), then Hub and ModuleId, which are ours and stay
/// out of the published views.
std::span<const Column> family_base_columns();

/// One event family as schema/events.yaml gives it: a table of its own, with the base columns and these.
struct EventFamily {
  std::string table;             ///< E.g. "ProcessEvents".
  std::vector<Column> promoted;  ///< Without the base columns.
};

TableSchema family_table(const EventFamily& family);

/// Exact views over the family tables: SecurityIoTRawEvent (EventDetails is text), DefenderIoTRawEvent (it is dynamic).
/// Type, _BilledSize and _IsBillable are hidden, as in Log Analytics.
ViewSchema security_iot_raw_event(std::span<const EventFamily> families);
ViewSchema defender_iot_raw_event(std::span<const EventFamily> families);
/// The same rows with Hub and ModuleId: for the portal.
ViewSchema raw_events(std::span<const EventFamily> families);

/// Column-exact (spec tables-and-portal, section 1.3). Stream: derived.
TableSchema security_alert_table();

/// Column-exact (spec tables-and-portal, section 1.4). Stream: derived.
TableSchema security_recommendation_table();

/// Column-exact (Azure Monitor Logs reference, SecurityIncident). One row a change. Stream: derived.
TableSchema security_incident_table();

/// Software of devices, and what it is vulnerable to: one row a change, and everything again every few days (IsSnapshot),
/// so that the newest row of a key is how it stands (docs/workspace.md). Columns are called as in Defender's tables
/// DeviceTvmSoftwareInventory and DeviceTvmSoftwareVulnerabilities where they mean the same. Stream: derived.
TableSchema software_inventory_table();
TableSchema software_vulnerabilities_table();

/// What happened in the hub: its own events and audit records, one row a record. TimeGenerated, Hub, Category and
/// OperationName as in IoT Hub's resource logs, Kind as in docs/formats/hub-event.md; ResultType is the six-digit code,
/// "0" for success; Details the whole record. Stream: messages.
TableSchema hub_operations_table();

/// Bytes of a message that a DeadLetter row keeps; the whole message stays in the journal.
inline constexpr std::size_t kDeadLetterBytesMax = 4096;
/// Messages that could not be decoded: TimeGenerated, Hub, DeviceId, ModuleId, Reason, Where, Offset, Bytes (base64 of
/// at most kDeadLetterBytesMax bytes), Size, ContentType, MessageId. Stream: messages.
TableSchema dead_letter_table();

/// Everything of one server.
Schema make_schema(std::span<const EventFamily> families);

}  // namespace picket::workspace
