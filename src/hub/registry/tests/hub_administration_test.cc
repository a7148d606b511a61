#include "hub/hub_administration.h"

#include <ranges>

#include "hub/sas_token.h"
#include "hub/service_authentication.h"
#include "registry_harness.h"
#include "test_certificates.h"

namespace picket::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class HubAdministrationTest : public RegistryHarness {
 protected:
  HubAdministrationTest() { restart(); }
  /// As the server does it at each start.
  void restart() {
    administration_.reset();
    settings_ = std::make_unique<HubSettingsStore>();
    reopen();
    administration_ = std::make_unique<HubAdministration>(*database_, *settings_, clock_, "5E1F");
    administration_->on_authorities_changed([this] { ++authority_changes_; });
    ASSERT_TRUE(administration_->load({.name = kHub, .location = "plant"}));
  }
  ~HubAdministrationTest() override { administration_.reset(); }
  std::shared_ptr<const HubSettings> hub(std::string_view name = kHub) { return settings_->of(name); }

  std::unique_ptr<HubSettingsStore> settings_;
  std::unique_ptr<HubAdministration> administration_;
  int authority_changes_ = 0;
  const net::TestCertificate ca_ = net::make_test_certificate({.common_name = "fleet CA", .is_ca = true});
};

TEST_F(HubAdministrationTest, TheFirstStartMakesTheDefaultHubWithItsPolicies) {
  ASSERT_NE(hub(), nullptr);
  EXPECT_EQ(hub()->location, "plant");
  EXPECT_TRUE(hub()->configuration.security);
  EXPECT_EQ(hub()->resource_id,
            "/subscriptions/5e1f/resourcegroups/picket/providers/microsoft.devices/iothubs/factory");
  std::vector<std::string> names;
  for (const auto& policy : hub()->policies) names.push_back(policy.name + ": " + rights_to_string(policy.rights));
  EXPECT_THAT(
      names,
      testing::UnorderedElementsAre(
          "device: DeviceConnect", "iothubowner: RegistryRead, RegistryWrite, ServiceConnect, DeviceConnect",
          "registryRead: RegistryRead", "registryReadWrite: RegistryRead, RegistryWrite", "service: ServiceConnect"));
  const auto key = hub()->find_policy("iothubowner")->primary_key;
  EXPECT_EQ(key.size(), 32u);
  restart();
  EXPECT_EQ(hub()->find_policy("iothubowner")->primary_key, key) << "a restart keeps everything";
  EXPECT_THAT(audit_kinds(), ElementsAre("hub.create"));
}

TEST_F(HubAdministrationTest, HubsAreMadeSizedAndRemoved) {
  const auto made = administration_->create({.name = "second", .location = "west", .tier = "S3", .units = 2}, kActor);
  ASSERT_TRUE(made);
  EXPECT_EQ((*made)->tier, "S3");
  EXPECT_EQ(code(administration_->create({.name = "SECOND"}, kActor)), 409001) << "host names know no case";
  EXPECT_EQ(code(administration_->resize({.name = "second", .location = "west", .tier = "S4"}, kActor)), 400004);
  ASSERT_TRUE(administration_->resize({.name = "second", .location = "west", .tier = "S2"}, kActor));
  EXPECT_EQ(hub("second")->tier, "S2");
  EXPECT_EQ((*made)->tier, "S3") << "a snapshot stays what it was";
  restart();
  ASSERT_NE(hub("second"), nullptr);
  ASSERT_TRUE(administration_->remove("second", kActor));
  EXPECT_EQ(hub("second"), nullptr);
  EXPECT_EQ(code(administration_->remove("second", kActor)), 404001);
}

TEST_F(HubAdministrationTest, RefusesNamesThatAreNoHostNames) {
  for (const std::string name : {"", "ab", "-abc", "abc-", "a b", "a.b.c", "h\xC3\xA9llo", "a_b"}) {
    EXPECT_EQ(code(administration_->create({.name = name}, kActor)), 400004) << name;
  }
  EXPECT_EQ(code(administration_->create({.name = std::string(51, 'a')}, kActor)), 400004);
  EXPECT_EQ(code(administration_->create({.name = std::string(50, 'a')}, kActor)), 0);
}

