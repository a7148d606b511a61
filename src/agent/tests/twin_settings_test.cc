#include "agent/twin_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::agent {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TwinSettings overlay(const std::string& desired, const Config& local = {}, const std::string& good = {}) {
  const auto json = parse_json(desired);
  EXPECT_TRUE(json) << desired;
  return overlay_twin(local, *json, good, [](std::string_view collector, std::string_view tier) {
    return (collector == "process" && (tier == "procfs" || tier == "proc-connector")) ||
           (collector == "login" && tier == "pam-log");
  });
}

std::vector<std::string> invalid_names(const TwinSettings& settings) {
  std::vector<std::string> out;
  for (const TwinProblem& each : settings.problems) {
    if (each.kind != TwinProblem::Kind::not_optimal) out.push_back(each.name);
  }
  return out;
}

Config with_policy(std::vector<std::pair<std::string, std::string>> settings) {
  auto config = load_config({.settings = std::move(settings)});
  EXPECT_TRUE(config) << config.error();
  return *config;
}

Duration window(const Config& config, Priority priority) {
  return config.aggregate.window[static_cast<std::size_t>(priority)];
}

TEST(TwinSettings, EveryPublishedPropertyIsAccepted) {
  const auto settings = overlay(R"({
    "CollectorsCore_PriorityIntervals": "10,60,600",
    "Baseline_Disabled": "False", "SystemInformation_Disabled": "False", "SBoM_Disabled": "False",
    "Heartbeat_Disabled": "False", "Login_Disabled": "True", "NetworkActivity_Disabled": true,
    "Process_Disabled": "false", "LogCollector_Disabled": "False", "FileSystem_Disabled": "False",
    "Peripheral_Disabled": "False", "Statistics_Disabled": "False",
    "Baseline_MessageFrequency": "Low", "SystemInformation_MessageFrequency": "Medium",
    "SBoM_MessageFrequency": "Low", "Heartbeat_MessageFrequency": "High", "LogCollector_MessageFrequency": "Low",
    "FileSystem_MessageFrequency": "Low", "Peripheral_MessageFrequency": "Low", "Statistics_MessageFrequency": "Low",
    "Login_MessageFrequency": "Medium", "NetworkActivity_MessageFrequency": "Medium", "Process_MessageFrequency": "high",
    "Baseline_GroupsDisabled": "Time Synchronization, Network Parameters Host", "Baseline_ChecksDisabled": "3.3.5,2.2.1.1",
    "SystemInformation_HardwareVendor": "Acme", "SystemInformation_HardwareModel": "X1",
    "SystemInformation_HardwareSerialNumber": "7", "SystemInformation_FirmwareVendor": "None",
    "SystemInformation_FirmwareVersion": 4, "Login_UsePAM": "True", "IothubModule_MessageTimeout": 60,
    "NetworkActivity_Devices": "eth0,eth1", "NetworkActivity_CacheSize": 512,
    "NetworkActivity_PacketBufferSize": 2097152, "Process_CacheSize": "100", "Process_Mode": 3,
    "Process_PollingInterval": 200000, "FileSystem_Paths": "/a, /b", "FileSystem_Recursive": "True",
    "FileSystem_CacheSize": 256, "Peripheral_CacheSize": 256, "Statistics_CacheSize": 256, "$version": 3})");
  EXPECT_THAT(invalid_names(settings), IsEmpty());
  EXPECT_EQ(settings.invalid, 0u);
  const Config& config = settings.config;
  EXPECT_EQ(window(config, Priority::high), Duration::minutes(10));
  EXPECT_EQ(window(config, Priority::medium), Duration::minutes(60));
  EXPECT_EQ(window(config, Priority::low), Duration::minutes(600));
  EXPECT_FALSE(config.collectors.choice("login").enabled);
  EXPECT_FALSE(config.collectors.choice("network").enabled);
  EXPECT_TRUE(config.collectors.choice("process").enabled);
  EXPECT_EQ(config.collectors.choice("process").priority, Priority::high);
  EXPECT_EQ(config.collectors.choice("process").cache, 100u);
  EXPECT_EQ(config.collectors.choice("process").tier, "procfs");
  EXPECT_EQ(config.collectors.choice("login").tier, "pam-log");
  EXPECT_EQ(config.collectors.procfs_poll_min, Duration::milliseconds(200));
  EXPECT_EQ(config.collectors.procfs_poll_max, Duration::milliseconds(200));
  EXPECT_EQ(config.collectors.choice("network").cache, 512u);
  EXPECT_EQ(config.collectors.network_ring_bytes, 2'097'152u);
  EXPECT_THAT(config.collectors.network_devices, ElementsAre("eth0", "eth1"));
  EXPECT_THAT(config.collectors.baseline_groups_disabled,
              ElementsAre("Time Synchronization", "Network Parameters Host"));
  EXPECT_THAT(config.collectors.baseline_checks_disabled, ElementsAre("3.3.5", "2.2.1.1"));
  EXPECT_EQ(config.collectors.system_hardware_vendor, "Acme");
  EXPECT_EQ(config.collectors.system_firmware_vendor, "");
  EXPECT_EQ(config.collectors.system_firmware_version, "4");
  EXPECT_EQ(config.spool_age_max, Duration::minutes(60));
}

