#include "hub/settings_json.h"

#include <gtest/gtest.h>

namespace picket::hub {
namespace {

TEST(HubConfigurationJson, IsReadBackAsItWasWritten) {
  HubConfiguration configuration;
  EXPECT_EQ(configuration_from_json(to_json(configuration)), configuration);
  configuration.security = false;
  configuration.tls_minimum = TlsVersion::tls13;
  configuration.ciphers = CipherPolicy::strict;
  configuration.client_certificates = ClientCertificatePolicy::required;
  configuration.ip_rules = {{"office", IpAction::accept, *parse_cidr("10.0.0.0/8")},
                            {"rest", IpAction::reject, *parse_cidr("::/0")}};
  configuration.sas_lifetime_max = Duration::minutes(90);
  configuration.diagnostics = {{"siem", {"Connections"}, {"syslog"}}};
  configuration.retention_days = 7;
  EXPECT_EQ(configuration_from_json(to_json(configuration)), configuration);
}

TEST(HubConfigurationJson, SecurityIsOnUnlessSomebodyTurnsItOff) {
  EXPECT_TRUE(configuration_from_json("{}")->security);
  EXPECT_FALSE(configuration_from_json(R"({"security":false})")->security);
}

TEST(HubConfigurationJson, RefusesEachMemberThatIsWrong) {
  for (
      const std::string_view text :
      {"", "[]", R"({"securty":false})", R"({"security":1})", R"({"minTlsVersion":"1.1"})", R"({"ciphers":"none"})",
       R"({"clientCertificates":true})", R"({"ipFilterRules":{}})", R"({"ipFilterRules":[1]})",
       R"({"ipFilterRules":[{"filterName":"a","action":"Accept","ipMask":"10.0.0.0/33"}]})",
       R"({"ipFilterRules":[{"filterName":"a","ipMask":"10.0.0.0/8"}]})",
       R"({"ipFilterRules":[{"action":"Accept","ipMask":"10.0.0.0/8"}]})",
       R"({"ipFilterRules":[{"filterName":"a","action":"Accept","ipMask":"10.0.0.0/8"},{"filterName":"a","action":"Reject","ipMask":"::/0"}]})",
       R"({"sasLifetimeMinutesMax":0})", R"({"sasLifetimeMinutesMax":1.5})", R"({"retentionTimeInDays":8})",
       R"({"diagnosticSettings":[{"categories":[]}]})", R"({"diagnosticSettings":[{"name":"a","sinks":[1]}]})"}) {
    const auto read = configuration_from_json(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, 400004) << text;
  }
}

TEST(HubConfigurationJson, HubHasNoSecretsInIt) {
  HubSettings hub{.name = "factory", .resource_id = "/r"};
  hub.policies = {{"iothubowner", kAllRights, Buffer(32, std::byte{'k'}), {}}};
  const auto json = to_json(hub);
  EXPECT_TRUE(json.starts_with(R"({"name":"factory")")) << json;
  EXPECT_EQ(json.find("kkkk"), std::string::npos);
  EXPECT_EQ(json.find("a2tra2"), std::string::npos);
}

}  // namespace
}  // namespace picket::hub