TEST_F(HubAdministrationTest, AHubWithDevicesIsNotRemoved) {
  ASSERT_TRUE(put(DeviceSpec{.device_id = "d"}));
  EXPECT_EQ(code(administration_->remove(kHub, kActor)), 400004);
  ASSERT_TRUE(remove("d"));
  EXPECT_EQ(code(administration_->remove(kHub, kActor)), 0);
}

TEST_F(HubAdministrationTest, SettingsAreInForceWhenTheCallReturnsAndAfterARestart) {
  auto configuration = hub()->configuration;
  configuration.tls_minimum = TlsVersion::tls13;
  configuration.ip_rules = {{"rest", IpAction::reject, *parse_cidr("0.0.0.0/0")}};
  const auto etag = hub()->etag;
  ASSERT_TRUE(administration_->configure(kHub, configuration, "\"" + etag + "\"", kActor));
  EXPECT_EQ(hub()->configuration, configuration);
  EXPECT_EQ(code(administration_->configure(kHub, configuration, etag, kActor)), 412001);
  EXPECT_EQ(code(administration_->configure("none", configuration, "", kActor)), 404001);
  restart();
  EXPECT_EQ(hub()->configuration, configuration);
}

TEST_F(HubAdministrationTest, ChangesOfRulesAndDiagnosticsHaveRecordsOfTheirOwn) {
  auto configuration = hub()->configuration;
  configuration.security = false;
  configuration.ip_rules = {{"rest", IpAction::reject, *parse_cidr("0.0.0.0/0")}};
  configuration.diagnostics = {{"siem", {"Connections"}, {"storage"}}};
  ASSERT_TRUE(administration_->configure(kHub, configuration, "", kActor));
  configuration.diagnostics = {{"siem", {"Connections", "Routes"}, {"storage"}}};
  ASSERT_TRUE(administration_->configure(kHub, configuration, "", kActor));
  configuration.diagnostics = {};
  ASSERT_TRUE(administration_->configure(kHub, configuration, "", kActor));
  EXPECT_THAT(audit_kinds(), ElementsAre("hub.create", "hub.update", "filter.change", "diagnostics.edit", "hub.update",
                                         "diagnostics.edit", "hub.update", "diagnostics.delete"));
  const auto records = audit();
  EXPECT_THAT(records[1].body, HasSubstr(R"("security_before":true,"security":false)"));
  EXPECT_THAT(records[2].body, HasSubstr(R"(0.0.0.0/0)"));
  EXPECT_THAT(records[3].body, HasSubstr(R"("added":true)"));
  EXPECT_THAT(records[5].body, HasSubstr(R"("added":false)"));
  EXPECT_THAT(records[7].body, HasSubstr(R"("setting":"siem")"));
}

TEST_F(HubAdministrationTest, ARotatedPolicyKeyOpensNothingAnyMore) {
  const auto ask = [&](Bytes key) {
    const auto token = make_policy_token("factory.example", "service", key, kNow + Duration::hours(1));
    return authenticate_service({.token = token, .host = "factory.example"}, kServiceConnect, {.default_hub = kHub},
                                *settings_, kNow)
        .has_value();
  };
  const auto before = hub()->find_policy("service")->primary_key;
  EXPECT_TRUE(ask(before));
  ASSERT_TRUE(administration_->rotate_policy(kHub, "service", true, kActor));
  EXPECT_FALSE(ask(before));
  EXPECT_TRUE(ask(hub()->find_policy("service")->primary_key));
  EXPECT_TRUE(ask(hub()->find_policy("service")->secondary_key));
  ASSERT_TRUE(administration_->remove_policy(kHub, "service", kActor));
  EXPECT_EQ(hub()->find_policy("service"), nullptr);
  EXPECT_EQ(code(administration_->rotate_policy(kHub, "service", true, kActor)), 404001);
}

