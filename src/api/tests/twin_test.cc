#include "fixture.h"

namespace picket::api::testing {
namespace {

using ::testing::HasSubstr;

class TwinApiTest : public ApiTest {
 protected:
  void SetUp() override {
    start();
    ASSERT_TRUE(devices_->add("picket", "d", "", {"test", ""}, clock_.now()).has_value());
  }
  [[nodiscard]] Reply call(const std::string& method, const std::string& path, const std::string& body = "") const {
    return client_->call(method, "/api/v1/devices/" + path, body, bearer(state::Role::contributor));
  }
};

TEST_F(TwinApiTest, APatchIsSeenInTheTwinOfThatModuleAlone) {
  const Reply patched =
      call("PATCH", "d/twin?module=DefenderIotMicroAgent", R"({"properties":{"desired":{"interval":10}}})");
  ASSERT_EQ(patched.status, 200) << patched.body;
  EXPECT_THAT(call("GET", "d/twin?module=DefenderIotMicroAgent").body, HasSubstr(R"("interval":10)"));
  EXPECT_THAT(call("GET", "d/twin").body, ::testing::Not(HasSubstr("interval")));
}

TEST_F(TwinApiTest, MistakesAreTheHubsWithItsStatus) {
  const Reply absent = call("GET", "nobody/twin");
  EXPECT_EQ(absent.status, 404);
  EXPECT_THAT(absent.body, HasSubstr("hub_device_not_found"));
  EXPECT_EQ(call("PATCH", "d/twin", "{").status, 400);
  EXPECT_EQ(call("PATCH", "d/twin", R"({"properties":{"desired":{"a.b":1}}})").status, 400);
}

TEST_F(TwinApiTest, AMethodOfADeviceThatIsNotConnectedFailsAtOnce) {
  const Reply reply = call("POST", "d/methods", R"({"methodName":"reboot","payload":{"delay":5}})");
  EXPECT_EQ(reply.status, 404);
  EXPECT_THAT(reply.body, HasSubstr("hub_device_not_online"));
  EXPECT_EQ(call("POST", "d/methods", R"({"payload":1})").status, 400);
  EXPECT_EQ(call("POST", "d/methods", R"({"methodName":"x","responseTimeoutInSeconds":1})").status, 400);
}

TEST_F(TwinApiTest, MessagesWaitUntilTheyArePurged) {
  EXPECT_EQ(call("POST", "d/messages", R"({"body":"hello","messageId":"1"})").status, 204);
  EXPECT_EQ(call("POST", "d/messages", R"({"body":"again"})").status, 204);
  EXPECT_EQ(call("DELETE", "d/messages").body, R"({"purged":2})");
  EXPECT_EQ(call("DELETE", "d/messages").body, R"({"purged":0})");
  EXPECT_EQ(call("POST", "nobody/messages", R"({"body":"x"})").status, 404);
}

}  // namespace
}  // namespace picket::api::testing
