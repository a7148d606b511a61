// Recommendations that the events of agents give.
#include <gtest/gtest.h>

#include "hub_words.h"
#include "pipeline_harness.h"

namespace picket::pipeline {
namespace {

using States = std::map<std::string, std::string>;

/// The newest state of each type about device-1.
States states_of(const EngineHarness& pipeline) {
  States out;
  for (const RecommendationChange& change : pipeline.recommendations) {
    if (change.device.device_id == "device-1") out[change.type] = to_string(change.state);
  }
  return out;
}
std::string state_of(const EngineHarness& pipeline, const std::string& type) {
  const States states = states_of(pipeline);
  const auto found = states.find(type);
  return found == states.end() ? "" : found->second;
}
const RecommendationChange* newest(const EngineHarness& pipeline, const std::string& type) {
  const RecommendationChange* out = nullptr;
  for (const RecommendationChange& change : pipeline.recommendations) {
    if (change.type == type) out = &change;
  }
  return out;
}
std::string change(const std::string& what) { return R"({"Change":")" + what + "\"}"; }

TestEvent port(const std::string& address, const std::string& number, Timestamp time, const std::string& what = "",
               const std::string& protocol = "tcp") {
  TestEvent event{"ListeningPorts",
                  {{"Protocol", protocol}, {"LocalAddress", address}, {"LocalPort", number}, {"Executable", "/bin/x"}},
                  time,
                  ""};
  if (!what.empty()) event.payload.emplace_back("ExtraDetails", change(what));
  return event;
}

TEST(OpenPorts, AreThoseThatOthersReach) {
  EngineHarness pipeline;
  pipeline.feed(
      {port("127.0.0.1", "631", noon(0)), port("::1", "631", noon(0)), port("0.0.0.0", "40000", noon(0), "", "udp")});
  EXPECT_EQ(state_of(pipeline, "IoT_OpenPorts"), "");
  pipeline.feed({port("0.0.0.0", "22", noon(1), "added"), port("::", "22", noon(1), "added")}, noon(1));
  EXPECT_EQ(state_of(pipeline, "IoT_OpenPorts"), "Active");
  EXPECT_EQ(pipeline.recommendations.size(), 1u) << "one message, one change";
  const std::string data = data_of(pipeline, "IoT_OpenPorts");
  EXPECT_NE(data.find(R"({\"Protocol\":\"tcp\",\"LocalAddress\":\"::\",\"LocalPort\":\"22\",)"
                      R"(\"Executable\":\"/bin/x\"})"),
            std::string::npos);
  EXPECT_TRUE(data.ends_with("]\",\"Count\":\"2\"}")) << data;
}

TEST(OpenPorts, AreResolvedByDifferencesAndByWholeSnapshots) {
  EngineHarness pipeline;
  pipeline.feed({port("0.0.0.0", "22", noon(0)), port("0.0.0.0", "80", noon(0))});
  pipeline.feed({port("0.0.0.0", "22", noon(10), "removed")}, noon(10));
  EXPECT_EQ(state_of(pipeline, "IoT_OpenPorts"), "Active");
  pipeline.feed({port("0.0.0.0", "80", noon(20), "removed")}, noon(20));
  EXPECT_EQ(state_of(pipeline, "IoT_OpenPorts"), "Resolved");

  pipeline.feed({port("0.0.0.0", "23", noon(30), "added")}, noon(30));
  pipeline.feed({port("127.0.0.1", "631", noon(60))}, noon(60));  // whole, and 23 is not in it
  EXPECT_EQ(state_of(pipeline, "IoT_OpenPorts"), "Active") << "more of the snapshot may come";
  pipeline.feed(tick(noon(600)));
  EXPECT_EQ(state_of(pipeline, "IoT_OpenPorts"), "Resolved");
}

TEST(OpenPorts, AnEmptySnapshotSaysThatNothingListens) {
  EngineHarness pipeline;
  pipeline.feed({port("0.0.0.0", "22", noon(0))});
  pipeline.feed({.body = R"({"AgentVersion":"1","AgentId":"a","MessageSchemaVersion":"3.0","Events":[{"Id":"e1",)"
                         R"("TimestampLocal":"2026-11-21T12:05:00Z","TimestampUTC":"2026-11-21T12:05:00Z",)"
                         R"("Category":"Periodic","Name":"ListeningPorts","EventType":"Security","IsEmpty":true,)"
                         R"("PayloadSchemaVersion":"1.0","Payload":[]}]})",
                 .enqueued = noon(300)});
  EXPECT_EQ(state_of(pipeline, "IoT_OpenPorts"), "Resolved");
}

TEST(OpenPorts, WhatComesLateChangesNothingNewer) {
  EngineHarness pipeline;
  pipeline.feed({port("0.0.0.0", "22", noon(100), "removed")}, noon(100));
  pipeline.feed({port("0.0.0.0", "80", noon(120))}, noon(120));
  pipeline.feed({port("0.0.0.0", "23", noon(50))}, noon(130));  // of a snapshot before that
  EXPECT_EQ(newest(pipeline, "IoT_OpenPorts")->data.find("23"), std::string::npos);
}

TEST(OpenPorts, AreGoneWithTheDevice) {
  EngineHarness pipeline;
  pipeline.feed({port("0.0.0.0", "22", noon(0))});
  pipeline.feed(audit("device.delete", {}, noon(5), "device-1"));
  EXPECT_EQ(state_of(pipeline, "IoT_OpenPorts"), "Resolved");
}

TestEvent rule(std::vector<std::pair<std::string, std::string>> fields, const std::string& details,
               Timestamp time = kNoon) {
  TestEvent event{"FirewallConfiguration", {{"Enabled", "{}"}}, time, ""};
  event.payload[0].second = "true";
  event.payload.insert(event.payload.end(), fields.begin(), fields.end());
  event.payload.emplace_back("ExtraDetails", details);
  return event;
}
TestEvent policy(const std::string& direction, const std::string& action, const std::string& table = "filter",
                 const std::string& family = "inet", Timestamp time = kNoon) {
  return rule({{"Direction", direction}, {"Action", action}, {"ChainName", direction}},
              R"({"Filter":"nftables","Family":")" + family + R"(","Table":")" + table + R"(","Hook":")" +
                  (direction == "In" ? "input" : "output") + R"(","HookPriority":"0","Rule":"policy"})",
              time);
}
constexpr const char* kInput = R"({"Filter":"nftables","Family":"inet","Table":"t","Hook":"input","HookPriority":"0"})";

