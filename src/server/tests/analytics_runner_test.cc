// Scheduled rules over a real workspace: the fifteen of content/analytics fire on their alerts and on nothing else.
#include "analytics_runner.h"

#include <deque>
#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include "kql/duckdb.h"
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
  void add_alert(const std::string& name, Timestamp time, const std::string& source = "192.0.2.7") {
    pipeline::AlertChange change{
        .alert_id = "alert-" + std::to_string(++sequence_),
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
    const auto reader = derived_->reader(derived_->begin());
    for (auto batch = (*reader)->read(1 << 20); batch && !batch->records.empty(); batch = (*reader)->read(1 << 20)) {
      for (const journal::RecordView& record : batch->records)
        out.push_back(pipeline::parse_alert_change(as_text(record.body)).value());
    }
    return out;
  }

  std::string folder_;
  ManualClock clock_{kNow};
  workspace::Schema schema_ = pipeline::make_workspace_schema();
  std::unique_ptr<state::Database> database_;
  std::optional<state::Analytics> rules_;
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
    clock_.advance(Duration::hours(1));
  }
  std::vector<std::string> outcomes;
  for (const auto& run : *rules_->runs(rule.id)) outcomes.insert(outcomes.begin(), run.outcome);
  EXPECT_THAT(outcomes, testing::ElementsAre("fired", "suppressed", "fired", "suppressed"));
  const auto trials = runner_->try_out(rule, kNow - Duration::hours(1), kNow + Duration::hours(3), {});
  ASSERT_EQ(trials.size(), 4u);
  EXPECT_TRUE(trials[1].suppressed);
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