TEST_F(HubAdministrationTest, PoliciesOfOnesOwnHaveTheRightsThatWereGiven) {
  const auto made = administration_->create_policy(kHub, "reader", kRegistryRead, kActor);
  ASSERT_TRUE(made);
  EXPECT_EQ(hub()->find_policy("reader")->rights, kRegistryRead);
  EXPECT_EQ(code(administration_->create_policy(kHub, "reader", kRegistryRead, kActor)), 409001);
  EXPECT_EQ(code(administration_->create_policy(kHub, "none", 0, kActor)), 400004);
  EXPECT_EQ(code(administration_->create_policy(kHub, "a b", kRegistryRead, kActor)), 400004);
  EXPECT_EQ(code(administration_->create_policy("nowhere", "x", kRegistryRead, kActor)), 404001);
  ASSERT_TRUE(administration_->read_policy(kHub, "reader", kActor));
  EXPECT_EQ(audit().back().kind, "key.read");
  for (const auto& record : audit()) EXPECT_THAT(record.body, Not(HasSubstr(made->keys.primary)));
}

TEST_F(HubAdministrationTest, ACaCountsOnlyAfterItsKeyWasProven) {
  const auto added = administration_->add_authority(kHub, "fleet", ca_.certificate_pem, false, kActor);
  ASSERT_TRUE(added);
  EXPECT_FALSE(added->verified);
  EXPECT_EQ(added->code.size(), 48u);
  EXPECT_EQ(added->subject, "CN=fleet CA");
  EXPECT_TRUE(hub()->authorities.empty());
  EXPECT_EQ(administration_->authorities_pem(), "");
  EXPECT_EQ(authority_changes_, 0);

  const auto renewed = administration_->request_code(kHub, "fleet", kActor);
  EXPECT_NE(renewed->code, added->code);
  const auto old = net::make_test_certificate({.common_name = added->code, .issuer = &ca_});
  EXPECT_EQ(code(administration_->verify_authority(kHub, "fleet", old.certificate_pem, kActor)), 400004);
  const auto stranger = net::make_test_certificate({.common_name = "fleet CA", .is_ca = true});
  const auto forged = net::make_test_certificate({.common_name = renewed->code, .issuer = &stranger});
  EXPECT_EQ(code(administration_->verify_authority(kHub, "fleet", forged.certificate_pem, kActor)), 400004);
  EXPECT_TRUE(hub()->authorities.empty());

  const auto proof = net::make_test_certificate({.common_name = renewed->code, .issuer = &ca_});
  const auto verified = administration_->verify_authority(kHub, "fleet", proof.certificate_pem, kActor);
  ASSERT_TRUE(verified);
  EXPECT_TRUE(verified->verified);
  EXPECT_TRUE(hub()->trusts(verified->sha256_thumbprint));
  EXPECT_EQ(administration_->authorities_pem(), ca_.certificate_pem);
  EXPECT_EQ(authority_changes_, 1);
  restart();
  EXPECT_TRUE(hub()->trusts(verified->sha256_thumbprint));
  ASSERT_TRUE(administration_->remove_authority(kHub, "fleet", kActor));
  EXPECT_TRUE(hub()->authorities.empty());
  EXPECT_EQ(authority_changes_, 2);
}

