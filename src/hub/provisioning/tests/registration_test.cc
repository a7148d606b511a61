#include <set>

#include <gmock/gmock.h>

#include "provisioning_harness.h"

namespace picket::hub {
namespace {

using Registration = ProvisioningHarness;
using testing::HasSubstr;

TEST_F(Registration, TheScopeIsMadeOnce) {
  const auto scope = service->scope();
  EXPECT_TRUE(scope.starts_with("0ne"));
  EXPECT_EQ(scope.size(), 11U);
  restart();
  EXPECT_EQ(service->scope(), scope);
}

TEST_F(Registration, AnEnrolledDeviceIsAssignedWithItsKeys) {
  enroll("dev-1", key_json(key, key2),
         R"(,"deviceId":"pump#1","initialTwin":{"tags":{"site":"a"},"properties":{"desired":{"x":1}}})");
  const auto grant = service->authenticate(claim("dev-1", token("dev-1", key)));
  ASSERT_TRUE(grant);
  const auto first = do_register(*grant, R"({"registrationId":"dev-1","payload":{"model":"m"}})");
  EXPECT_EQ(first.status, 202);
  EXPECT_GT(first.retry_after_seconds, 0);
  EXPECT_EQ(member(first.body, "status"), "assigning");
  const auto done = status(*grant, member(first.body, "operationId"));
  EXPECT_EQ(done.status, 200);
  EXPECT_EQ(done.retry_after_seconds, 0);
  EXPECT_EQ(done.body.substr(0, done.body.find("\"registrationState\"")),
            R"({"operationId":")" + member(first.body, "operationId") + R"(","status":"assigned",)");
  EXPECT_EQ(member(done.body, "assignedHub"), "hub1.example:8883");
  EXPECT_EQ(member(done.body, "deviceId"), "pump#1");
  EXPECT_EQ(member(done.body, "substatus"), "initialAssignment");
  EXPECT_EQ(member(done.body, "registrationId"), "dev-1");
  const auto& order = registry.devices.at({"hub1", "pump#1"});
  EXPECT_EQ(order.primary_key, to_base64(key));
  EXPECT_EQ(order.secondary_key, to_base64(key2));
  EXPECT_EQ(order.tags_json, R"({"site":"a"})");
  EXPECT_EQ(order.desired_json, R"({"x":1})");
  EXPECT_TRUE(order.security_module);
  EXPECT_EQ(registry.actors.back(), "provisioning/dev-1");
  EXPECT_TRUE(operations.back().registered);
}

TEST_F(Registration, TokensMayBeEncodedOrNotAndOfEitherKey) {
  enroll("dev-1", key_json(key, key2));
  for (const auto& each : {key, key2}) {
    EXPECT_TRUE(proves(claim("dev-1", token("dev-1", each, false))));
    EXPECT_TRUE(proves(claim("dev-1", token("dev-1", each, true))));
  }
}

TEST_F(Registration, AProofIsForOneDeviceOneScopeAndItsTime) {
  enroll("dev-1", key_json(key, key2));
  enroll("dev-2", key_json(Buffer(32, std::byte{3}), key2));
  EXPECT_FALSE(proves(claim("dev-1", token("dev-2", key))));
  EXPECT_FALSE(proves(claim("dev-2", token("dev-2", key))));
  EXPECT_FALSE(proves(claim("dev-1", token("dev-1", key, false, "0ne00000000"))));
  EXPECT_FALSE(proves(claim("dev-1", token("dev-1", key, false, "", Duration::seconds(0)))));
  EXPECT_FALSE(proves(claim("dev-1", token("dev-1", Buffer()))));
  EXPECT_FALSE(proves(claim("dev-1")));
  EXPECT_FALSE(proves(claim("dev-1", "SharedAccessSignature rubbish")));
  EXPECT_FALSE(proves(claim("nobody", token("nobody", key))));
  auto elsewhere = claim("dev-1", token("dev-1", key));
  elsewhere.scope = "0ne12345678";
  EXPECT_FALSE(proves(elsewhere));
  EXPECT_EQ(service->stats().proofs_failed, 9U);
  EXPECT_FALSE(operations.front().reason.empty()) << "the operator learns why";
}

TEST_F(Registration, HostileIdsProveNothing) {
  enroll("g", key_json(key, key2), "", true);
  const std::string ids[] = {"", "a/b", "../g", "#", "%67", "a b", "'", "a\n", std::string(129, 'a')};
  for (const auto& id : ids) {
    EXPECT_FALSE(proves(claim(id, token(id, from_base64(derived_key(key, id)).value())))) << id;
  }
}

TEST_F(Registration, DevicesOfAGroupDeriveTheirKeys) {
  enroll("fleet", key_json(key, key2), "", true);
  for (const auto* name : {"dev-1", "dev-2"}) {
    const std::string id = name;
    const auto own = from_base64(derived_key(key, id)).value();
    EXPECT_THAT(own, testing::ElementsAreArray(hmac_sha256(key, as_bytes(id))));
    const auto body = provision(claim(id, token(id, own)));
    EXPECT_EQ(member(body, "deviceId"), id);
    EXPECT_EQ(member(body, "enrollmentGroupId"), "fleet");
    const auto& order = registry.devices.at({"hub1", id});
    EXPECT_EQ(order.primary_key, derived_key(key, id));
    EXPECT_EQ(order.secondary_key, derived_key(key2, id));
    EXPECT_TRUE(order.security_module);
  }
  EXPECT_FALSE(proves(claim("dev-1", token("dev-1", key)))) << "the group's own key is nobody's";
  EXPECT_FALSE(proves(claim("dev-1", token("dev-1", from_base64(derived_key(key, "dev-2")).value()))));
}

TEST_F(Registration, AnIndividualEnrollmentDecidesBeforeTheGroup) {
  enroll("fleet", key_json(key, key2), "", true);
  const auto own = from_base64(derived_key(key, "dev-1")).value();
  EXPECT_TRUE(proves(claim("dev-1", token("dev-1", own))));
  enroll("dev-1", key_json(own, own), R"(,"provisioningStatus":"disabled")");
  EXPECT_FALSE(proves(claim("dev-1", token("dev-1", own)))) << "so one device of a group is barred";
  EXPECT_TRUE(proves(claim("dev-2", token("dev-2", from_base64(derived_key(key, "dev-2")).value()))));
}

TEST_F(Registration, ADisabledOrRemovedGroupAdmitsNobody) {
  enroll("fleet", key_json(key, key2), "", true);
  const auto what = claim("dev-1", token("dev-1", from_base64(derived_key(key, "dev-1")).value()));
  const auto grant = service->authenticate(what);
  ASSERT_TRUE(grant);
  ASSERT_EQ(
      call("PUT", "/enrollmentGroups/fleet",
           R"({"enrollmentGroupId":"fleet","provisioningStatus":"disabled","attestation":{"type":"symmetricKey"}})",
           "*")
          .status,
      200);
  EXPECT_FALSE(proves(what));
  EXPECT_EQ(do_register(*grant).status, 401) << "also after the proof";
  ASSERT_EQ(call("DELETE", "/enrollmentGroups/fleet").status, 204);
  EXPECT_FALSE(proves(what));
}

TEST_F(Registration, ACertificateProvesItsOwnName) {
  const TestCertificate mine("dev-1", nullptr, {});
  const TestCertificate other("dev-1", nullptr, {});
  enroll("dev-1", certificate_json("clientCertificates", mine));
  EXPECT_FALSE(proves(claim("dev-1", other)));
  EXPECT_FALSE(proves(claim("dev-2", mine)));
  EXPECT_FALSE(proves(claim("dev-1", token("dev-1", key)))) << "a token does not stand for a certificate";
  const auto body = provision(claim("dev-1", mine));
  EXPECT_EQ(member(body, "status"), "assigned");
  const auto& order = registry.devices.at({"hub1", "dev-1"});
  EXPECT_EQ(order.primary_thumbprint, parse_certificate_der(mine.der())->sha256);
  EXPECT_EQ(order.primary_key, "");
}

TEST_F(Registration, CertificatesOfAGroupChainToItsAuthority) {
  const TestCertificate root("root", nullptr, {.authority = true});
  const TestCertificate middle("middle", &root, {.authority = true});
  const TestCertificate leaf("dev-1", &middle, {});
  const TestCertificate stranger("dev-1", nullptr, {});
  enroll("fleet", certificate_json("signingCertificates", root), "", true);
  EXPECT_FALSE(proves(claim("dev-1", stranger, {middle.der(), root.der()})));
  EXPECT_FALSE(proves(claim("dev-1", leaf)));
  EXPECT_FALSE(proves(claim("dev-2", leaf, {middle.der()})));
  EXPECT_FALSE(proves(claim("root", root)));
  const auto body = provision(claim("dev-1", leaf, {middle.der()}));
  EXPECT_EQ(member(body, "enrollmentGroupId"), "fleet");
  EXPECT_EQ(registry.devices.at({"hub1", "dev-1"}).primary_thumbprint, parse_certificate_der(leaf.der())->sha256);
  clock.advance(Duration::days(10'000));
  EXPECT_FALSE(proves(claim("dev-1", leaf, {middle.der()}))) << "certificates end";
}

TEST_F(Registration, AnAuthorityOfTheSameNameStandsInNobodysWay) {
  const TestCertificate first("plant", nullptr, {.authority = true});
  const TestCertificate second("plant", nullptr, {.authority = true});
  const TestCertificate leaf("dev-1", &second, {});
  enroll("a", certificate_json("signingCertificates", first), "", true);
  EXPECT_FALSE(proves(claim("dev-1", leaf, {second.der()})));
  enroll("b", certificate_json("signingCertificates", second), "", true);
  EXPECT_EQ(service->authenticate(claim("dev-1", leaf, {second.der()}))->enrollment, "b");
}

TEST_F(Registration, AGroupMayNameAProvenAuthority) {
  const TestCertificate root("root", nullptr, {.authority = true});
  const TestCertificate leaf("dev-1", &root, {});
  const auto attestation = R"({"type":"x509","x509":{"caReferences":{"primary":"plant"}}})";
  const auto refused = call("PUT", "/enrollmentGroups/fleet",
                            std::string(R"({"enrollmentGroupId":"fleet","attestation":)") + attestation + "}");
  EXPECT_EQ(refused.status, 400) << "possession was not proven";
  registry.cas["plant"] = to_pem(root.der());
  enroll("fleet", attestation, "", true);
  EXPECT_TRUE(proves(claim("dev-1", leaf)));
  registry.cas.clear();
  clock.advance(Duration::minutes(1));
  EXPECT_FALSE(proves(claim("dev-1", leaf))) << "a removed authority is noticed within a minute";
}

TEST_F(Registration, AnOperationBelongsToItsDevice) {
  enroll("fleet", key_json(key, key2), "", true);
  const auto one =
      service->authenticate(claim("dev-1", token("dev-1", from_base64(derived_key(key, "dev-1")).value()))).value();
  const auto two =
      service->authenticate(claim("dev-2", token("dev-2", from_base64(derived_key(key, "dev-2")).value()))).value();
  const auto operation = member(do_register(one).body, "operationId");
  EXPECT_EQ(status(two, operation).status, 404);
  ASSERT_EQ(do_register(two).status, 202);
  EXPECT_EQ(status(two, operation).status, 404);
  EXPECT_EQ(status(one, "").status, 404);
  EXPECT_EQ(status(one, operation).status, 200);
  restart();
  EXPECT_EQ(status(one, operation).status, 200);
}

TEST_F(Registration, StaticAllocationGoesWhereItSays) {
  registry.names = {"hub1", "hub2", "hub3"};
  enroll("dev-1", key_json(key, key2), R"(,"allocationPolicy":"static","iotHubHostName":"hub2.example:8883")");
  EXPECT_EQ(member(provision(claim("dev-1", token("dev-1", key))), "assignedHub"), "hub2.example:8883");
  const auto unknown =
      call("PUT", "/enrollments/x",
           R"({"registrationId":"x","attestation":{"type":"symmetricKey"},"iotHubs":["hub9.example"]})");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_THAT(unknown.body, HasSubstr("hub9.example"));
}

TEST_F(Registration, HashedAllocationStaysAndUsesOnlyTheListedHubs) {
  registry.names = {"hub1", "hub2", "hub3"};
  enroll("fleet", key_json(key, key2), R"(,"iotHubs":["hub2.example:8883","hub3.example:8883"])", true);
  std::set<std::string> used;
  for (int i = 0; i < 20; ++i) {
    const auto id = "dev-" + std::to_string(i);
    const auto what = claim(id, token(id, from_base64(derived_key(key, id)).value()));
    const auto hub = member(provision(what), "assignedHub");
    EXPECT_EQ(member(provision(what), "assignedHub"), hub);
    used.insert(hub);
  }
  EXPECT_THAT(used, testing::ElementsAre("hub2.example:8883", "hub3.example:8883"));
}

class Reprovisioning : public ProvisioningHarness {
 protected:
  void move_with(const std::string& policy) {
    registry.names = {"hub1", "hub2"};
    enroll("dev-1", key_json(key, key2), R"(,"iotHubHostName":"hub1.example:8883","reprovisionPolicy":)" + policy);
    provision(claim("dev-1", token("dev-1", key)));
    const auto body =
        R"({"registrationId":"dev-1","attestation":{"type":"symmetricKey"},"iotHubHostName":"hub2.example:8883","reprovisionPolicy":)" +
        policy + "}";
    ASSERT_EQ(call("PUT", "/enrollments/dev-1", body, "*").status, 200);
    answer = provision(claim("dev-1", token("dev-1", key)));
  }
  std::string answer;
};

TEST_F(Reprovisioning, MayMigrate) {
  move_with(R"({"updateHubAssignment":true,"migrateDeviceData":true})");
  EXPECT_EQ(member(answer, "assignedHub"), "hub2.example:8883");
  EXPECT_EQ(member(answer, "substatus"), "deviceDataMigrated");
  EXPECT_EQ(registry.orders.back().migrate_from_hub, "hub1");
  EXPECT_EQ(registry.devices.size(), 1U) << "and leaves the old hub";
}

TEST_F(Reprovisioning, MayReset) {
  move_with(R"({"updateHubAssignment":true,"migrateDeviceData":false})");
  EXPECT_EQ(member(answer, "substatus"), "deviceDataReset");
  EXPECT_EQ(registry.orders.back().migrate_from_hub, "");
  EXPECT_EQ(registry.devices.size(), 1U);
}

TEST_F(Reprovisioning, MayStay) {
  move_with(R"({"updateHubAssignment":false,"migrateDeviceData":false})");
  EXPECT_EQ(member(answer, "assignedHub"), "hub1.example:8883");
  EXPECT_EQ(member(answer, "substatus"), "initialAssignment");
}

TEST_F(Registration, ARegistryThatRefusesMakesAFailedRegistration) {
  enroll("dev-1", key_json(key, key2));
  registry.failure = HubError{kQuotaExceeded, "The hub is full."};
  const auto body = provision(claim("dev-1", token("dev-1", key)));
  EXPECT_EQ(member(body, "status"), "failed");
  EXPECT_THAT(body, HasSubstr(R"("errorCode":403002,"errorMessage":"The hub is full.")"));
  registry.failure = HubError{kUnavailable, "Try again."};
  const auto grant = service->authenticate(claim("dev-1", token("dev-1", key))).value();
  EXPECT_EQ(do_register(grant).status, 503) << "what may be right next time is not remembered";
  registry.failure.reset();
  EXPECT_EQ(member(provision(claim("dev-1", token("dev-1", key))), "status"), "assigned");
  EXPECT_EQ(service->stats().registrations_failed, 2U);
}

TEST_F(Registration, ABodyThatNamesAnotherIsRefused) {
  enroll("dev-1", key_json(key, key2));
  const auto grant = service->authenticate(claim("dev-1", token("dev-1", key))).value();
  const auto reply = do_register(grant, R"({"registrationId":"dev-2"})");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr(R"("errorCode":400004,"trackingId":")"));
  EXPECT_TRUE(registry.devices.empty());
}

}  // namespace
}  // namespace picket::hub
