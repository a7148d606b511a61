// A real TLS client against the hub, with a journal that does what the test says.
#include "hub_harness.h"

namespace picket::hub {
namespace {

using testing::Contains;
using testing::ElementsAre;

// ---- CONNECT

TEST_F(HubTest, WelcomesADeviceAndLogsIt) {
  start();
  const auto client = connect();
  EXPECT_EQ(head_->stats().connected, 1u);
  const auto events = log_.of(HubEventKind::connect);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].identity, (Identity{"hub1", "dev1", "", "g1"}));
  EXPECT_EQ(events[0].sdk, "test/1.0");
  EXPECT_EQ(events[0].tls_version, "TLSv1.3");
  EXPECT_EQ(events[0].source_address, "127.0.0.1");
}

TEST_F(HubTest, AcceptsTheSecondaryKey) {
  start();
  EXPECT_EQ(answer_to(*open_client(), {.token = token("dev1", "", "secondary")}), "20020000");
  EXPECT_EQ(log_.of(HubEventKind::connect)[0].key_slot, "secondary");
}

TEST_F(HubTest, RefusesAnExpiredTokenAndNamesTheCheck) {
  start();
  const auto client = open_client();
  EXPECT_EQ(answer_to(*client, {.token = token("dev1", "", "primary key of dev1", Duration::seconds(-1))}), "20020005");
  EXPECT_TRUE(client->closed_by_peer());
  const auto events = log_.of(HubEventKind::auth_failed);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].reason, "token_expired");
  EXPECT_EQ(events[0].code, 401003);
  EXPECT_FALSE(events[0].authenticated);
}

TEST_F(HubTest, RefusesTheTokenOfAnotherDevice) {
  start();
  EXPECT_EQ(answer_to(*open_client(), {.token = token("dev2", "", "key of dev2")}), "20020005");
  EXPECT_EQ(answer_to(*open_client(), {.token = token("dev1", "", "key of dev2")}), "20020005");
  EXPECT_THAT(log_.lines(), ElementsAre("auth_failed:token_resource", "auth_failed:token_signature"));
}

TEST_F(HubTest, ModuleNeedsItsOwnToken) {
  start();
  auto hello = module_hello();
  connect(hello);
  hello.token = token("dev1", "", "primary key of dev1");
  EXPECT_EQ(answer_to(*open_client(), hello), "20020005");
}

TEST_F(HubTest, RefusesADisabledDevice) {
  store_.put("hub1", "dev1", "", {.generation_id = "g1", .enabled = false, .primary_key = kPrimary});
  start();
  EXPECT_EQ(answer_to(*open_client(), {}), "20020005");
  EXPECT_EQ(log_.of(HubEventKind::auth_failed)[0].code, 403012);
}

TEST_F(HubTest, AnswersVersion5WithItsOwnRefusal) {
  start();
  const auto client = open_client();
  client->send(from_hex("101000044d5154540502003c00000364657631").value());
  EXPECT_EQ(receive(*client, 5), "2003008400");
  EXPECT_TRUE(client->closed_by_peer());
}

TEST_F(HubTest, FirstPacketMustBeConnect) {
  start();
  const auto client = open_client();
  client->send(from_hex("c000").value());
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return head_->stats().refused_protocol == 1; }));
}

TEST_F(HubTest, ConnectOver4KiBIsRefusedByItsFirstBytes) {
  start();
  const auto client = open_client();
  client->send(from_hex("10ff1f").value());
  EXPECT_TRUE(client->closed_by_peer());
}

TEST_F(HubTest, ConnectMustComeWholeWithinTenSeconds) {
  start();
  const auto client = open_client();
  const auto packet = connect_packet({});
  client->send(Bytes(packet).first(20));
  ASSERT_TRUE(eventually([&] { return head_->stats().listener.unauthenticated == 1; }));
  clock_.advance(Duration::milliseconds(9900));
  client->send(Bytes(packet).subspan(20, 1));  // a slow-loris does not gain time by it
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(head_->stats().refused_protocol, 0u);
  clock_.advance(Duration::seconds(10));  // the session may have begun after the first step
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return head_->stats().refused_protocol == 1; }));
}

TEST_F(HubTest, OverloadIsAnsweredWithServerUnavailable) {
  start([](MqttHeadOptions& options) {
    options.connects_per_second = 0.001;
    options.connects_burst = 4;  // two a thread
  });
  std::vector<std::string> answers;
  for (int i = 0; i < 6; ++i) answers.push_back(answer_to(*open_client(), {}));
  EXPECT_EQ(std::ranges::count(answers, "20020000"), 4);
  EXPECT_EQ(std::ranges::count(answers, "20020003"), 2);
}

