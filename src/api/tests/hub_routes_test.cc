#include <boost/json.hpp>

#include "base/core/encoding.h"
#include "fixture.h"
#include "test_certificates.h"

namespace picket::api::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(ApiTest, AHubIsMadeChangedAndRemoved) {
  start();
  const Reply made =
      client_->call("POST", "/api/v1/hubs", R"({"name":"second","location":"west","tier":"S3"})", admin());
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.json().at("tier").as_string(), "S3");
  EXPECT_TRUE(made.json().at("settings").at("security").as_bool());
  EXPECT_EQ(client_->call("POST", "/api/v1/hubs", R"({"name":"second"})", admin()).error_code(), "exists");
  EXPECT_EQ(client_->call("POST", "/api/v1/hubs", R"({"name":"a b"})", admin()).error_code(), "invalid_argument");
  EXPECT_EQ(client_->get("/api/v1/hubs", admin()).json().at("items").as_array().size(), 2u);
  EXPECT_EQ(client_->call("PATCH", "/api/v1/hubs/second", R"({"units":3})", admin()).json().at("units").as_int64(), 3);
  EXPECT_EQ(client_->call("DELETE", "/api/v1/hubs/second", "", admin()).status, 204);
  EXPECT_EQ(client_->get("/api/v1/hubs/second", admin()).error_code(), "not_found");
  EXPECT_EQ(client_->call("DELETE", "/api/v1/hubs/picket", "", admin()).error_code(), "invalid_argument");
}

TEST_F(ApiTest, HubSettingsAreReplacedUnderTheirEtag) {
  start();
  const Reply before = client_->get("/api/v1/hubs/picket/settings", admin());
  ASSERT_EQ(before.status, 200);
  EXPECT_FALSE(before.header("etag").empty());
  const Reply after = client_->call(
      "PUT", "/api/v1/hubs/picket/settings",
      R"({"ipFilterRules":[{"filterName":"rest","action":"Reject","ipMask":"192.0.2.0/24"}],"sasLifetimeMinutesMax":60})",
      admin());
  ASSERT_EQ(after.status, 200) << after.body;
  EXPECT_NE(after.header("etag"), before.header("etag"));
  EXPECT_EQ(after.json().at("sasLifetimeMinutesMax").as_int64(), 60);
  EXPECT_EQ(hub_settings_.of("picket")->configuration.ip_rules.size(), 1u);
  EXPECT_EQ(client_->call("PUT", "/api/v1/hubs/picket/settings", R"({"securty":false})", admin()).error_code(),
            "invalid_argument");
  EXPECT_EQ(client_->call("PUT", "/api/v1/hubs/none/settings", "{}", admin()).error_code(), "not_found");
}

TEST_F(ApiTest, PoliciesShowTheirKeysToAdministratorsOnlyAndRecordIt) {
  start();
  const Reply list = client_->get("/api/v1/hubs/picket/policies", bearer(state::Role::reader));
  EXPECT_EQ(list.json().at("items").as_array().size(), 5u);
  const auto key = to_base64(hub_settings_.of("picket")->find_policy("service")->primary_key);
  EXPECT_THAT(list.body, Not(HasSubstr(key)));
  const std::string path = "/api/v1/hubs/picket/policies/service";
  const Reply read = client_->get(path + "/connection-string", admin());
  EXPECT_EQ(std::string(read.json().at("connectionString").as_string()),
            "HostName=picket.local;SharedAccessKeyName=service;SharedAccessKey=" + key);
  EXPECT_EQ(outbox_->pending(100)->back().kind, "key.read");
  EXPECT_EQ(client_->call("POST", path + "/rotate", R"({"key":"primary"})", admin()).status, 200);
  EXPECT_NE(to_base64(hub_settings_.of("picket")->find_policy("service")->primary_key), key);
  EXPECT_EQ(client_->call("POST", path + "/rotate", R"({"key":"third"})", admin()).error_code(), "invalid_argument");
  const Reply made =
      client_->call("POST", "/api/v1/hubs/picket/policies", R"({"name":"mine","rights":"ServiceConnect"})", admin());
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(
      client_->call("POST", "/api/v1/hubs/picket/policies", R"({"name":"x","rights":"All"})", admin()).error_code(),
      "invalid_argument");
  EXPECT_EQ(client_->call("DELETE", "/api/v1/hubs/picket/policies/mine", "", admin()).status, 204);
  EXPECT_EQ(client_->call("DELETE", "/api/v1/hubs/picket/policies/mine", "", admin()).error_code(), "not_found");
}

TEST_F(ApiTest, ACaCertificateIsProvenOverTheApi) {
  start();
  const auto ca = net::make_test_certificate({.common_name = "fleet CA", .is_ca = true});
  const std::string path = "/api/v1/hubs/picket/certificates";
  const auto body = [](const std::string& name, const std::string& pem) {
    boost::json::object out{{"certificate", pem}};
    if (!name.empty()) out["name"] = name;
    return boost::json::serialize(out);
  };
  const Reply added = client_->call("POST", path, body("fleet", ca.certificate_pem), admin());
  ASSERT_EQ(added.status, 201) << added.body;
  EXPECT_FALSE(added.json().at("verified").as_bool());
  const Reply code = client_->call("POST", path + "/fleet/code", "", admin());
  const auto proof = net::make_test_certificate(
      {.common_name = std::string(code.json().at("verificationCode").as_string()), .issuer = &ca});
  EXPECT_EQ(client_->call("POST", path + "/fleet/verify", body("", ca.certificate_pem), admin()).error_code(),
            "invalid_argument");
  const Reply verified = client_->call("POST", path + "/fleet/verify", body("", proof.certificate_pem), admin());
  ASSERT_EQ(verified.status, 200) << verified.body;
  EXPECT_EQ(hub_settings_.of("picket")->authorities.size(), 1u);
  EXPECT_EQ(client_->get(path, bearer(state::Role::reader)).json().at("items").as_array().size(), 1u);
  EXPECT_EQ(client_->call("DELETE", path + "/fleet", "", admin()).status, 204);
  EXPECT_TRUE(hub_settings_.of("picket")->authorities.empty());
}

TEST_F(ApiTest, ADeviceCanProveItselfByCertificate) {
  start();
  const std::string thumbprint(40, 'A');
  const Reply made = client_->call(
      "POST", "/api/v1/devices",
      R"({"deviceId":"self","authentication":"selfSigned","primaryThumbprint":")" + thumbprint + "\"}", admin());
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(std::string(made.json().at("connectionString").as_string()),
            "HostName=picket.local;DeviceId=self;ModuleId=DefenderIotMicroAgent;x509=true");
  EXPECT_EQ(devices_->find("picket", "self")->thumbprints.primary, thumbprint);
  EXPECT_EQ(
      client_->call("POST", "/api/v1/devices", R"({"deviceId":"ca","authentication":"certificateAuthority"})", admin())
          .status,
      201);
  for (const char* body : {R"({"deviceId":"x","authentication":"selfSigned"})",
                           R"({"deviceId":"x","authentication":"tpm"})", R"({"deviceId":"x","primaryThumbprint":"12"})",
                           R"({"deviceId":"x","authentication":"sas","primaryThumbprint":"12"})"}) {
    EXPECT_EQ(client_->call("POST", "/api/v1/devices", body, admin()).error_code(), "invalid_argument") << body;
  }
}

}  // namespace
}  // namespace picket::api::testing
