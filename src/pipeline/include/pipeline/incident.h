// Incidents: alerts that belong together, on one device or over many. Each change is the whole incident as it stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/core/identity.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "journal/position.h"

namespace picket::pipeline {

inline constexpr std::size_t kIncidentAlertsMax = 256;   ///< Of one incident; further alerts are not added.
inline constexpr std::size_t kIncidentReasonsMax = 16;   ///< Listed in one.
inline constexpr std::size_t kIncidentDevicesMax = 256;  ///< Listed in one.

/// One change of one incident: docs/formats/incident.md. Number 0 makes it, later ones replace what was known.
struct IncidentChange {
  std::string incident_id;  ///< UUID form: make_incident_id().
  std::uint32_t change = 0;
  std::string kind;  ///< "device", "campaign"; "rule": of a scheduled analytics rule.
  std::string key;   ///< What its alerts share: device id, "ip 192.0.2.7", "type IoT_CryptoMiner".
  std::string title;
  std::string severity;  ///< Low, Medium, High.
  std::string description;
  Identity device;  ///< Of a campaign the hub alone.
  Timestamp start;  ///< First activity of its alerts.
  Timestamp end;    ///< Last activity.
  Timestamp generated;
  std::vector<std::string> tactics;  ///< In the order of the kill chain.
  std::vector<std::string> techniques;
  std::vector<std::string> alerts;   ///< SystemAlertIds, sorted.
  std::vector<std::string> devices;  ///< Sorted.
  std::vector<std::string> reasons;  ///< Why they belong together, sorted: "address 192.0.2.7", "kill chain …".
  std::string merged_into;           ///< The incident that has all of these alerts too; empty: it stands by itself.
  journal::RecordId source;          ///< The record that caused this change; sequence 0: not found by the pipeline.

  friend bool operator==(const IncidentChange&, const IncidentChange&) = default;
};

/// An incident with what people made of it: a row of SecurityIncident.
struct IncidentRow {
  IncidentChange incident;
  std::int64_t number = 0;
  std::string status, owner, classification, classification_reason, comment;
  Timestamp created, modified;
  Timestamp first_modified;  ///< When people first decided something about it; 0: not yet.
  Timestamp closed;          ///< 0: open.
  std::string modified_by;
  std::uint64_t comments = 0;
};

/// Body of a derived journal record of kind incident_change.
std::string to_json(const IncidentChange& change);
/// Errors: malformed "incident.…", unsupported "incident.format".
Result<IncidentChange> parse_incident_change(std::string_view json);

/// The incident of that kind and key in the part of time that begins at `window_start`.
std::string make_incident_id(std::string_view kind, std::string_view hub, std::string_view key, Timestamp window_start);

}  // namespace picket::pipeline