TEST(TwinSettings, ABadFieldIsNamedAndTheOthersHold) {
  const auto settings = overlay(R"({"Process_Disabled":"maybe","Login_MessageFrequency":"Often","Process_Mode":4,
    "CollectorsCore_PriorityIntervals":"30,120","Process_CacheSize":0,"Heartbeat_Disabled":"True",
    "IothubModule_MessageTimeout":-1,"Procss_Disabled":"True","Process_Disable":"True","FileSystem_Paths":{},
    "NetworkActivity_PacketBufferSize":"many"})");
  EXPECT_THAT(invalid_names(settings),
              ElementsAre("Process_Disabled", "Login_MessageFrequency", "Process_Mode",
                          "CollectorsCore_PriorityIntervals", "Process_CacheSize", "IothubModule_MessageTimeout",
                          "Process_Disable", "FileSystem_Paths", "NetworkActivity_PacketBufferSize"));
  EXPECT_FALSE(settings.config.collectors.choice("heartbeat").enabled);
  EXPECT_EQ(window(settings.config, Priority::high), Duration::minutes(30));
  for (const TwinProblem& each : settings.problems) EXPECT_FALSE(each.reason.empty()) << each.name;
}

TEST(TwinSettings, AnInvalidFieldKeepsItsLastGoodValue) {
  const auto first = overlay(R"({"CollectorsCore_PriorityIntervals":"1,2,4","Process_Mode":3})");
  const auto second = overlay(R"({"CollectorsCore_PriorityIntervals":"1,2","Process_Mode":"x"})", {}, first.good);
  EXPECT_EQ(second.invalid, 2u);
  EXPECT_EQ(window(second.config, Priority::low), Duration::minutes(4));
  EXPECT_EQ(second.config.collectors.choice("process").tier, "procfs");
  const auto third = overlay(R"({"Process_Mode":"y"})", {}, second.good);
  EXPECT_EQ(third.config.collectors.choice("process").tier, "procfs") << "good values survive several bad ones";
  EXPECT_EQ(window(third.config, Priority::low), Duration::hours(24)) << "what is gone from the twin is local again";
}

TEST(TwinSettings, TheGoodPartIsATwinThatIsGood) {
  const auto first = overlay(R"({"Process_Disabled":"True","Process_Mode":"x","Other":{"a":1},
    "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration":{"lowPriorityMessageFrequency":{"value":"PT1H"},
    "highPriorityMessageFrequency":{"value":7}}})");
  EXPECT_THAT(invalid_names(first), testing::UnorderedElementsAre("Process_Mode", "highPriorityMessageFrequency"));
  const auto again = overlay(first.good);
  EXPECT_EQ(again.invalid, 0u) << first.good;
  EXPECT_THAT(changed_settings(first.config, again.config), IsEmpty());
}