TEST(FirewallPolicy, IsPermissiveWhereNoFilterDenies) {
  const auto chains_of = [](const std::vector<TestEvent>& events) {
    EngineHarness pipeline;
    pipeline.feed(events);
    return data_of(pipeline, "IoT_PermissiveFirewallPolicy");
  };
  EXPECT_EQ(chains_of({policy("In", "Allow"), policy("Out", "Allow")}),
            "{\"Chains\":\"INPUT (IPv4), INPUT (IPv6), OUTPUT (IPv4), OUTPUT (IPv6)\"}");
  EXPECT_EQ(chains_of({policy("In", "Deny"), policy("Out", "Deny")}), "");
  EXPECT_EQ(chains_of({policy("In", "Deny", "filter", "ip"), policy("Out", "Deny")}), "{\"Chains\":\"INPUT (IPv6)\"}");
}

TEST(FirewallPolicy, ADenyOfEverythingIsAPolicyToo) {
  EngineHarness pipeline;
  pipeline.feed(
      {policy("In", "Allow"), rule({{"Direction", "In"}, {"Action", "Deny"}}, kInput), policy("Out", "Deny")});
  EXPECT_EQ(state_of(pipeline, "IoT_PermissiveFirewallPolicy"), "");
}

TEST(FirewallPolicy, ADenyOnOneInterfaceIsNone) {
  EngineHarness pipeline;
  pipeline.feed({policy("In", "Allow"), policy("Out", "Deny"),
                 rule({{"Direction", "In"}, {"Action", "Deny"}},
                      R"({"Filter":"nftables","Hook":"input","HookPriority":"0","InInterface":"eth1"})")});
  EXPECT_EQ(state_of(pipeline, "IoT_PermissiveFirewallPolicy"), "Active");
}

