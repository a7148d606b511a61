// Direct methods at the head.
#include "head_harness.h"

namespace picket::hub {
namespace {

using testing::ElementsAre;

TEST_F(HubTest, MethodReachesTheDeviceAndItsAnswerTheService) {
  start();
  const auto client = connect();
  EXPECT_FALSE(notify({"hub1", "dev1", ""}, MethodCall{.id = 7, .name = "reboot", .payload = "{}"}));
  subscribe(*client, kMethods);
  EXPECT_TRUE(notify({"hub1", "dev1", ""}, MethodCall{.id = 7, .name = "re boot/#", .payload = R"({"a":1})"}));
  const auto received = next(*client);
  ASSERT_NE(received, nullptr);
  EXPECT_EQ(received->text(), R"($iothub/methods/POST/re%20boot%2F%23/?$rid=7 {"a":1})");
  EXPECT_EQ(received->publish().qos, mqtt::QoS::at_most_once);
  client->send(encoded(request("$iothub/methods/res/200/?$rid=7", R"({"ok":true})")));
  ASSERT_TRUE(eventually([&] { return methods_.answers().size() == 1; }));
  const auto answer = methods_.answers()[0];
  EXPECT_EQ(answer.from, (IdentityKey{"hub1", "dev1", ""}));
  EXPECT_EQ(answer.call, 7u);
  EXPECT_EQ(answer.reply.status, 200);
  EXPECT_EQ(answer.reply.payload, R"({"ok":true})");
}

TEST_F(HubTest, MethodsAreToldWhoTakesThem) {
  start();
  auto client = connect();
  subscribe(*client, kMethods);
  subscribe(*client, kMethods);
  client->send(encoded(mqtt::Unsubscribe{4, {kMethods}}));
  receive(*client, 4);
  subscribe(*client, kMethods);
  client = open_client();
  EXPECT_EQ(answer_to(*client, {}), "20020100");
  expect_silence(*client);
  // The old connection's end is told before the new one's beginning.
  EXPECT_THAT(methods_.lines(),
              ElementsAre("available dev1", "gone dev1", "available dev1", "gone dev1", "available dev1"));
}

TEST_F(HubTest, AnswersThatNoCallCanHaveAreCountedAndIgnored) {
  start();
  const auto client = connect();
  subscribe(*client, kMethods);
  for (const auto* tail : {"200", "200/", "x/?$rid=7", "200/?$rid=", "200/?$rid=x", "200/?$rid=7x", "/?$rid=7",
                           "99999999999/?$rid=7", "200/?$rid=99999999999999999999"}) {
    client->send(encoded(request("$iothub/methods/res/" + std::string(tail), "{}")));
  }
  expect_silence(*client);
  EXPECT_EQ(head_->stats().unanswered, 9u);
  EXPECT_TRUE(methods_.answers().empty());
}

TEST_F(HubTest, AnswerCarriesTheIdentityOfItsConnection) {
  start();
  const auto other = connect({.client_id = "dev2", .user_name = "localhost/dev2/"});
  other->send(encoded(request("$iothub/methods/res/200/?$rid=7", "{}")));  // a call of dev1
  ASSERT_TRUE(eventually([&] { return methods_.answers().size() == 1; }));
  EXPECT_EQ(methods_.answers()[0].from.device_id, "dev2");
}

}  // namespace
}  // namespace picket::hub