TEST(TwinSettings, OursReachEverySettingButThoseOfTheDevice) {
  const auto settings = overlay(R"({"Picket_intervals_high":"5m","Picket_collectors_process_fork_exit":true,
    "Picket_profile":"parity","Picket_collectors_network_devices":["eth0","wlan0"],
    "Picket_data_dir":"/tmp","Picket_connection_string":"x","Picket_policy_twin":"true","Picket_nonsense":1,
    "Picket_collectors_process_tier":"magic","Picket_spool_bytes_max":"1KiB"})");
  EXPECT_EQ(window(settings.config, Priority::high), Duration::minutes(5));
  EXPECT_TRUE(settings.config.collectors.process_fork_exit);
  EXPECT_FALSE(settings.config.aggregate.first_at_once);
  EXPECT_THAT(settings.config.collectors.network_devices, ElementsAre("eth0", "wlan0"));
  EXPECT_THAT(invalid_names(settings),
              ElementsAre("Picket_data_dir", "Picket_connection_string", "Picket_policy_twin", "Picket_nonsense",
                          "Picket_collectors_process_tier", "Picket_spool_bytes_max"));
}

TEST(TwinSettings, ClassicObjectIsAcceptedWhereItsMeaningMaps) {
  const auto settings = overlay(R"({"ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration":{
    "highPriorityMessageFrequency":{"value":"PT7M"},"lowPriorityMessageFrequency":{"value":"PT5H"},
    "snapshotFrequency":{"value":"PT13H"},"maxLocalCacheSizeInBytes":{"value":2560000},
    "maxMessageSizeInBytes":{"value":204800},"eventPriorityLogin":{"value":"High"},
    "eventPriorityConnectionCreate":{"value":"Off"},"eventPriorityProcessTerminate":{"value":"Low"},
    "aggregationEnabledProcessCreate":{"value":true},"aggregationIntervalProcessCreate":{"value":"PT1H"},
    "baselineCustomChecksEnabled":{"value":false},"baselineCustomChecksFilePath":{"value":null}}})");
  EXPECT_THAT(invalid_names(settings), IsEmpty());
  EXPECT_EQ(window(settings.config, Priority::high), Duration::minutes(7));
  EXPECT_EQ(window(settings.config, Priority::medium), Duration::hours(5));
  EXPECT_EQ(window(settings.config, Priority::low), Duration::hours(5));
  EXPECT_EQ(settings.config.collectors.choice("system").every, Duration::hours(13));
  EXPECT_EQ(settings.config.spool_bytes_max, 2'560'000u);
  EXPECT_EQ(settings.config.collectors.choice("login").priority, Priority::high);
  EXPECT_FALSE(settings.config.collectors.choice("network").enabled);
}

std::string classic(const std::string& members) {
  return R"({"ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration":{)" + members + "}}";
}

TEST(TwinSettings, ClassicCustomChecksAreOurPinnedRules) {
  const std::string hash(64, 'A');
  const auto settings = overlay(classic(R"("baselineCustomChecksFilePath":{"value":"/etc/acme.bin"},)"
                                        R"("baselineCustomChecksFileHash":{"value":")" +
                                        hash + R"("},"baselineCustomChecksEnabled":{"value":true})"));
  EXPECT_THAT(invalid_names(settings), IsEmpty());
  EXPECT_TRUE(settings.config.collectors.baseline_custom);
  EXPECT_EQ(settings.config.collectors.baseline_custom_content, "/etc/acme.bin");
  EXPECT_EQ(settings.config.collectors.baseline_custom_sha256, hash);
}

TEST(TwinSettings, ClassicCustomChecksAreOffUnlessTurnedOn) {
  const auto path_alone = overlay(classic(R"("baselineCustomChecksFilePath":{"value":"/etc/acme.bin"})"));
  EXPECT_FALSE(path_alone.config.collectors.baseline_custom);
  const auto off = overlay(classic(R"("baselineCustomChecksEnabled":{"value":"false"})"));
  EXPECT_FALSE(off.config.collectors.baseline_custom);
  EXPECT_TRUE(overlay(classic("")).config.collectors.baseline_custom) << "what the device itself says stands";
}

