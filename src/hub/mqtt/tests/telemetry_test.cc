// Telemetry from PUBLISH to the journal.
#include "head_harness.h"

namespace picket::hub {
namespace {

using testing::Contains;

TEST_F(HubTest, TelemetryIsStoredWithIdentityStampsAndProperties) {
  start();
  const auto client = connect();
  client->send(publish_packet(
      7, "{}", "%24.mid=id%201&$.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1&colour=r%C3%B6d&flag"));
  EXPECT_EQ(receive(*client, 4), puback(7));
  const auto messages = journal_.messages();
  ASSERT_EQ(messages.size(), 1u);
  EXPECT_EQ(messages[0].identity, (Identity{"hub1", "dev1", "", "g1"}));
  EXPECT_EQ(messages[0].partition, partition_of(messages[0].identity));
  EXPECT_EQ(messages[0].body, "{}");
  EXPECT_EQ(messages[0].property("$.mid"), "id 1");
  EXPECT_EQ(messages[0].property("$.ifid"), "urn:azureiot:Security:SecurityAgent:1");
  EXPECT_EQ(messages[0].property("colour"),
            "r\xc3\xb6"
            "d");
  EXPECT_EQ(messages[0].property("flag"), "");
  EXPECT_EQ(messages[0].property("iothub-connection-auth-method"),
            R"({"scope":"device","type":"sas","issuer":"iothub"})");
}

TEST_F(HubTest, ModuleTelemetryCarriesTheModule) {
  start();
  const auto client = connect(module_hello());
  client->send(publish_packet(1, "x", "%24.on=out1/", "devices/dev1/modules/mod1/messages/events/"));
  EXPECT_EQ(receive(*client, 4), puback(1));
  EXPECT_EQ(journal_.messages()[0].identity, (Identity{"hub1", "dev1", "mod1", "g2"}));
  EXPECT_EQ(journal_.messages()[0].property("$.on"), "out1");
}

TEST_F(HubTest, StampsCannotBeImitated) {
  start();
  const auto client = connect();
  client->send(publish_packet(
      1, "x", "iothub-connection-auth-method=forged&iothub-connection-device-id=dev2&iothub-MessageType=Will"));
  EXPECT_EQ(receive(*client, 4), puback(1));
  EXPECT_EQ(journal_.messages()[0].properties.size(), 1u);
  EXPECT_NE(journal_.messages()[0].property("iothub-connection-auth-method"), "forged");
  EXPECT_EQ(head_->stats().reserved_properties, 3u);
}

TEST_F(HubTest, QoS0IsStoredWithoutAnAnswer) {
  start();
  const auto client = connect();
  client->send(publish_packet(0, "quiet"));
  client->send(encoded(mqtt::Pingreq{}));
  EXPECT_EQ(receive(*client, 2), "d000");
  EXPECT_TRUE(eventually([&] { return journal_.messages().size() == 1; }));
}

TEST_F(HubTest, EmptyBodyIsLegal) {
  start();
  const auto client = connect();
  client->send(publish_packet(1, ""));
  EXPECT_EQ(receive(*client, 4), puback(1));
}

TEST_F(HubTest, RetainFlagBecomesAProperty) {
  start();
  const auto client = connect();
  client->send(encoded(mqtt::Publish{
      .topic = "devices/dev1/messages/events/", .qos = mqtt::QoS::at_least_once, .retain = true, .packet_id = 1}));
  EXPECT_EQ(receive(*client, 4), puback(1));
  EXPECT_EQ(journal_.messages()[0].property("mqtt-retain"), "true");
}

TEST_F(HubTest, ConnectAndPublishInOneRecord) {
  start();
  const auto client = open_client();
  auto both = connect_packet({});
  append(both, publish_packet(5, "first words"));
  client->send(both);
  EXPECT_EQ(receive(*client, 8), "20020000" + puback(5));
}

TEST_F(HubTest, PubackWaitsForTheDisk) {
  start();
  const auto client = connect();
  journal_.hold(true);
  client->send(publish_packet(1, "a"));
  client->send(publish_packet(2, "b"));
  client->send(encoded(mqtt::Pingreq{}));
  EXPECT_EQ(receive(*client, 2), "d000") << "the ping is answered, the messages are not";
  ASSERT_TRUE(eventually([&] { return journal_.held() == 2; }));
  journal_.release_one();
  journal_.release_one();
  EXPECT_EQ(receive(*client, 8), puback(1) + puback(2));
}

TEST_F(HubTest, SamePacketIdAgainIsAnotherMessage) {
  start();
  const auto client = connect();
  for (int i = 0; i < 3; ++i) {
    client->send(publish_packet(9, "again"));
    EXPECT_EQ(receive(*client, 4), puback(9));
  }
  EXPECT_EQ(journal_.messages().size(), 3u);
}

TEST_F(HubTest, MessageOf256KiBPassesAndOneByteMoreCloses) {
  start();
  auto client = connect();
  client->send(publish_packet(1, std::string(kMessageBytesMax, 'x')));
  EXPECT_EQ(receive(*client, 4), puback(1));
  client->send(publish_packet(2, std::string(kMessageBytesMax, 'x'), "a="));
  expect_end(*client, DisconnectReason::message_too_large);
  EXPECT_EQ(journal_.messages().size(), 1u);
}

TEST_F(HubTest, MessageOf300KBClosesOnlyItsConnection) {
  start();
  const auto other = connect({.client_id = "dev2", .user_name = "localhost/dev2/"});
  const auto client = connect();
  client->send(publish_packet(1, std::string(300'000, 'x')));
  expect_end(*client, DisconnectReason::message_too_large);
  EXPECT_THAT(log_.lines(), Contains("disconnect:message_too_large"));
  other->send(encoded(mqtt::Pingreq{}));
  EXPECT_EQ(receive(*other, 2), "d000");
}

TEST_F(HubTest, LargerThanAnyPacketIsRefusedByItsHeader) {
  start();
  const auto client = connect();
  client->send(from_hex("32ffffff7f").value());
  expect_end(*client, DisconnectReason::message_too_large);
}

TEST_F(HubTest, TopicOfAnotherDeviceClosesAndIsLogged) {
  start();
  const auto client = connect();
  client->send(publish_packet(1, "x", "", "devices/dev2/messages/events/"));
  expect_end(*client, DisconnectReason::topic_denied);
  const auto events = log_.of(HubEventKind::topic_denied);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].reason, "other_identity");
  EXPECT_EQ(events[0].object, "devices/dev2/messages/events/");
  EXPECT_EQ(events[0].identity.device_id, "dev1");
  EXPECT_TRUE(journal_.messages().empty());
}

TEST_F(HubTest, DeviceMayNotSpeakForItsModule) {
  start();
  const auto client = connect();
  client->send(publish_packet(1, "x", "", "devices/dev1/modules/mod1/messages/events/"));
  expect_end(*client, DisconnectReason::topic_denied);
}

TEST_F(HubTest, UnknownTopicCloses) {
  start();
  const auto client = connect();
  client->send(publish_packet(1, "x", "", "some/topic"));
  expect_end(*client, DisconnectReason::topic_denied);
}

TEST_F(HubTest, BrokenPropertiesClose) {
  start();
  const auto client = connect();
  client->send(publish_packet(1, "x", "a=%zz"));
  expect_end(*client, DisconnectReason::bad_properties);
}

TEST_F(HubTest, QoS2Closes) {
  start();
  const auto client = connect();
  client->send(
      encoded(mqtt::Publish{.topic = "devices/dev1/messages/events/", .qos = mqtt::QoS::exactly_once, .packet_id = 1}));
  expect_end(*client, DisconnectReason::protocol);
  EXPECT_TRUE(journal_.messages().empty());
}

TEST_F(HubTest, DeviceIdWithWildcardCharactersIsALiteral) {
  store_.put("hub1", "a+#b", "", {.generation_id = "g", .primary_key = kPrimary});
  start();
  const auto client =
      connect({.client_id = "a+#b", .user_name = "localhost/a+#b/", .token = token("a+#b", "", "primary key of dev1")});
  client->send(publish_packet(1, "x", "", "devices/a+#b/messages/events/"));
  EXPECT_EQ(receive(*client, 4), puback(1));
}

}  // namespace
}  // namespace picket::hub
