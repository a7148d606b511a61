// Subscriptions, and sessions that outlive connections.
#include "head_harness.h"

namespace picket::hub {
namespace {

TEST_F(HubTest, GrantsDocumentedFiltersOnly) {
  start();
  const auto client = connect();
  client->send(encoded(mqtt::Subscribe{3,
                                       {{"devices/dev1/messages/devicebound/#", mqtt::QoS::at_least_once},
                                        {"$iothub/twin/res/#", mqtt::QoS::exactly_once},
                                        {"devices/dev2/messages/devicebound/#", mqtt::QoS::at_least_once},
                                        {"#", mqtt::QoS::at_most_once}}}));
  EXPECT_EQ(receive(*client, 8), "9006000301018080");
  EXPECT_EQ(log_.of(HubEventKind::subscribe_denied).size(), 2u);
  client->send(encoded(mqtt::Unsubscribe{4, {"$iothub/twin/res/#"}}));
  EXPECT_EQ(receive(*client, 4), "b0020004");
}

TEST_F(HubTest, SixthSubscriptionCloses) {
  start();
  const auto client = connect();
  for (std::uint16_t id = 1; id <= 6; ++id)
    client->send(encoded(mqtt::Subscribe{id, {{"a/b", mqtt::QoS::at_most_once}}}));
  expect_end(*client, DisconnectReason::too_many_subscriptions);
}

TEST_F(HubTest, GrantedFiltersCountTowardsTheBoundOnlyOnce) {
  start();
  const auto client = connect();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(subscribe(*client, "$iothub/twin/res/#"), "9003000700");
    EXPECT_EQ(subscribe(*client, "$iothub/methods/POST/#"), "9003000700");
    EXPECT_EQ(subscribe(*client, "$iothub/twin/PATCH/properties/desired/#"), "9003000700");
    EXPECT_EQ(subscribe(*client, "devices/dev1/messages/devicebound/#", mqtt::QoS::at_least_once), "9003000701");
  }
  EXPECT_EQ(subscribe(*client, "x"), "9003000780");
  client->send(encoded(mqtt::Subscribe{7, {{"y", mqtt::QoS::at_most_once}}}));
  expect_end(*client, DisconnectReason::too_many_subscriptions);
}

TEST_F(HubTest, SessionSurvivesReconnect) {
  start();
  auto client = connect();
  EXPECT_EQ(subscribe(*client, kTwinResponses), "9003000700");
  client->send(encoded(mqtt::Disconnect{}));
  EXPECT_TRUE(client->closed_by_peer());
  client = open_client();
  EXPECT_EQ(answer_to(*client, {}), "20020100") << "session present";
  client->send(encoded(request("$iothub/twin/GET/?$rid=1")));
  EXPECT_EQ(next_text(*client), "$iothub/twin/res/200/?$rid=1 " + FakeTwins::view_of({"", "dev1", "", ""}));
}

TEST_F(HubTest, SessionSurvivesARestartOfTheHub) {  // the SDK renews its token without SUBSCRIBE
  start();
  auto client = connect();
  subscribe(*client, kTwinResponses);
  subscribe(*client, kDesired);
  restart();
  client = open_client();
  EXPECT_EQ(answer_to(*client, {}), "20020100");
  client->send(encoded(request("$iothub/twin/GET/?$rid=1")));
  EXPECT_EQ(next_text(*client).substr(0, 30), "$iothub/twin/res/200/?$rid=1 {");
  EXPECT_TRUE(notify({"hub1", "dev1", ""}, desired("{}", 4)));
  EXPECT_EQ(next_text(*client), "$iothub/twin/PATCH/properties/desired/?$version=4 {}");
}

TEST_F(HubTest, SubackWaitsUntilTheSessionIsStored) {
  start();
  const auto client = connect();
  sessions_.hold(true);
  client->send(encoded(mqtt::Subscribe{9, {{kTwinResponses, mqtt::QoS::at_most_once}}}));
  ASSERT_TRUE(eventually([&] { return sessions_.held() == 1; }));
  sessions_.release_one();
  EXPECT_EQ(receive(*client, 5), "9003000900");
}

TEST_F(HubTest, CrashBeforeTheSessionIsStoredHasSentNoSuback) {
  start();
  const auto client = connect();
  sessions_.hold(true);
  client->send(encoded(mqtt::Subscribe{9, {{kTwinResponses, mqtt::QoS::at_most_once}}}));
  ASSERT_TRUE(eventually([&] { return sessions_.held() == 1; }));
  directory_->revoke({"hub1", "dev1", ""});
  EXPECT_EQ(receive(*client, 1), "closed");
  sessions_.release_one();
  if (sessions_.held() == 1) sessions_.release_one();
}

TEST_F(HubTest, SubscribingAgainStoresNothingNew) {
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  subscribe(*client, kTwinResponses);
  EXPECT_EQ(sessions_.stores(), 1u);
}

TEST_F(HubTest, CleanSessionForgetsAndIsForgotten) {
  start();
  auto client = connect();
  subscribe(*client, kTwinResponses);
  client = open_client();
  EXPECT_EQ(answer_to(*client, {.clean = true}), "20020000");
  EXPECT_EQ(sessions_.count(), 0u);
  subscribe(*client, kTwinResponses);
  EXPECT_EQ(sessions_.count(), 0u);
  client = open_client();
  EXPECT_EQ(answer_to(*client, {}), "20020000");
  client->send(encoded(request("$iothub/twin/GET/?$rid=1")));
  expect_silence(*client);
}

TEST_F(HubTest, UnsubscribeIsRememberedToo) {
  start();
  auto client = connect();
  subscribe(*client, kDesired);
  client->send(encoded(mqtt::Unsubscribe{4, {kDesired}}));
  EXPECT_EQ(receive(*client, 4), "b0020004");
  EXPECT_EQ(sessions_.count(), 0u);
  EXPECT_FALSE(notify({"hub1", "dev1", ""}, desired("{}", 4)));
  EXPECT_EQ(answer_to(*open_client(), {}), "20020000");
}

TEST_F(HubTest, SessionOfAnEarlierGenerationIsNotFound) {
  start();
  auto client = connect();
  subscribe(*client, kTwinResponses);
  store_.put("hub1", "dev1", "", {.generation_id = "g9", .primary_key = kPrimary});
  EXPECT_EQ(answer_to(*open_client(), {}), "20020000");
}

TEST_F(HubTest, RevokedConnectionLeavesNoSession) {
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  directory_->revoke({"hub1", "dev1", ""});
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return sessions_.count() == 0; }));
}

TEST_F(HubTest, SessionStoreThatFailsIsNoReasonToForget) {
  start();
  auto client = connect();
  subscribe(*client, kTwinResponses);
  sessions_.fail_all(true);
  client->send(encoded(mqtt::Subscribe{9, {{kDesired, mqtt::QoS::at_most_once}}}));
  expect_end(*client, DisconnectReason::storage);
  EXPECT_EQ(answer_to(*open_client(), {}), "20020003");
  sessions_.fail_all(false);
  EXPECT_EQ(answer_to(*open_client(), {}), "20020100");
}

TEST_F(HubTest, ModuleSubscribesToItsInputsOnly) {
  start();
  const auto client = connect(module_hello());
  EXPECT_EQ(subscribe(*client, "devices/dev1/modules/mod1/inputs/#", mqtt::QoS::at_least_once), "9003000701");
  EXPECT_EQ(subscribe(*client, "devices/dev1/modules/mod1/#"), "9003000700");
  EXPECT_EQ(subscribe(*client, "devices/dev1/messages/devicebound/#"), "9003000780");
  EXPECT_EQ(subscribe(*client, "devices/dev1/modules/mod2/inputs/#"), "9003000780");
}

}  // namespace
}  // namespace picket::hub
