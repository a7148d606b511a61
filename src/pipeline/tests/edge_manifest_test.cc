// Deployment manifests of IoT Edge.
#include "hub_rules/edge_manifest.h"

#include <gtest/gtest.h>

#include "hub_words.h"

namespace picket::pipeline {
namespace {

struct TestModule {
  std::string name;
  std::string options = "{}";  ///< createOptions
  std::string image = "registry.example/image:1";
  std::string environment = "{}";
};

std::string manifest(const std::vector<TestModule>& modules, const std::string& credentials = "{}",
                     const std::string& hub_environment = "{}") {
  const auto module = [](const TestModule& one) {
    return JsonWriter()
        .begin_object()
        .key("type")
        .value("docker")
        .key("env")
        .raw(one.environment)
        .key("settings")
        .begin_object()
        .key("image")
        .value(one.image)
        .key("createOptions")
        .value(one.options)
        .end_object()
        .end_object()
        .take();
  };
  std::string list;
  for (const TestModule& one : modules) list += (list.empty() ? "\"" : ",\"") + one.name + "\":" + module(one);
  return R"({"modulesContent":{"$edgeAgent":{"properties.desired":{"schemaVersion":"1.1","runtime":{"type":"docker",)"
         R"("settings":{"registryCredentials":)" +
         credentials + R"(}},"systemModules":{"edgeHub":)" +
         module({"edgeHub", "{}", "mcr.example/hub:1", hub_environment}) + R"(},"modules":{)" + list +
         R"(}}},"$edgeHub":{"properties.desired":{"routes":{}}}}})";
}

EdgeReport report_of(const std::string& text) {
  const auto report = analyse_edge_manifest(text);
  EXPECT_TRUE(report.has_value());
  return report.value_or(EdgeReport{});
}

const TestModule kMqtt{"m", "{}", "registry.example/image:1", R"({"ClientTransportType":{"value":"Mqtt_Tcp_Only"}})"};

TEST(EdgeManifest, FindsWhatGivesAModuleTheHost) {
  for (const std::string host : {R"({"Privileged":true})", R"({"CapAdd":["NET_BIND_SERVICE","CAP_SYS_ADMIN"]})",
                                 R"({"CapAdd":["ALL"]})", R"({"NetworkMode":"host"})", R"({"PidMode":"host"})"}) {
    const auto report = report_of(manifest({{"m", R"({"HostConfig":)" + host + "}"}}));
    ASSERT_EQ(report.privileged.size(), 1u) << host;
    EXPECT_EQ(report.privileged[0].module, "m");
  }
  for (const std::string host :
       {R"({"Privileged":false})", R"({"CapAdd":["NET_BIND_SERVICE"]})", R"({"NetworkMode":"azure-iot-edge"})", "{}"}) {
    EXPECT_TRUE(report_of(manifest({{"m", R"({"HostConfig":)" + host + "}"}})).privileged.empty()) << host;
  }
}

TEST(EdgeManifest, ReadsOptionsThatAreSplitOrAnObject) {
  const std::string split =
      R"({"modules":{"m":{"settings":{"image":"i","createOptions":"{\"HostConfig\":{\"Priv","createOptions01":"ileged\":true}}"}}}})";
  EXPECT_EQ(report_of(split).privileged.size(), 1u);
  const std::string object =
      R"({"modules":{"m":{"settings":{"image":"i","createOptions":{"HostConfig":{"Privileged":true}}}}}})";
  EXPECT_EQ(report_of(object).privileged.size(), 1u);
}

TEST(EdgeManifest, AsksForAServicePrincipal) {
  const TestModule module{"m", "{}", "Plant.azurecr.io/image:1"};
  const auto credentials = [](const std::string& user) {
    return R"({"acr":{"address":"plant.azurecr.io","username":")" + user + R"(","password":"x"}})";
  };
  EXPECT_EQ(report_of(manifest({module})).no_principal.size(), 1u);
  EXPECT_EQ(report_of(manifest({module}, credentials("plant"))).no_principal.size(), 1u);
  EXPECT_TRUE(report_of(manifest({module}, credentials("12345678-1234-1234-1234-123456789abc"))).no_principal.empty());
  EXPECT_TRUE(report_of(manifest({{"m", "{}", "docker.io/library/x:1"}})).no_principal.empty());
}

TEST(EdgeManifest, SeesThatLoggingIsOff) {
  EXPECT_EQ(report_of(manifest({{"m", R"({"HostConfig":{"LogConfig":{"Type":"none"}}})"}})).no_logging.size(), 1u);
  EXPECT_TRUE(report_of(manifest({{"m", R"({"HostConfig":{"LogConfig":{"Type":"json-file"}}})"}})).no_logging.empty());
  EXPECT_TRUE(report_of(manifest({{"m", "{}"}})).no_logging.empty());
}

