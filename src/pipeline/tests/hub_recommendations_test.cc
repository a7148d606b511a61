// Recommendations that the hub's own records give.
#include <gtest/gtest.h>

#include "hub_words.h"
#include "net_prefix.h"
#include "pipeline/control_records.h"

namespace picket::pipeline {
namespace {

using States = std::map<std::string, std::string>;
Timestamp day(std::int64_t days) { return kNoon + Duration::days(days); }

TestRecord connect_with(const std::string& device, const std::string& credential, Timestamp time = kNoon,
                        const std::string& scope = "device") {
  return connect(device, {{"auth", R"({"type":"sas","scope":")" + scope + R"(","credential":")" + credential + "\"}"}},
                 time);
}

TEST(SharedCredentials, AreThoseOfSeveralDevices) {
  EngineHarness pipeline;
  pipeline.feed(connect_with("a", "key:1"));
  pipeline.feed(connect_with("b", "key:2", noon(1)));
  pipeline.feed(connect_with("a", "key:1", noon(2)));
  EXPECT_TRUE(states(pipeline, "IoT_SharedCredentials").empty());
  pipeline.feed(connect_with("b", "key:1", noon(3)));
  EXPECT_EQ(states(pipeline, "IoT_SharedCredentials"), (States{{"a", "Active"}, {"b", "Active"}}));
  EXPECT_EQ(data_of(pipeline, "IoT_SharedCredentials"), R"({"Devices":"[\"a\",\"b\"]","Credential":"key:1"})");
  EXPECT_EQ(pipeline.recommendations.back().severity, "High");
}

TEST(SharedCredentials, PolicyKeysAreMeantForMany) {
  EngineHarness pipeline;
  pipeline.feed(connect_with("a", "key:1", kNoon, "hub"));
  pipeline.feed(connect_with("b", "key:1", kNoon, "hub"));
  EXPECT_TRUE(pipeline.recommendations.empty() || states(pipeline, "IoT_SharedCredentials").empty());
}

TEST(SharedCredentials, AreResolvedByNewKeysAndByTime) {
  std::vector<TestRecord> records{connect_with("a", "key:1"), connect_with("b", "key:1"), connect_with("c", "key:1")};
  records.push_back(audit("key.rotate", {}, noon(60), "c"));
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_EQ(states(pipeline, "IoT_SharedCredentials"), (States{{"a", "Active"}, {"b", "Active"}, {"c", "Resolved"}}));
  records.push_back(connect_with("a", "key:1", day(5)));
  records.push_back(tick(day(8)));
  for (std::size_t i = 4; i < records.size(); ++i) pipeline.feed(records[i]);
  EXPECT_EQ(states(pipeline, "IoT_SharedCredentials"),
            (States{{"a", "Resolved"}, {"b", "Resolved"}, {"c", "Resolved"}}));
  expect_restart_safe(records);
}

TEST(SharedCredentials, RememberSoManyDevicesOfOneCredential) {
  EngineHarness pipeline;
  for (int i = 0; i < 100; ++i) pipeline.feed(connect_with("d" + std::to_string(100 + i), "key:1"));
  EXPECT_EQ(states(pipeline, "IoT_SharedCredentials").size(), 32u);
}

TestRecord connect_tls(const std::string& version, const std::string& cipher, Timestamp time = kNoon) {
  return connect("a", {{"tls.version", version}, {"tls.cipher", cipher}}, time);
}

TEST(TlsCipherSuite, WeakOnesAreNamed) {
  const std::pair<std::string, std::string> weak[] = {{"TLSv1.1", "ECDHE-RSA-AES256-SHA"},
                                                      {"TLSv1.2", "AES256-GCM-SHA384"},
                                                      {"TLSv1.2", "ECDHE-RSA-AES256-SHA384"},
                                                      {"TLSv1.2", "ECDHE-RSA-DES-CBC3-SHA"}};
  for (const auto& [version, cipher] : weak) {
    EngineHarness pipeline;
    pipeline.feed(connect_tls(version, cipher));
    EXPECT_EQ(states(pipeline, "IoT_VulnerableTLSCipherSuite")["a"], "Active") << version << cipher;
    pipeline.feed(connect_tls("TLSv1.3", "TLS_AES_256_GCM_SHA384", noon(60)));
    EXPECT_EQ(states(pipeline, "IoT_VulnerableTLSCipherSuite")["a"], "Resolved");
  }
}

TEST(TlsCipherSuite, GoodOnesAreNot) {
  EngineHarness pipeline;
  pipeline.feed(connect_tls("TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256"));
  pipeline.feed(connect_tls("TLSv1.2", "ECDHE-RSA-CHACHA20-POLY1305"));
  pipeline.feed(connect_tls("TLSv1.3", "TLS_CHACHA20_POLY1305_SHA256"));
  pipeline.feed(connect_tls("", ""));
  EXPECT_TRUE(states(pipeline, "IoT_VulnerableTLSCipherSuite").empty());
}

TEST(WeakTls, AttemptIsAnAlertAndOtherFailuresAreNot) {
  EngineHarness pipeline;
  pipeline.feed(
      hub_event("tls_failed", {{"src_ip", "203.0.113.9"}, {"result.reason", "unsupported protocol"}}, kNoon, ""));
  ASSERT_EQ(pipeline.alerts("IoT_WeakTlsAttempt").size(), 1u);
  EXPECT_EQ(property(pipeline.alerts()[0], "Remote Address"), "203.0.113.9");
  pipeline.feed(auth_failed("tls_policy", {{"tls.version", "TLSv1.2"}}));
  EXPECT_EQ(pipeline.alerts("IoT_WeakTlsAttempt").size(), 2u);
  pipeline.feed(hub_event("tls_failed", {{"src_ip", "203.0.113.9"}, {"result.reason", "timeout"}}, kNoon, ""));
  EXPECT_EQ(pipeline.alerts("IoT_WeakTlsAttempt").size(), 2u);
}

std::string rules(const std::vector<std::pair<std::string, std::string>>& list) {
  std::string out = "[";
  for (const auto& [action, mask] : list) {
    if (out.size() > 1) out += ',';
    out += R"({"filterName":"r","action":")" + action + R"(","ipMask":")" + mask + "\"}";
  }
  return out + "]";
}
TestRecord filter(const std::vector<std::pair<std::string, std::string>>& list, Timestamp time = kNoon) {
  return audit("ipfilter.set", {{"rules", rules(list)}}, time);
}

