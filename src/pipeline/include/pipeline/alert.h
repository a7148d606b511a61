// Alerts as the pipeline makes them: one change record after another, each the whole alert as it stands then.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/core/identity.h"
#include "base/core/result.h"
#include "base/core/time.h"
#include "journal/position.h"
#include "workspace/rows.h"

namespace picket::pipeline {

/// A row that made the alert: its name in the workspace, and the id that the device gave the event.
struct EvidenceRow {
  workspace::RowId row;
  std::string raw_event_id;  ///< IoTRawEventId.
  Timestamp time;            ///< Its TimeGenerated.

  friend bool operator==(const EvidenceRow&, const EvidenceRow&) = default;
};

using NamedTexts = std::vector<std::pair<std::string, std::string>>;

/// Entity of a Sentinel alert: a type such as "ip" and its members.
struct Entity {
  std::string type;
  NamedTexts members;

  friend bool operator==(const Entity&, const Entity&) = default;
};

inline constexpr std::size_t kEvidenceMax = 32;  ///< Rows listed in an alert; evidence_count goes on.

/// One change of one alert: docs/formats/alert.md. Number 0 raises it, later ones replace what was known.
struct AlertChange {
  std::string alert_id;  ///< SystemAlertId, UUID form; a function of rule, device, group key and window start.
  std::uint32_t change = 0;
  std::string rule;
  std::string alert_type;
  std::string display_name;
  std::string severity;  ///< Informational, Low, Medium, High.
  std::string description;
  Identity device;          ///< Who sent the newest evidence; the module with it.
  std::string group;        ///< Device security group.
  Timestamp start;          ///< First happening.
  Timestamp end;            ///< Last happening.
  Timestamp generated;      ///< Enqueued time of the record that caused this change.
  std::uint64_t count = 0;  ///< Happenings, with the hit counts of aggregated events.
  std::vector<std::string> tactics;
  std::vector<std::string> techniques;
  std::vector<std::string> sub_techniques;
  std::vector<std::string> remediation;
  NamedTexts properties;  ///< ExtendedProperties, in this order.
  std::vector<Entity> entities;
  std::vector<EvidenceRow> evidence;  ///< The first kEvidenceMax.
  std::uint64_t evidence_count = 0;
  // Of scheduled analytics rules, which say these themselves; empty: those of the platform.
  std::string product_name;
  std::string provider_name;
  std::string product_component;
  std::string link;
  journal::RecordId source;   ///< The record that caused this change; sequence 0: not found by the pipeline.
  std::string suppressed_by;  ///< Id of the suppression rule it falls under; empty: none.

  friend bool operator==(const AlertChange&, const AlertChange&) = default;
};

/// Body of a derived journal record of kind alert_change.
std::string to_json(const AlertChange& change);
/// Errors: malformed "alert.…", unsupported "alert.format".
Result<AlertChange> parse_alert_change(std::string_view json);

/// The alert of one rule, device and group key whose window begins at `window_start`.
std::string make_alert_id(std::string_view rule, const Identity& device, std::string_view group_key,
                          Timestamp window_start);

/// Name of the installation in ARM-shaped ids, and the ids made from it (decisions: identity).
std::string hub_resource_id(std::string_view installation_id, std::string_view hub);

}  // namespace picket::pipeline
