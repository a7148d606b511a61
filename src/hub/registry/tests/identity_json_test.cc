#include "hub/identity_json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace picket::hub {
namespace {

using state::AuthType;

TEST(IdentityJson, ADeviceHasTheShapeOfIoTHub) {
  const state::Device device{.hub = "factory",
                             .device_id = "d",
                             .generation_id = "g",
                             .keys = {"cDE=", "czE="},
                             .etag = "MTIz",
                             .status_updated = Timestamp{0}};
  EXPECT_EQ(
      to_json(device, {}),
      R"({"deviceId":"d","generationId":"g","etag":"MTIz","status":"enabled","statusReason":null,)"
      R"("statusUpdatedTime":"0001-01-01T00:00:00Z","connectionState":"Disconnected",)"
      R"("connectionStateUpdatedTime":"0001-01-01T00:00:00Z","lastActivityTime":"0001-01-01T00:00:00Z",)"
      R"("cloudToDeviceMessageCount":0,"authentication":{"symmetricKey":{"primaryKey":"cDE=","secondaryKey":"czE="},)"
      R"("x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"sas"},)"
      R"("capabilities":{"iotEdge":false},"parentScopes":[]})");
}

TEST(IdentityJson, AModuleHasTheShapeOfIoTHub) {
  const state::Module module{
      .module_id = "m", .generation_id = "g", .etag = "MTIz", .auth = AuthType::certificate_authority};
  const IdentityActivity activity{true, Timestamp{1'000'000}, Timestamp{2'000'000}, 3};
  EXPECT_EQ(
      to_json("d", module, activity),
      R"({"moduleId":"m","managedBy":null,"deviceId":"d","generationId":"g","etag":"MTIz",)"
      R"("connectionState":"Connected","connectionStateUpdatedTime":"1970-01-01T00:00:01.000000Z",)"
      R"("lastActivityTime":"1970-01-01T00:00:02.000000Z","cloudToDeviceMessageCount":3,)"
      R"("authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},)"
      R"("x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"certificateAuthority"}})");
}

TEST(IdentityJson, ReadsWhatItWrites) {
  const state::Device device{.device_id = "d",
                             .enabled = false,
                             .keys = {"cDE=", "czE="},
                             .status_reason = "spare \"one\"",
                             .edge = true,
                             .scope = "ms-azure-iot-edge://d-1",
                             .parent_scopes = {"a", "b"}};
  const auto spec = device_from_json(to_json(device, {}), "d");
  ASSERT_TRUE(spec);
  EXPECT_EQ(*spec, (DeviceSpec{.device_id = "d",
                               .enabled = false,
                               .status_reason = device.status_reason,
                               .auth = AuthSpec{AuthType::sas, device.keys, {}},
                               .edge = true,
                               .scope = device.scope,
                               .parent_scopes = device.parent_scopes}));
}

TEST(IdentityJson, ReadsWhatSdksSend) {
  // azure-iothub, create with empty keys; older SDKs give thumbprints without a type.
  const auto node = device_from_json(
      R"({"deviceId":"d","status":"enabled","authentication":{"symmetricKey":{"primaryKey":"","secondaryKey":""}},"capabilities":{"iotEdge":false}})",
      "d");
  ASSERT_TRUE(node);
  EXPECT_EQ(node->auth, AuthSpec{});
  const auto old =
      device_from_json(R"({"deviceId":"d","authentication":{"x509Thumbprint":{"primaryThumbprint":"AB"}}})", "d");
  ASSERT_TRUE(old);
  EXPECT_EQ(old->auth->type, AuthType::self_signed);
  EXPECT_FALSE(device_from_json(R"({"deviceId":"d","authentication":null})", "d")->auth.has_value());
  const auto module = module_from_json(
      R"({"deviceId":"d","moduleId":"m","managedBy":"me","authentication":{"type":"none"}})", "d", "m");
  ASSERT_TRUE(module);
  EXPECT_EQ(module->auth->type, AuthType::none);
  EXPECT_EQ(module->managed_by, "me");
  EXPECT_EQ(device_from_json(R"({"deviceId":"d","status":"Disabled"})", "d")->enabled, false) << "the Java service SDK";
}

TEST(IdentityJson, RefusesEachMemberThatIsWrong) {
  for (const std::string_view body :
       {"", "[]", "{", R"({"deviceId":"e"})", R"({"deviceId":1})", R"({"status":"on"})", R"({"status":1})",
        R"({"statusReason":{}})", R"({"statusReason":"a\nb"})", R"({"authentication":[]})",
        R"({"authentication":{"type":"tpm"}})", R"({"authentication":{"symmetricKey":1}})",
        R"({"authentication":{"symmetricKey":{"primaryKey":1}}})", R"({"capabilities":{"iotEdge":"yes"}})",
        R"({"deviceScope":1})", R"({"parentScopes":"a"})", R"({"parentScopes":[1]})"}) {
    const auto spec = device_from_json(body, "d");
    ASSERT_FALSE(spec) << body;
    EXPECT_EQ(spec.error().code, 400004) << body;
  }
  EXPECT_EQ(
      device_from_json(R"({"statusReason":")" + std::string(kStatusReasonBytesMax + 1, 'a') + "\"}", "d").error().code,
      400004);
  EXPECT_TRUE(device_from_json(R"({"statusReason":")" + std::string(kStatusReasonBytesMax, 'a') + "\"}", "d"));
  EXPECT_FALSE(module_from_json(R"({"moduleId":"x"})", "d", "m"));
}

TEST(IdentityJson, DeepNestingIsRefusedNotFollowed) {
  EXPECT_FALSE(device_from_json(R"({"x":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}", "d"));
}

TEST(IdentityJson, NamesCodesAsIoTHubDoes) {
  EXPECT_EQ(code_name(404001), "DeviceNotFound");
  EXPECT_EQ(code_name(412001), "PreconditionFailed");
  EXPECT_EQ(code_name(499999), "499999");
}

}  // namespace
}  // namespace picket::hub