TEST(IpFilter, ShouldEndWithADenial) {
  EngineHarness pipeline;
  pipeline.feed(connect("a"));
  EXPECT_EQ(states(pipeline, "IoT_IPFilter_DenyAll"), (States{{"", "Active"}}))
      << "a hub without rules takes everybody";
  pipeline.feed(filter({{"Accept", "192.0.2.0/24"}, {"Reject", "0.0.0.0/0"}}, noon(1)));
  EXPECT_EQ(states(pipeline, "IoT_IPFilter_DenyAll")[""], "Active");
  EXPECT_EQ(data_of(pipeline, "IoT_IPFilter_DenyAll"), R"({"MissingRejectRules":"::/0"})");
  pipeline.feed(filter({{"Accept", "192.0.2.0/24"}, {"Reject", "0.0.0.0/0"}, {"Reject", "::/0"}}, noon(2)));
  EXPECT_EQ(states(pipeline, "IoT_IPFilter_DenyAll")[""], "Resolved");
  pipeline.feed(filter({{"Accept", "192.0.2.0/24"}}, noon(3)));
  EXPECT_EQ(states(pipeline, "IoT_IPFilter_DenyAll")[""], "Active");
}

TEST(IpFilter, RecordsOfTheRegistryAreRead) {
  EngineHarness pipeline;
  pipeline.feed(connect("a"));
  const auto change = [&](const std::string& list, Timestamp time) {
    TestRecord record = audit("filter.change", {}, time);
    record.body = JsonWriter().begin_object().key("hub").value("hub").key("rules").value(list).end_object().take();
    pipeline.feed(record);
  };
  change(rules({{"Accept", "10.0.0.0/8"}, {"Reject", "0.0.0.0/0"}, {"Reject", "::/0"}}), noon(1));
  EXPECT_EQ(states(pipeline, "IoT_IPFilter_DenyAll")[""], "Resolved");
  EXPECT_EQ(states(pipeline, "IoT_IPFilter_PermissiveRule")[""], "Active");
  change("[]", noon(2));
  EXPECT_EQ(states(pipeline, "IoT_IPFilter_DenyAll")[""], "Active");
  change("rubbish", noon(3));
  EXPECT_EQ(states(pipeline, "IoT_IPFilter_DenyAll")[""], "Active");
}

TEST(IpFilter, SettingsOfTheHubAreRead) {
  EngineHarness pipeline;
  pipeline.feed(audit("hub.update", {{"settings", R"({"networkRuleSets":{"defaultAction":"Deny","ipRules":[]}})"}}));
  EXPECT_TRUE(states(pipeline, "IoT_IPFilter_DenyAll").empty());
  pipeline.feed(audit("hub.update", {{"settings", R"({"ipFilterRules":[]})"}}, noon(1)));
  EXPECT_EQ(states(pipeline, "IoT_IPFilter_DenyAll")[""], "Active");
}

