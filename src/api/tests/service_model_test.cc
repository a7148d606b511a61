// The service REST model of Microsoft.Security, as its scripts call it.
#include "fixture.h"

namespace picket::api::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::string_view kScope = "/subscriptions/0b5e2a52-0f6e-4a2e-9d3e-0d9d5b8f3a10/resourceGroups/picket";

class ServiceModelTest : public ApiTest {
 protected:
  void SetUp() override {
    start();
    add_alert("a1", "High", "press-1");
    add_alert("a2", "Medium", "press-2");
  }
  [[nodiscard]] Reply call(const std::string& method, const std::string& path, const std::string& body = "") const {
    return client_->call(
        method,
        std::string(kScope) + path + (path.find('?') == std::string::npos ? "?" : "&") + "api-version=2019-08-01", body,
        admin());
  }
  [[nodiscard]] Reply solution(const std::string& path) const {
    return call("GET", "/providers/Microsoft.Security/iotSecuritySolutions/picket" + path);
  }
  [[nodiscard]] std::string today() const { return format_rfc3339(clock_.now()).substr(0, 10); }
};

TEST_F(ServiceModelTest, EveryCallNamesItsVersionAndItsScope) {
  const std::string path = std::string(kScope) + "/providers/Microsoft.Security/iotSecuritySolutions";
  EXPECT_EQ(client_->get(path, admin()).error_code(), "MissingApiVersionParameter");
  EXPECT_EQ(client_->get(path + "?api-version=2099-01-01", admin()).error_code(), "InvalidApiVersionParameter");
  EXPECT_EQ(client_->get(path + "?api-version=2019-08-01").status, 401);
  EXPECT_EQ(client_
                ->get("/subscriptions/other/providers/Microsoft.Security/iotSecuritySolutions?api-version=2019-08-01",
                      admin())
                .error_code(),
            "SubscriptionNotFound");
  EXPECT_EQ(call("GET", "/providers/Microsoft.Compute/virtualMachines").error_code(), "ResourceNotFound");
  EXPECT_EQ(call("GET", "/PROVIDERS/microsoft.security/IOTSECURITYSOLUTIONS").status, 200) << "ids have no case";
}

TEST_F(ServiceModelTest, ASolutionIsWrittenChangedAndRemoved) {
  const std::string path = "/providers/Microsoft.Security/iotSecuritySolutions/plant";
  EXPECT_EQ(call("GET", path).status, 404);
  const std::string body =
      R"({"location":"local","tags":{"a":"b"},"properties":{"workspace":"/w","displayName":"Plant","iotHubs":["/hub"],)"
      R"("recommendationsConfiguration":[{"recommendationType":"IoT_SharedCredentials","status":"Disabled"}]}})";
  EXPECT_EQ(call("PUT", path, body).status, 201);
  EXPECT_EQ(call("PUT", path, body).status, 200);
  EXPECT_EQ(*recommendations_->disabled(), std::vector<std::string>{"IoT_SharedCredentials"});
  EXPECT_EQ(call("PUT", path, R"({"properties":{"displayName":"x"}})").status, 400);
  const std::string wrong = R"({"properties":{"userDefinedResources":{"query":"where true","querySubscriptions":[]}}})";
  EXPECT_EQ(call("PATCH", path, wrong).status, 400);
  const Reply patched = call("PATCH", path, R"({"tags":{"c":"d"},"properties":{"displayName":"kept"}})");
  ASSERT_EQ(patched.status, 200) << patched.body;
  EXPECT_EQ(patched.json().at("tags").at("c"), "d");
  EXPECT_EQ(patched.json().at("properties").at("displayName"), "Plant") << "PATCH does not change that";
  EXPECT_EQ(call("GET", "/providers/Microsoft.Security/iotSecuritySolutions").json().at("value").as_array().size(), 1u);
  EXPECT_EQ(call("DELETE", path).status, 200);
  EXPECT_EQ(call("DELETE", path).status, 204);
}

