#include "enrollment.h"

#include <gmock/gmock.h>

#include "base/core/encoding.h"
#include "test_certificates.h"

namespace picket::hub {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string refusal(const std::string& json, bool group = false) {
  const auto enrollment = parse_enrollment(json, group);
  if (enrollment) return "";
  EXPECT_EQ(enrollment.error().code, kArgumentInvalid);
  return enrollment.error().message;
}
std::string individual(const std::string& more = "", const std::string& attestation = R"({"type":"symmetricKey"})") {
  return R"({"registrationId":"dev-1","attestation":)" + attestation + more + "}";
}

TEST(Enrollments, ReadEveryMember) {
  const auto e = parse_enrollment(
      individual(
          R"(,"deviceId":"my#device","etag":"\"abc\"","provisioningStatus":"disabled","capabilities":{"iotEdge":true},
        "reprovisionPolicy":{"updateHubAssignment":false,"migrateDeviceData":false},"allocationPolicy":"static",
        "iotHubHostName":"h.example","iotHubs":["a","b"],"registrationState":{"status":"assigned"},"unknown":1,
        "initialTwin":{"tags":{"a":1,"$metadata":{},"version":3,"count":1},"properties":{"desired":{"b":{"c":1.5}}}})",
          R"({"type":"symmetricKey","symmetricKey":{"primaryKey":"MDEyMzQ1Njc4OWFiY2RlZg==","secondaryKey":null}})"),
      false);
  ASSERT_TRUE(e) << e.error().message;
  EXPECT_EQ(e->id, "dev-1");
  EXPECT_EQ(e->device_id, "my#device");
  EXPECT_EQ(e->etag, "abc");
  EXPECT_FALSE(e->enabled);
  EXPECT_TRUE(e->edge);
  EXPECT_FALSE(e->update_hub_assignment);
  EXPECT_FALSE(e->migrate_device_data);
  EXPECT_EQ(e->allocation, Allocation::fixed);
  EXPECT_EQ(e->hub_host, "h.example");
  EXPECT_THAT(e->hub_hosts, testing::ElementsAre("a", "b"));
  EXPECT_EQ(e->tags_json, R"({"a":1})");
  EXPECT_EQ(e->desired_json, R"({"b":{"c":1.5}})");
  EXPECT_EQ(e->primary_key, "MDEyMzQ1Njc4OWFiY2RlZg==");
  EXPECT_EQ(e->secondary_key, "");
}

TEST(Enrollments, SayWhyTheyAreRefused) {
  EXPECT_THAT(refusal(individual("", R"({"type":"tpm","tpm":{"endorsementKey":"x"}})")), HasSubstr("TPM"));
  EXPECT_THAT(refusal(individual(R"(,"allocationPolicy":"custom","customAllocationDefinition":{})")),
              HasSubstr("webhooks"));
  EXPECT_THAT(refusal(individual(R"(,"allocationPolicy":"static")")), HasSubstr("iotHubHostName"));
  EXPECT_THAT(refusal(individual(R"(,"allocationPolicy":"x")")), HasSubstr("allocationPolicy"));
  EXPECT_THAT(refusal(individual("", R"({"type":"none"})")), HasSubstr("attestation.type"));
  EXPECT_THAT(refusal(individual("", R"({"type":"symmetricKey","symmetricKey":{"primaryKey":"c2hvcnQ="}})")),
              HasSubstr("primaryKey"));
  EXPECT_THAT(refusal(individual("", R"({"type":"x509"})")), HasSubstr("x509"));
  EXPECT_THAT(
      refusal(individual("", R"({"type":"x509","x509":{"clientCertificates":{"primary":{"certificate":"x"}}}})")),
      HasSubstr("PEM"));
  EXPECT_THAT(refusal(individual("", R"({"type":"x509","x509":{"signingCertificates":{}}})")),
              HasSubstr("clientCertificates"));
  EXPECT_THAT(refusal(individual(R"(,"deviceId":"a b")")), HasSubstr("deviceId"));
  EXPECT_THAT(refusal(individual(R"(,"provisioningStatus":"maybe")")), HasSubstr("provisioningStatus"));
  EXPECT_THAT(refusal(individual(R"(,"initialTwin":{"tags":[]})")), HasSubstr("tags"));
  EXPECT_THAT(refusal(R"({"registrationId":"a/b","attestation":{"type":"symmetricKey"}})"),
              HasSubstr("registrationId"));
  for (const auto* body : {"", "[]", "{", "null", R"({"registrationId":"a"})"}) EXPECT_NE(refusal(body), "") << body;
  EXPECT_THAT(refusal(individual(), true), HasSubstr("enrollmentGroupId"));
}

