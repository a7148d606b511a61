// The published tables, column by column.
#include "workspace/tables.h"

#include <set>

#include <gtest/gtest.h>

#include "fixture.h"

namespace picket::workspace {
namespace {

using namespace testing;

std::vector<EventFamily> families() {
  return {{"ProcessEvents", {{"Executable", ColumnType::text}, {"ProcessId", ColumnType::int64}}},
          {"LoginEvents", {{"Result", ColumnType::text}}}};
}

/// "Name:kql type" of what a relation shows.
std::vector<std::string> shown(const Schema& schema, std::string_view relation) {
  std::vector<std::string> out;
  for (const Column& column : schema.columns_of(relation)) {
    if (column.visibility == Visibility::shown) out.push_back(column.name + ":" + std::string(kql_type(column.type)));
  }
  return out;
}

TEST(Tables, SecurityIoTRawEventShowsThePublishedColumnsAndNoOther) {
  const Schema schema = make_schema(families());
  std::vector<std::string> expected{
      "TimeGenerated:datetime",     "TimeStamp:datetime",  "DeviceId:string",      "AssociatedResourceId:string",
      "AzureSubscriptionId:string", "AgentVersion:string", "IoTRawEventId:string", "IsEmpty:bool",
      "RawEventCategory:string",    "RawEventName:string", "RawEventType:string",  "EventDetails:string"};
  EXPECT_EQ(shown(schema, "SecurityIoTRawEvent"), expected);
  expected.back() = "EventDetails:dynamic";
  EXPECT_EQ(shown(schema, "DefenderIoTRawEvent"), expected);
}

TEST(Tables, SecurityAlertShowsThePublishedColumnsAndNoOther) {
  std::set<std::string> expected{"ConfidenceScore:real", "IsIncident:bool"};
  for (const char* name : {"AlertLink",
                           "AlertName",
                           "AlertSeverity",
                           "AlertType",
                           "CompromisedEntity",
                           "ConfidenceLevel",
                           "Description",
                           "DisplayName",
                           "Entities",
                           "ExtendedLinks",
                           "ExtendedProperties",
                           "ProductComponentName",
                           "ProductName",
                           "ProviderName",
                           "RemediationSteps",
                           "ResourceId",
                           "SourceComputerId",
                           "Status",
                           "SubTechniques",
                           "SystemAlertId",
                           "Tactics",
                           "Techniques",
                           "VendorName",
                           "VendorOriginalId",
                           "WorkspaceResourceGroup",
                           "WorkspaceSubscriptionId",
                           "TenantId"}) {
    expected.insert(std::string(name) + ":string");
  }
  for (const char* name : {"StartTime", "EndTime", "ProcessingEndTime", "TimeGenerated"}) {
    expected.insert(std::string(name) + ":datetime");
  }
  const auto columns = shown(make_schema(families()), "SecurityAlert");
  EXPECT_EQ(std::set<std::string>(columns.begin(), columns.end()), expected);
  EXPECT_EQ(columns.size(), expected.size());
}

TEST(Tables, SecurityRecommendationShowsThePublishedColumnsAndNoOther) {
  std::set<std::string> expected{"IsSnapshot:bool", "Properties:dynamic", "RecommendationAdditionalData:dynamic"};
  for (const char* name : {"AssessedResourceId", "Description", "DeviceId", "Environment", "PolicyDefinitionId",
                           "ProviderName", "RecommendationDisplayName", "RecommendationId", "RecommendationName",
                           "RecommendationSeverity", "RecommendationState", "ResourceRegion"}) {
    expected.insert(std::string(name) + ":string");
  }
  for (const char* name :
       {"DiscoveredTimeUTC", "FirstEvaluationDate", "ResolvedTimeUTC", "StatusChangeDate", "TimeGenerated"}) {
    expected.insert(std::string(name) + ":datetime");
  }
  const auto columns = shown(make_schema(families()), "SecurityRecommendation");
  EXPECT_EQ(std::set<std::string>(columns.begin(), columns.end()), expected);
  EXPECT_EQ(columns.size(), expected.size());
}

TEST(Tables, SecurityIncidentShowsThePublishedColumnsAndNoOther) {
  std::set<std::string> expected{"IncidentNumber:long"};
  for (const char* name : {"AdditionalData", "AlertIds", "BookmarkIds", "Comments", "Labels", "Owner",
                           "RelatedAnalyticRuleIds", "Tasks"}) {
    expected.insert(std::string(name) + ":dynamic");
  }
  for (const char* name : {"Classification", "ClassificationComment", "ClassificationReason", "Description",
                           "IncidentName", "IncidentUrl", "ModifiedBy", "ProviderIncidentId", "ProviderName",
                           "Severity", "SourceSystem", "Status", "TenantId", "Title"}) {
    expected.insert(std::string(name) + ":string");
  }
  for (const char* name : {"ClosedTime", "CreatedTime", "FirstActivityTime", "FirstModifiedTime", "LastActivityTime",
                           "LastModifiedTime", "TimeGenerated"}) {
    expected.insert(std::string(name) + ":datetime");
  }
  const auto columns = shown(make_schema(families()), "SecurityIncident");
  EXPECT_EQ(std::set<std::string>(columns.begin(), columns.end()), expected);
  EXPECT_EQ(columns.size(), expected.size());
}

TEST(Tables, FamiliesBeginWithTheSharedColumns) {
  const Schema schema = make_schema(families());
  const auto columns = shown(schema, "ProcessEvents");
  EXPECT_EQ(columns.size(), 16u);
  EXPECT_EQ(columns[12], "Hub:string");
  EXPECT_EQ(columns[13], "ModuleId:string");
  EXPECT_EQ(columns[15], "ProcessId:long");
  EXPECT_TRUE(validate(schema));
}

TEST(Tables, HiddenColumnsResolveWhenNamed) {
  const TemporaryFolder folder;
  const ManualClock clock{kStart};
  const auto workspace = open(small_options(folder.path()), clock, make_schema(families()));
  const Schema schema = make_schema(families());
  std::vector<Cell> cells(16);
  cells[0] = Cell::timestamp(kStart);
  cells[2] = Cell::text("pump");
  cells[11] = Cell::text(R"({"a":1})");
  const Row row{*schema.find_table("ProcessEvents"), {5, 1, 2}, kStart + Duration::seconds(1), cells};
  ASSERT_TRUE(workspace->append("messages", 5, std::span(&row, 1)));
  EXPECT_EQ(table(*workspace,
                  "SELECT DeviceId, Type, _BilledSize, _IsBillable, _position, _event, _item, _ingested FROM "
                  "SecurityIoTRawEvent"),
            "pump|SecurityIoTRawEvent|7.000000|false|5|1|2|2025-10-09T08:53:21.000000Z");
  // What a query of each relation may name is what the engine has.
  for (const std::string& relation : schema.relations()) {
    std::string columns;
    for (const Column& column : schema.columns_of(relation))
      columns += (columns.empty() ? "\"" : ", \"") + column.name + "\"";
    EXPECT_EQ(table(*workspace, "SELECT count(*) FROM (SELECT " + columns + " FROM " + relation + ")").find("error"),
              std::string::npos)
        << relation;
  }
}

TEST(Schema, RefusesWhatAnEngineCannotRelyOn) {
  const auto where = [](const auto& change) {
    Schema schema = small_schema();
    change(schema);
    const auto result = validate(schema);
    return result ? std::string("fine") : std::string(result.error().where);
  };
  EXPECT_EQ(where([](Schema&) {}), "fine");
  EXPECT_EQ(where([](Schema& s) { s.tables.clear(); }), "workspace.schema.tables");
  EXPECT_EQ(where([](Schema& s) { s.tables[0].name = "a b"; }), "workspace.schema.table_name");
  EXPECT_EQ(where([](Schema& s) { s.tables[1].name = "PROCESS"; }), "workspace.schema.table_twice");
  EXPECT_EQ(where([](Schema& s) { s.views[0].name = "process"; }), "workspace.schema.table_twice");
  EXPECT_EQ(where([](Schema& s) { s.tables[0].columns[1].name = "1"; }), "workspace.schema.column_name");
  EXPECT_EQ(where([](Schema& s) { s.tables[0].columns[1].name = "timegenerated"; }), "workspace.schema.column_twice");
  EXPECT_EQ(where([](Schema& s) { s.tables[0].columns[1].name = "_Position"; }), "workspace.schema.column_twice");
  EXPECT_EQ(where([](Schema& s) { s.tables[0].columns.clear(); }), "workspace.schema.columns");
  EXPECT_EQ(where([](Schema& s) { s.tables[0].columns.resize(kColumnsMax + 1); }), "workspace.schema.columns");
  EXPECT_EQ(where([](Schema& s) { s.tables[0].time_column = "DeviceId"; }), "workspace.schema.time_column");
  EXPECT_EQ(where([](Schema& s) { s.tables[0].stream = "../up"; }), "workspace.schema.stream_name");
  EXPECT_EQ(where([](Schema& s) { s.views[0].tables.clear(); }), "workspace.schema.view_tables");
  EXPECT_EQ(where([](Schema& s) { s.views[0].tables.push_back("Nowhere"); }), "workspace.schema.view_table");
  EXPECT_EQ(where([](Schema& s) { s.views[0].tables.push_back("Alert"); }), "workspace.schema.view_source");
  EXPECT_EQ(where([](Schema& s) { s.views[0].columns[0].column.type = ColumnType::text; }),
            "workspace.schema.view_type");
}

}  // namespace
}  // namespace picket::workspace
