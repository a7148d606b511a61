// The workbooks that come with Picket, on the tables that it really has.
#include <filesystem>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "kql/compile.h"
#include "kql/duckdb.h"
#include "pipeline/tables.h"
#include "query_schema.h"
#include "workbook/check.h"
#include "workbook/resolve.h"
#include "workbook/shipped.h"
#include "workspace/workspace.h"

namespace picket::server {
namespace {

constexpr Timestamp kNow{1'795'000'000'000'000};

class WorkbooksTest : public testing::Test {
 protected:
  WorkbooksTest() {
    std::string pattern = testing::TempDir() + "picket_workbooks_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    workspace::DuckdbOptions duckdb;
    duckdb.directory = folder_ + "/segments";
    duckdb.background = false;
    duckdb.register_functions = [](void* connection) {
      return kql::register_kql_functions(static_cast<duckdb_connection>(connection)).has_value();
    };
    workspace_ = *workspace::open_duckdb_workspace(std::move(duckdb), schema_, clock_);
  }
  ~WorkbooksTest() override {
    workspace_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// nullopt: it compiles and runs.
  std::optional<std::string> mistake_of(std::string_view query) {
    const auto compiled = kql::compile_all(query, queries_, {.now = kNow});
    if (!compiled) return kql::render(compiled.error().front(), query);
    for (const kql::CompiledQuery& one : *compiled) {
      workspace::QueryRequest request{.sql = one.sql, .rows_max = 100};
      for (const kql::Value& value : one.binds) request.binds.push_back(cell_of(value));
      const auto rows = workspace_->query(request);
      if (!rows) return rows.error().text;
    }
    return std::nullopt;
  }

  static workspace::Cell cell_of(const kql::Value& value) {
    using workspace::Cell;
    if (value.is_null()) return Cell::null();
    if (const auto* text = std::get_if<std::string>(&value.data)) return Cell::text(*text);
    if (const auto* truth = std::get_if<bool>(&value.data)) return Cell::boolean(*truth);
    if (const auto* real = std::get_if<double>(&value.data)) return Cell::real(*real);
    const auto number = std::get<std::int64_t>(value.data);
    return value.type == kql::Type::datetime ? Cell::timestamp({number}) : Cell::integer(number);
  }

  std::string folder_;
  ManualClock clock_{kNow};
  workspace::Schema schema_ = pipeline::make_workspace_schema();
  kql::Schema queries_ = make_query_schema(schema_);
  std::unique_ptr<workspace::Workspace> workspace_;
};

TEST_F(WorkbooksTest, EveryQueryOfThoseThatComeWithPicketRuns) {
  for (const workbook::Shipped& one : workbook::shipped()) {
    const auto document = workbook::read_document(one.text);
    ASSERT_TRUE(document.has_value()) << one.name;
    for (const workbook::Problem& problem :
         workbook::check(*document, kNow, [this](std::string_view query) { return mistake_of(query); }))
      ADD_FAILURE() << one.name << ", " << problem.title << ": " << problem.message << "\n" << problem.query;
  }
}

/// A workbook as solutions for plant sensors are published: pickers of subscriptions and workspaces out of a resource
/// graph, a guide switch, tabs, groups in groups, tiles that count a column, and the older spellings of the language.
constexpr const char* kSolution = R"json({"version":"Notebook/1.0","items":[
  {"type":9,"content":{"version":"KqlParameterItem/1.0","style":"pills","parameters":[
    {"name":"Guide","type":10,"isRequired":true,"typeSettings":{"additionalResourceOptions":[]},"jsonData":"[\r\n {\"value\": \"Yes\", \"label\": \"Yes\", \"selected\":true},\r\n {\"value\": \"No\", \"label\": \"No\"}\r\n]"},
    {"name":"FirstSubscription","type":1,"isRequired":true,"query":"where type =~ 'x' | project subscriptionId","isHiddenWhenLocked":true,"queryType":1},
    {"name":"Subscription","type":6,"isRequired":true,"multiSelect":true,"quote":"'","delimiter":",","query":"summarize by subscriptionId","queryType":1,"value":["value::all"],"typeSettings":{"additionalResourceOptions":["value::all"]}},
    {"name":"Workspace","type":5,"multiSelect":true,"quote":"'","delimiter":",","query":"resources | summarize All = makelist(id, 10) | mvexpand All limit 100","queryType":1,"value":["value::all"]},
    {"name":"TimeRange","type":4,"isRequired":true,"value":{"durationMs":2592000000},"timeContextFromParameter":"TimeRange"}]}},
  {"type":1,"content":{"json":"# Plant\n---\n<svg></svg>"},"conditionalVisibility":{"parameterName":"Guide","comparison":"isEqualTo","value":"Yes"},"customWidth":"79"},
  {"type":11,"content":{"version":"LinkItem/1.0","style":"tabs","links":[{"cellValue":"TAB","linkTarget":"parameter","linkLabel":"Alerts","subTarget":"alerts"}]}},
  {"type":12,"content":{"version":"NotebookGroup/1.0","groupType":"editable","items":[
    {"type":9,"content":{"parameters":[
      {"name":"Tactic","type":2,"isRequired":true,"multiSelect":true,"quote":"'","delimiter":",","value":["value::all"],"crossComponentResources":["{Workspace}"],"queryType":0,"timeContextFromParameter":"TimeRange",
       "query":"let Map = datatable(AlertName:string, Tactic: string, Number:string)\r\n[\r\n\"Port Scan\",\"Discovery\",\"T0842\",\r\n\"PLC Stop\",\"Impact \",\"T0816\"\r\n   ];\r\nSecurityAlert\r\n| join kind=rightouter Map on AlertName\r\n| where DisplayName <> \"\"\r\n| summarize count() by Tactic\r\n| sort by count_ desc\r\n| project Tactic"}]}},
    {"type":12,"content":{"title":"Summary","items":[
      {"type":3,"content":{"title":"HIGH","query":"SecurityAlert\n| where ProductName contains \"iot\"\n| where Status == \"New\" or Status == \"Active\"\n| summarize kwSum=count(TenantId)\n\n\n","size":4,"queryType":0,"crossComponentResources":["{Workspace}"],"visualization":"tiles","timeContext":{"durationMs":2592000000},"timeContextFromParameter":"TimeRange"}},
      {"type":3,"content":{"title":"TODAY","query":"SecurityAlert\r\n| where dayofyear(TimeGenerated) == dayofyear(now())\r\n| summarize count() by AlertName | sort by count_ desc | limit 250","queryType":0}},
      {"type":3,"content":{"title":"BY DAY","query":"SecurityAlert | make-series n = count() default = 0 on TimeGenerated from {TimeRange:start} to {TimeRange:end} step 1d by AlertSeverity | render timechart","queryType":0}},
      {"type":3,"content":{"title":"TACTICS","query":"SecurityAlert | extend Tactic = tostring(split(Tactics, ',')[0]) | where Tactic in ({Tactic}) or '{Tactic:label}' == 'All' | summarize dcount(SystemAlertId) by Tactic","queryType":0,"visualization":"piechart"}},
      {"type":3,"content":{"title":"TRIAGE","query":"SecurityIncident\n| extend ProductName = tostring(parse_json(tostring(AdditionalData.alertProductNames))[0])\n| where ProductName contains \"iot\"\n| extend Owner = todynamic(Owner.assignedTo) \n| extend Product = todynamic((parse_json(tostring(AdditionalData.alertProductNames))[0])) \n| summarize arg_max(LastModifiedTime,*) by IncidentNumber \n| extend TimeToTriage =  (FirstModifiedTime - CreatedTime)/1h\n| summarize 50th_Percentile=percentile(TimeToTriage, 50) \n","queryType":0,"visualization":"tiles"}},
      {"type":3,"content":{"title":"FEEDBACK","query":"SecurityIncident | where Status == 'Closed' | extend feedback =strcat(Classification,\" \",ClassificationReason)\n| summarize dcount(IncidentNumber) by feedback\n","queryType":0,"visualization":"piechart"}}]}}]},
   "conditionalVisibility":{"parameterName":"TAB","comparison":"isEqualTo","value":"alerts"}}]})json";

TEST_F(WorkbooksTest, OneAsSolutionsPublishThemIsTakenUnmodified) {
  const auto files = workbook::read_file(kSolution);
  ASSERT_TRUE(files.has_value()) << files.error();
  const workbook::Document& document = files->at(0);
  EXPECT_EQ(document.queries.size(), 10u);
  for (const workbook::Problem& problem :
       workbook::check(document, kNow, [this](std::string_view query) { return mistake_of(query); }))
    ADD_FAILURE() << problem.title << ": " << problem.message << "\n" << problem.query;
}

}  // namespace
}  // namespace picket::server
