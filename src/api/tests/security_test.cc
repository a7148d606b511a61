#include "fixture.h"

namespace picket::api::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SecurityApiTest : public ApiTest {
 protected:
  void SetUp() override {
    start();
    ASSERT_TRUE(devices_->add("picket", "d", "", {"test", ""}, clock_.now()).has_value());
  }
  [[nodiscard]] Reply call(const std::string& method, const std::string& path, const std::string& body = "") const {
    return client_->call(method, "/api/v1" + path, body, admin());
  }
  void recommend(const std::string& type, const std::string& severity) {
    ++source_;
    const auto applied = recommendations_->apply({.recommendation_id = type,
                                                  .type = type,
                                                  .display_name = type,
                                                  .severity = severity,
                                                  .state = "Active",
                                                  .hub = "picket",
                                                  .device_id = "d",
                                                  .source = source_,
                                                  .json = "{}"},
                                                 std::to_string(source_));
    ASSERT_TRUE(applied.has_value());
  }
  [[nodiscard]] std::vector<std::string> kinds() const {
    std::vector<std::string> out;
    const auto pending = outbox_->pending(100);
    for (const auto& record : *pending) out.push_back(record.kind);
    return out;
  }

 private:
  std::uint64_t source_ = 100;
};

TEST_F(SecurityApiTest, TheScoreOfADeviceComesWithWhatItWasMadeOfAndItsTrend) {
  recommend("IoT_OpenPorts", "Medium");
  recommend("IoT_CISBenchmarks_PKT-FS-001", "Low");
  const Reply one = call("GET", "/posture/devices/d");
  ASSERT_EQ(one.status, 200) << one.body;
  EXPECT_THAT(one.body, HasSubstr(R"("deviceId":"d","group":"default")"));
  EXPECT_THAT(one.body, HasSubstr(R"("lost":7,"active":{"High":0,"Medium":1,"Low":1,"Informational":0},"exempt":0)"));
  EXPECT_THAT(one.body, HasSubstr(R"("trend":[{"day":)")) << "today is always there";
  EXPECT_THAT(one.body, HasSubstr(R"("lost":7}]})"));
  EXPECT_EQ(call("GET", "/posture/devices/nobody").status, 404);
}

TEST_F(SecurityApiTest, AnExemptionWithASlipInItIsRefused) {
  recommend("IoT_OpenPorts", "Medium");
  const auto exempt = [&](const std::string& what) {
    return call("POST", "/exemptions", R"({"reason":"a field bus",)" + what + "}").status;
  };
  EXPECT_EQ(exempt(R"("type":"IoT_OpenPort")"), 400);
  EXPECT_EQ(exempt(R"("type":"IoT_OpenPorts","deviceId":"e")"), 400);
  EXPECT_EQ(exempt(R"("type":"IoT_OpenPorts","deviceId":"d","group":"line")"), 400);
  EXPECT_EQ(exempt(R"("type":"IoT_OpenPorts","until":"2001-01-01T00:00:00Z")"), 400);
  EXPECT_THAT(call("GET", "/posture/devices/d").body, HasSubstr(R"("exempt":0)"));
  EXPECT_EQ(exempt(R"("type":"IoT_OpenPorts","deviceId":"d")"), 201);
  EXPECT_EQ(exempt(R"("type":"IoT_CISBenchmarks_ACME-1","group":"line")"), 201);
  EXPECT_THAT(call("GET", "/posture/devices/d").body, HasSubstr(R"("exempt":1)"));
}

TEST_F(SecurityApiTest, RecommendationsAreListedWithTheirStepsAndFiltered) {
  ASSERT_TRUE(
      recommendations_
          ->apply({.recommendation_id = "r1",
                   .type = "IoT_SharedCredentials",
                   .display_name = "Shared",
                   .severity = "High",
                   .state = "Active",
                   .hub = "picket",
                   .device_id = "d",
                   .source = 1,
                   .json = R"({"Description":"why","RemediationSteps":["do"],"AdditionalData":{"Devices":"2"}})"},
                  "1")
          .has_value());
  const Reply all = call("GET", "/recommendations");
  ASSERT_EQ(all.status, 200) << all.body;
  EXPECT_THAT(all.body, HasSubstr(R"("remediationSteps":["do"])"));
  EXPECT_THAT(all.body, HasSubstr(R"("additionalData":{"Devices":"2"})"));
  EXPECT_THAT(call("GET", "/recommendations?state=Resolved").body, HasSubstr(R"("total":0)"));
  EXPECT_THAT(call("GET", "/recommendation-types").body, HasSubstr(R"("type":"IoT_SharedCredentials")"));
}

TEST_F(SecurityApiTest, ATypeIsSwitchedOffAndThePipelineIsTold) {
  EXPECT_EQ(call("PATCH", "/recommendation-types/IoT_SharedCredentials", R"({"enabled":false})").status, 204);
  EXPECT_THAT(kinds(), ::testing::Contains("recommendation.set"));
  EXPECT_EQ(call("PATCH", "/recommendation-types/IoT_Nothing", R"({"enabled":false})").status, 404);
  EXPECT_EQ(call("PATCH", "/recommendation-types/IoT_SharedCredentials", R"({"enabled":1})").status, 400);
}

TEST_F(SecurityApiTest, OneRuleInOneGroupReturnsAllNineteen) {
  const std::string body =
      R"({"properties":{"timeWindowRules":[{"ruleType":"QueuePurgesNotInAllowedRange","isEnabled":true,)"
      R"("minThreshold":0,"maxThreshold":1,"timeWindowSize":"PT5M"}]}})";
  const Reply made = call("PUT", "/security-groups/line-1", body);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(made.body, HasSubstr("ProcessNotAllowed"));
  EXPECT_EQ(call("PUT", "/security-groups/line-1", body).status, 200);
  EXPECT_THAT(call("GET", "/security-groups").body, HasSubstr("line-1"));
  EXPECT_THAT(call("GET", "/security-groups/other").body, Not(HasSubstr(R"("isEnabled":true)")));
  EXPECT_EQ(call("PUT", "/security-groups/line-1", R"({"properties":{"timeWindowRules":[{"ruleType":"No"}]}})").status,
            400);
  EXPECT_EQ(call("DELETE", "/security-groups/line-1").status, 204);
}

TEST_F(SecurityApiTest, ADeploymentManifestBecomesARecord) {
  EXPECT_EQ(call("PUT", "/devices/d/deployment", R"({"modulesContent":{"$edgeAgent":{}}})").status, 204);
  EXPECT_THAT(kinds(), ::testing::Contains("deployment.set"));
  EXPECT_EQ(call("PUT", "/devices/d/deployment", "{}").status, 400);
  EXPECT_EQ(call("PUT", "/devices/nobody/deployment", R"({"modulesContent":{}})").status, 404);
}

}  // namespace
}  // namespace picket::api::testing
