// Rows of SecurityAlert and SecurityIncident, as workbooks and queries of others read them.
#include <map>

#include <gtest/gtest.h>

#include "pipeline/tables.h"
#include "workspace/tables.h"

namespace picket::pipeline {
namespace {

constexpr std::string_view kInstallation = "0b5e2a52-0f6e-4a2e-9d3e-0d9d5b8f3a10";

TEST(AlertCells, LeadToTheAlertUnlessARuleSaysWhere) {
  AlertChange change;
  change.alert_id = "a-7";
  std::deque<std::string> texts;
  const auto link = [&] {
    std::vector<workspace::Cell> cells;
    security_alert_cells(change, kInstallation, texts, cells);
    EXPECT_EQ(cells.size(), workspace::security_alert_table().columns.size());
    return std::string(cells.at(0).as_text());
  };
  EXPECT_EQ(workspace::security_alert_table().columns.at(0).name, "AlertLink");
  EXPECT_EQ(link(), "/alerts/a-7");
  change.link = "https://siem.example/7";
  EXPECT_EQ(link(), "https://siem.example/7");
}

TEST(IncidentCells, AreInTheOrderOfTheTable) {
  IncidentRow row;
  row.incident.title = "Scan, then stop";
  row.number = 7;
  row.status = "Active";
  row.created = Timestamp{1'000'000};
  row.modified = Timestamp{9'000'000};
  std::deque<std::string> texts;
  const auto cells_of = [&] {
    std::vector<workspace::Cell> cells;
    security_incident_cells(row, kInstallation, texts, cells);
    const auto columns = workspace::security_incident_table().columns;
    EXPECT_EQ(cells.size(), columns.size());
    std::map<std::string, workspace::Cell> out;
    for (std::size_t i = 0; i < std::min(cells.size(), columns.size()); ++i) out.emplace(columns[i].name, cells[i]);
    return out;
  };
  const auto untouched = cells_of();
  EXPECT_EQ(untouched.at("Title").as_text(), "Scan, then stop");
  EXPECT_EQ(untouched.at("TenantId").as_text(), kInstallation) << "workbooks count by it";
  EXPECT_EQ(untouched.at("IncidentUrl").as_text(), "/incidents/7");
  EXPECT_TRUE(untouched.at("FirstModifiedTime").is_null()) << "nobody has looked at it: there is no time to triage yet";
  row.first_modified = Timestamp{4'000'000};
  EXPECT_EQ(cells_of().at("FirstModifiedTime").as_timestamp().us, 4'000'000);
  EXPECT_EQ(cells_of().at("LastModifiedTime").as_timestamp().us, 9'000'000);
}

}  // namespace
}  // namespace picket::pipeline
