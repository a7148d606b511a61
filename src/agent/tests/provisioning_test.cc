#include "agent/provisioning.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/core/encoding.h"
#include "base/core/file.h"

namespace picket::agent {
namespace {

using ::testing::HasSubstr;

ProvisioningOptions options() {
  return {.id_scope = "0ne0001", .registration_id = "reg1", .key = {std::byte{1}}, .module_id = "m"};
}

TEST(Provisioning, SaysWhatTheSdksSay) {
  EXPECT_EQ(provisioning_user_name(options(), "picket-agent/1"),
            "0ne0001/registrations/reg1/api-version=2019-03-31&ClientVersion=picket-agent%2F1");
  const std::string token = provisioning_token(options(), Timestamp{1'900'000'000'000'000});
  EXPECT_THAT(token, HasSubstr("SharedAccessSignature sr=0ne0001%2Fregistrations%2Freg1&sig="));
  EXPECT_THAT(token, HasSubstr("&se=1900000000&skn=registration"));
}

TEST(Provisioning, DerivesADevicesKeyFromTheGroups) {
  EXPECT_NE(derive_device_key(as_bytes("key"), "reg1"), derive_device_key(as_bytes("key"), "reg2"));
  EXPECT_EQ(to_base64(derive_device_key(as_bytes("Jefe"), "what do ya want for nothing?")),
            "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=")
      << "RFC 4231, test case 2";
}

TEST(Provisioning, ReadsTheAnswersOfTheService) {
  const auto assigned = parse_registration_answer(
      R"({"operationId":"4.x","status":"assigned","registrationState":{"registrationId":"reg1","assignedHub":
      "hub.example:8883","deviceId":"dev\"1","status":"x","list":["deviceId","no"],"more":{"deviceId":"deeper"}}})");
  ASSERT_TRUE(assigned);
  EXPECT_EQ(assigned->status, "assigned");
  EXPECT_EQ(assigned->operation_id, "4.x");
  EXPECT_EQ(assigned->assignment, (Assignment{"hub.example:8883", "dev\"1"}));
  EXPECT_EQ(parse_registration_answer(R"({"errorCode":401002,"message":"no"})")->error, "no");
  EXPECT_EQ(parse_registration_answer(R"({"status":"failed","registrationState":{"errorMessage":"late"}})")->error,
            "late");
}

TEST(Provisioning, BrokenAnswersAreErrors) {
  const std::string whole = R"({"a":{"b":["c",{"d":"e"}]},"f":"g"})";
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_FALSE(parse_registration_answer(whole.substr(0, n))) << n;
  EXPECT_TRUE(parse_registration_answer(whole));
  EXPECT_FALSE(parse_registration_answer(R"({"a":[})"));
  EXPECT_FALSE(parse_registration_answer(R"("a")"));
  EXPECT_EQ(parse_registration_answer(std::string(17, '{')).error().code, Errc::limit_exceeded);
  EXPECT_EQ(parse_registration_answer("{" + std::string(kRegistrationAnswerBytesMax, ' ')).error().code,
            Errc::limit_exceeded);
}

TEST(Provisioning, ReadsTheTopicOfAnAnswer) {
  const auto topic = parse_registration_topic("$dps/registrations/res/202/?$rid=7&retry-after=3");
  ASSERT_TRUE(topic);
  EXPECT_EQ(topic->status, 202);
  EXPECT_EQ(topic->request_id, "7");
  EXPECT_EQ(topic->retry_after, Duration::seconds(3));
  EXPECT_EQ(parse_registration_topic("$dps/registrations/res/200/?$rid=7")->retry_after, std::nullopt);
  EXPECT_EQ(parse_registration_topic("$dps/registrations/res/200/?$rid=7&retry-after=4000000000")->retry_after,
            Duration::minutes(10));
  for (const char* text :
       {"$iothub/twin/res/200/?$rid=1", "$dps/registrations/res/", "$dps/registrations/res/2x/?a=b"}) {
    EXPECT_FALSE(parse_registration_topic(text)) << text;
  }
}

TEST(Provisioning, KeepsAnAssignmentForItsOwnRegistrationOnly) {
  std::string folder = (std::filesystem::temp_directory_path() / "picket-dps-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  ProvisioningOptions mine = options();
  mine.state_file = folder + "/provisioned";
  EXPECT_FALSE(load_assignment(mine));
  const Assignment assignment{"hub.example", "dev 1"};
  ASSERT_TRUE(store_assignment(mine, assignment));
  EXPECT_EQ(load_assignment(mine), assignment);
  struct stat info{};
  ASSERT_EQ(::stat(mine.state_file.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  ProvisioningOptions other = mine;
  other.registration_id = "reg2";
  EXPECT_FALSE(load_assignment(other));
  for (const char* broken : {"", "picket-provisioned 1\n0ne0001/registrations/reg1\nhub\n", "picket-provisioned 2\n"}) {
    ASSERT_TRUE(replace_file(mine.state_file, as_bytes(broken)));
    EXPECT_FALSE(load_assignment(mine)) << broken;
  }
  std::filesystem::remove_all(folder);
}

TEST(Provisioning, AnAssignmentIsWhoToBe) {
  const auto who = identity_of({"hub.example", "dev"}, options());
  ASSERT_TRUE(who);
  EXPECT_EQ(mqtt_client_id(*who), "dev/m");
  EXPECT_EQ(who->endpoint, (HostPort{"hub.example", 8883}));
  EXPECT_FALSE(who->x509);
  ProvisioningOptions by_certificate = options();
  by_certificate.key.clear();
  EXPECT_TRUE(identity_of({"hub.example:18883", "dev"}, by_certificate)->x509);
  EXPECT_FALSE(identity_of({"", "dev"}, options()));
  EXPECT_FALSE(identity_of({"hub", ""}, options()));
}

}  // namespace
}  // namespace picket::agent