TEST_F(HubTest, DiskReserveIsAnsweredWithServerUnavailable) {
  start();
  journal_.reach_reserve(true);
  EXPECT_EQ(answer_to(*open_client(), {}), "20020003");
}

// ---- telemetry

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

// ---- the journal says no

TEST_F(HubTest, FullJournalStopsReadingUntilThereIsRoom) {
  start();
  const auto client = connect();
  journal_.refuse(Errc::limit_exceeded);
  client->send(publish_packet(1, "a"));
  client->send(publish_packet(2, "b"));
  ASSERT_TRUE(eventually([&] { return head_->stats().storage_waits == 1; }));
  EXPECT_EQ(head_->stats().messages_received, 1u) << "the second one is not even read";
  journal_.refuse(std::nullopt);
  EXPECT_EQ(receive(*client, 8), puback(1) + puback(2));
}

TEST_F(HubTest, NoPubackWhenTheJournalStaysClosed) {
  start();
  const auto client = connect();
  journal_.refuse(Errc::unavailable);
  client->send(publish_packet(1, "a"));
  ASSERT_TRUE(eventually([&] { return head_->stats().storage_waits == 1; }));
  clock_.advance(Duration::seconds(61));
  expect_end(*client, DisconnectReason::storage);
}

TEST_F(HubTest, GivenUpMessageClosesWithoutPuback) {
  start();
  const auto client = connect();
  journal_.hold(true);
  client->send(publish_packet(1, "a"));
  ASSERT_TRUE(eventually([&] { return journal_.held() == 1; }));
  journal_.release_one(false);
  EXPECT_EQ(receive(*client, 1), "closed");
  EXPECT_TRUE(eventually([&] { return disconnects(DisconnectReason::storage) == 1; }));
}

