// A rule as the JSON that read_rule_file() reads.
#include <array>

#include "analytics/rule_file.h"
#include "base/core/json_writer.h"
#include "duration.h"

namespace picket::analytics {

std::string to_json(const Rule& rule) {
  JsonWriter out;
  const auto list = [&](std::string_view name, const std::vector<std::string>& values) {
    out.key(name).begin_array();
    for (const std::string& one : values) out.value(one);
    out.end_array();
  };
  constexpr std::array kTriggers{"gt", "lt", "eq", "ne"};
  out.begin_object().key("id").value(rule.id).key("displayName").value(rule.name);
  out.key("kind").value(rule.near_real_time ? "NRT" : "Scheduled").key("description").value(rule.description);
  out.key("severity").value(rule.severity).key("version").value(rule.version).key("query").value(rule.query);
  out.key("queryFrequency").value(duration_text(rule.frequency)).key("queryPeriod").value(duration_text(rule.period));
  out.key("triggerOperator").value(kTriggers[static_cast<std::size_t>(rule.trigger)]);
  out.key("triggerThreshold").value(rule.threshold);
  list("tactics", rule.tactics);
  list("techniques", rule.techniques);
  list("subTechniques", rule.sub_techniques);
  out.key("entityMappings").begin_array();
  for (const EntityMapping& mapping : rule.entities) {
    out.begin_object().key("entityType").value(mapping.type).key("fieldMappings").begin_array();
    for (const auto& [identifier, column] : mapping.fields)
      out.begin_object().key("identifier").value(identifier).key("columnName").value(column).end_object();
    out.end_array().end_object();
  }
  out.end_array().key("sentinelEntitiesMappings").begin_array();
  for (const std::string& column : rule.entity_columns) out.begin_object().key("columnName").value(column).end_object();
  out.end_array().key("customDetails").begin_object();
  for (const auto& [label, column] : rule.custom_details) out.key(label).value(column);
  out.end_object().key("alertDetailsOverride").begin_object();
  out.key("alertDisplayNameFormat").value(rule.overrides.name_format);
  out.key("alertDescriptionFormat").value(rule.overrides.description_format);
  out.key("alertSeverityColumnName").value(rule.overrides.severity_column);
  out.key("alertTacticsColumnName").value(rule.overrides.tactics_column).key("alertDynamicProperties").begin_array();
  for (const auto& [property, column] : rule.overrides.properties)
    out.begin_object().key("alertProperty").value(property).key("value").value(column).end_object();
  out.end_array().end_object().key("eventGroupingSettings").begin_object();
  out.key("aggregationKind").value(rule.alert_per_result ? "AlertPerResult" : "SingleAlert").end_object();
  out.key("suppressionEnabled")
      .value(rule.suppression)
      .key("suppressionDuration")
      .value(duration_text(rule.suppression_time));
  constexpr std::array kMatching{"AllEntities", "AnyAlert", "Selected"};
  const Incidents& incidents = rule.incidents;
  out.key("incidentConfiguration").begin_object().key("createIncident").value(incidents.create);
  out.key("groupingConfiguration").begin_object().key("enabled").value(incidents.group);
  out.key("reopenClosedIncident")
      .value(incidents.reopen)
      .key("lookbackDuration")
      .value(duration_text(incidents.lookback));
  out.key("matchingMethod").value(kMatching[static_cast<std::size_t>(incidents.matching)]);
  list("groupByEntities", incidents.by_entities);
  list("groupByAlertDetails", incidents.by_details);
  list("groupByCustomDetails", incidents.by_custom);
  return out.end_object().end_object().end_object().take();
}

}  // namespace picket::analytics
