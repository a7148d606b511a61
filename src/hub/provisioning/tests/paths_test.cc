#include <map>

#include <gtest/gtest.h>

#include "allocation.h"
#include "hub/provisioning.h"
#include "registration_json.h"

namespace picket::hub {
namespace {

TEST(ProvisioningPaths, ReadTheUserNameOfMqtt) {
  const auto claim =
      parse_provisioning_user_name("reg1", "0ne0001/registrations/reg1/api-version=2019-03-31&ClientVersion=x%2F1");
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->scope, "0ne0001");
  EXPECT_EQ(claim->registration_id, "reg1");
  EXPECT_TRUE(parse_provisioning_user_name("reg1", "0ne0001/registrations/reg1"));
  for (const auto* user : {"", "reg1", "0ne0001/registrations/reg2/api-version=x", "0ne0001/registrations/reg1x/",
                           "0ne0001/devices/reg1/", "0ne0001/registrations/", "0ne0001/registrations//reg1"}) {
    EXPECT_EQ(parse_provisioning_user_name("reg1", user).error().code, kUnauthorized) << user;
  }
  EXPECT_FALSE(parse_provisioning_user_name("a#", "0ne0001/registrations/a#/"));
}

TEST(ProvisioningPaths, ReadThePathOfHttps) {
  const auto first = parse_provisioning_path("/0ne0001/registrations/reg%2D1/register");
  ASSERT_TRUE(first);
  EXPECT_EQ(first->registration_id, "reg-1");
  EXPECT_EQ(first->operation_id, "");
  EXPECT_EQ(parse_provisioning_path("/0ne0001/registrations/r/operations/4.x")->operation_id, "4.x");
  for (const auto* path :
       {"/0ne0001/registrations/r", "/0ne0001/registrations/r/operations/", "/0ne0001/registrations/r/operations",
        "/x/registrations/r/register", "0ne0001/registrations/r/register", "/0ne0001/registrations/%/register",
        "/devices/d/messages/events", "/a/b/c/d/e/f/g/h"}) {
    EXPECT_FALSE(parse_provisioning_path(path)) << path;
  }
}

TEST(ProvisioningPaths, KnowTheServiceApi) {
  for (const auto* path : {"/enrollments", "/enrollments/", "/enrollments/a",
                           "/enrollmentgroups/a/attestationmechanism", "/registrations/x"}) {
    EXPECT_TRUE(is_provisioning_service_path(path)) << path;
  }
  for (const auto* path : {"/", "", "/devices", "/enrollmentsx", "/0ne/registrations/x/register"}) {
    EXPECT_FALSE(is_provisioning_service_path(path)) << path;
  }
}

TEST(RegistrationBodies, CarryAPayloadAndNobodyElsesId) {
  EXPECT_EQ(parse_registration_body(R"({"registrationId":"r","payload":{"a": [1, 2]}})", "r")->payload,
            R"({"a":[1,2]})");
  for (const auto* body : {"", " ", "{}", R"({"registrationId":"r"})", R"({"payload":null})", R"({"tpm":null})"}) {
    EXPECT_EQ(parse_registration_body(body, "r")->payload, "") << body;
  }
  for (const auto* body :
       {"[]", "{", R"({"registrationId":"x"})", R"({"registrationId":1})", R"({"tpm":{"endorsementKey":"k"}})"}) {
    EXPECT_EQ(parse_registration_body(body, "r").error().code, kArgumentInvalid) << body;
  }
  EXPECT_EQ(parse_registration_body(std::string(kProvisioningBodyBytesMax + 1, '1'), "r").error().code, kTooLarge);
}

TEST(Allocation, IsEvenAndMovesOnlyWhatMust) {
  const std::vector<std::string> three = {"hub1", "hub2", "hub3"};
  const std::vector<std::string> two = {"hub3", "hub1"};
  std::map<std::string, int> counts;
  for (int i = 0; i < 3000; ++i) {
    const auto id = "device-" + std::to_string(i);
    const auto& hub = hashed_hub(three, id);
    ++counts[hub];
    if (hub != "hub2") EXPECT_EQ(hashed_hub(two, id), hub);
  }
  for (const auto& hub : three) EXPECT_NEAR(counts[hub], 1000, 150) << hub;
}

}  // namespace
}  // namespace picket::hub
