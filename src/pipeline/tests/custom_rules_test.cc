// Device security groups: the resource, and the alerts of its rules.
#include "custom/custom_rules.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include "hub_words.h"
#include "pipeline/control_records.h"
#include "pipeline/security_group.h"

namespace picket::pipeline {
namespace {

std::string window_rule(const std::string& type, int minimum, int maximum, const std::string& size = "PT5M") {
  return R"({"ruleType":")" + type + R"(","isEnabled":true,"minThreshold":)" + std::to_string(minimum) +
         R"(,"maxThreshold":)" + std::to_string(maximum) + R"(,"timeWindowSize":")" + size + "\"}";
}
std::string windows(const std::string& rules) { return R"({"properties":{"timeWindowRules":[)" + rules + "]}}"; }
std::string list_rule(const std::string& type, const std::string& values) {
  return R"({"properties":{"allowlistRules":[{"ruleType":")" + type + R"(","isEnabled":true,"allowlistValues":)" +
         values + "}]}}";
}
TestRecord group(const std::string& resource, const std::string& name = "default", Timestamp time = kNoon) {
  return {.body = security_group_body("hub", name, resource),
          .enqueued = time,
          .identity = {"hub", "", "", ""},
          .kind = journal::RecordKind::rules_change};
}

TEST(SecurityGroup, PutOfOneRuleGivesAllNineteen) {
  const auto parsed = parse_security_group(windows(window_rule("ActiveConnectionsNotInAllowedRange", 0, 30, "PT05M")));
  ASSERT_TRUE(parsed.has_value());
  const auto resource = boost::json::parse(security_group_resource(*parsed, "/hub/id", "plant")).as_object();
  EXPECT_EQ(resource.at("name"), "plant");
  EXPECT_EQ(resource.at("id"), "/hub/id/providers/Microsoft.Security/deviceSecurityGroups/plant");
  const auto& properties = resource.at("properties").as_object();
  const auto& time_windows = properties.at("timeWindowRules").as_array();
  const auto& lists = properties.at("allowlistRules").as_array();
  EXPECT_EQ(time_windows.size() + lists.size(), 19u);
  for (const auto& value : time_windows) {
    const auto& rule = value.as_object();
    EXPECT_FALSE(rule.at("displayName").as_string().empty());
    const bool given = rule.at("ruleType") == "ActiveConnectionsNotInAllowedRange";
    EXPECT_EQ(rule.at("isEnabled").as_bool(), given);
    EXPECT_EQ(rule.at("maxThreshold").as_int64(), given ? 30 : 0);
    EXPECT_EQ(rule.at("timeWindowSize"), given ? "PT5M" : "PT15M");
  }
  EXPECT_EQ(lists[0].as_object().at("valueType"), "IpCidr");
  EXPECT_EQ(properties.at("denylistRules").as_array().size(), 0u);
  EXPECT_EQ(properties.at("thresholdRules").as_array().size(), 0u);
}

TEST(SecurityGroup, ResourceReadsBackAsItself) {
  const auto parsed =
      parse_security_group(list_rule("ConnectionToIpNotAllowed", R"(["192.0.2.0/24","2001:db8::/32"])"));
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parse_security_group(security_group_resource(*parsed, "/h", "g")).value(), *parsed);
}