TEST(EdgeManifest, ProtocolHeadIsUnusedOnlyWhenThatIsSure) {
  const auto report = report_of(manifest({kMqtt}));
  ASSERT_EQ(report.unused_protocols.size(), 1u);
  EXPECT_EQ(report.unused_protocols[0].reason, "no module uses amqp");
  EXPECT_TRUE(report_of(manifest({kMqtt, {"silent"}})).unused_protocols.empty()) << "it may use any";
  EXPECT_TRUE(
      report_of(manifest({kMqtt}, "{}", R"({"amqpSettings__enabled":{"value":"false"}})")).unused_protocols.empty());
  EXPECT_EQ(report_of(manifest({})).unused_protocols.size(), 2u);
}

TEST(EdgeManifest, RefusesWhatIsNone) {
  for (const std::string text : {"", "[]", "{}", R"({"modulesContent":{}})", "{\"modules\":7}"}) {
    EXPECT_FALSE(analyse_edge_manifest(text).has_value()) << text;
  }
}

TestRecord deployed(const std::string& device, const std::string& text, Timestamp time = kNoon) {
  return audit("deployment.set", {{"manifest", text}}, time, device);
}

TEST(EdgeRecommendations, AreActiveWhileTheManifestIsSo) {
  EngineHarness pipeline;
  const TestModule bad{"m", R"({"HostConfig":{"Privileged":true,"LogConfig":{"Type":"none"}}})", "p.azurecr.io/i:1",
                       kMqtt.environment};
  pipeline.feed(deployed("edge-1", manifest({bad})));
  for (const std::string type :
       {"IoT_PrivilegedDockerOptions", "IoT_ACRAuthentication", "IoT_EdgeLoggingOptions", "IoT_EdgeHubMemOptimize"}) {
    EXPECT_EQ(states(pipeline, type)["edge-1"], "Active") << type;
  }
  EXPECT_NE(data_of(pipeline, "IoT_PrivilegedDockerOptions").find("privileged"), std::string::npos);
  pipeline.feed(
      deployed("edge-1", manifest({kMqtt}, "{}", R"({"amqpSettings__enabled":{"value":"false"}})"), noon(60)));
  for (const std::string type :
       {"IoT_PrivilegedDockerOptions", "IoT_ACRAuthentication", "IoT_EdgeLoggingOptions", "IoT_EdgeHubMemOptimize"}) {
    EXPECT_EQ(states(pipeline, type)["edge-1"], "Resolved") << type;
  }
}

TEST(EdgeRecommendations, MinorityOfAGroupDiffers) {
  std::vector<TestRecord> records;
  const auto usual = manifest({kMqtt});
  const auto other = manifest({{"m", "{}", "registry.example/image:0", kMqtt.environment}});
  records.push_back(deployed("edge-1", usual));
  records.push_back(deployed("edge-2", other, noon(1)));
  EngineHarness pipeline;
  for (const auto& record : records) pipeline.feed(record);
  EXPECT_TRUE(states(pipeline, "IoT_InconsistentModuleSettings").empty()) << "two are no majority";
  records.push_back(deployed("edge-3", usual, noon(2)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_InconsistentModuleSettings"),
            (std::map<std::string, std::string>{{"edge-2", "Active"}}));
  records.push_back(deployed("edge-2", usual, noon(3)));
  pipeline.feed(records.back());
  EXPECT_EQ(states(pipeline, "IoT_InconsistentModuleSettings")["edge-2"], "Resolved");
  expect_restart_safe(records);
}

TEST(EdgeRecommendations, GroupsAreComparedByThemselves) {
  EngineHarness pipeline;
  pipeline.feed(audit("twin.update", {{"tags", R"({"SecurityGroup":"b"})"}}, kNoon, "edge-9"));
  for (const std::string device : {"edge-1", "edge-2", "edge-3"}) pipeline.feed(deployed(device, manifest({kMqtt})));
  pipeline.feed(deployed("edge-9", manifest({{"m", "{}", "registry.example/image:0"}})));
  EXPECT_TRUE(states(pipeline, "IoT_InconsistentModuleSettings").empty());
}

TEST(EdgeRecommendations, TwinOfTheEdgeAgentIsAManifest) {
  EngineHarness pipeline;
  const auto change = [&](const std::string& module) {
    pipeline.feed(
        audit("twin.update",
              {{"module", module},
               {"patch", R"({"properties":{"desired":{"modules":{"m":{"settings":{"image":"i","createOptions":)"
                         R"("{\"HostConfig\":{\"Privileged\":true}}"}}}}}})"}},
              kNoon, "edge-1"));
  };
  change("other");
  EXPECT_TRUE(states(pipeline, "IoT_PrivilegedDockerOptions").empty());
  change("$edgeAgent");
  EXPECT_EQ(states(pipeline, "IoT_PrivilegedDockerOptions").size(), 1u);
}

TEST(EdgeRecommendations, OneManifestMayBeForManyDevices) {
  EngineHarness pipeline;
  pipeline.feed(audit("deployment.set", {{"devices", R"(["edge-1","edge-2"])"},
                                         {"manifest", manifest({{"m", R"({"HostConfig":{"Privileged":true}})"}})}}));
  EXPECT_EQ(states(pipeline, "IoT_PrivilegedDockerOptions").size(), 2u);
}

}  // namespace
}  // namespace picket::pipeline