TEST(IpFilter, LargeRangeIsPermissive) {
  for (const std::string wide : {"0.0.0.0/0", "10.0.0.0/8", "192.0.0.0/15", "2001:db8::/31"}) {
    EngineHarness pipeline;
    pipeline.feed(filter({{"Accept", "192.0.2.0/24"}, {"Accept", wide}}));
    EXPECT_EQ(states(pipeline, "IoT_IPFilter_PermissiveRule")[""], "Active") << wide;
    EXPECT_NE(data_of(pipeline, "IoT_IPFilter_PermissiveRule").find(wide), std::string::npos);
    EXPECT_EQ(data_of(pipeline, "IoT_IPFilter_PermissiveRule").find("192.0.2.0"), std::string::npos);
    pipeline.feed(filter({{"Accept", "192.0.2.0/24"}}, noon(1)));
    EXPECT_EQ(states(pipeline, "IoT_IPFilter_PermissiveRule")[""], "Resolved");
  }
  EngineHarness pipeline;
  pipeline.feed(
      filter({{"Accept", "192.0.0.0/16"}, {"Accept", "2001:db8::/32"}, {"Reject", "10.0.0.0/8"}, {"Accept", "x"}}));
  EXPECT_TRUE(states(pipeline, "IoT_IPFilter_PermissiveRule").empty());
}