TEST(FirewallRules, ArePermissiveForNearlyAllAddressesOrPorts) {
  const auto judged = [](std::vector<std::pair<std::string, std::string>> fields, const std::string& details = kInput) {
    EngineHarness pipeline;
    fields.emplace_back("Action", "Allow");
    fields.emplace_back("Direction", "In");
    pipeline.feed({policy("In", "Deny"), policy("Out", "Deny"), rule(fields, details)});
    return state_of(pipeline, "IoT_PermissiveInputFirewallRules");
  };
  EXPECT_EQ(judged({{"Protocol", "tcp"}, {"DestinationPort", "22"}}), "Active");
  EXPECT_EQ(judged({{"Protocol", "tcp"}, {"SourceAddress", "0.0.0.0/0"}, {"DestinationPort", "22"}}), "Active");
  EXPECT_EQ(judged({{"Protocol", "tcp"}, {"SourceAddress", "192.0.2.7"}, {"DestinationPort", "1024-65535"}}), "Active");
  EXPECT_EQ(judged({{"Protocol", "tcp"}, {"SourceAddress", "192.0.2.0/24"}, {"DestinationPort", "22"}}), "");
  EXPECT_EQ(judged({{"SourceAddress", "2001:db8::/32"}, {"Protocol", "tcp"}, {"DestinationPort", "443"}}), "");
  EXPECT_EQ(judged({{"Protocol", "icmp"}}), "");
  EXPECT_EQ(judged({}, R"({"Filter":"nftables","Hook":"input","HookPriority":"0","InInterface":"lo"})"), "");
  EXPECT_EQ(judged({}, R"({"Filter":"nftables","Hook":"input","HookPriority":"0","CtState":"established"})"), "");
  EXPECT_EQ(judged({}, R"({"Filter":"iptables","Table":"nat","Hook":"output"})"), "") << "address translation";
}

TEST(FirewallRules, AreToldAsTheOriginalDoes) {
  EngineHarness pipeline;
  pipeline.feed({policy("In", "Deny"), policy("Out", "Deny"),
                 rule({{"Direction", "Out"}, {"Action", "Allow"}, {"Protocol", "tcp"}, {"DestinationPort", "443"}},
                      R"({"Filter":"iptables","Table":"filter","Hook":"output"})")});
  EXPECT_EQ(
      newest(pipeline, "IoT_PermissiveOutputFirewallRules")->data,
      R"({"Rules":"[{\"SourceAddress\":\"\",\"SourcePort\":\"\",\"DestinationAddress\":\"\",\"DestinationPort\":\"443\"}]"})");
}

TestEvent check(const std::string& id, const std::string& result, Timestamp time,
                const std::string& severity = "Critical", const std::string& what = "") {
  TestEvent event{"Baseline",
                  {{"BaselineCheckId", id},
                   {"BaselineCheckResult", result},
                   {"BaselineCheckDescription", "What " + id + " asks for"},
                   {"BaselineCheckRemediation", "Do it"},
                   {"BaselineCheckSeverity", severity},
                   {"ExtraDetails", R"({"Observed":"0644","Expected":"0600")" +
                                        (what.empty() ? "" : R"(,"Change":")" + what + "\"") + "}"}},
                  time,
                  ""};
  return event;
}

TEST(Baseline, CountsFailuresAndTellsEachCheck) {
  EngineHarness pipeline;
  pipeline.feed({check("PKT-FS-001", "FAIL", noon(0)), check("PKT-FS-002", "PASS", noon(0)),
                 check("PKT-FS-003", "FAIL", noon(0), "Informational"), check("PKT-FS-004", "ERROR", noon(0))});
  EXPECT_EQ(state_of(pipeline, "IoT_Baseline"), "Active");
  const std::string data = newest(pipeline, "IoT_Baseline")->data;
  for (const char* const part :
       {R"("TotalFailedRules":"2")", R"("TotalRulesFailedDuoToError":"1")", R"("TotalCriticalFailedRules":"1")",
        R"("TotalInformationalFailedRules":"1")", R"("TotalWarningFailedRules":"0")"}) {
    EXPECT_NE(data.find(part), std::string::npos) << part << " in " << data;
  }
  const auto* one = newest(pipeline, "IoT_CISBenchmarks_PKT-FS-001");
  ASSERT_NE(one, nullptr);
  EXPECT_EQ(one->severity, "High");
  EXPECT_EQ(one->display_name, "What PKT-FS-001 asks for");
  EXPECT_EQ(one->remediation, std::vector<std::string>{"Do it"});
  EXPECT_EQ(one->data, R"({"Observed":"0644","Expected":"0600"})");
  EXPECT_EQ(newest(pipeline, "IoT_CISBenchmarks_PKT-FS-003")->severity, "Informational");
  EXPECT_EQ(newest(pipeline, "IoT_CISBenchmarks_PKT-FS-002"), nullptr);
  EXPECT_EQ(newest(pipeline, "IoT_CISBenchmarks_PKT-FS-004"), nullptr);
}