TEST(TwinSettings, ClassicCustomChecksOfAnotherFormAreRefusedByName) {
  const auto settings = overlay(classic(R"("baselineCustomChecksEnabled":{"value":"perhaps"},)"
                                        R"("baselineCustomChecksFileHash":{"value":"abc"})"));
  EXPECT_THAT(invalid_names(settings), ElementsAre("baselineCustomChecksEnabled", "baselineCustomChecksFileHash"));
  EXPECT_EQ(settings.config.collectors.baseline_custom_sha256, "");
}

TEST(TwinSettings, NewerNamesWinOverClassicOnes) {
  const auto settings = overlay(R"({"CollectorsCore_PriorityIntervals":"1,2,4",
    "ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration":{"highPriorityMessageFrequency":{"value":"PT7M"}}})");
  EXPECT_EQ(window(settings.config, Priority::high), Duration::minutes(1));
}

TEST(TwinSettings, LocalPolicyCapsTheTwin) {
  const Config local = with_policy({{"policy.twin_locked", "collectors.process, intervals.high"},
                                    {"policy.twin_may_disable", "heartbeat"},
                                    {"policy.twin_interval_max", "4h"},
                                    {"policy.twin_bytes_max", "1MiB"}});
  const auto settings = overlay(R"({"Process_MessageFrequency":"High","Heartbeat_Disabled":"True",
    "Login_Disabled":"True","CollectorsCore_PriorityIntervals":"30,60,120","Picket_intervals_low":"5h",
    "Picket_intervals_medium":"3h","Picket_collectors_system_every":"5h","Picket_spool_bytes_max":"2MiB",
    "Picket_collectors_network_ring_bytes":"64KiB"})",
                                local);
  EXPECT_THAT(invalid_names(settings),
              ElementsAre("Process_MessageFrequency", "Login_Disabled", "CollectorsCore_PriorityIntervals",
                          "Picket_intervals_low", "Picket_collectors_system_every", "Picket_spool_bytes_max"));
  EXPECT_EQ(window(settings.config, Priority::low), Duration::hours(24)) << "all three intervals or none";
  EXPECT_EQ(window(settings.config, Priority::medium), Duration::hours(3));
  for (const TwinProblem& each : settings.problems) {
    EXPECT_EQ(each.kind, TwinProblem::Kind::conflict) << each.name;
    EXPECT_THAT(each.reason, HasSubstr("local policy"));
  }
}

TEST(TwinSettings, PolicyMayRefuseTheTwinAltogether) {
  const auto settings = overlay(R"({"Process_Disabled":"True"})", with_policy({{"policy.twin", "false"}}));
  EXPECT_EQ(settings.invalid, 1u);
  EXPECT_TRUE(settings.config.collectors.choice("process").enabled);
}

TEST(TwinSettings, UnevenIntervalsAreUsedAndNoted) {
  const auto settings = overlay(R"({"CollectorsCore_PriorityIntervals":"30,100,1440"})");
  EXPECT_EQ(settings.invalid, 0u);
  ASSERT_EQ(settings.problems.size(), 1u);
  EXPECT_EQ(settings.problems[0].kind, TwinProblem::Kind::not_optimal);
  EXPECT_EQ(window(settings.config, Priority::medium), Duration::minutes(100));
}

TEST(TwinSettings, ChangesNameTheSettingsAndTheirCollectors) {
  const Config local = with_policy({{"collectors.process.fork_exit", "true"}, {"intervals.low", "1h"}});
  const auto settings = overlay(R"({"Picket_collectors_process_fork_exit":"false","Picket_intervals_low":"1h",
    "Login_Disabled":"True"})",
                                local);
  EXPECT_THAT(changed_settings(local, settings.config),
              ElementsAre("collectors.login.enabled", "collectors.process.fork_exit"));
  EXPECT_THAT(changed_settings(settings.config, local),
              ElementsAre("collectors.login.enabled", "collectors.process.fork_exit"));
  EXPECT_EQ(collector_of_setting("collectors.login.enabled"), "login");
  EXPECT_EQ(collector_of_setting("intervals.low"), "");
}