TEST(SecurityGroup, RefusesWhatCannotBeMeant) {
  const std::pair<std::string, std::string> cases[] = {
      {windows(window_rule("Nothing", 0, 1)), "security_group.type"},
      {windows(window_rule("ProcessNotAllowed", 0, 1)), "security_group.type"},
      {windows(window_rule("TwinUpdatesNotInAllowedRange", 0, 1) + "," +
               window_rule("TwinUpdatesNotInAllowedRange", 0, 1)),
       "security_group.type"},
      {windows(window_rule("TwinUpdatesNotInAllowedRange", 2, 1)), "security_group.threshold"},
      {windows(window_rule("TwinUpdatesNotInAllowedRange", -1, 1)), "security_group.threshold"},
      {windows(window_rule("TwinUpdatesNotInAllowedRange", 0, 1, "PT7M")), "security_group.window"},
      {windows(window_rule("TwinUpdatesNotInAllowedRange", 0, 1, "P2D")), "security_group.window"},
      {windows(window_rule("TwinUpdatesNotInAllowedRange", 0, 1, "PT0M")), "security_group.window"},
      {list_rule("ConnectionToIpNotAllowed", R"(["nonsense"])"), "security_group.values"},
      {list_rule("ProcessNotAllowed", "[7]"), "security_group.values"},
      {R"({"timeWindowRules":[{"ruleType":"TwinUpdatesNotInAllowedRange"}]})", "security_group.enabled"},
      {R"({"timeWindowRules":7})", "security_group.rules"},
      {"[]", "security_group.json"},
      {"", "security_group.json"}};
  for (const auto& [text, where] : cases) {
    std::string detail;
    const auto parsed = parse_security_group(text, &detail);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().where, where) << text;
    EXPECT_FALSE(detail.empty());
  }
}