TEST_F(HubTest, BytesInFlightOfOneConnectionAreBounded) {
  start([](MqttHeadOptions& options) { options.in_flight_bytes_max = 1000; });
  const auto client = connect();
  journal_.hold(true);
  for (std::uint16_t id = 1; id <= 10; ++id) client->send(publish_packet(id, std::string(400, 'x')));
  ASSERT_TRUE(eventually([&] { return journal_.held() == 3; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(journal_.held(), 3u);
  journal_.hold(false);
  for (int i = 0; i < 3; ++i) journal_.release_one();
  std::string expected;
  for (std::uint16_t id = 1; id <= 10; ++id) expected += puback(id);
  EXPECT_EQ(receive(*client, 40), expected);
}

TEST_F(HubTest, WaitingForTheDiskIsNotTheClientsSilence) {
  start([](MqttHeadOptions& options) { options.in_flight_bytes_max = 1; });
  const auto client = connect({.keep_alive_s = 10});
  journal_.hold(true);
  client->send(publish_packet(1, "a"));
  ASSERT_TRUE(eventually([&] { return journal_.held() == 1; }));
  clock_.advance(Duration::seconds(100));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  journal_.release_one();
  EXPECT_EQ(receive(*client, 4), puback(1));
  EXPECT_EQ(head_->stats().connected, 1u);
}

// ---- subscriptions

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

TEST_F(HubTest, TooManyOtherFiltersClose) {
  start();
  const auto client = connect();
  for (std::uint16_t id = 1; id <= 6; ++id)
    client->send(encoded(mqtt::Subscribe{id, {{"a/b", mqtt::QoS::at_most_once}}}));
  expect_end(*client, DisconnectReason::too_many_subscriptions);
}

TEST_F(HubTest, TwinRequestsAreAnsweredThatThereAreNone) {
  start();
  const auto client = connect();
  client->send(encoded(mqtt::Subscribe{1, {{"$iothub/twin/res/#", mqtt::QoS::at_most_once}}}));
  EXPECT_EQ(receive(*client, 5), "9003000100");
  client->send(encoded(mqtt::Publish{.topic = "$iothub/twin/GET/?$rid=4", .payload = {as_bytes(" ")}}));
  const auto answer = client->receive(2 + 2 + 31);
  ASSERT_TRUE(answer.has_value());
  EXPECT_EQ(as_text(Bytes(*answer).subspan(4, 28)), "$iothub/twin/res/501/?$rid=4");
}

// ---- the end

TEST_F(HubTest, KeepAliveEndsASilentConnectionAfterOneAndAHalfTimes) {
  start();
  const auto client = connect({.keep_alive_s = 100});
  clock_.advance(Duration::seconds(149));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(head_->stats().connected, 1u);
  client->send(encoded(mqtt::Pingreq{}));
  EXPECT_EQ(receive(*client, 2), "d000");
  clock_.advance(Duration::seconds(149));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(head_->stats().connected, 1u);
  clock_.advance(Duration::seconds(1));
  expect_end(*client, DisconnectReason::keep_alive);
}

TEST_F(HubTest, TokenIsEnforcedOnLiveConnectionsAfterItsGrace) {
  start();
  const auto client =
      connect({.token = token("dev1", "", "primary key of dev1", Duration::minutes(5)), .keep_alive_s = 1177});
  clock_.advance(Duration::minutes(14));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(head_->stats().connected, 1u);
  clock_.advance(Duration::minutes(1));
  expect_end(*client, DisconnectReason::token_expired);
}

TEST_F(HubTest, NewConnectionEvictsTheOldOneFirst) {
  start();
  const auto old = connect();
  const auto young = open_client();
  EXPECT_EQ(answer_to(*young, {}), "20020000");
  // The old end was logged before the new beginning: it had been closed before the CONNACK.
  EXPECT_TRUE(old->closed_by_peer());
  EXPECT_THAT(log_.lines(), ElementsAre("connect:", "evicted:", "disconnect:evicted", "connect:"));
  EXPECT_EQ(log_.of(HubEventKind::evicted)[0].code, 400027);
  young->send(publish_packet(1, "x"));
  EXPECT_EQ(receive(*young, 4), puback(1));
}

TEST_F(HubTest, DeviceAndModuleDoNotEvictEachOther) {
  start();
  const auto device = connect();
  const auto module = connect(module_hello());
  device->send(encoded(mqtt::Pingreq{}));
  EXPECT_EQ(receive(*device, 2), "d000");
  EXPECT_EQ(head_->stats().connected, 2u);
}

TEST_F(HubTest, WrongTokenDoesNotEvict) {
  start();
  const auto client = connect();
  EXPECT_EQ(answer_to(*open_client(), {.token = token("dev1", "", "guessed")}), "20020005");
  client->send(encoded(mqtt::Pingreq{}));
  EXPECT_EQ(receive(*client, 2), "d000");
}

TEST_F(HubTest, RevokingADeviceEndsItAndItsModules) {
  start();
  const auto device = connect();
  const auto module = connect(module_hello());
  const auto other = connect({.client_id = "dev2", .user_name = "localhost/dev2/"});
  head_->close_identity("hub1", "dev1", "");
  EXPECT_TRUE(device->closed_by_peer());
  EXPECT_TRUE(module->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return disconnects(DisconnectReason::revoked) == 2; }));
  EXPECT_EQ(head_->stats().connected, 1u);
}

TEST_F(HubTest, RevokingAModuleLeavesItsDevice) {
  start();
  const auto device = connect();
  const auto module = connect(module_hello());
  head_->close_identity("hub1", "dev1", "mod1");
  expect_end(*module, DisconnectReason::revoked);
  EXPECT_EQ(head_->stats().connected, 1u);
}

TEST_F(HubTest, DisconnectIsAnOrderlyEnd) {
  start();
  const auto client = connect();
  client->send(publish_packet(1, "x"));
  EXPECT_EQ(receive(*client, 4), puback(1));
  client->send(encoded(mqtt::Disconnect{}));
  expect_end(*client, DisconnectReason::client);
  EXPECT_EQ(log_.of(HubEventKind::disconnect)[0].messages, 1u);
}

TEST_F(HubTest, WillIsTelemetryOfAnEndWithoutDisconnect) {
  start();
  const mqtt::Will will{.topic = "devices/dev1/messages/events/a=b", .payload = {as_bytes("gone")}};
  connect({.will = will}).reset();
  ASSERT_TRUE(eventually([&] { return journal_.messages().size() == 1; }));
  EXPECT_EQ(journal_.messages()[0].body, "gone");
  EXPECT_EQ(journal_.messages()[0].property("iothub-MessageType"), "Will");
  EXPECT_EQ(journal_.messages()[0].property("a"), "b");
  const auto client = connect({.will = will});
  client->send(encoded(mqtt::Disconnect{}));
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return head_->stats().connected == 0; }));
  EXPECT_EQ(journal_.messages().size(), 1u);
}

