// Scheduled rules over a real workspace: the fifteen of content/analytics fire on their alerts and on nothing else.
#include "analytics_runner.h"

#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "kql/duckdb.h"
#include "pipeline/incident.h"
#include "pipeline/tables.h"
#include "query_schema.h"
#include "workspace/tables.h"

namespace picket::server {
namespace {

constexpr Timestamp kNow{1'795'000'000'000'000};
constexpr const char* kRules = PICKET_SOURCE_DIR "/content/analytics";

/// An alert name that each rule of content/analytics waits for.
const std::map<std::string, std::string> kAlertOf{
    {"denial-of-service", "Suspicion of Denial Of Service Attack"},
    {"excessive-login-attempts", "Password Guessing Attempt"},
    {"firmware-updates", "Honeywell Firmware Version Changed"},
    {"high-bandwidth", "ICMP Flooding"},
    {"no-traffic-on-sensor", "No Traffic Detected on Sensor Interface"},
    {"illegal-function-codes", "Slave Device Received Illegal Data Value"},
    {"plc-key-state", "PLC Operating Mode Changed"},
    {"internet-access", "Internet Access Detected"},
    {"suspicious-malware", "Suspicion of Conficker Malware"},
    {"multiple-scans", "Port Scan Detected"},
    {"plc-stop-command", "An S7 Stop PLC Command was Sent"},
    {"unauthorized-device", "New Asset Detected"},
    {"dhcp-configuration", "Device Failed to Receive a Dynamic IP Address"},
    {"plc-changes", "Unauthorized PLC Programming"},
    {"remote-access", "Unauthorized SSH Access"},
};

class AnalyticsRunnerTest : public testing::Test {
 protected:
  AnalyticsRunnerTest() {
    std::string pattern = testing::TempDir() + "picket_analytics_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    database_ = *state::Database::open(folder_ + "/state.sqlite");
    rules_.emplace(*database_);
    incidents_.emplace(*database_);
    journal::EmbeddedOptions options;
    options.directory = folder_ + "/derived";
    options.reserve_bytes = 0;
    derived_ = std::move(journal::open_embedded(std::move(options))->journal);
    workspace::DuckdbOptions duckdb;
    duckdb.directory = folder_ + "/segments";
    duckdb.background = false;
    duckdb.register_functions = [](void* connection) {
      return kql::register_kql_functions(static_cast<duckdb_connection>(connection)).has_value();
    };
    workspace_ = *workspace::open_duckdb_workspace(std::move(duckdb), schema_, clock_);
    runner_.emplace(AnalyticsRunner::Parts{.rules = *rules_,
                                           .incidents = *incidents_,
                                           .workspace = *workspace_,
                                           .schema = [this] { return make_query_schema(schema_); },
                                           .derived = *derived_,
                                           .clock = clock_,
                                           .hub = "plant",
                                           .installation_id = "0b5e2a52-0f6e-4a2e-9d3e-0d9d5b8f3a10",
                                           .ingestion_delay = {}});
  }
  ~AnalyticsRunnerTest() override {
    runner_.reset();
    workspace_.reset();
    derived_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// A row of SecurityAlert, as the projector makes it of an alert that a sensor's engine raised.
  void add_alert(const std::string& name, Timestamp time, const std::string& source = "192.0.2.7",
                 std::uint32_t number = 0) {
    pipeline::AlertChange change{
        .alert_id = "alert-" + std::to_string(++sequence_),
        .change = number,
        .display_name = name,
        .severity = "High",
        .description = "what happened",
        .device = {"plant", "sensor-1", "", ""},
        .start = time,
        .end = time,
        .generated = time,
        .count = 1,
        .remediation = {"Look at it."},
        .properties = {{"DeviceId", "sensor-1"}, {"SourceDeviceAddress", source}, {"Protocol", "TCP"}},
        .entities = {{"ip", {{"Address", source}}}}};
    std::deque<std::string> texts;
    std::vector<workspace::Cell> cells;
    pipeline::security_alert_cells(change, "0b5e2a52-0f6e-4a2e-9d3e-0d9d5b8f3a10", texts, cells);
    const workspace::Row row{.table = *schema_.find_table(workspace::kSecurityAlert),
                             .id = {sequence_, 0, 0},
                             .ingested = time,
                             .cells = cells};
    ASSERT_TRUE(workspace_->append(workspace::kDerivedStream, sequence_, {&row, 1}).has_value());
  }
  static analytics::Rule rule_named(const std::string& file) {
    std::ifstream in(std::string(kRules) + "/" + file + ".yaml");
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    auto read = analytics::read_rule_file(text);
    EXPECT_EQ(read.rules.size(), 1u) << file << ": " << (read.complaints.empty() ? "" : read.complaints[0]);
    return read.rules.empty() ? analytics::Rule{} : read.rules[0];
  }
  void import(const analytics::Rule& rule) {
    ASSERT_TRUE(rules_->put(rule.id, rule.name, to_json(rule), {"test", ""}, clock_.now()).has_value());
  }
  std::vector<pipeline::AlertChange> raised() const {
    std::vector<pipeline::AlertChange> out;
    for_each_record(journal::RecordKind::alert_change, [&](const journal::RecordView& record) {
      out.push_back(pipeline::parse_alert_change(as_text(record.body)).value());
    });
    return out;
  }
  /// What the list of alerts and incidents does with the derived journal; all incidents as they are then.
  std::vector<pipeline::IncidentChange> project() {
    std::map<std::string, pipeline::IncidentChange> out;
    for_each_record(journal::RecordKind::incident_change, [&](const journal::RecordView& record) {
      const auto change = pipeline::parse_incident_change(as_text(record.body)).value();
      EXPECT_EQ(change.source, journal::RecordId{}) << "the pipeline is not to look for it";
      const state::Incident incident{.incident_id = change.incident_id,
                                     .kind = change.kind,
                                     .title = change.title,
                                     .severity = change.severity,
                                     .hub = change.device.hub,
                                     .device_id = change.device.device_id,
                                     .start = change.start,
                                     .end = change.end,
                                     .updated = change.generated,
                                     .change = change.change,
                                     .json = std::string(as_text(record.body)),
                                     .alerts = change.alerts};
      EXPECT_TRUE(incidents_->apply(incident, "1", record.id.sequence).has_value());
      if (!out.contains(change.incident_id) || out[change.incident_id].change < change.change)
        out[change.incident_id] = change;
    });
    std::vector<pipeline::IncidentChange> list;
    for (auto& [id, change] : out) list.push_back(std::move(change));
    return list;
  }
  template <class Visit>
  void for_each_record(journal::RecordKind kind, Visit visit) const {
    const auto reader = derived_->reader(derived_->begin());
    for (auto batch = (*reader)->read(1 << 20); batch && !batch->records.empty(); batch = (*reader)->read(1 << 20)) {
      for (const journal::RecordView& record : batch->records) {
        if (record.kind == kind) visit(record);
      }
    }
  }
  void close(const std::string& incident) {
    ASSERT_TRUE(incidents_
                    ->apply(state::IncidentTriage{.incident_id = incident,
                                                  .user = "ann",
                                                  .comment = "done",
                                                  .time = clock_.now(),
                                                  .status = "Closed",
                                                  .owner = {},
                                                  .classification = {},
                                                  .classification_reason = {},
                                                  .sequence = 1'000 + sequence_},
                            "1")
                    .has_value());
  }
  /// A rule of one alert a row, grouped as `incidents` says, after one alert from each of the addresses.
  analytics::Rule grouped(analytics::Incidents incidents) {
    analytics::Rule rule = rule_named("multiple-scans");
    rule.suppression = false;
    rule.alert_per_result = true;
    incidents.group = true;
    rule.incidents = incidents;
    import(rule);
    return rule;
  }
  void run_with(const std::vector<std::string>& addresses) {
    for (const std::string& address : addresses)
      add_alert("Port Scan Detected", clock_.now() - Duration::minutes(1), address);
    for (int i = 0; i < 6; ++i) runner_->run_due({});  // those that were missed, too
    clock_.advance(Duration::hours(1));
  }

  std::string folder_;
  ManualClock clock_{kNow};
  workspace::Schema schema_ = pipeline::make_workspace_schema();
  std::unique_ptr<state::Database> database_;
  std::optional<state::Analytics> rules_;
  std::optional<state::Incidents> incidents_;
  std::unique_ptr<journal::Journal> derived_;
  std::unique_ptr<workspace::Workspace> workspace_;
  std::optional<AnalyticsRunner> runner_;
  std::uint64_t sequence_ = 0;
};

TEST_F(AnalyticsRunnerTest, TheFifteenRulesFireOnTheirAlertsAndOnNothingElse) {
  add_alert("Something of another kind", kNow - Duration::minutes(2));
  std::set<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kRules)) {
    if (entry.path().extension() == ".yaml") files.insert(entry.path().stem());
  }
  ASSERT_EQ(files.size(), 15u);
  for (const std::string& file : files) {
    const analytics::Rule rule = rule_named(file);
    EXPECT_EQ(runner_->problem(rule), std::nullopt) << file;
    const auto quiet = runner_->try_out(rule, kNow - rule.frequency, kNow, {});
    ASSERT_EQ(quiet.size(), 1u);
    EXPECT_EQ(quiet[0].failure, "") << file;
    EXPECT_TRUE(quiet[0].alerts.empty()) << file;
  }
  for (const auto& [file, name] : kAlertOf) add_alert(name, kNow - Duration::minutes(1));
  for (const std::string& file : files) {
    const analytics::Rule rule = rule_named(file);
    const auto fired = runner_->try_out(rule, kNow - rule.frequency, kNow, {});
    ASSERT_FALSE(fired.at(0).alerts.empty()) << file;
    const analytics::Alert& alert = fired[0].alerts[0];
    EXPECT_EQ(alert.name, "(OT) " + kAlertOf.at(file));
    EXPECT_EQ(alert.device_id, "sensor-1");
    ASSERT_FALSE(alert.entities.empty()) << file;
    EXPECT_EQ(alert.entities[0].type, "ip");
  }
}

/// The published solution's rules have this shape: they wait for isNew, have an empty mapping of entities and the name
/// of a column instead, and name details that no column has.
TEST_F(AnalyticsRunnerTest, ARuleThatWaitsForNewAlertsLeavesOutUpdatesOfThem) {
  const auto read = analytics::read_rule_file(R"yaml(id: 0d3b5f0c-6a64-4a43-9a3e-52a0a3c8ce11
name: Probes of the plant
description: |
  'Something looks for open ports.'
severity: High
status: Available
requiredDataConnectors:
  - connectorId: IoT
    dataTypes:
      - SecurityAlert (ASC for IoT)
queryFrequency: 5m
queryPeriod: 5m
triggerOperator: gt
triggerThreshold: 0
tactics:
  - Discovery
relevantTechniques:
  - T0846
query: |
  let names = dynamic(["Port Scan", "Address Scan Detected"]);
  SecurityAlert
  | where ProviderName == "IoTSecurity"
  | where AlertName has_any (names)
  | extend ExtendedProperties = parse_json(ExtendedProperties)
  | where tostring(ExtendedProperties.isNew) == "True"
  | extend DeviceId = tostring(ExtendedProperties.DeviceId),
           Step = tostring(parse_json(RemediationSteps)[0])
  | project TimeGenerated, DeviceId, AlertName, AlertSeverity, Description, Step, Tactics, Entities, VendorOriginalId
entityMappings:
sentinelEntitiesMappings:
  - columnName: Entities
  - columnName: Entities
eventGroupingSettings:
  aggregationKind: AlertPerResult
customDetails:
  Sensor: DeviceId
  Nothing: NoSuchColumn
alertDetailsOverride:
  alertDisplayNameFormat: (Plant) {{AlertName}}
  alertDescriptionFormat: (Plant) {{Description}}
  alertTacticsColumnName: Tactics
  alertSeverityColumnName: AlertSeverity
  alertDynamicProperties:
    - alertProperty: Techniques
      value: Techniques
version: 1.0.0
kind: Scheduled
)yaml");
  ASSERT_EQ(read.rules.size(), 1u) << read.complaints.at(0);
  const analytics::Rule& rule = read.rules[0];
  EXPECT_EQ(runner_->problem(rule), std::nullopt);
  add_alert("Port Scan Detected", kNow - Duration::minutes(2));
  add_alert("Port Scan Detected", kNow - Duration::minutes(1), "192.0.2.7", 1);
  const auto fired = runner_->try_out(rule, kNow - rule.frequency, kNow, {});
  ASSERT_EQ(fired.size(), 1u);
  EXPECT_EQ(fired[0].failure, "");
  ASSERT_EQ(fired[0].alerts.size(), 1u);
  EXPECT_EQ(fired[0].alerts[0].name, "(Plant) Port Scan Detected");
  EXPECT_EQ(fired[0].alerts[0].device_id, "sensor-1");
  ASSERT_FALSE(fired[0].alerts[0].entities.empty());
}

TEST_F(AnalyticsRunnerTest, ARunRaisesAlertsOnceAndGoesOnAtItsFrequency) {
  const analytics::Rule rule = rule_named("multiple-scans");
  import(rule);
  add_alert("Port Scan Detected", kNow - Duration::minutes(10));
  add_alert("PLC Scan Detected", kNow - Duration::minutes(5), "192.0.2.8");
  runner_->run_due({});
  runner_->run_due({});
  auto alerts = raised();
  ASSERT_EQ(alerts.size(), 2u) << "it is not due again";
  EXPECT_EQ(alerts[0].device.device_id, "sensor-1");
  EXPECT_EQ(alerts[0].severity, "High");
  EXPECT_EQ(alerts[0].product_name, "Azure Security Center for IoT") << "as the override says";
  EXPECT_EQ(alerts[0].provider_name, "ASI Scheduled Alerts");
  EXPECT_NE(alerts[0].alert_id, alerts[1].alert_id);
  EXPECT_EQ(rules_->find(rule.id)->next_run, kNow + Duration::hours(1));
  clock_.advance(Duration::hours(1));
  runner_->run_due({});
  EXPECT_EQ(raised().size(), 2u) << "an hour later there is nothing new";
  const auto runs = *rules_->runs(rule.id);
  ASSERT_EQ(runs.size(), 2u);
  EXPECT_EQ(runs[0].outcome, "quiet");
  EXPECT_EQ(runs[1].outcome, "fired");
  EXPECT_EQ(runs[1].rows, 2);
}

TEST_F(AnalyticsRunnerTest, ARepeatedRunMakesTheSameAlerts) {
  analytics::Rule rule = rule_named("multiple-scans");
  import(rule);
  add_alert("Port Scan Detected", kNow - Duration::minutes(10));
  runner_->run_due({});
  // As after a crash between the alert and the note of the run.
  ASSERT_TRUE(rules_->remove(rule.id, {"test", ""}, kNow).has_value());
  import(rule);
  runner_->run_due({});
  const auto alerts = raised();
  ASSERT_EQ(alerts.size(), 2u);
  EXPECT_EQ(alerts[0].alert_id, alerts[1].alert_id);
}

TEST_F(AnalyticsRunnerTest, SuppressionKeepsARuleQuietForItsTime) {
  analytics::Rule rule = rule_named("multiple-scans");
  rule.suppression = true;
  rule.suppression_time = Duration::minutes(90);
  import(rule);
  for (int hour = 0; hour < 4; ++hour) {
    add_alert("Port Scan Detected", clock_.now() - Duration::minutes(1));
    runner_->run_due({});
    project();
    clock_.advance(Duration::hours(1));
  }
  std::vector<std::string> outcomes;
  for (const auto& run : *rules_->runs(rule.id)) outcomes.insert(outcomes.begin(), run.outcome);
  EXPECT_THAT(outcomes, testing::ElementsAre("fired", "suppressed", "fired", "suppressed"));
  const auto trials = runner_->try_out(rule, kNow - Duration::hours(1), kNow + Duration::hours(3), {});
  ASSERT_EQ(trials.size(), 4u);
  EXPECT_TRUE(trials[1].suppressed);
}

TEST_F(AnalyticsRunnerTest, TheFifteenRulesMakeIncidentsOfTheirAlerts) {
  std::map<std::string, std::string> rule_of;
  for (const auto& [file, name] : kAlertOf) {
    const analytics::Rule rule = rule_named(file);
    ASSERT_TRUE(rule.incidents.create) << file;
    import(rule);
    rule_of[rule.id] = file;
    add_alert(name, kNow - Duration::minutes(1));
  }
  runner_->run_due({});
  const auto alerts = raised();
  const auto incidents = project();
  EXPECT_GE(alerts.size(), 15u);
  std::set<std::string> with_incident;
  std::set<std::string> held;
  for (const pipeline::IncidentChange& incident : incidents) {
    EXPECT_EQ(incident.kind, "rule");
    ASSERT_TRUE(rule_of.contains(incident.key)) << incident.key;
    with_incident.insert(rule_of[incident.key]);
    EXPECT_EQ(incident.title, "(OT) " + kAlertOf.at(rule_of[incident.key]));
    EXPECT_EQ(incident.device.device_id, "sensor-1");
    EXPECT_EQ(incidents_->find(incident.incident_id)->status, "New");
    held.insert(incident.alerts.begin(), incident.alerts.end());
  }
  EXPECT_EQ(with_incident.size(), 15u);
  for (const pipeline::AlertChange& alert : alerts) EXPECT_TRUE(held.contains(alert.alert_id)) << alert.display_name;
}

TEST_F(AnalyticsRunnerTest, AlertsOfTheSameEntitiesShareAnIncident) {
  grouped({.matching = analytics::Incidents::Matching::all_entities});
  run_with({"192.0.2.7", "192.0.2.8"});
  ASSERT_EQ(project().size(), 2u);
  run_with({"192.0.2.7"});
  const auto incidents = project();
  ASSERT_EQ(incidents.size(), 2u) << "the first goes on";
  const auto& grown = incidents[0].change > 0 ? incidents[0] : incidents[1];
  EXPECT_EQ(grown.change, 1u);
  EXPECT_EQ(grown.alerts.size(), 2u);
  EXPECT_THAT(grown.reasons, testing::Contains(testing::HasSubstr("192.0.2.7")));
}

TEST_F(AnalyticsRunnerTest, AllAlertsOfARuleShareAnIncidentWithinItsLookback) {
  grouped({.lookback = Duration::minutes(90), .matching = analytics::Incidents::Matching::any_alert});
  run_with({"192.0.2.7", "192.0.2.8"});
  ASSERT_EQ(project().size(), 1u);
  run_with({"192.0.2.9"});
  ASSERT_EQ(project().size(), 1u);
  EXPECT_EQ(project()[0].alerts.size(), 3u);
  clock_.advance(Duration::hours(2));
  run_with({"192.0.2.9"});
  EXPECT_EQ(project().size(), 2u) << "two hours of quiet are longer than the lookback";
}

TEST_F(AnalyticsRunnerTest, AClosedIncidentIsReopenedOnlyWhereTheRuleSaysSo) {
  const analytics::Rule rule = grouped({.reopen = true, .matching = analytics::Incidents::Matching::any_alert});
  run_with({"192.0.2.7"});
  const std::string first = project().at(0).incident_id;
  close(first);
  run_with({"192.0.2.7"});
  ASSERT_EQ(project().size(), 1u);
  EXPECT_EQ(incidents_->find(first)->status, "Active");
  EXPECT_EQ(incidents_->find(first)->alerts.size(), 2u);
  close(first);
  analytics::Rule other = rule;
  other.incidents.reopen = false;
  import(other);
  run_with({"192.0.2.7"});
  EXPECT_EQ(project().size(), 2u);
  EXPECT_EQ(incidents_->find(first)->status, "Closed");
}

TEST_F(AnalyticsRunnerTest, ARuleWaitsForTheProjectionOfItsIncident) {
  const analytics::Rule rule = grouped({.matching = analytics::Incidents::Matching::any_alert});
  run_with({"192.0.2.7"});
  run_with({"192.0.2.8"});  // nothing was projected yet
  EXPECT_EQ(raised().size(), 1u) << "an incident that lost its first alert would be worse than a late one";
  ASSERT_EQ(project().size(), 1u);
  runner_->run_due({});
  EXPECT_EQ(raised().size(), 2u);
  EXPECT_EQ(project().at(0).alerts.size(), 2u);
}

TEST_F(AnalyticsRunnerTest, ARepeatedRunMakesTheSameIncident) {
  const analytics::Rule rule = grouped({.matching = analytics::Incidents::Matching::any_alert});
  add_alert("Port Scan Detected", kNow - Duration::minutes(10));
  runner_->run_due({});
  ASSERT_TRUE(rules_->remove(rule.id, {"test", ""}, kNow).has_value());
  import(rule);
  runner_->run_due({});
  const auto incidents = project();
  ASSERT_EQ(incidents.size(), 1u);
  EXPECT_EQ(incidents[0].alerts.size(), 1u);
  EXPECT_EQ(incidents_->steps_of(incidents[0].incident_id)->size(), 1u);
}

TEST_F(AnalyticsRunnerTest, ARuleWithoutIncidentsRaisesAlertsAlone) {
  analytics::Rule rule = rule_named("multiple-scans");
  rule.incidents.create = false;
  import(rule);
  run_with({"192.0.2.7"});
  EXPECT_EQ(raised().size(), 1u);
  EXPECT_TRUE(project().empty());
}

TEST_F(AnalyticsRunnerTest, AQueryThatFailsIsToldAndTheRuleGoesOn) {
  analytics::Rule rule = rule_named("multiple-scans");
  rule.query = "SecurityAlert | where Nope == 1";
  EXPECT_THAT(runner_->problem(rule).value_or(""), testing::HasSubstr("Nope"));
  import(rule);
  runner_->run_due({});
  const auto runs = *rules_->runs(rule.id);
  ASSERT_EQ(runs.size(), 1u);
  EXPECT_EQ(runs[0].outcome, "failed");
  EXPECT_THAT(runs[0].message, testing::HasSubstr("Nope"));
  EXPECT_TRUE(raised().empty());
}

TEST_F(AnalyticsRunnerTest, ARuleThatIsOffDoesNotRun) {
  const analytics::Rule rule = rule_named("multiple-scans");
  import(rule);
  ASSERT_TRUE(rules_->set_enabled(rule.id, false, {"test", ""}, kNow).has_value());
  add_alert("Port Scan Detected", kNow - Duration::minutes(10));
  runner_->run_due({});
  EXPECT_TRUE(rules_->runs(rule.id)->empty());
}

}  // namespace
}  // namespace picket::server