TEST_F(ServiceModelTest, AlertsAreAggregatedByNameAndDateAndDismissedForGood) {
  const auto list = solution("/analyticsModels/default/aggregatedAlerts?$top=5").json();
  ASSERT_EQ(list.at("value").as_array().size(), 1u);
  const auto& first = list.at("value").at(0);
  EXPECT_EQ(std::string(first.at("name").as_string()), "IoT_ReverseShell/" + today());
  const auto& properties = first.at("properties");
  EXPECT_EQ(properties.at("count"), 2);
  EXPECT_EQ(properties.at("reportedSeverity"), "High");
  EXPECT_EQ(std::string(properties.at("aggregatedDateUtc").as_string()), today());
  EXPECT_THAT(std::string(properties.at("logAnalyticsQuery").as_string()), StartsWith("SecurityAlert"));
  const std::string name = "/analyticsModels/default/aggregatedAlerts/IoT_ReverseShell/" + today();
  EXPECT_EQ(solution(name).json().at("properties").at("actionTaken"), "Detected");
  EXPECT_EQ(solution("/analyticsModels/default/aggregatedAlerts/IoT_ReverseShell%2F" + today()).status, 200);
  const std::string base = "/providers/Microsoft.Security/iotSecuritySolutions/picket";
  EXPECT_EQ(call("POST", base + name + "/dismiss").status, 200);
  EXPECT_EQ(alerts_->find("a1")->status, "Dismissed");
  add_alert("a3", "High", "press-3");
  EXPECT_EQ(alerts_->find("a3")->status, "Dismissed");
  EXPECT_EQ(solution("/analyticsModels/default/aggregatedAlerts/IoT_Nothing/" + today()).status, 404);
}

TEST_F(ServiceModelTest, TheModelSaysHowManyAndWhere) {
  const auto model = solution("/analyticsModels/default").json();
  EXPECT_EQ(model.at("properties").at("metrics").at("high"), 1);
  EXPECT_EQ(model.at("properties").at("metrics").at("medium"), 1);
  EXPECT_EQ(model.at("properties").at("unhealthyDeviceCount"), 2);
  EXPECT_EQ(model.at("properties").at("topAlertedDevices").as_array().size(), 2u);
  EXPECT_EQ(model.at("properties").at("mostPrevalentDeviceAlerts").at(0).at("alertsCount"), 2);
  EXPECT_EQ(model.at("properties").at("devicesMetrics").at(0).at("devicesMetrics").at("high"), 1);
  EXPECT_EQ(solution("/analyticsModels").json().at("value").as_array().size(), 1u);
}

TEST_F(ServiceModelTest, SingleAlertsArePaged) {
  const auto first = solution("/iotAlerts?$limit=1").json();
  EXPECT_EQ(first.at("totalCount"), 2);
  ASSERT_EQ(first.at("value").as_array().size(), 1u);
  const std::string next(first.at("nextLink").as_string());
  const Reply second = client_->get(next.substr(next.find("/subscriptions")), admin());
  ASSERT_EQ(second.status, 200) << second.body;
  EXPECT_EQ(second.json().at("value").as_array().size(), 1u);
  EXPECT_NE(second.json().at("value").at(0).at("name"), first.at("value").at(0).at("name"));
  EXPECT_EQ(solution("/iotAlerts/a1").json().at("properties").at("compromisedEntity"), "press-1");
  EXPECT_EQ(solution("/iotAlerts?compromisedEntity=press-2").json().at("totalCount"), 1);
  EXPECT_EQ(solution("/iotAlerts?startTimeUtc%3E=2999-01-01T00:00:00Z").json().at("totalCount"), 0);
  EXPECT_EQ(solution("/iotAlerts?$limit=0").status, 400);
}

TEST_F(ServiceModelTest, TypesSayWhatTheyAreAbout) {
  const auto type = solution("/iotAlertTypes/iot_reverseshell").json();
  EXPECT_EQ(type.at("name"), "IoT_ReverseShell");
  EXPECT_EQ(type.at("properties").at("severity"), "High");
  EXPECT_EQ(type.at("properties").at("providerName"), "IoTSecurity");
  EXPECT_GT(solution("/iotAlertTypes").json().at("value").as_array().size(), 60u);
  EXPECT_GT(solution("/iotRecommendationTypes").json().at("value").as_array().size(), 15u);
  EXPECT_EQ(solution("/iotRecommendations").json().at("totalCount"), 0);
}

TEST_F(ServiceModelTest, DeviceSecurityGroupsStandBelowTheHub) {
  const std::string path =
      "/providers/Microsoft.Devices/IotHubs/picket/providers/Microsoft.Security/deviceSecurityGroups";
  const std::string body =
      R"({"properties":{"timeWindowRules":[{"ruleType":"ActiveConnectionsNotInAllowedRange","isEnabled":true,)"
      R"("minThreshold":0,"maxThreshold":30,"timeWindowSize":"PT05M"}]}})";
  const Reply made = call("PUT", path + "/presses", body);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.json().at("properties").at("timeWindowRules").as_array().size(), 16u) << "all of them";
  EXPECT_EQ(call("PUT", path + "/presses", body).status, 200);
  EXPECT_EQ(call("GET", path).json().at("value").as_array().size(), 1u);
  EXPECT_EQ(call("GET", path + "/presses").status, 200);
  EXPECT_EQ(call("DELETE", path + "/presses").status, 200);
  EXPECT_EQ(call("DELETE", path + "/presses").status, 204);
  EXPECT_EQ(call("GET", path + "/presses").status, 404);
}

}  // namespace
}  // namespace picket::api::testing