TEST_F(HubTest, ClientThatTakesNothingIsClosed) {
  start([](MqttHeadOptions& options) { options.output_bytes_max = 20'000; });
  const auto client = connect();
  Buffer pings;
  for (int i = 0; i < 100'000; ++i) append(pings, encoded(mqtt::Pingreq{}));
  for (int i = 0; i < 60 && client->send(pings); ++i) {
  }
  EXPECT_TRUE(eventually([&] { return disconnects(DisconnectReason::slow_reader) == 1; }));
}

TEST_F(HubTest, StopEndsEverything) {
  start();
  const auto client = connect();
  journal_.hold(true);
  client->send(publish_packet(1, "x"));
  ASSERT_TRUE(eventually([&] { return journal_.held() == 1; }));
  head_->stop();
  EXPECT_TRUE(client->closed_by_peer());
  journal_.release_one();  // its completion finds nobody
}

TEST_F(HubTest, StopDoesNotWaitForAJournalThatTakesNothing) {
  start();
  const auto client = connect();
  journal_.refuse(Errc::unavailable);
  client->send(publish_packet(1, "x"));
  ASSERT_TRUE(eventually([&] { return head_->stats().storage_waits == 1; }));
  head_->stop();  // the clock stands still: patience never ends
  EXPECT_EQ(head_->stats().disconnects[static_cast<std::size_t>(DisconnectReason::shutdown)], 1u);
}

TEST_F(HubTest, IdentityDisabledWhileItConnectsStaysOut) {
  /// Disables dev1 right after it was asked for the first time: before the directory knows of the connection.
  struct Racing final : IdentityStore {
    explicit Racing(MemoryIdentityStore& store) : store_(store) {}
    [[nodiscard]] Result<std::optional<StoredIdentity>> find(std::string_view hub, std::string_view device,
                                                             std::string_view module) const override {
      auto found = store_.find(hub, device, module);
      store_.put("hub1", "dev1", "", {.generation_id = "g1", .enabled = false, .primary_key = kPrimary});
      return found;
    }
    MemoryIdentityStore& store_;
  };
  start();
  const Racing racing(store_);
  MqttHeadOptions options{.hubs = {.default_hub = "hub1"}};
  options.listener.address = "127.0.0.1";
  head_ = MqttHead::open({threads_, *tls_, racing, journal_, log_, clock_}, options).value();
  const auto client = open_client();
  EXPECT_EQ(answer_to(*client, {}), "20020005");
  EXPECT_EQ(head_->stats().connected, 0u);
  head_.reset();
}

TEST_F(HubTest, RefusalIsReadableAlsoWhenTheClientHasSentMore) {
  start();
  const auto client = open_client();
  auto all = connect_packet({.token = token("dev1", "", "guessed")});
  for (int i = 0; i < 50; ++i) append(all, publish_packet(1, std::string(1000, 'x')));
  client->send(all);
  EXPECT_EQ(receive(*client, 4), "20020005");
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(journal_.messages().empty());
}

TEST_F(HubTest, FloodAfterARefusalDoesNotKeepTheThread) {
  start();
  const auto stranger = open_client();
  stranger->send(connect_packet({.token = token("dev1", "", "guessed")}));
  std::jthread flood([&] {
    const Buffer junk(16'000);
    for (int i = 0; i < 2000 && stranger->send(junk); ++i) {
    }
  });
  for (int i = 0; i < 4; ++i) {  // both threads
    const auto device = connect();
    device->send(publish_packet(1, "x"));
    EXPECT_EQ(receive(*device, 4), puback(1));
  }
}

TEST_F(HubTest, HalfOpenConnectionsBeyondTheCapDoNotKeepDevicesOut) {
  start([](MqttHeadOptions& options) { options.listener.unauthenticated_max = 8; });
  std::vector<std::unique_ptr<net::TestClient>> strangers;
  for (int i = 0; i < 40; ++i) strangers.push_back(net::TestClient::connect_tcp(head_->port()));
  const auto device = connect();
  device->send(publish_packet(1, "x"));
  EXPECT_EQ(receive(*device, 4), puback(1));
  EXPECT_GE(head_->stats().listener.evicted_unauthenticated, 30u);
  EXPECT_TRUE(strangers[0]->closed_by_peer());
}

TEST_F(HubTest, ReconnectStormOfOneIdentityEndsWithOneConnection) {  // CVE-2025-59946 and others: races of takeover
  start([](MqttHeadOptions& options) {
    options.listener.accepts_burst = 1e6;
    options.connects_burst = 1e6;
  });
  std::atomic<int> welcomed = 0;
  std::vector<std::jthread> storm;
  for (int t = 0; t < 4; ++t) {
    storm.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const auto client = open_client();
        if (client == nullptr || !client->send(connect_packet({}))) continue;
        const auto answer = client->receive(4);
        if (answer) ++welcomed;
        client->send(publish_packet(1, "x"));
        client->send(encoded(mqtt::Subscribe{1, {{"$iothub/methods/POST/#", mqtt::QoS::at_most_once}}}));
        if (i % 3 == 0) client->receive(4);
      }
    });
  }
  storm.clear();
  const auto last = connect();
  last->send(publish_packet(1, "x"));
  EXPECT_EQ(receive(*last, 4), puback(1));
  EXPECT_TRUE(eventually([&] { return head_->stats().connected == 1; }));
  EXPECT_GT(welcomed, 0);
}

}  // namespace
}  // namespace picket::hub
