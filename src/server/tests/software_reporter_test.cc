// The fleet's software and findings as rows of tables: what the newest row of a key says is so, over changes, feeds,
// statements and restarts; asked in KQL from a real workspace.
#include "software_reporter.h"

#include <filesystem>
#include <random>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "kql/compile.h"
#include "kql/duckdb.h"
#include "pipeline/projector.h"
#include "pipeline/tables.h"
#include "pipeline/workspace_sink.h"
#include "workspace/tables.h"

namespace picket::server {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr Timestamp kNow{1'795'000'000'000'000};
constexpr std::string_view kTracker =
    R"({"openssl":{"CVE-2099-1":{"releases":{"bookworm":{"status":"resolved","fixed_version":"3.0.11-1","urgency":"high"}}}},
"bash":{"CVE-2099-2":{"releases":{"bookworm":{"status":"open","urgency":"low"}}}}})";

sbom::Component deb(const std::string& name, const std::string& version, const std::string& source = "") {
  sbom::Component out{.type = "deb", .name = name, .version = version, .architecture = "amd64", .source_name = source};
  out.purl = sbom::make_purl(out, "debian-12");
  return out;
}

/// The two tables, as the query language knows them.
kql::Schema query_schema(const workspace::Schema& schema) {
  kql::Schema out;
  for (const auto name : {workspace::kSoftwareInventory, workspace::kSoftwareVulnerabilities}) {
    kql::Table table{.name = std::string(name), .time_column = "TimeGenerated"};
    for (const workspace::Column& column : schema.tables[*schema.find_table(name)].columns) {
      table.columns.push_back({.name = column.name,
                               .type = column.type == workspace::ColumnType::timestamp ? kql::Type::datetime
                                       : column.type == workspace::ColumnType::boolean ? kql::Type::boolean
                                       : column.type == workspace::ColumnType::real    ? kql::Type::real
                                                                                       : kql::Type::string});
    }
    out.tables.push_back(std::move(table));
  }
  return out;
}

class SoftwareReporterTest : public testing::Test {
 protected:
  SoftwareReporterTest() {
    std::string pattern = testing::TempDir() + "picket_reports_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    journal::EmbeddedOptions options;
    options.directory = folder_ + "/derived";
    options.reserve_bytes = 0;
    derived_ = std::move(journal::open_embedded(std::move(options))->journal);
    start();
  }
  ~SoftwareReporterTest() override {
    table_.reset();
    reporter_.reset();
    desk_.reset();
    workspace_.reset();
    derived_.reset();
    std::filesystem::remove_all(folder_);
  }
  void start() {
    reporter_.reset();
    desk_.reset();
    desk_ = *vulnerability::Desk::open({.directory = folder_ + "/software", .clock = &clock_});
    desk_->wait_loaded();
    reporter_.emplace(SoftwareReporter::Parts{.desk = *desk_,
                                              .book = *vulnerability::ReportBook::open(folder_ + "/software"),
                                              .derived = *derived_,
                                              .clock = clock_});
  }
  void observe(const std::string& device, const std::vector<sbom::Component>& software) {
    clock_.advance(Duration::seconds(1));
    std::vector<sbom::Item> items;
    for (const auto& one : software) items.push_back({sbom::Item::Kind::whole, one});
    desk_->observe({"plant", device}, "agent", std::to_string(++snapshot_), clock_.now(), items);
    clock_.advance(Duration::hours(1));
    ASSERT_TRUE(desk_->commit("").has_value());  // the list is complete
  }
  void put_tracker(std::string_view text = kTracker) {
    const auto done = desk_->put_content({"debian", vulnerability::FeedKind::debian_tracker, "", {}}, "t.json", text);
    ASSERT_TRUE(done.has_value()) << done.error();
  }
  /// Until nothing waits. How many rows were written.
  std::size_t report() {
    std::size_t rows = 0;
    clock_.advance(Duration::seconds(1));
    do {
      const auto turn = reporter_->turn();
      if (!turn) ADD_FAILURE() << describe(turn.error());
      rows += turn.value_or(0);
    } while (reporter_->stats().waiting > 0);
    return rows;
  }
  /// The one column of a query's result, as texts.
  std::vector<std::string> ask(std::string_view query) {
    if (!workspace_) {
      workspace::DuckdbOptions duckdb;
      duckdb.directory = folder_ + "/segments";
      duckdb.background = false;
      duckdb.register_functions = [](void* connection) {
        return kql::register_kql_functions(static_cast<duckdb_connection>(connection)).has_value();
      };
      workspace_ = *workspace::open_duckdb_workspace(std::move(duckdb), schema_, clock_);
      sink_.emplace(*workspace_);
      table_ = *pipeline::start_alert_table(*derived_, *sink_, "installation");
    }
    while (!journal::Position::parse(table_->position())->covers(derived_->end())) std::this_thread::yield();
    const auto compiled = kql::compile(query, query_schema(schema_), {.now = clock_.now()});
    if (!compiled) {
      ADD_FAILURE() << kql::render(compiled.error().front(), query);
      return {};
    }
    workspace::QueryRequest request{.sql = compiled->sql, .binds = {}};
    for (const kql::Value& value : compiled->binds) {
      const auto* text = std::get_if<std::string>(&value.data);
      const auto* number = std::get_if<std::int64_t>(&value.data);
      if (text == nullptr && number == nullptr) ADD_FAILURE() << "a parameter of another kind";
      request.binds.push_back(text != nullptr ? workspace::Cell::text(*text)
                              : value.type == kql::Type::datetime
                                  ? workspace::Cell::timestamp({number == nullptr ? 0 : *number})
                                  : workspace::Cell::integer(number == nullptr ? 0 : *number));
    }
    const auto found = workspace_->query(request);
    if (!found) {
      ADD_FAILURE() << found.error().text;
      return {};
    }
    std::vector<std::string> out;
    for (std::size_t row = 0; row < found->rows; ++row) out.emplace_back(found->at(row, 0).as_text());
    return out;
  }

