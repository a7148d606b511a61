#include "workspace/tables.h"

namespace picket::workspace {
namespace {

Column text(const char* name) { return {name, ColumnType::text}; }
Column time(const char* name) { return {name, ColumnType::timestamp}; }
Column bulk(const char* name) { return {name, ColumnType::text, Visibility::shown, true}; }

std::vector<Column> make_raw_event_columns() {
  return {time("TimeGenerated"),       time("TimeStamp"),    text("DeviceId"),      text("AssociatedResourceId"),
          text("AzureSubscriptionId"), text("AgentVersion"), text("IoTRawEventId"), {"IsEmpty", ColumnType::boolean},
          text("RawEventCategory"),    text("RawEventName"), text("RawEventType"),  bulk("EventDetails")};
}

std::vector<Column> make_family_base_columns() {
  std::vector<Column> columns = make_raw_event_columns();
  columns.push_back(text("Hub"));
  columns.push_back(text("ModuleId"));
  return columns;
}

std::vector<std::string> tables_of(std::span<const EventFamily> families) {
  std::vector<std::string> out;
  for (const EventFamily& family : families) out.push_back(family.table);
  return out;
}

ViewSchema view_of(std::string_view name, std::span<const Column> columns, std::span<const EventFamily> families) {
  ViewSchema view{std::string(name), tables_of(families), {}};
  for (const Column& column : columns) view.columns.push_back({column, ViewValue::column, column.name});
  return view;
}

void add_standard_columns(ViewSchema& view) {
  view.columns.push_back({{"Type", ColumnType::text, Visibility::hidden}, ViewValue::constant, view.name});
  view.columns.push_back(
      {{"_BilledSize", ColumnType::real, Visibility::hidden}, ViewValue::byte_length, "EventDetails"});
  view.columns.push_back({{"_IsBillable", ColumnType::text, Visibility::hidden}, ViewValue::constant, "false"});
}

}  // namespace

std::span<const Column> raw_event_columns() {
  static const std::vector<Column> columns = make_raw_event_columns();
  return columns;
}

std::span<const Column> family_base_columns() {
  static const std::vector<Column> columns = make_family_base_columns();
  return columns;
}

TableSchema family_table(const EventFamily& family) {
  TableSchema table{family.table, std::string(kMessagesStream), make_family_base_columns()};
  table.columns.insert(table.columns.end(), family.promoted.begin(), family.promoted.end());
  return table;
}

ViewSchema security_iot_raw_event(std::span<const EventFamily> families) {
  ViewSchema view = view_of(kSecurityIoTRawEvent, raw_event_columns(), families);
  add_standard_columns(view);
  return view;
}

ViewSchema defender_iot_raw_event(std::span<const EventFamily> families) {
  ViewSchema view = view_of(kDefenderIoTRawEvent, raw_event_columns(), families);
  for (ViewColumn& column : view.columns) {
    if (column.column.name == "EventDetails") column.column.type = ColumnType::json;
  }
  add_standard_columns(view);
  return view;
}

ViewSchema raw_events(std::span<const EventFamily> families) {
  return view_of(kRawEvents, family_base_columns(), families);
}

TableSchema security_alert_table() {
  TableSchema table{std::string(kSecurityAlert), std::string(kDerivedStream), {}};
  for (const char* name :
       {"AlertLink", "AlertName", "AlertSeverity", "AlertType", "CompromisedEntity", "ConfidenceLevel"}) {
    table.columns.push_back(text(name));
  }
  table.columns.push_back({"ConfidenceScore", ColumnType::real});
  for (const char* name : {"Description", "DisplayName"}) table.columns.push_back(text(name));
  table.columns.push_back(time("EndTime"));
  for (const char* name : {"Entities", "ExtendedLinks", "ExtendedProperties"}) table.columns.push_back(bulk(name));
  table.columns.push_back({"IsIncident", ColumnType::boolean});
  table.columns.push_back(time("ProcessingEndTime"));
  for (const char* name :
       {"ProductComponentName", "ProductName", "ProviderName", "RemediationSteps", "ResourceId", "SourceComputerId"}) {
    table.columns.push_back(text(name));
  }
  table.columns.push_back(time("StartTime"));
  for (const char* name : {"Status", "SubTechniques", "SystemAlertId", "Tactics", "Techniques"}) {
    table.columns.push_back(text(name));
  }
  table.columns.push_back(time("TimeGenerated"));
  // TenantId is missing from the published list, and there in the original: its workbooks count by it.
  for (const char* name :
       {"VendorName", "VendorOriginalId", "WorkspaceResourceGroup", "WorkspaceSubscriptionId", "TenantId"}) {
    table.columns.push_back(text(name));
  }
  return table;
}

TableSchema security_recommendation_table() {
  return {std::string(kSecurityRecommendation),
          std::string(kDerivedStream),
          {text("AssessedResourceId"),
           text("Description"),
           text("DeviceId"),
           time("DiscoveredTimeUTC"),
           text("Environment"),
           time("FirstEvaluationDate"),
           {"IsSnapshot", ColumnType::boolean},
           text("PolicyDefinitionId"),
           {"Properties", ColumnType::json},
           text("ProviderName"),
           {"RecommendationAdditionalData", ColumnType::json},
           text("RecommendationDisplayName"),
           text("RecommendationId"),
           text("RecommendationName"),
           text("RecommendationSeverity"),
           text("RecommendationState"),
           time("ResolvedTimeUTC"),
           text("ResourceRegion"),
           time("StatusChangeDate"),
           time("TimeGenerated")}};
}

TableSchema security_incident_table() {
  const auto json = [](const char* name) { return Column{name, ColumnType::json}; };
  return {std::string(kSecurityIncident),
          std::string(kDerivedStream),
          {json("AdditionalData"),
           json("AlertIds"),
           json("BookmarkIds"),
           text("Classification"),
           text("ClassificationComment"),
           text("ClassificationReason"),
           time("ClosedTime"),
           json("Comments"),
           time("CreatedTime"),
           text("Description"),
           time("FirstActivityTime"),
           time("FirstModifiedTime"),
           text("IncidentName"),
           {"IncidentNumber", ColumnType::int64},
           text("IncidentUrl"),
           json("Labels"),
           time("LastActivityTime"),
           time("LastModifiedTime"),
           text("ModifiedBy"),
           json("Owner"),
           text("ProviderIncidentId"),
           text("ProviderName"),
           json("RelatedAnalyticRuleIds"),
           text("Severity"),
           text("SourceSystem"),
           text("Status"),
           json("Tasks"),
           time("TimeGenerated"),
           text("Title"),
           text("TenantId")}};
}

TableSchema hub_operations_table() {
  return {std::string(kHubOperations),
          std::string(kMessagesStream),
          {time("TimeGenerated"),
           text("Hub"),
           text("Category"),
           text("OperationName"),
           text("Kind"),
           text("Level"),
           text("ResultType"),
           text("ResultDescription"),
           text("DeviceId"),
           text("ModuleId"),
           {"Claimed", ColumnType::boolean},
           {"ClaimedOnline", ColumnType::boolean},
           text("Actor"),
           text("CallerIp"),
           text("Protocol"),
           text("Transport"),
           text("TlsVersion"),
           text("TlsCipher"),
           text("TlsGroup"),
           text("CertificateThumbprint"),
           text("CertificateIssuer"),
           time("CertificateNotAfter"),
           text("AuthType"),
           text("AuthScope"),
           text("PolicyName"),
           time("TokenExpiry"),
           text("Credential"),
           text("SdkVersion"),
           text("Object"),
           {"Count", ColumnType::int64},
           {"Bytes", ColumnType::int64},
           {"DurationMs", ColumnType::int64},
           {"Details", ColumnType::json, Visibility::shown, true}}};
}

TableSchema dead_letter_table() {
  return {std::string(kDeadLetter),
          std::string(kMessagesStream),
          {time("TimeGenerated"),
           text("Hub"),
           text("DeviceId"),
           text("ModuleId"),
           text("Reason"),
           text("Where"),
           {"Offset", ColumnType::int64},
           {"Size", ColumnType::int64},
           text("ContentType"),
           text("MessageId"),
           bulk("Bytes")}};
}

TableSchema software_inventory_table() {
  return {std::string(kSoftwareInventory),
          std::string(kDerivedStream),
          {time("TimeGenerated"),
           text("Hub"),
           text("DeviceId"),
           text("State"),
           {"IsSnapshot", ColumnType::boolean},
           text("SoftwareName"),
           text("SoftwareVersion"),
           text("SoftwareVendor"),
           text("PackageType"),
           text("Architecture"),
           text("SourceName"),
           text("SourceVersion"),
           text("PackageUrl"),
           text("Evidence")}};
}

TableSchema software_vulnerabilities_table() {
  return {std::string(kSoftwareVulnerabilities),
          std::string(kDerivedStream),
          {time("TimeGenerated"),
           text("Hub"),
           text("DeviceId"),
           text("State"),
           {"IsSnapshot", ColumnType::boolean},
           text("CveId"),
           text("VulnerabilitySeverityLevel"),
           {"CvssScore", ColumnType::real},
           {"IsExploited", ColumnType::boolean},
           text("SoftwareName"),
           text("SoftwareVersion"),
           text("SoftwareVendor"),
           text("Architecture"),
           text("SourceName"),
           text("SourceVersion"),
           text("PackageUrl"),
           text("RecommendedSecurityUpdate"),
           text("RecommendedSecurityUpdateId"),
           text("Status"),
           text("Confidence"),
           text("Feed"),
           text("Rule"),
           text("Reason"),
           text("Statement"),
           text("VulnerabilityDescription"),
           text("Url"),
           time("PublishedDate")}};
}

Schema make_schema(std::span<const EventFamily> families) {
  Schema schema;
  for (const EventFamily& family : families) schema.tables.push_back(family_table(family));
  schema.tables.push_back(dead_letter_table());
  schema.tables.push_back(hub_operations_table());
  schema.tables.push_back(security_alert_table());
  schema.tables.push_back(security_recommendation_table());
  schema.tables.push_back(security_incident_table());
  schema.tables.push_back(software_inventory_table());
  schema.tables.push_back(software_vulnerabilities_table());
  schema.views = {security_iot_raw_event(families), defender_iot_raw_event(families), raw_events(families)};
  return schema;
}

}  // namespace picket::workspace
