#include "pipeline/tables.h"

#include "base/core/json_writer.h"
#include "message/event_table.h"
#include "workspace/tables.h"

namespace picket::pipeline {
namespace {

workspace::ColumnType column_type(message::ColumnType type) {
  switch (type) {
    case message::ColumnType::text:
      return workspace::ColumnType::text;
    case message::ColumnType::integer:
      return workspace::ColumnType::int64;
    case message::ColumnType::real:
      return workspace::ColumnType::real;
    case message::ColumnType::boolean:
      return workspace::ColumnType::boolean;
    case message::ColumnType::datetime:
      return workspace::ColumnType::timestamp;
  }
  return workspace::ColumnType::text;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : ", ") + text;
  return out;
}

std::string json_list(const std::vector<std::string>& texts) {
  JsonWriter out;
  out.begin_array();
  for (const std::string& text : texts) out.value(text);
  return out.end_array().take();
}

/// `first`: the row that tells of the alert for the first time. Published rules wait for isNew, so that updates and
/// triage raise nothing again (ot-sensor, section 2).
std::string json_properties(const AlertChange& change, bool first) {
  JsonWriter out;
  out.begin_object();
  bool said = false;
  for (const auto& [name, value] : change.properties) {
    said = said || name == "isNew";
    out.key(name).value(value);
  }
  if (!said) out.key("isNew").value(first ? "True" : "False");
  return out.end_object().take();
}

std::string json_entities(const AlertChange& change) {
  JsonWriter out;
  out.begin_array();
  int number = 0;
  for (const Entity& entity : change.entities) {
    out.begin_object().key("$id").value(std::to_string(++number)).key("Type").value(entity.type);
    for (const auto& [name, value] : entity.members) out.key(name).value(value);
    out.end_object();
  }
  return out.end_array().take();
}

}  // namespace

workspace::Schema make_workspace_schema() {
  std::vector<workspace::EventFamily> families;
  for (const message::TableInfo& table : message::all_tables()) {
    workspace::EventFamily family{std::string(table.name), {}};
    for (const message::Field field : table.columns) {
      const auto& info = message::info(field);
      family.promoted.push_back({std::string(info.name), column_type(info.type)});
    }
    family.promoted.push_back(
        {std::string(kInexactColumn), workspace::ColumnType::int64, workspace::Visibility::hidden});
    families.push_back(std::move(family));
  }
  return workspace::make_schema(families);
}

void security_alert_cells(const AlertChange& change, std::string_view installation_id, std::deque<std::string>& texts,
                          std::vector<workspace::Cell>& cells, std::string_view status,
                          std::optional<Timestamp> decided) {
  using workspace::Cell;
  const auto text = [&](std::string_view value) { cells.push_back(Cell::text(value)); };
  const auto made = [&](std::string value) { cells.push_back(Cell::text(texts.emplace_back(std::move(value)))); };
  const Timestamp generated = decided.value_or(change.generated);
  // Rows of alerts lead to them, as those of incidents do.
  change.link.empty() ? made("/alerts/" + change.alert_id) : text(change.link);         // AlertLink
  text(change.display_name);                                                            // AlertName
  text(change.severity);                                                                // AlertSeverity
  text(change.alert_type);                                                              // AlertType
  text(change.device.device_id.empty() ? change.device.hub : change.device.device_id);  // CompromisedEntity
  text("");                                                                             // ConfidenceLevel
  cells.push_back(Cell::null());                                                        // ConfidenceScore
  text(change.description);                                                             // Description
  text(change.display_name);                                                            // DisplayName
  cells.push_back(Cell::timestamp(change.end));                                         // EndTime
  made(json_entities(change));                                                          // Entities
  text("");                                                                             // ExtendedLinks
  made(json_properties(change, change.change == 0 && !decided));                        // ExtendedProperties
  cells.push_back(Cell::boolean(false));                                                // IsIncident
  cells.push_back(Cell::timestamp(generated));                                          // ProcessingEndTime
  text(change.product_component);                                                       // ProductComponentName
  // Published SIEM rules filter by the product's old name or by the provider: both must match (tables-and-portal, 5).
  text(change.product_name.empty() ? "Azure Security Center for IoT" : std::string_view(change.product_name));
  text(change.provider_name.empty() ? "IoTSecurity" : std::string_view(change.provider_name));
  made(json_list(change.remediation));                        // RemediationSteps
  made(hub_resource_id(installation_id, change.device.hub));  // ResourceId
  text("");                                                   // SourceComputerId
  cells.push_back(Cell::timestamp(change.start));             // StartTime
  text(status == "Active" ? "InProgress" : status);           // Status, as Sentinel calls it
  made(joined(change.sub_techniques));                        // SubTechniques
  text(change.alert_id);                                      // SystemAlertId
  made(joined(change.tactics));                               // Tactics
  made(joined(change.techniques));                            // Techniques
  cells.push_back(Cell::timestamp(generated));                // TimeGenerated
  text("Picket");                                             // VendorName
  text(change.alert_id);                                      // VendorOriginalId
  text("");                                                   // WorkspaceResourceGroup
  text(installation_id);                                      // WorkspaceSubscriptionId
  text(installation_id);                                      // TenantId
}

}  // namespace picket::pipeline