TEST(Enrollments, GroupsNeedACertificateThatSigns) {
  const TestCertificate root("root", nullptr, {.authority = true});
  const TestCertificate leaf("leaf", &root, {});
  const auto group = [](const TestCertificate& certificate, const std::string& use) {
    return R"({"enrollmentGroupId":"g","attestation":{"type":"x509","x509":{")" + use +
           R"(":{"primary":{"certificate":")" + to_base64(certificate.der()) + R"("}}}}})";
  };
  EXPECT_EQ(refusal(group(root, "signingCertificates"), true), "");
  EXPECT_THAT(refusal(group(leaf, "signingCertificates"), true), HasSubstr("sign"));
  EXPECT_THAT(refusal(group(root, "clientCertificates"), true), HasSubstr("signingCertificates"));
  const auto referring = parse_enrollment(
      R"({"enrollmentGroupId":"g","attestation":{"type":"x509","x509":{"caReferences":{"primary":"my ca"}}}})", true);
  ASSERT_TRUE(referring);
  EXPECT_THAT(referring->ca_references, testing::ElementsAre("my ca"));
}

TEST(Enrollments, KeysThatAreNotGivenStayOrAreMade) {
  auto made = *parse_enrollment(individual(), false);
  fill_keys(made, std::nullopt);
  EXPECT_EQ(from_base64(made.primary_key)->size(), 64U);
  EXPECT_NE(made.primary_key, made.secondary_key);
  auto changed = *parse_enrollment(individual(), false);
  fill_keys(changed, to_stored(made, {}, {}));
  EXPECT_EQ(changed.primary_key, made.primary_key);
  EXPECT_EQ(changed.secondary_key, made.secondary_key);
}

TEST(Enrollments, ShowKeysOnlyWhereTheyAreAskedFor) {
  auto enrollment = *parse_enrollment(individual(), false);
  fill_keys(enrollment, std::nullopt);
  EXPECT_THAT(to_json(enrollment, {}, {}, ""), Not(HasSubstr(enrollment.primary_key)));
  EXPECT_THAT(to_stored(enrollment, {}, {}).document, Not(HasSubstr(enrollment.primary_key)));
  EXPECT_EQ(attestation_json(enrollment), R"({"type":"symmetricKey","symmetricKey":{"primaryKey":")" +
                                              enrollment.primary_key + R"(","secondaryKey":")" +
                                              enrollment.secondary_key + R"("}})");
}

TEST(Enrollments, ComeBackFromTheStoreAsTheyWere) {
  const TestCertificate certificate("dev-1", nullptr, {});
  const auto x509 = R"({"type":"x509","x509":{"clientCertificates":{"primary":{"certificate":")" +
                    to_base64(certificate.der()) + R"("}}}})";
  for (const auto& json :
       {individual(), individual(R"(,"allocationPolicy":"geoLatency","iotHubs":["a"])"), individual("", x509)}) {
    auto enrollment = *parse_enrollment(json, false);
    fill_keys(enrollment, std::nullopt);
    enrollment.etag = "e";
    const auto again = from_stored(to_stored(enrollment, Timestamp{1}, Timestamp{2}));
    ASSERT_TRUE(again);
    EXPECT_EQ(to_json(*again, Timestamp{1}, Timestamp{2}, ""), to_json(enrollment, Timestamp{1}, Timestamp{2}, ""));
    EXPECT_EQ(attestation_json(*again), attestation_json(enrollment));
  }
}

TEST(RegistrationIds, AreWhatTheServiceTakes) {
  for (const auto* id : {"a", "A-1", "a.b_c:d-", "0"}) EXPECT_TRUE(is_registration_id(id)) << id;
  for (const auto* id : {"", "a.", "a_", "a:", "a b", "a/b", "a#", "a%41", "é", "a\n"})
    EXPECT_FALSE(is_registration_id(id)) << id;
  EXPECT_TRUE(is_registration_id(std::string(128, 'a')));
  EXPECT_FALSE(is_registration_id(std::string(129, 'a')));
}

}  // namespace
}  // namespace picket::hub
