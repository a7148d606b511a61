// Cloud-to-device messages at the head.
#include "head_harness.h"

namespace picket::hub {
namespace {

using testing::ElementsAre;

const IdentityKey kDev1{"hub1", "dev1", ""};

class CommandTest : public HubTest {
 protected:
  void put(std::string_view body, std::vector<std::pair<std::string, std::string>> properties = {}) {
    commands_.put(kDev1, body, std::move(properties));
    if (directory_) directory_->notify(kDev1, CommandsWaiting{}, {});
  }
  std::unique_ptr<net::TestClient> listener(mqtt::QoS qos = mqtt::QoS::at_least_once) {
    auto client = connect();
    subscribe(*client, kDevicebound, qos);
    return client;
  }
};

TEST_F(CommandTest, CommandArrivesWithItsPropertiesAndLeavesWhenAcknowledged) {
  start();
  const auto client = listener();
  put("hello", {{"$.mid", "id 1"}, {"colour", "r&d"}, {"empty", ""}});
  const auto received = next(*client);
  ASSERT_NE(received, nullptr);
  EXPECT_EQ(received->text(),
            "devices/dev1/messages/devicebound/%24.to=%2Fdevices%2Fdev1%2Fmessages%2Fdevicebound&%24.mid=id%201&"
            "colour=r%26d&empty= hello");
  EXPECT_EQ(received->publish().qos, mqtt::QoS::at_least_once);
  EXPECT_FALSE(received->publish().dup);
  expect_silence(*client);
  EXPECT_EQ(commands_.count(kDev1).value(), 1u);
  client->send(encoded(mqtt::Puback{received->publish().packet_id}));
  EXPECT_TRUE(eventually([&] { return commands_.count(kDev1).value() == 0; }));
  EXPECT_THAT(commands_.settled(), ElementsAre("complete 1"));
}

TEST_F(CommandTest, WhatWaitsIsDeliveredInOrderAfterSubscribing) {
  for (int i = 0; i < 5; ++i) put("c" + std::to_string(i));
  start();
  const auto client = listener();
  for (int i = 0; i < 5; ++i) {
    const auto received = next(*client);
    ASSERT_NE(received, nullptr);
    EXPECT_EQ(as_text(received->publish().payload.bytes), "c" + std::to_string(i));
  }
}

TEST_F(CommandTest, UnacknowledgedComeAgainInOrderWithDupAndTheSamePacketId) {
  start();
  auto client = listener();
  for (int i = 0; i < 4; ++i) put("c" + std::to_string(i));
  std::vector<std::uint16_t> ids;
  for (int i = 0; i < 4; ++i) ids.push_back(next(*client)->publish().packet_id);
  client->send(encoded(mqtt::Puback{ids[1]}));
  ASSERT_TRUE(eventually([&] { return commands_.settled().size() == 1; }));
  restart();
  client = open_client();
  EXPECT_EQ(answer_to(*client, {}), "20020100") << "no SUBSCRIBE follows";
  for (const int i : {0, 2, 3}) {
    const auto received = next(*client);
    ASSERT_NE(received, nullptr);
    EXPECT_EQ(as_text(received->publish().payload.bytes), "c" + std::to_string(i));
    EXPECT_TRUE(received->publish().dup);
    EXPECT_EQ(received->publish().packet_id, ids[static_cast<std::size_t>(i)]);
  }
}

TEST_F(CommandTest, SixteenAreInFlightAtMost) {
  start();
  const auto client = listener();
  for (int i = 0; i < 20; ++i) put("c" + std::to_string(i));
  std::vector<std::uint16_t> ids;
  for (int i = 0; i < 16; ++i) ids.push_back(next(*client)->publish().packet_id);
  expect_silence(*client);
  client->send(encoded(mqtt::Puback{ids[3]}));
  EXPECT_EQ(as_text(next(*client)->publish().payload.bytes), "c16");
}

TEST_F(CommandTest, QoS0SubscriptionCompletesAtOnce) {
  start();
  const auto client = listener(mqtt::QoS::at_most_once);
  put("x");
  const auto received = next(*client);
  ASSERT_NE(received, nullptr);
  EXPECT_EQ(received->publish().qos, mqtt::QoS::at_most_once);
  EXPECT_TRUE(eventually([&] { return commands_.count(kDev1).value() == 0; }));
}

TEST_F(CommandTest, NobodySubscribedNothingIsSent) {
  start();
  const auto client = connect();
  put("x");
  expect_silence(*client);
  EXPECT_EQ(commands_.count(kDev1).value(), 1u);
}

TEST_F(CommandTest, UnsubscribedQueueWaits) {
  start();
  const auto client = listener();
  put("one");
  ASSERT_NE(next(*client), nullptr);
  client->send(encoded(mqtt::Unsubscribe{4, {kDevicebound}}));
  EXPECT_EQ(receive(*client, 4), "b0020004");
  put("two");
  expect_silence(*client);
  subscribe(*client, kDevicebound, mqtt::QoS::at_least_once);
  EXPECT_EQ(as_text(next(*client)->publish().payload.bytes), "one");
  EXPECT_EQ(as_text(next(*client)->publish().payload.bytes), "two");
}

TEST_F(CommandTest, StrangeAcknowledgementsAreCountedOnly) {
  start();
  const auto client = listener();
  put("x");
  const auto id = next(*client)->publish().packet_id;
  client->send(encoded(mqtt::Puback{static_cast<std::uint16_t>(id + 1)}));
  client->send(encoded(mqtt::Puback{id}));
  client->send(encoded(mqtt::Puback{id}));
  expect_silence(*client);
  EXPECT_EQ(head_->stats().stray_acknowledgements, 2u);
  EXPECT_THAT(commands_.settled(), ElementsAre("complete 1"));
}

TEST_F(CommandTest, CommandThatNoTopicCanCarryDoesNotBlockTheNext) {
  start();
  const auto client = listener();
  put("never", {{"p", std::string(70'000, 'x')}});
  put("next");
  EXPECT_EQ(as_text(next(*client)->publish().payload.bytes), "next");
  EXPECT_THAT(commands_.settled(), ElementsAre("other 1"));
}

TEST_F(CommandTest, ModuleHearsOnItsInputs) {
  start();
  const auto client = connect(module_hello());
  subscribe(*client, "devices/dev1/modules/mod1/inputs/#", mqtt::QoS::at_least_once);
  const IdentityKey module{"hub1", "dev1", "mod1"};
  commands_.put(module, "x", {{"$.to", "/devices/dev1/modules/mod1/inputs/in 1"}});
  directory_->notify(module, CommandsWaiting{}, {});
  EXPECT_EQ(next_text(*client),
            "devices/dev1/modules/mod1/inputs/in%201/%24.to=%2Fdevices%2Fdev1%2Fmodules%2Fmod1%2Finputs%2Fin%201 x");
}

TEST_F(CommandTest, LargeCommandsDoNotOverflowASlowClient) {
  start();
  const auto client = listener();
  for (int i = 0; i < 40; ++i) put(std::string(60'000, 'x'));
  for (int i = 0; i < 40; ++i) {
    const auto received = next(*client);
    ASSERT_NE(received, nullptr) << i;
    client->send(encoded(mqtt::Puback{received->publish().packet_id}));
  }
  EXPECT_EQ(head_->stats().connected, 1u);
}

}  // namespace
}  // namespace picket::hub
