#include "hub/service_authentication.h"

#include <gtest/gtest.h>

#include "hub/sas_token.h"

namespace picket::hub {
namespace {

constexpr Timestamp kNow{1'790'000'000'000'000};
constexpr Timestamp kLater = kNow + Duration::hours(1);

Buffer key(std::string_view text) { return {as_bytes(text).begin(), as_bytes(text).end()}; }

class ServiceAuthentication : public testing::Test {
 protected:
  ServiceAuthentication() {
    HubSettings hub{.name = "hub1"};
    hub.policies = {{"iothubowner", kAllRights, key("owner"), key("owner 2")},
                    {"registryRead", kRegistryRead, key("reader"), {}},
                    {"registryReadWrite", kRegistryWrite, key("writer"), {}}};
    hub.configuration.ip_rules = {{"no", IpAction::reject, *parse_cidr("192.0.2.0/24")}};
    settings_.put(hub);
    settings_.put({.name = "hub2", .policies = {{"iothubowner", kAllRights, key("other"), {}}}});
  }
  std::string check(std::string_view token, std::uint32_t needed, std::string_view path = "",
                    std::string_view host = "hub1.example", std::string_view address = "10.0.0.1") {
    const auto result = authenticate_service({.token = token, .host = host, .path = path, .source_address = address},
                                             needed, hubs_, settings_, kNow);
    return result ? "granted" : std::string(to_string(result.error().check));
  }
  static std::string token(std::string_view policy, std::string_view text, std::string_view resource = "hub1.example",
                           Timestamp expiry = kLater) {
    return make_policy_token(resource, policy, as_bytes(text), expiry);
  }

  HubNames hubs_{.default_hub = "hub1"};
  HubSettingsStore settings_;
};

TEST_F(ServiceAuthentication, GrantsAPolicyItsRights) {
  const auto text = token("iothubowner", "owner 2");
  const auto caller = authenticate_service({.token = text, .host = "hub1.example", .source_address = "10.0.0.1"},
                                           kServiceConnect, hubs_, settings_, kNow);
  ASSERT_TRUE(caller);
  EXPECT_EQ(caller->hub, "hub1");
  EXPECT_EQ(caller->key_slot, KeySlot::secondary);
  EXPECT_EQ(caller->actor().user, "policy/iothubowner");
  EXPECT_EQ(caller->actor().source, "10.0.0.1");
}

TEST_F(ServiceAuthentication, RefusesARightThatThePolicyLacks) {
  EXPECT_EQ(check(token("registryRead", "reader"), kRegistryRead), "granted");
  EXPECT_EQ(check(token("registryRead", "reader"), kRegistryWrite), "token_policy");
  EXPECT_EQ(check(token("registryRead", "reader"), kServiceConnect), "token_policy");
  EXPECT_EQ(check(token("registryReadWrite", "writer"), kRegistryRead), "granted") << "writing includes reading";
  EXPECT_EQ(check(token("registryReadWrite", "writer"), kRegistryRead | kServiceConnect), "token_policy");
}

TEST_F(ServiceAuthentication, RefusesEachFaultByItsName) {
  EXPECT_EQ(check("", 0), "token_missing");
  EXPECT_EQ(check("Bearer x", 0), "token_malformed");
  EXPECT_EQ(check(token("nobody", "owner"), 0), "token_policy");
  EXPECT_EQ(check(token("", "owner"), 0), "token_policy") << "a device's key opens no service";
  EXPECT_EQ(check(token("iothubowner", "wrong"), 0), "token_signature");
  EXPECT_EQ(check(token("registryRead", ""), 0), "token_signature") << "an empty secondary key verifies nothing";
  EXPECT_EQ(check(token("iothubowner", "owner", "hub1.example", kNow), 0), "token_expired");
  EXPECT_EQ(check(token("iothubowner", "owner"), 0, "", "hub1.example", "192.0.2.7"), "ip_filter");
}

TEST_F(ServiceAuthentication, TokenOfOneHubOpensNoOther) {
  EXPECT_EQ(check(token("iothubowner", "owner"), 0, "", "hub2.example"), "token_resource");
  EXPECT_EQ(check(token("iothubowner", "owner", "hub2.example"), 0, "", "hub2.example"), "token_signature");
  EXPECT_EQ(check(token("iothubowner", "other", "hub2.example"), 0, "", "hub2.example"), "granted");
}

TEST_F(ServiceAuthentication, TokenOfAPartOpensThatPartOnly) {
  const auto part = token("iothubowner", "owner", "hub1.example/devices/d1");
  EXPECT_EQ(check(part, 0, "/devices/d1"), "granted");
  EXPECT_EQ(check(part, 0, "/devices/d1/modules/m"), "granted");
  EXPECT_EQ(check(part, 0, "/devices/d12"), "token_resource");
  EXPECT_EQ(check(part, 0), "token_resource");
}

TEST_F(ServiceAuthentication, TheTokenNamesTheHostWhereNothingElseDoes) {
  EXPECT_EQ(check(token("iothubowner", "other", "hub2.example"), 0, "", ""), "granted");
}

TEST(SasResource, IsReadEncodedAndNot) {
  const auto module = parse_resource("host%2Fdevices%2Fd%252F%2Fmodules%2Fm");
  ASSERT_TRUE(module);
  EXPECT_EQ(module->device_id, "d%2F");
  EXPECT_EQ(module->module_id, "m");
  EXPECT_EQ(parse_resource("host/devices/a%b")->device_id, "a%b");
  EXPECT_EQ(parse_resource("host/devices/d/messages/events")->device_id, "d");
  EXPECT_EQ(parse_resource("host/messages")->device_id, "");
  EXPECT_EQ(parse_resource("host")->host, "host");
  EXPECT_FALSE(parse_resource(""));
  EXPECT_FALSE(parse_resource("/devices/d"));
  EXPECT_FALSE(parse_resource("%zz"));
}

}  // namespace
}  // namespace picket::hub