TEST(TwinSettings, ReportSaysStateInvalidFieldsAndWhatIsInForce) {
  const auto settings = overlay(R"({"Process_Mode":3,"Login_Disabled":"x"})");
  const std::string report = reported_twin(settings, "9.9", R"([{"Name":"process"}])");
  const auto json = parse_json(report);
  ASSERT_TRUE(json) << report;
  EXPECT_EQ(json->find("latest_state")->text(), "failed");
  EXPECT_EQ(json->find("latest_invalid_fields")->raw(), R"(["Login_Disabled"])");
  EXPECT_EQ(json->find("Picket_AgentVersion")->text(), "9.9");
  EXPECT_THAT(std::string(json->find("Picket_Settings")->raw()),
              HasSubstr(R"({"Name":"collectors.process.tier","Value":"procfs","Source":"twin"})"));
  EXPECT_EQ(json->find("Picket_Collectors")->raw(), R"([{"Name":"process"}])");
  EXPECT_EQ(parse_json(reported_twin(overlay("{}"), "9.9", "[]"))->find("latest_state")->text(), "success");
}

TEST(TwinSettings, ReportEchoesWhatIsInForceOfTheClassicObject) {
  const auto settings = overlay(R"({"ms_iotn:urn_azureiot_Security_SecurityAgentConfiguration":{
    "highPriorityMessageFrequency":{"value":"PT7M"},"eventPriorityLogin":{"value":"Off"},
    "lowPriorityMessageFrequency":{"value":"5 hours"},"aggregationEnabledProcessCreate":{"value":false}}})");
  const std::string report = reported_twin(settings, "9.9", "[]");
  const auto object = parse_json(report)->find(kClassicTwinObject);
  ASSERT_TRUE(object) << report;
  EXPECT_EQ(object->find("highPriorityMessageFrequency")->raw(), R"({"value":"PT7M"})");
  EXPECT_EQ(object->find("eventPriorityLogin")->raw(), R"({"value":"Off"})");
  EXPECT_EQ(object->find("aggregationEnabledProcessCreate")->raw(), R"({"value":false})");
  // Desired and reported differ: how the classic agents say that a value cannot be read.
  EXPECT_EQ(object->find("lowPriorityMessageFrequency")->raw(), "null");
  EXPECT_EQ(object->find("snapshotFrequency")->raw(), "null") << "what is not desired any more is not reported";
}

TEST(TwinSettings, WithoutAClassicObjectNoneIsReported) {
  const std::string report = reported_twin(overlay(R"({"Process_Mode":3})"), "9.9", "[]");
  EXPECT_EQ(parse_json(report)->find(kClassicTwinObject)->raw(), "null");
}

TEST(TwinSettings, ReportStaysFarBelowTheHubsLimit) {
  std::string desired = "{";
  for (int i = 0; i < 2'000; ++i) desired += "\"Process_" + std::string(40, 'x') + std::to_string(i) + "\":1,";
  const auto settings = overlay(desired + "\"a\":1}");
  EXPECT_EQ(settings.invalid, 2'000u);
  EXPECT_EQ(settings.problems.size(), kTwinProblemsMax);
  EXPECT_LT(reported_twin(settings, "1", "[]").size(), 32'000u);
}

TEST(TwinSettings, ReadsIsoDurations) {
  EXPECT_EQ(parse_iso_duration("PT7M"), Duration::minutes(7));
  EXPECT_EQ(parse_iso_duration("P1DT2H3M4S"), Duration::seconds(86'400 + 7'200 + 180 + 4));
  for (const char* text : {"", "P", "PT", "7M", "P7M", "PT7", "PT1M1M", "PT1S1M", "PT-1M", "P1DT", "PTT1M", "PT1D"}) {
    EXPECT_FALSE(parse_iso_duration(text)) << text;
  }
}

}  // namespace
}  // namespace picket::agent