TEST_F(HubAdministrationTest, EachCertificateChangeAndEachFailureIsRecorded) {
  const auto device = net::make_test_certificate({.common_name = "d", .issuer = &ca_});
  ASSERT_TRUE(administration_->add_authority(kHub, "fleet", ca_.certificate_pem, true, kActor));
  EXPECT_EQ(code(administration_->add_authority(kHub, "fleet", ca_.certificate_pem, true, kActor)), 409001);
  EXPECT_EQ(code(administration_->add_authority(kHub, "leaf", device.certificate_pem, true, kActor)), 400004);
  EXPECT_EQ(code(administration_->add_authority(kHub, "text", "no certificate", true, kActor)), 400004);
  EXPECT_EQ(code(administration_->add_authority("nowhere", "x", ca_.certificate_pem, true, kActor)), 404001);
  EXPECT_EQ(code(administration_->remove_authority(kHub, "gone", kActor)), 404001);
  ASSERT_TRUE(administration_->remove_authority(kHub, "fleet", kActor));
  EXPECT_THAT(audit_kinds(),
              ElementsAre("hub.create", "certificate.add", "certificate.add", "certificate.add", "certificate.add",
                          "certificate.add", "certificate.delete", "certificate.delete"));
  const auto records = audit();
  EXPECT_THAT(records[1].body, HasSubstr(R"("outcome":"succeeded")"));
  EXPECT_THAT(records[1].body, HasSubstr(R"("thumbprint_before":"","thumbprint":")"));
  EXPECT_THAT(records[2].body, HasSubstr(R"("outcome":"failed")"));
  EXPECT_THAT(records[6].body, HasSubstr(R"("outcome":"failed")"));
  EXPECT_THAT(records[7].body, HasSubstr(R"("outcome":"succeeded")"));
  for (const auto& record : records | std::views::drop(1)) {
    EXPECT_THAT(record.body, HasSubstr(R"("actor":"policy/iothubowner","source":"192.0.2.1")"));
  }
}

TEST_F(HubAdministrationTest, ARevocationIsInForceRecordedAndTakenBack) {
  std::vector<std::string> told;
  administration_->on_rights_changed([&](std::string_view hub) { told.emplace_back(hub); });
  ASSERT_TRUE(administration_->add_authority(kHub, "fleet", ca_.certificate_pem, true, kActor));
  const auto revoked = administration_->revoke_certificate(kHub, {.authority = "fleet", .reason = "lost"}, kActor);
  ASSERT_TRUE(revoked);
  EXPECT_EQ(revoked->name, "fleet");
  EXPECT_TRUE(hub()->has_revoked(revoked->thumbprint));
  EXPECT_EQ(told, (std::vector<std::string>{std::string(kHub)}));
  const std::string sha1 = "00:11:22:33:44:55:66:77:88:99:AA:bb:CC:DD:EE:FF:00:11:22:33";
  ASSERT_TRUE(administration_->revoke_certificate(kHub, {.thumbprint = sha1, .name = "pump 7"}, kActor));
  EXPECT_TRUE(hub()->has_revoked("00112233445566778899aabbccddeeff00112233"));
  EXPECT_EQ(code(administration_->revoke_certificate(kHub, {.thumbprint = sha1}, kActor)), 409001);
  EXPECT_EQ(code(administration_->revoke_certificate(kHub, {.thumbprint = "xyz"}, kActor)), 400004);
  EXPECT_EQ(code(administration_->revoke_certificate(kHub, {.authority = "none"}, kActor)), 404001);
  EXPECT_THAT(audit_kinds(),
              ElementsAre("hub.create", "certificate.add", "certificate.revoke", "certificate.revoke",
                          "certificate.revoke", "certificate.revoke", "certificate.revoke"))
      << "failures too";
  restart();
  EXPECT_EQ(hub()->revoked.size(), 2u) << "a restart keeps them";
  ASSERT_TRUE(administration_->restore_certificate(kHub, sha1, kActor));
  EXPECT_EQ(hub()->revoked.size(), 1u);
  EXPECT_EQ(code(administration_->restore_certificate(kHub, sha1, kActor)), 404001);
}

TEST_F(HubAdministrationTest, OnlyChangesThatMayTakeRightsAwayAreTold) {
  int told = 0;
  administration_->on_rights_changed([&](std::string_view) { ++told; });
  ASSERT_TRUE(administration_->read_policy(kHub, "service", kActor));
  ASSERT_TRUE(administration_->create_policy(kHub, "more", kServiceConnect, kActor));
  EXPECT_EQ(told, 0);
  ASSERT_TRUE(administration_->rotate_policy(kHub, "more", true, kActor));
  ASSERT_TRUE(administration_->remove_policy(kHub, "more", kActor));
  ASSERT_TRUE(administration_->configure(kHub, hub()->configuration, "", kActor));
  EXPECT_EQ(told, 3);
}

TEST_F(HubAdministrationTest, ASettingNamesKnownCategoriesAndTheSinkThatThereIs) {
  auto configuration = hub()->configuration;
  const auto tried = [&](DiagnosticSetting setting) {
    configuration.diagnostics = {std::move(setting)};
    return code(administration_->configure(kHub, configuration, "", kActor));
  };
  EXPECT_EQ(tried({"a", {"Connections", "DeviceStreams"}, {"storage"}}), 0);
  EXPECT_EQ(tried({"a", {"allLogs"}, {"storage"}}), 0);
  EXPECT_EQ(tried({"a", {"Conections"}, {"storage"}}), 400004);
  EXPECT_EQ(tried({"a", {}, {"storage"}}), 400004);
  EXPECT_EQ(tried({"a", {"Connections"}, {"syslog"}}), 400004);
  EXPECT_EQ(tried({"a", {"Connections"}, {}}), 400004);
}

}  // namespace
}  // namespace picket::hub