  std::string folder_;
  ManualClock clock_{kNow};
  int snapshot_ = 0;
  workspace::Schema schema_ = pipeline::make_workspace_schema();
  std::unique_ptr<journal::Journal> derived_;
  std::unique_ptr<vulnerability::Desk> desk_;
  std::optional<SoftwareReporter> reporter_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::optional<pipeline::WorkspaceSink> sink_;
  std::unique_ptr<pipeline::Projector> table_;
};

constexpr std::string_view kFindingsNow =
    "SoftwareVulnerabilities | summarize arg_max(TimeGenerated, *) by DeviceId, CveId, PackageUrl "
    "| where State == 'Affected' | project strcat(DeviceId, ' ', CveId, ' ', SoftwareName, ' ', "
    "RecommendedSecurityUpdate) | sort by Column1 asc";

TEST_F(SoftwareReporterTest, TheTablesSayWhatADeviceRunsAndWhatIsWrongWithIt) {
  put_tracker();
  observe("press-1", {deb("libssl3", "3.0.9-1", "openssl"), deb("bash", "5.2-1")});
  EXPECT_EQ(report(), 4U);
  EXPECT_EQ(report(), 0U) << "nothing has changed";
  EXPECT_THAT(ask("SoftwareInventory | where State == 'Installed' and not(IsSnapshot) | project SoftwareName | sort by "
                  "SoftwareName asc"),
              ElementsAre("bash", "libssl3"));
  EXPECT_THAT(
      ask("SoftwareVulnerabilities | project strcat(DeviceId, ' ', CveId, ' ', VulnerabilitySeverityLevel, ' ', "
          "SourceName, ' ', RecommendedSecurityUpdate, ' ', Feed) | sort by Column1 asc"),
      ElementsAre("press-1 CVE-2099-1 High openssl 3.0.11-1 debian", "press-1 CVE-2099-2 Low bash  debian"));
}

TEST_F(SoftwareReporterTest, WhatIsMendedRemovedOrRefutedIsResolved) {
  put_tracker();
  observe("press-1", {deb("libssl3", "3.0.9-1", "openssl"), deb("bash", "5.2-1")});
  observe("press-2", {deb("libssl3", "3.0.9-1", "openssl"), deb("bash", "5.2-1")});
  report();
  observe("press-1", {deb("libssl3", "3.0.11-1", "openssl"), deb("bash", "5.2-1")});
  ASSERT_TRUE(desk_->put_vex("v", R"({"@context":"https://openvex.dev/ns/v0.2.0","@id":"v","author":"a",
      "timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[{"vulnerability":{"name":"CVE-2099-2"},
      "products":[{"@id":"urn:picket:device:press-2"}],"status":"not_affected",
      "justification":"vulnerable_code_not_present"}]})"));
  report();
  EXPECT_THAT(ask(kFindingsNow), ElementsAre("press-1 CVE-2099-2 bash ", "press-2 CVE-2099-1 libssl3 3.0.11-1"));
  desk_->device_removed({"plant", "press-2"}, clock_.now());
  report();
  EXPECT_THAT(ask(kFindingsNow), ElementsAre("press-1 CVE-2099-2 bash "));
  EXPECT_THAT(
      ask("SoftwareInventory | summarize arg_max(TimeGenerated, State) by DeviceId, PackageUrl | where State == "
          "'Installed' | project strcat(DeviceId, ' ', PackageUrl) | sort by Column1 asc"),
      UnorderedElementsAre(testing::HasSubstr("press-1 pkg:deb/debian/bash@5.2-1"),
                           testing::HasSubstr("press-1 pkg:deb/debian/libssl3@3.0.11-1")));
}

