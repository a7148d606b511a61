// Rows of SecurityIncident.
#include "base/core/json_writer.h"
#include "pipeline/tables.h"

namespace picket::pipeline {
namespace {

std::string list_of(const std::vector<std::string>& texts) {
  JsonWriter out;
  out.begin_array();
  for (const std::string& text : texts) out.value(text);
  return out.end_array().take();
}

/// What Sentinel's workbooks read (spec soc, section 3.2).
std::string additional_data(const IncidentRow& row) {
  JsonWriter out;
  out.begin_object().key("alertsCount").value(static_cast<std::uint64_t>(row.incident.alerts.size()));
  out.key("bookmarksCount").value(std::uint64_t{0}).key("commentsCount").value(row.comments);
  out.key("alertProductNames").begin_array().value("Azure Security Center for IoT").end_array();
  out.key("tactics").raw(list_of(row.incident.tactics)).key("techniques").raw(list_of(row.incident.techniques));
  out.key("devices").raw(list_of(row.incident.devices)).key("reasons").raw(list_of(row.incident.reasons));
  out.key("kind").value(row.incident.kind);
  if (!row.incident.merged_into.empty()) out.key("mergedInto").value(row.incident.merged_into);
  return out.end_object().take();
}

std::string owner_of(const IncidentRow& row) {
  JsonWriter out;
  out.begin_object();
  for (const std::string_view name : {"objectId", "email", "assignedTo", "userPrincipalName"}) {
    const bool named = !row.owner.empty() && (name == "assignedTo" || name == "userPrincipalName");
    named ? out.key(name).value(row.owner) : out.key(name).raw("null");
  }
  return out.end_object().take();
}

}  // namespace

void security_incident_cells(const IncidentRow& row, std::string_view installation_id, std::deque<std::string>& texts,
                             std::vector<workspace::Cell>& cells) {
  using workspace::Cell;
  const IncidentChange& incident = row.incident;
  const auto text = [&](std::string_view value) { cells.push_back(Cell::text(value)); };
  const auto made = [&](std::string value) { cells.push_back(Cell::text(texts.emplace_back(std::move(value)))); };
  const auto time = [&](Timestamp value) { cells.push_back(value.us == 0 ? Cell::null() : Cell::timestamp(value)); };
  made(additional_data(row));
  made(list_of(incident.alerts));
  text("[]");                       // BookmarkIds
  text(row.classification);         // Classification
  text(row.comment);                // ClassificationComment
  text(row.classification_reason);  // ClassificationReason
  time(row.closed);                 // ClosedTime
  text("[]");                       // Comments: the portal and the API have them
  time(row.created);                // CreatedTime
  text(incident.description);       // Description
  time(incident.start);             // FirstActivityTime
  time(row.first_modified);         // FirstModifiedTime
  text(incident.incident_id);       // IncidentName
  cells.push_back(Cell::integer(row.number));
  made("/incidents/" + std::to_string(row.number));  // IncidentUrl
  text("[]");                                        // Labels
  time(incident.end);                                // LastActivityTime
  time(row.modified);                                // LastModifiedTime
  text(row.modified_by);                             // ModifiedBy
  made(owner_of(row));                               // Owner
  made(std::to_string(row.number));                  // ProviderIncidentId
  text("Azure Sentinel");                            // ProviderName: what published queries compare with
  made(list_of(incident.kind == "rule" ? std::vector{incident.key} : std::vector<std::string>{}));
  text(incident.severity);  // Severity
  text("Picket");           // SourceSystem
  text(row.status);         // Status
  text("[]");               // Tasks
  time(row.modified);       // TimeGenerated
  text(incident.title);     // Title
  text(installation_id);    // TenantId
}

}  // namespace picket::pipeline