TEST(IpFilter, RulesAreLearntFromADayOfTraffic) {
  std::vector<TestRecord> records{connect("a", {{"src_ip", "192.0.2.7"}}), connect("b", {{"src_ip", "192.0.2.9"}}),
                                  connect("c", {{"src_ip", "2001:db8:1:2::5"}}), tick(noon(23 * 3600))};
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_TRUE(states(pipeline, "IoT_RecommendedIpRulesByBaseLine").empty());
  records.push_back(tick(day(1)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_RecommendedIpRulesByBaseLine")[""], "Active");
  const std::string data = data_of(pipeline, "IoT_RecommendedIpRulesByBaseLine");
  EXPECT_NE(data.find(R"(\"ipMask\":\"192.0.2.0/24\")"), std::string::npos) << data;
  EXPECT_NE(data.find(R"(\"ipMask\":\"2001:db8:1::/56\")"), std::string::npos) << data;
  EXPECT_NE(data.find(R"(\"action\":\"Reject\",\"ipMask\":\"0.0.0.0/0\")"), std::string::npos);
  records.push_back(filter({{"Accept", "192.0.2.0/24"}, {"Reject", "0.0.0.0/0"}, {"Reject", "::/0"}}, day(2)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_RecommendedIpRulesByBaseLine")[""], "Resolved");
  expect_restart_safe(records);
}

TEST(IpFilter, TrafficFromEverywhereGivesNoRules) {
  EngineHarness pipeline;
  for (int i = 0; i < 200; ++i) pipeline.feed(connect("a", {{"src_ip", std::to_string(1 + i) + ".1.2.3"}}));
  pipeline.feed(tick(day(1)));
  EXPECT_TRUE(states(pipeline, "IoT_RecommendedIpRulesByBaseLine").empty());
}

TEST(DiagnosticLogs, ShouldGoSomewhere) {
  std::vector<TestRecord> records{connect("a"), audit("diagnostic.set", {{"object", "siem"}}, noon(1))};
  EngineHarness pipeline;
  pipeline.feed(records[0]);
  EXPECT_EQ(states(pipeline, "IoT_DiagnosticLogs")[""], "Active");
  pipeline.feed(records[1]);
  EXPECT_EQ(states(pipeline, "IoT_DiagnosticLogs")[""], "Resolved");
  records.push_back(audit("diagnostic.delete", {{"object", "other"}}, noon(2)));
  pipeline.feed(records.back());
  EXPECT_TRUE(pipeline.alerts("IoT_LoggingDisabled").empty());
  records.push_back(audit("diagnostic.delete", {{"object", "siem"}}, noon(3)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_DiagnosticLogs")[""], "Active");
  EXPECT_EQ(pipeline.alerts("IoT_LoggingDisabled").size(), 1u);
  expect_restart_safe(records);
}

TEST(Logging, LostEventsAreAnAlarm) {
  EngineHarness pipeline;
  pipeline.feed(connect("a"));
  EXPECT_TRUE(pipeline.alerts("IoT_Logging").empty());
  pipeline.feed(connect("a", {{"dropped_before", "7"}}, noon(1)));
  ASSERT_EQ(pipeline.alerts("IoT_Logging").size(), 1u);
  EXPECT_EQ(pipeline.alerts("IoT_Logging")[0].count, 7u);
  EXPECT_EQ(pipeline.alerts("IoT_Logging")[0].device.device_id, "");
}

TestRecord message_of(const std::string& device, Timestamp time) {
  TestRecord out{.body = message_json({process("/bin/ls", "ls", {}, time)}), .enqueued = time};
  out.identity = {"hub", device, "DefenderIotMicroAgent", "g1"};
  return out;
}

TEST(InstallAgent, IsForDevicesThatConnectAndSayNothing) {
  std::vector<TestRecord> records{connect("with"), connect("without"), message_of("with", noon(10)), tick(day(1))};
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_EQ(states(pipeline, "IoT_InstallAgent"), (States{{"without", "Active"}}));
  records.push_back(message_of("without", day(2)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_InstallAgent"), (States{{"without", "Resolved"}}));
  records.push_back(connect("without", {}, day(9)));
  records.push_back(tick(day(9)));
  records.push_back(tick(day(10)));
  for (std::size_t i = 5; i < records.size(); ++i) pipeline.feed(records[i]);
  EXPECT_EQ(states(pipeline, "IoT_InstallAgent")["without"], "Active") << "active without a message for days";
  EXPECT_EQ(states(pipeline, "IoT_InstallAgent").contains("with"), false) << "it is away, not without an agent";
  expect_restart_safe(records);
}

TEST(DormantDevice, IsRecommendedAgainstAndItsReturnIsAnAlert) {
  std::vector<TestRecord> records{audit("device.create", {}, kNoon, "never"), connect("once"), tick(day(29))};
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_TRUE(states(pipeline, "IoT_DormantDevice").empty());
  records.push_back(tick(day(30)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_DormantDevice"), (States{{"never", "Active"}, {"once", "Active"}}));
  records.push_back(connect("once", {{"src_ip", "203.0.113.9"}}, day(40)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_DormantDevice")["once"], "Resolved");
  ASSERT_EQ(pipeline.alerts("IoT_DormantDeviceActive").size(), 1u);
  EXPECT_EQ(pipeline.alerts("IoT_DormantDeviceActive")[0].device.device_id, "once");
  records.push_back(connect("once", {}, day(41)));
  pipeline.feed(records.back());
  EXPECT_EQ(pipeline.alerts("IoT_DormantDeviceActive").size(), 1u);
  records.push_back(audit("device.delete", {}, day(42), "never"));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_DormantDevice")["never"], "Resolved");
  expect_restart_safe(records);
}

TEST(DormantDevice, DisabledOnesAndThoseThatSendAreNot) {
  EngineHarness pipeline;
  pipeline.feed(audit("device.create", {{"enabled", "false"}}, kNoon, "off"));
  pipeline.feed(connect("busy"));
  pipeline.feed(counted("d2c", "d2c_message", 3, day(20), "busy"));
  pipeline.feed(tick(day(31)));
  EXPECT_TRUE(states(pipeline, "IoT_DormantDevice").empty());
}

TEST(Recommendations, EachChangeOfStateIsARecordThatRoundTrips) {
  EngineHarness pipeline;
  for (int i = 0; i < 6; ++i) {
    pipeline.feed(connect_tls(i % 2 == 0 ? "TLSv1.1" : "TLSv1.3", "TLS_X_GCM", noon(i * 60)));
    pipeline.feed(connect_tls(i % 2 == 0 ? "TLSv1.1" : "TLSv1.3", "TLS_X_GCM", noon(i * 60 + 1)));
  }
  std::vector<std::uint32_t> numbers;
  for (const RecommendationChange& change : pipeline.recommendations) {
    if (change.type != "IoT_VulnerableTLSCipherSuite") continue;
    numbers.push_back(change.change);
    EXPECT_EQ(parse_recommendation_change(to_json(change)).value(), change);
    EXPECT_EQ(change.first_evaluated, noon(0));
    EXPECT_EQ(change.resolved.has_value(), change.state == RecommendationState::resolved);
  }
  EXPECT_EQ(numbers, (std::vector<std::uint32_t>{0, 1, 2, 3, 4, 5}));
}

TEST(Recommendations, TypeThatIsSwitchedOffIsNotGenerated) {
  std::vector<TestRecord> records{connect_tls("TLSv1.1", "A")};
  const auto change = [&](bool enabled, Timestamp time) {
    TestRecord record{.body = recommendation_switch_body("IoT_VulnerableTLSCipherSuite", enabled), .enqueued = time};
    record.kind = journal::RecordKind::rules_change;
    return record;
  };
  records.push_back(change(false, noon(60)));
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_EQ(states(pipeline, "IoT_VulnerableTLSCipherSuite")["a"], "Resolved");
  records.push_back(connect("b", {{"tls.version", "TLSv1.1"}}, noon(61)));
  pipeline.feed(records.back());
  EXPECT_FALSE(states(pipeline, "IoT_VulnerableTLSCipherSuite").contains("b"));
  records.push_back(change(true, noon(62)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_VulnerableTLSCipherSuite"), (States{{"a", "Active"}, {"b", "Active"}}));
  expect_restart_safe(records);
}

TEST(Recommendations, SwitchComesAsAnAuditRecordToo) {
  EngineHarness pipeline;
  pipeline.feed(connect_tls("TLSv1.1", "A"));
  pipeline.feed(audit("recommendation.set", {{"type", "IoT_VulnerableTLSCipherSuite"}, {"enabled", "false"}}, noon(1)));
  EXPECT_EQ(states(pipeline, "IoT_VulnerableTLSCipherSuite")["a"], "Resolved");
  pipeline.feed(audit("recommendation.set", {{"type", "IoT_VulnerableTLSCipherSuite"}, {"enabled", "true"}}, noon(2)));
  EXPECT_EQ(states(pipeline, "IoT_VulnerableTLSCipherSuite")["a"], "Active");
}

TEST(Recommendations, OfAHubWhoseSecurityIsOffAreNone) {
  EngineHarness pipeline;
  pipeline.feed(audit("hub.update", {{"settings.security", "false"}}));
  pipeline.feed(connect_tls("TLSv1.1", "A", noon(1)));
  EXPECT_TRUE(pipeline.recommendations.empty());
}

TEST(Recommendations, CatalogueOfThisBuildIsValidAndRefusesRubbish) {
  EXPECT_GE(RecommendationCatalogue::builtin().all().size(), 13u);
  std::string detail;
  const auto bad = RecommendationCatalogue::parse("format: 1\nrecommendations:\n  - type: x\n", &detail);
  EXPECT_FALSE(bad.has_value());
  EXPECT_NE(detail.find("line 3"), std::string::npos) << detail;
}

TEST(Recommendations, RowHasThePublishedColumns) {
  EngineHarness pipeline;
  pipeline.feed(connect_tls("TLSv1.1", "A"));
  std::deque<std::string> texts;
  std::vector<workspace::Cell> cells;
  for (const RecommendationChange& change : pipeline.recommendations) {
    if (change.type == "IoT_VulnerableTLSCipherSuite") security_recommendation_cells(change, "inst", texts, cells);
  }
  const auto schema = make_workspace_schema();
  const auto& columns = schema.tables[*schema.find_table("SecurityRecommendation")].columns;
  ASSERT_EQ(cells.size(), columns.size());
  EXPECT_EQ(cells[0].as_text(), "/subscriptions/inst/resourcegroups/picket/providers/microsoft.devices/iothubs/hub");
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (columns[i].name == "RecommendationState") EXPECT_EQ(cells[i].as_text(), "Active");
    if (columns[i].name == "DeviceId") EXPECT_EQ(cells[i].as_text(), "a");
    if (columns[i].name == "ResolvedTimeUTC") EXPECT_TRUE(cells[i].is_null());
  }
}

TEST(NetPrefix, ReadsAndWidens) {
  EXPECT_EQ(to_text(*parse_net_prefix("192.0.2.77/24")), "192.0.2.0/24");
  EXPECT_EQ(to_text(*parse_net_prefix("::ffff:192.0.2.77")), "192.0.2.77/32");
  EXPECT_EQ(to_text(parse_net_prefix("2001:db8:1:2::5")->widened(32)), "2001:db8::/32");
  EXPECT_TRUE(parse_net_prefix("10.0.0.0/8")->contains(*parse_net_prefix("10.255.0.1")));
  EXPECT_FALSE(parse_net_prefix("10.0.0.0/8")->contains(*parse_net_prefix("11.0.0.1")));
  EXPECT_FALSE(parse_net_prefix("0.0.0.0/0")->contains(*parse_net_prefix("::1")));
  for (const std::string text : {"", "x", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "::/129", "1.2.3.4/-1"}) {
    EXPECT_FALSE(parse_net_prefix(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace picket::pipeline