TEST_F(SoftwareReporterTest, ANewAdvisoryAndAnotherFixAreRowsOfTheDevicesItConcerns) {
  observe("press-1", {deb("libssl3", "3.0.9-1", "openssl")});
  observe("press-2", {deb("nano", "7.2-1")});
  EXPECT_EQ(report(), 2U);
  put_tracker();
  EXPECT_EQ(report(), 1U);
  put_tracker(R"({"openssl":{"CVE-2099-1":{"releases":{"bookworm":{"status":"resolved","fixed_version":"3.0.12-1",
      "urgency":"high"}}}}})");
  EXPECT_EQ(report(), 1U) << "the finding is the same one, with another fix";
  EXPECT_THAT(ask(kFindingsNow), ElementsAre("press-1 CVE-2099-1 libssl3 3.0.12-1"));
}

TEST_F(SoftwareReporterTest, ARestartRepeatsNothingAndForgetsNothing) {
  put_tracker();
  observe("press-1", {deb("libssl3", "3.0.9-1", "openssl"), deb("bash", "5.2-1")});
  report();
  start();
  EXPECT_EQ(report(), 0U);
  observe("press-1", {deb("bash", "5.2-1")});
  start();  // changed, and the server ended before it was written
  EXPECT_EQ(report(), 2U);
  EXPECT_THAT(ask(kFindingsNow), ElementsAre("press-1 CVE-2099-2 bash "));
}

TEST_F(SoftwareReporterTest, WhatStillStandsIsWrittenAgainBeforeRetentionTakesIt) {
  put_tracker();
  observe("press-1", {deb("libssl3", "3.0.9-1", "openssl")});
  EXPECT_EQ(report(), 2U);
  clock_.advance(Duration::days(5));
  EXPECT_EQ(report(), 0U);
  clock_.advance(Duration::days(2));
  EXPECT_EQ(report(), 2U);
  EXPECT_THAT(ask("SoftwareVulnerabilities | where IsSnapshot | project State"), ElementsAre("Affected"));
}

TEST_F(SoftwareReporterTest, NothingIsResolvedWhileFeedsAreNotLoadedYet) {
  put_tracker();
  observe("press-1", {deb("bash", "5.2-1")});
  report();
  reporter_.reset();
  desk_.reset();
  desk_ = *vulnerability::Desk::open({.directory = folder_ + "/software", .clock = &clock_});
  reporter_.emplace(SoftwareReporter::Parts{.desk = *desk_,
                                            .book = *vulnerability::ReportBook::open(folder_ + "/software"),
                                            .derived = *derived_,
                                            .clock = clock_});
  EXPECT_EQ(*reporter_->turn(), 0U);  // at once: the feed may not be there yet
  desk_->wait_loaded();
  EXPECT_EQ(report(), 0U);
}

TEST_F(SoftwareReporterTest, AfterAnyChangesTheNewestRowsAreWhatTheFleetSays) {
  put_tracker();
  std::mt19937 random(7);
  const std::vector<sbom::Component> all{deb("libssl3", "3.0.9-1", "openssl"), deb("libssl3", "3.0.11-1", "openssl"),
                                         deb("bash", "5.2-1"), deb("nano", "7.2-1"), deb("openssl", "3.0.9-1")};
  for (int step = 0; step < 120; ++step) {
    const std::string device = "d" + std::to_string(random() % 6);
    std::vector<sbom::Component> software;
    for (const auto& one : all) {
      if (random() % 2 == 0) software.push_back(one);
    }
    observe(device, software);
    if (random() % 4 == 0) report();
    if (random() % 20 == 0) start();
  }
  report();
  std::vector<std::string> expected;
  for (int i = 0; i < 6; ++i) {
    const std::string device = "d" + std::to_string(i);
    for (const auto& one : desk_->fleet().findings_of({"plant", device}, vulnerability::Wanted::affected)) {
      expected.push_back(device + ' ' + one.finding.vulnerability + ' ' + one.component.name + ' ' +
                         one.finding.fixed_in);
    }
  }
  std::ranges::sort(expected);
  EXPECT_EQ(ask(kFindingsNow), expected);
  EXPECT_THAT(expected, testing::Not(IsEmpty()));
}

}  // namespace
}  // namespace picket::server