TEST(IsoDuration, ReadsAndWrites) {
  const std::pair<std::string, Duration> good[] = {
      {"PT5M", Duration::minutes(5)},  {"PT05M", Duration::minutes(5)},    {"P1D", Duration::days(1)},
      {"P1W", Duration::days(7)},      {"PT1H30M", Duration::minutes(90)}, {"P1DT1S", Duration::seconds(86'401)},
      {"PT90S", Duration::seconds(90)}};
  for (const auto& [text, duration] : good) {
    EXPECT_EQ(parse_iso_duration(text).value(), duration) << text;
    EXPECT_EQ(parse_iso_duration(format_iso_duration(duration)).value(), duration) << text;
  }
  EXPECT_EQ(format_iso_duration(Duration::minutes(5)), "PT5M");
  EXPECT_EQ(format_iso_duration(Duration::minutes(90)), "PT1H30M");
  for (const std::string text :
       {"", "P", "PT", "5M", "PT5", "PT5D", "P5M", "PT5M5H", "PTM", "P1DT", "PT-5M", "PT99999999M"}) {
    EXPECT_FALSE(parse_iso_duration(text).has_value()) << text;
  }
}

struct Counted {
  std::string rule;
  std::string kind;
  std::string operation;
  std::string protocol;
  int code = 0;
};

const Counted kCounted[] = {
    {"AmqpC2DMessagesNotInAllowedRange", "c2d", "c2d_message", "amqp"},
    {"MqttC2DMessagesNotInAllowedRange", "c2d", "c2d_message", "mqtt"},
    {"HttpC2DMessagesNotInAllowedRange", "c2d", "c2d_message", "https"},
    {"AmqpC2DRejectedMessagesNotInAllowedRange", "c2d", "c2d_rejected", "amqp"},
    {"MqttC2DRejectedMessagesNotInAllowedRange", "c2d", "c2d_rejected", "mqtt"},
    {"HttpC2DRejectedMessagesNotInAllowedRange", "c2d", "c2d_rejected", "https"},
    {"AmqpD2CMessagesNotInAllowedRange", "d2c", "d2c_message", "amqp"},
    {"MqttD2CMessagesNotInAllowedRange", "d2c", "d2c_message", "mqtt"},
    {"HttpD2CMessagesNotInAllowedRange", "d2c", "d2c_message", "https"},
    {"DirectMethodInvokesNotInAllowedRange", "method", "method_invoke", "service"},
    {"FileUploadsNotInAllowedRange", "upload", "upload_start", "https"},
    {"QueuePurgesNotInAllowedRange", "c2d", "queue_purge", "service"},
    {"TwinUpdatesNotInAllowedRange", "twin", "twin_report", "mqtt"},
    {"UnauthorizedOperationsNotInAllowedRange", "twin", "twin_read", "https", 401003},
};

TestRecord count_of(const Counted& what, std::uint64_t count, Timestamp from, const std::string& device = "device-1") {
  return counted(what.kind, what.operation, count, from, device,
                 {{"protocol", what.protocol}, {"result.code", std::to_string(what.code)}});
}

TEST(CustomRules, EachOfTheFourteenCountsItsOwnOperations) {
  for (const Counted& rule : kCounted) {
    EngineHarness pipeline;
    pipeline.feed(group(windows(window_rule(rule.rule, 0, 10))));
    pipeline.feed(connect("device-1"));
    for (const Counted& other : kCounted) {
      if (other.rule != rule.rule) pipeline.feed(count_of(other, 100, noon(0)));
    }
    const std::string type = "IoT_CA_" + rule.rule;
    EXPECT_TRUE(pipeline.alerts(type).empty()) << rule.rule;
    pipeline.feed(count_of(rule, 10, noon(300)));
    EXPECT_TRUE(pipeline.alerts(type).empty()) << "within the range";
    pipeline.feed(count_of(rule, 11, noon(600)));
    ASSERT_EQ(pipeline.alerts(type).size(), 1u) << rule.rule;
    const AlertChange alert = pipeline.alerts(type)[0];
    EXPECT_EQ(alert.severity, "Low");
    EXPECT_EQ(alert.device.device_id, "device-1");
    EXPECT_EQ(property(alert, "Count"), "11");
    EXPECT_EQ(property(alert, "Window Start"), format_rfc3339(noon(600)));
    EXPECT_EQ(alert.evidence.size(), 1u);
  }
}

const Counted kD2c = kCounted[7];

TEST(CustomRules, MaximumFiresAtOnceWhenRecordsAddUp) {
  EngineHarness pipeline;
  pipeline.feed(group(windows(window_rule(kD2c.rule, 0, 100, "PT15M"))));
  pipeline.feed(connect("device-1"));
  pipeline.feed(count_of(kD2c, 60, noon(0)));
  EXPECT_TRUE(pipeline.alerts().empty());
  pipeline.feed(count_of(kD2c, 60, noon(300)));
  EXPECT_EQ(pipeline.alerts().size(), 1u) << "the window is not over yet";
  pipeline.feed(count_of(kD2c, 60, noon(600)));
  EXPECT_EQ(pipeline.alerts()[0].evidence.size(), 1u) << "once a window";
  pipeline.feed(count_of(kD2c, 60, noon(900)));
  EXPECT_EQ(pipeline.changes.size(), 1u) << "the next window begins with nothing";
}

TEST(CustomRules, RecordThatCameEarlyCountsInItsWindow) {
  EngineHarness pipeline;
  pipeline.feed(group(windows(window_rule(kD2c.rule, 0, 100))));
  pipeline.feed(connect("device-1"));
  for (int i = 0; i < 2; ++i) {
    pipeline.feed(
        counted("d2c", "d2c_message", 60, noon(0), "device-1", {{"protocol", "mqtt"}}, Duration::seconds(30 + i * 30)));
  }
  EXPECT_EQ(pipeline.alerts().size(), 1u);
}

std::vector<TestRecord> minutes(int from, int to) {
  std::vector<TestRecord> out;
  for (int i = from; i <= to; ++i) out.push_back(tick(noon(i * 60)));
  return out;
}

TEST(CustomRules, MinimumFiresWhenTheWindowIsOverAndNothingCountsAsNought) {
  std::vector<TestRecord> records{group(windows(window_rule(kD2c.rule, 5, 1000, "PT10M")), "default", noon(1)),
                                  connect("busy", {}, noon(1)), connect("silent", {}, noon(1)),
                                  connect("little", {}, noon(1))};
  for (auto& record : minutes(1, 14)) records.push_back(record);
  records.push_back(count_of(kD2c, 5, noon(600), "busy"));
  records.push_back(count_of(kD2c, 4, noon(600), "little"));
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  for (const auto& record : minutes(16, 21)) records.push_back(record), pipeline.feed(record);
  EXPECT_TRUE(pipeline.alerts().empty()) << "the window is open, or has just ended";
  records.push_back(tick(noon(22 * 60)));
  pipeline.feed(records.back());
  const auto alerts = pipeline.alerts("IoT_CA_" + kD2c.rule);
  ASSERT_EQ(alerts.size(), 2u);
  std::map<std::string, std::string> counts;
  for (const auto& alert : alerts) counts[alert.device.device_id] = property(alert, "Count");
  EXPECT_EQ(counts, (std::map<std::string, std::string>{{"silent", "0"}, {"little", "4"}}));
  EXPECT_EQ(alerts[0].evidence_count, 0u);
  for (const auto& record : minutes(23, 33)) records.push_back(record);
  expect_restart_safe(records);
}

TEST(CustomRules, WindowThatWasNotSeenWholeIsNotJudgedByItsMinimum) {
  EngineHarness pipeline;
  pipeline.feed(group(windows(window_rule(kD2c.rule, 5, 1000))));
  pipeline.feed(connect("device-1", {}, noon(1)));
  for (const auto& record : minutes(1, 9)) pipeline.feed(record);
  const auto before = pipeline.alerts().size();
  EXPECT_EQ(before, 0u) << "the rule is younger than its first window, the second ended too lately";
  for (const auto& record : minutes(40, 46)) pipeline.feed(record);
  EXPECT_EQ(pipeline.alerts().size(), 0u) << "the server was down";
  pipeline.feed(tick(noon(47 * 60 + 1)));
  pipeline.feed(connect("new", {}, noon(47 * 60 + 2)));
  for (const auto& record : minutes(48, 52)) pipeline.feed(record);
  ASSERT_EQ(pipeline.alerts().size(), 1u);
  EXPECT_EQ(pipeline.alerts()[0].device.device_id, "device-1") << "the other one is younger than the window";
}

TEST(CustomRules, AreThoseOfTheDevicesGroup) {
  EngineHarness pipeline;
  pipeline.feed(group(windows(window_rule(kD2c.rule, 0, 10))));
  pipeline.feed(group(windows(window_rule(kD2c.rule, 0, 1000)), "large"));
  pipeline.feed(audit("twin.update", {{"tags", R"({"SecurityGroup":"large"})"}}, kNoon, "big"));
  pipeline.feed(audit("twin.update", {{"tags", R"({"SecurityGroup":"none"})"}}, kNoon, "free"));
  for (const std::string device : {"big", "free", "small"}) {
    pipeline.feed(connect(device));
    pipeline.feed(count_of(kD2c, 500, noon(0), device));
  }
  ASSERT_EQ(pipeline.alerts().size(), 1u);
  EXPECT_EQ(pipeline.alerts()[0].device.device_id, "small");
  pipeline.feed(group("", "default", noon(400)));
  pipeline.feed(count_of(kD2c, 500, noon(600), "small"));
  EXPECT_EQ(pipeline.changes.size(), 1u) << "the group was deleted";
}

TEST(CustomRules, GroupComesAsAnAuditRecordToo) {
  EngineHarness pipeline;
  const auto resource = parse_security_group(windows(window_rule(kD2c.rule, 0, 10)));
  pipeline.feed(audit("security_group.set",
                      {{"object", "default"}, {"resource", security_group_resource(*resource, "/hub", "default")}}));
  pipeline.feed(connect("device-1"));
  pipeline.feed(count_of(kD2c, 11, noon(0)));
  EXPECT_EQ(pipeline.alerts().size(), 1u);
  pipeline.feed(audit("security_group.delete", {{"object", "default"}}, noon(400)));
  pipeline.feed(count_of(kD2c, 11, noon(600)));
  EXPECT_EQ(pipeline.changes.size(), 1u);
}

TEST(CustomRules, FailuresToSignInCountForDevicesThatAreKnownOnly) {
  EngineHarness pipeline;
  pipeline.feed(group(windows(window_rule("UnauthorizedOperationsNotInAllowedRange", 0, 2))));
  pipeline.feed(connect("device-1"));
  for (int i = 0; i < 3; ++i) {
    pipeline.feed(auth_failed("token_resource", {}, noon(i), "device-1"));
    pipeline.feed(auth_failed("unknown_identity", {}, noon(i), "nobody"));
  }
  ASSERT_EQ(pipeline.alerts("IoT_CA_UnauthorizedOperationsNotInAllowedRange").size(), 1u);
  EXPECT_EQ(pipeline.alerts("IoT_CA_UnauthorizedOperationsNotInAllowedRange")[0].device.device_id, "device-1");
}

TEST(CustomRules, QuotaThatIsFullIsNotUnauthorized) {
  EngineHarness pipeline;
  pipeline.feed(group(windows(window_rule("UnauthorizedOperationsNotInAllowedRange", 0, 2))));
  pipeline.feed(connect("device-1"));
  pipeline.feed(count_of({"", "c2d", "c2d_message", "service", 403004}, 100, noon(0)));
  EXPECT_TRUE(pipeline.alerts().empty());
}

TEST(CustomRules, AgentsEventsAreCountedAndComparedWithLists) {
  EngineHarness pipeline;
  const auto feed = [&](TestEvent event) { pipeline.feed({std::move(event)}); };
  const TestEvent out{"ConnectionCreate",
                      {{"RemoteAddress", "203.0.113.9"},
                       {"RemotePort", "443"},
                       {"Direction", "Out"},
                       {"Protocol", "tcp"},
                       {"ProcessId", "7"}}};
  TestEvent inside = out;
  inside.payload[0].second = "192.0.2.8";
  TestEvent in = out;
  in.payload[2].second = "In";
  pipeline.feed(group(list_rule("ConnectionToIpNotAllowed", R"(["192.0.2.0/24"])")));
  feed(inside);
  feed(in);
  EXPECT_TRUE(pipeline.alerts().empty());
  feed(out);
  ASSERT_EQ(pipeline.alerts("IoT_CA_ConnectionToIpNotAllowed").size(), 1u);
  EXPECT_EQ(property(pipeline.alerts()[0], "Remote Address"), "203.0.113.9");

  pipeline.feed(group(list_rule("LocalUserNotAllowed", R"(["root"])")));
  feed(good_login(kNoon));
  EXPECT_TRUE(pipeline.alerts("IoT_CA_LocalUserNotAllowed").empty());
  feed(good_login(kNoon, "192.0.2.7", "mallory"));
  EXPECT_EQ(pipeline.alerts("IoT_CA_LocalUserNotAllowed").size(), 1u);

  pipeline.feed(group(list_rule("ProcessNotAllowed", R"(["ls","/usr/bin/app"])")));
  feed(process("/bin/ls", "ls"));
  feed(process("/usr/bin/app", "app"));
  EXPECT_TRUE(pipeline.alerts("IoT_CA_ProcessNotAllowed").empty());
  feed(process("/opt/app", "app"));
  EXPECT_EQ(pipeline.alerts("IoT_CA_ProcessNotAllowed").size(), 1u);

  pipeline.feed(group(windows(window_rule("FailedLocalLoginsNotInAllowedRange", 0, 1) + "," +
                              window_rule("ActiveConnectionsNotInAllowedRange", 0, 1))));
  feed(failed_login(kNoon));
  feed(out);
  EXPECT_TRUE(pipeline.alerts("IoT_CA_FailedLocalLoginsNotInAllowedRange").empty());
  EXPECT_TRUE(pipeline.alerts("IoT_CA_ActiveConnectionsNotInAllowedRange").empty());
  feed(failed_login(noon(1)));
  feed(in);
  EXPECT_EQ(pipeline.alerts("IoT_CA_FailedLocalLoginsNotInAllowedRange").size(), 1u);
  EXPECT_EQ(pipeline.alerts("IoT_CA_ActiveConnectionsNotInAllowedRange").size(), 1u);
}

TEST(CustomRules, EachTypeHasItsAlert) {
  for (const CustomRuleType& type : custom_rule_types()) {
    const AlertInfo* info = Catalogue::builtin().find("IoT_CA_" + std::string(type.name));
    ASSERT_NE(info, nullptr) << type.name;
    EXPECT_EQ(info->severity(Profile::parity), "Low");
  }
}

}  // namespace
}  // namespace picket::pipeline
