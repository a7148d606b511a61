#include "hub/configurations.h"

#include <gmock/gmock.h>

#include "automation_fixture.h"

namespace picket::hub {
namespace {

using testing::HasSubstr;

class ConfigurationsTest : public AutomationFixture {
 protected:
  static std::string body(const std::string& condition, int priority, const std::string& content,
                          const std::string& more = "") {
    return "{\"targetCondition\":\"" + condition + "\",\"priority\":" + std::to_string(priority) +
           ",\"content\":{\"deviceContent\":" + content + "}" + more + "}";
  }
};

TEST_F(ConfigurationsTest, ReachesTheDevicesItNamesAndNoOther) {
  const auto north = add("n1");
  const auto south = add("s1");
  ASSERT_TRUE(patch(north, R"({"tags":{"site":"n"}})"));
  ASSERT_TRUE(put("base", body("tags.site = 'n'", 1, R"({"properties.desired.rate":5})")));
  settle();
  EXPECT_EQ(desired(north), R"({"rate":5})");
  EXPECT_EQ(desired(south), "{}");
}

TEST_F(ConfigurationsTest, FollowsTagsReportedPropertiesAndNewDevices) {
  const auto d = add("d");
  ASSERT_TRUE(put("a", body("tags.site = 'n'", 1, R"({"properties.desired.a":1})")));
  ASSERT_TRUE(put("b", body("properties.reported.model = 'x'", 1, R"({"properties.desired.b":2})")));
  ASSERT_TRUE(put("c", body("*", 1, R"({"properties.desired.c":3})")));
  settle();
  EXPECT_EQ(desired(d), R"({"c":3})");
  ASSERT_TRUE(patch(d, R"({"tags":{"site":"n"}})"));
  settle();
  EXPECT_EQ(desired(d), R"({"a":1,"c":3})");
  ASSERT_TRUE(report(proven(d), R"({"model":"x"})"));
  settle();
  EXPECT_EQ(desired(d), R"({"a":1,"b":2,"c":3})");
  ASSERT_TRUE(report(proven(d), R"({"model":"y"})"));
  ASSERT_TRUE(patch(d, R"({"tags":{"site":null}})"));
  settle();
  EXPECT_EQ(desired(d), R"({"c":3})");
  const auto later = add("later");
  settle();
  EXPECT_EQ(desired(later), R"({"c":3})");
}

TEST_F(ConfigurationsTest, FollowsTheSecurityGroup) {
  const auto d = add("d");
  ASSERT_TRUE(put("line", body("tags.SecurityGroup = 'line-2'", 1, R"({"properties.desired.a":1})")));
  settle();
  ASSERT_TRUE(devices_->change("hub", "d", {.group = "line-2"}, kService, kStart));
  settle();
  EXPECT_EQ(desired(d), R"({"a":1})");
}

TEST_F(ConfigurationsTest, TheHighestPriorityWinsEachPathAndTheNextTakesOver) {
  const auto d = add("d");
  ASSERT_TRUE(put("low", body("*", 1, R"({"properties.desired.x":"low","properties.desired.only_low":1})")));
  ASSERT_TRUE(put("high", body("*", 9, R"({"properties.desired.x":"high"})")));
  settle();
  EXPECT_EQ(desired(d), R"({"only_low":1,"x":"high"})");
  ASSERT_TRUE(remove("high"));
  settle();
  EXPECT_EQ(desired(d), R"({"only_low":1,"x":"low"})");
  ASSERT_TRUE(remove("low"));
  settle();
  EXPECT_EQ(desired(d), "{}");
}

TEST_F(ConfigurationsTest, OfEqualPrioritiesTheNewestWins) {
  const auto d = add("d");
  ASSERT_TRUE(put("old", body("*", 5, R"({"properties.desired.x":"old"})")));
  clock_.advance(Duration::seconds(1));
  ASSERT_TRUE(put("a-new", body("*", 5, R"({"properties.desired.x":"new"})")));
  settle();
  EXPECT_EQ(desired(d), R"({"x":"new"})");
}

TEST_F(ConfigurationsTest, LeavesWhatPeopleHaveSet) {
  const auto d = add("d");
  ASSERT_TRUE(patch(d, R"({"properties":{"desired":{"own":{"a":1}}}})"));
  ASSERT_TRUE(put("c", body("*", 1, R"({"properties.desired.own.b":2,"properties.desired.mine":{"z":1}})")));
  settle();
  ASSERT_TRUE(patch(d, R"({"properties":{"desired":{"mine":{"z":"by hand"}}}})"));
  ASSERT_TRUE(remove("c"));
  settle();
  EXPECT_EQ(desired(d), R"({"mine":{"z":"by hand"},"own":{"a":1}})");
}

TEST_F(ConfigurationsTest, SettlesModulesByContentAndByCondition) {
  const auto d = add("d");
  const IdentityKey agent{"hub", "d", std::string(state::kSecurityModule)};
  ASSERT_TRUE(put(
      "agent",
      R"({"targetCondition":"*","priority":1,"content":{"modulesContent":{"DefenderIotMicroAgent":)"
      R"({"properties.desired.azureiot*com^securityAgentConfiguration":{"interval":5}},"absent":{"properties.desired.a":1}}}})"));
  ASSERT_TRUE(put("by-module",
                  R"({"targetCondition":"FROM devices.modules WHERE moduleId = 'DefenderIotMicroAgent'","priority":1,)"
                  R"("content":{"moduleContent":{"properties.desired.m":7}}})"));
  settle();
  EXPECT_EQ(desired(agent), R"({"azureiot*com^securityAgentConfiguration":{"interval":5},"m":7})");
  EXPECT_EQ(desired(d), "{}");
  ASSERT_TRUE(devices_->add_module("hub", "d", "absent", kService, kStart));
  settle();
  EXPECT_EQ(desired({"hub", "d", "absent"}), R"({"a":1})");
  ASSERT_TRUE(remove("agent"));
  ASSERT_TRUE(remove("by-module"));
  settle();
  EXPECT_EQ(desired(agent), "{}");
}

TEST_F(ConfigurationsTest, DoesNotTouchATwinThatIsAsItShouldBe) {
  const auto d = add("d");
  ASSERT_TRUE(put("c", body("*", 1, R"({"properties.desired.x":1})")));
  settle();
  const auto version = desired_version(d);
  ASSERT_TRUE(put("c", body("*", 1, R"({"properties.desired.x":1})"), "*"));
  ASSERT_TRUE(patch(d, R"({"tags":{"other":1}})"));
  settle();
  EXPECT_EQ(desired_version(d), version);
}

TEST_F(ConfigurationsTest, GoesOnAfterARestart) {
  add_many(300);
  ASSERT_TRUE(put("c", body("*", 1, R"({"properties.desired.x":1})")));
  ASSERT_TRUE(automation_->run_due(clock_.now()));  // the first page only
  EXPECT_EQ(desired({"hub", "d1000", ""}), R"({"x":1})");
  EXPECT_EQ(desired({"hub", "d1299", ""}), "{}");
  restart();
  settle();
  EXPECT_EQ(desired({"hub", "d1299", ""}), R"({"x":1})");
  ASSERT_TRUE(remove("c"));
  restart();
  settle();
  for (int i = 0; i < 300; i += 50) EXPECT_EQ(desired({"hub", "d" + std::to_string(1000 + i), ""}), "{}");
}

TEST_F(ConfigurationsTest, CountsTargetsAppliedAndMetrics) {
  for (const char* id : {"a", "b", "c"}) add(id);
  ASSERT_TRUE(patch({"hub", "a", ""}, R"({"tags":{"in":true}})"));
  ASSERT_TRUE(patch({"hub", "b", ""}, R"({"tags":{"in":true}})"));
  ASSERT_TRUE(put(
      "low",
      body("tags.in", 1, R"({"properties.desired.x":1})",
           R"(,"metrics":{"queries":{"ready":"SELECT deviceId FROM devices WHERE properties.reported.ready = true",)"
           R"("applied":"SELECT deviceId FROM devices WHERE configurations.[[low]].status = 'Applied'"}})")));
  ASSERT_TRUE(put("high", body("deviceId = 'a'", 2, R"({"properties.desired.x":2})")));
  ASSERT_TRUE(report(proven({"hub", "b", ""}), R"({"ready":true})"));
  settle();
  const JsonValue low = json(*configuration("low"));
  EXPECT_EQ(low.find("systemMetrics")->find("results")->to_string(), R"({"appliedCount":1,"targetedCount":2})");
  EXPECT_EQ(low.find("metrics")->find("results")->to_string(), R"({"applied":1,"ready":1})");
  EXPECT_EQ(query("SELECT deviceId FROM devices WHERE configurations.low.status = 'Targeted'"),
            R"([{"deviceId":"a"}])");
  EXPECT_EQ(json(*configuration("high")).find("systemMetrics")->find("results")->to_string(),
            R"({"appliedCount":1,"targetedCount":1})");
}

TEST_F(ConfigurationsTest, AFullTwinIsTargetedAndNotApplied) {
  const auto d = add("d");
  std::string large = "{";
  for (int i = 0; i < 8; ++i)
    large += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":\"" + std::string(4000, 'x') + "\"";
  ASSERT_TRUE(patch(d, "{\"properties\":{\"desired\":" + large + "}}}"));
  ASSERT_TRUE(put("c", body("*", 1, "{\"properties.desired.more\":\"" + std::string(3000, 'y') + "\"}")));
  settle();
  EXPECT_EQ(twin(d).find("properties")->find("desired")->find("more"), nullptr);
  EXPECT_EQ(json(*configuration("c")).find("systemMetrics")->find("results")->to_string(),
            R"({"appliedCount":0,"targetedCount":1})");
}

TEST_F(ConfigurationsTest, KeepsIoTHubsRules) {
  const auto made = put("c", body("*", 3, R"({"properties.desired.x":1})", R"(,"labels":{"a":"b"})"));
  ASSERT_TRUE(made);
  const JsonValue shown = json(*made);
  EXPECT_EQ(shown.text_of("id"), "c");
  EXPECT_EQ(shown.text_of("schemaVersion"), "1.0");
  EXPECT_EQ(shown.integer_of("priority"), 3);
  EXPECT_EQ(shown.find("labels")->to_string(), R"({"a":"b"})");
  const std::string etag(shown.text_of("etag"));
  EXPECT_EQ(put("c", body("*", 3, "{}")).error().status(), 409);
  EXPECT_EQ(put("c", body("*", 3, "{}"), "\"other\"").error().code, kEtagMismatch);
  ASSERT_TRUE(put("c", R"({"targetCondition":"tags.a = 1","priority":4})", "\"" + etag + "\""));
  EXPECT_EQ(json(*configuration("c")).find("content")->to_string(), R"({"deviceContent":{"properties.desired.x":1}})");
  EXPECT_EQ(configuration("none").error().code, kConfigurationNotFound);
  EXPECT_EQ(remove("none").error().code, kConfigurationNotFound);
  EXPECT_EQ(remove("c", "\"" + etag + "\"").error().code, kEtagMismatch);
  EXPECT_TRUE(remove("c", ""));
  EXPECT_EQ(put("bad", body("tags.a =", 1, "{}")).error().status(), 400);
  EXPECT_EQ(put("bad", body("*", -1, "{}")).error().status(), 400);
  EXPECT_EQ(put("b/d", body("*", 1, "{}")).error().status(), 400);
  EXPECT_EQ(put("bad", R"({"metrics":{"queries":{"m":"SELECT"}}})").error().status(), 400);
  for (std::size_t i = 0; i < kConfigurationsMax; ++i) ASSERT_TRUE(put("n" + std::to_string(i), "{}"));
  EXPECT_EQ(put("one-more", "{}").error().code, kQuotaExceeded);
  const auto all =
      wait<std::string>([&](Done<std::string> done) { automation_->configurations().list("hub", 0, std::move(done)); });
  EXPECT_EQ(json(*all).array()->size(), kConfigurationsMax);
}

TEST_F(ConfigurationsTest, TestsQueriesWithoutKeepingThem) {
  const auto tested = Configurations::test_queries(
      R"({"targetCondition":"tags.a = 'x","customMetricQueries":{"good":"SELECT COUNT() FROM devices","bad":"SELEC"}})");
  ASSERT_TRUE(tested);
  const JsonValue result = json(*tested);
  EXPECT_THAT(std::string(result.text_of("targetConditionError")), HasSubstr("no closing quote"));
  EXPECT_EQ(result.find("customMetricQueryErrors")->object()->size(), 1u);
  EXPECT_TRUE(
      json(*Configurations::test_queries(R"({"targetCondition":"*"})")).find("targetConditionError")->is_null());
}

TEST_F(ConfigurationsTest, AppliesAContentToOneDeviceOnce) {
  const auto d = add("d");
  const auto apply = [&](const std::string& content) {
    return wait<void>(
        [&](Done<> done) { automation_->configurations().apply_content(d, content, kService, std::move(done)); });
  };
  ASSERT_TRUE(apply(
      R"({"deviceContent":{"properties.desired.a":1},"modulesContent":{"DefenderIotMicroAgent":{"properties.desired":{"b":{"c":2}}}}})"));
  EXPECT_EQ(desired(d), R"({"a":1})");
  EXPECT_EQ(desired({"hub", "d", "DefenderIotMicroAgent"}), R"({"b":{"c":2}})");
  EXPECT_EQ(apply(R"({"modulesContent":{"none":{"properties.desired.a":1}}})").error().code, kModuleNotFound);
  EXPECT_EQ(apply("[").error().status(), 400);
}

TEST_F(ConfigurationsTest, ConfigurationsOfOneHubReachNoOther) {
  const auto other = add("d", "hub2");
  add("d");
  ASSERT_TRUE(put("c", body("*", 1, R"({"properties.desired.x":1})")));
  settle();
  EXPECT_EQ(desired(other), "{}");
}

}  // namespace
}  // namespace picket::hub