TEST(Baseline, ChecksAreResolvedOneByOneAndOverARestart) {
  EngineHarness pipeline;
  pipeline.feed({check("A-1", "FAIL", noon(0)), check("A-2", "FAIL", noon(0))});
  pipeline.restart();
  pipeline.feed({check("A-1", "PASS", noon(60), "Critical", "changed")}, noon(60));
  EXPECT_EQ(state_of(pipeline, "IoT_CISBenchmarks_A-1"), "Resolved");
  EXPECT_EQ(state_of(pipeline, "IoT_CISBenchmarks_A-2"), "Active");
  EXPECT_EQ(state_of(pipeline, "IoT_Baseline"), "Active");
  pipeline.feed({check("A-2", "SKIP", noon(120), "Critical", "changed")}, noon(120));
  EXPECT_EQ(state_of(pipeline, "IoT_Baseline"), "Resolved");
  pipeline.feed({check("A-2", "FAIL", noon(180), "Critical", "changed")}, noon(180));
  EXPECT_EQ(state_of(pipeline, "IoT_CISBenchmarks_A-2"), "Active");
  pipeline.feed(audit("device.delete", {}, noon(240), "device-1"));
  for (const auto& [type, state] : states_of(pipeline)) EXPECT_EQ(state, "Resolved") << type;
}

TEST(Baseline, NamesOfChecksFromADeviceAreMadePlain) {
  EngineHarness pipeline;
  pipeline.feed({check("CIS-debian-9-Filesystem-1.1.2", "FAIL", noon(0)), check("a'b <c>", "FAIL", noon(0))});
  EXPECT_EQ(state_of(pipeline, "IoT_CISBenchmarks_CIS-debian-9-Filesystem-1.1.2"), "Active");
  EXPECT_EQ(state_of(pipeline, "IoT_CISBenchmarks_a_b__c_"), "Active");
}

TestEvent setting(const std::string& name, const std::string& error, Timestamp time) {
  return {"ConfigurationError",
          {{"ConfigurationName", name}, {"ErrorType", error}, {"UsedConfiguration", "5"}, {"Message", "m"}},
          time,
          ""};
}

TEST(AgentSettings, AreToldUntilADayWithoutThem) {
  EngineHarness pipeline;
  pipeline.feed({setting("Interval", "NotOptimal", noon(0)), setting("Other", "TypeMismatch", noon(0))});
  EXPECT_EQ(state_of(pipeline, "IoT_TwinConfigurationNotOptimal"), "Active");
  EXPECT_EQ(newest(pipeline, "IoT_TwinConfigurationNotOptimal")->data, R"({"Interval":"5"})");
  EXPECT_EQ(state_of(pipeline, "IoT_TwinConfigurationConflict"), "");
  pipeline.feed(tick(kNoon + Duration::hours(25)));
  EXPECT_EQ(state_of(pipeline, "IoT_TwinConfigurationNotOptimal"), "Resolved");
}

TEST(AgentMessages, AreTooSmallInTheParityProfileOnly) {
  for (const std::string profile : {"default", "parity"}) {
    EngineHarness pipeline;
    pipeline.feed({.body = R"({"Profile":")" + profile + "\"}", .kind = journal::RecordKind::rules_change});
    for (int i = 0; i < 30; ++i) pipeline.feed({process("/bin/ls", "ls", {}, noon(i))}, noon(i));
    pipeline.feed({process("/bin/ls", "ls")}, kNoon + Duration::days(1));
    EXPECT_EQ(state_of(pipeline, "IoT_AgentSendsUnutilizedMessages"), profile == "parity" ? "Active" : "") << profile;
  }
}

TEST(Posture, IsRestartSafe) {
  std::vector<TestRecord> records;
  records.push_back({.body = message_json({port("0.0.0.0", "22", noon(0)), check("A-1", "FAIL", noon(0)),
                                           policy("In", "Allow"), policy("Out", "Allow")})});
  records.push_back({.body = message_json({port("0.0.0.0", "80", noon(30))}), .enqueued = noon(30)});
  records.push_back(tick(noon(300)));
  records.push_back(
      {.body = message_json({check("A-1", "PASS", noon(330), "Critical", "changed")}), .enqueued = noon(330)});
  expect_restart_safe(records);
}

}  // namespace
}  // namespace picket::pipeline
