// Each threat class of spec/hub.md, section 4, tried on the head. Names say which fault of another broker it was.
#include "head_harness.h"

namespace picket::hub {
namespace {

class ThreatTest : public HubTest {
 protected:
  ThreatTest() { start(); }
  /// After CONNECT: this ends the connection as a violation, and only this one.
  void expect_violation(std::string_view packet_in_hex) {
    const auto witness = connect({.client_id = "dev2", .user_name = "localhost/dev2/"});
    const auto client = connect();
    const auto before = disconnects(DisconnectReason::protocol);
    client->send(from_hex(packet_in_hex).value());
    EXPECT_TRUE(client->closed_by_peer()) << packet_in_hex;
    EXPECT_TRUE(eventually([&] { return disconnects(DisconnectReason::protocol) == before + 1; })) << packet_in_hex;
    expect_silence(*witness);
  }
  /// In place of CONNECT.
  void expect_refused_at_once(std::string_view packet_in_hex) {
    const auto client = open_client();
    client->send(from_hex(packet_in_hex).value());
    EXPECT_TRUE(client->closed_by_peer()) << packet_in_hex;
  }
};

// ---- memory before authentication

TEST_F(ThreatTest, Cve_2017_7651_HugeRemainingLengthBeforeConnectTakesNoMemory) {
  expect_refused_at_once("10ffffff7f");
  expect_refused_at_once("108120");  // one byte over 4 KiB
  EXPECT_TRUE(eventually([&] { return head_->stats().refused_protocol == 2; }));
}

TEST_F(ThreatTest, Cve_2023_0809_FirstPacketOtherThanConnectIsRefused) {
  for (const auto* packet : {"3001", "32ffffff7f", "8206", "c000", "e000", "40020001", "f000", "0000"}) {
    expect_refused_at_once(packet);
  }
}

// ---- lengths

TEST_F(ThreatTest, Cve_2026_21888_RemainingLengthOfFiveBytesCloses) {
  expect_refused_at_once("108080808001");
  expect_violation("30ffffffff01");
}

TEST_F(ThreatTest, Cve_2026_25627_PacketLongerThanItsFrameWaitsForTheRest) {
  const auto client = connect();
  const auto packet = publish_packet(5, "body");
  for (const auto byte : packet) client->send(Bytes(&byte, 1));  // each in a record of its own
  EXPECT_EQ(receive(*client, 4), puback(5));
  EXPECT_EQ(journal_.messages().at(0).body, "body");
}

TEST_F(ThreatTest, Cve_2024_42648_LengthsInsideAPacketCannotLeaveIt) {
  expect_violation("3003ffff61");        // topic longer than the packet
  expect_violation("32030001610a");      // no packet id left
  expect_violation("820500010004612f");  // filter longer than the packet
  expect_violation("8203000100");        // half a length
}

TEST_F(ThreatTest, Cve_2024_42650_FilterWithoutItsQoSCloses) {
  expect_violation(
      "820500010001"
      "61");
}

// ---- races

TEST_F(ThreatTest, Cve_2026_22040_SubscribeAndUnsubscribeJitterEndsInOrder) {
  const auto client = connect();
  Buffer jitter;
  for (int i = 0; i < 200; ++i) {
    append(jitter, encoded(mqtt::Subscribe{1, {{kMethods, mqtt::QoS::at_most_once}}}));
    append(jitter, encoded(mqtt::Unsubscribe{2, {kMethods}}));
  }
  client->send(jitter);
  std::string expected;
  for (int i = 0; i < 200; ++i) expected += "9003000100b0020002";
  EXPECT_EQ(receive(*client, 200 * 9), expected);
  EXPECT_EQ(sessions_.count(), 0u);
}

TEST_F(ThreatTest, Cve_2024_42651_TakeoverWhileASubscriptionIsStoredLeavesNoneBehind) {
  for (int i = 0; i < 20; ++i) {
    const auto old = connect();
    sessions_.hold(true);
    if (i % 2 == 0) {
      old->send(encoded(mqtt::Subscribe{1, {{kMethods, mqtt::QoS::at_most_once}}}));
    } else {
      old->send(encoded(mqtt::Unsubscribe{1, {kMethods}}));
    }
    ASSERT_TRUE(eventually([&] { return sessions_.held() == 1; }));
    const auto young = open_client();
    young->send(connect_packet({}));
    EXPECT_TRUE(old->closed_by_peer());
    sessions_.release_one();
    sessions_.hold(false);
    EXPECT_TRUE(young->receive(4).has_value());
    expect_silence(*young);
  }
  EXPECT_TRUE(eventually([&] { return head_->stats().connected == 0; })) << "all clients have gone";
}

TEST_F(ThreatTest, Cve_2024_8376_PacketsAfterDisconnectAreNotRead) {
  const auto client = connect();
  auto packets = encoded(mqtt::Disconnect{});
  append(packets, encoded(mqtt::Subscribe{1, {{kMethods, mqtt::QoS::at_most_once}}}));
  append(packets, encoded(mqtt::Unsubscribe{2, {kMethods}}));
  append(packets, publish_packet(3, "late"));
  client->send(packets);
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return head_->stats().connected == 0; }));
  EXPECT_TRUE(journal_.messages().empty());
  EXPECT_EQ(sessions_.stores(), 0u);
}

// ---- growth

TEST_F(ThreatTest, Cve_2023_28366_RepeatedPacketIdsDoNotPileUp) {
  const auto client = connect();
  journal_.hold(true);
  Buffer flood;
  for (int i = 0; i < 3000; ++i) append(flood, publish_packet(1, ""));
  client->send(flood);
  ASSERT_TRUE(eventually([&] { return journal_.held() == 1024; })) << journal_.held();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(journal_.held(), 1024u) << "so many wait for their PUBACK, more are not read";
  journal_.hold(false);
  while (journal_.held() > 0) journal_.release_one();
}

TEST_F(ThreatTest, Cve_2021_41039_Cve_2021_34431_Version5PropertiesAreNotEvenRead) {
  // CONNECT of version 5 with 1 KiB of user properties; the answer is version 5's refusal.
  Buffer packet = from_hex(
                      "10"
                      "9208"
                      "00044d515454"
                      "05"
                      "02"
                      "003c"
                      "8008")
                      .value();
  for (int i = 0; i < 204; ++i) append(packet, from_hex("2600016b00").value());
  append(packet, from_hex("00000000"
                          "0000")
                     .value());
  packet.resize(3 + 1042);
  const auto client = open_client();
  client->send(packet);
  EXPECT_EQ(receive(*client, 5), "2003008400");
  EXPECT_TRUE(client->closed_by_peer());
}

TEST_F(ThreatTest, Cve_2023_3592_WillIsKeptOnceAndOnlyAsTelemetry) {
  const mqtt::Will foreign{.topic = "devices/dev2/messages/events/", .payload = {as_bytes("x")}};
  EXPECT_EQ(answer_to(*open_client(), {.will = foreign}), "20020005");
  const mqtt::Will twin{.topic = "$iothub/twin/PATCH/properties/reported/?$rid=1", .payload = {as_bytes("{}")}};
  EXPECT_EQ(answer_to(*open_client(), {.will = twin}), "20020005");
  EXPECT_TRUE(twins_.reports().empty());
}

TEST_F(ThreatTest, SubscriptionFloodChangesNothingButCounters) {
  const auto client = connect();
  Buffer flood;
  for (int i = 0; i < 1000; ++i) append(flood, encoded(mqtt::Subscribe{1, {{kMethods, mqtt::QoS::at_most_once}}}));
  client->send(flood);
  std::string expected;
  for (int i = 0; i < 1000; ++i) expected += "9003000100";
  EXPECT_EQ(receive(*client, 5000), expected);
  EXPECT_EQ(sessions_.stores(), 1u);
  std::vector<mqtt::Subscription> many(17, {kMethods, mqtt::QoS::at_most_once});
  Buffer packet;
  ASSERT_TRUE(mqtt::encode(mqtt::Subscribe{1, many}, packet, {.filters_max = 100, .literal_wildcards = true}));
  client->send(packet);
  expect_end(*client, DisconnectReason::protocol);
}

// ---- null, empty, wrong way

TEST_F(ThreatTest, Cve_2021_34432_EmptyTopicIsAProtocolError) {
  expect_violation("30020000");
  expect_violation(
      "3204000000"
      "01");
}

TEST_F(ThreatTest, Cve_2021_28166_PacketsOfServersAreRefused) {
  for (const auto* packet : {"20020000", "9003000100", "b0020001", "d000"}) expect_violation(packet);
}

TEST_F(ThreatTest, Cve_2024_10525_SubackWithoutCodesIsMalformed) {
  const auto bytes = from_hex("90020001").value();
  Cursor in{bytes};
  EXPECT_FALSE(mqtt::decode(in, {}, mqtt::Role::client).has_value());
}

// ---- recursion

TEST_F(ThreatTest, Cve_2019_11779_TopicOfManyLevelsIsOneComparison) {
  const auto client = connect();
  client->send(encoded(mqtt::Subscribe{7, {{std::string(65'000, '/'), mqtt::QoS::at_most_once}}}));
  EXPECT_EQ(receive(*client, 5), "9003000780");
  client->send(encoded(mqtt::Publish{.topic = std::string(65'000, '/')}));
  expect_end(*client, DisconnectReason::topic_denied);
  EXPECT_LE(log_.of(HubEventKind::topic_denied)[0].object.size(), HubEvent::kObjectBytesMax);
}

// ---- authorization

TEST_F(ThreatTest, Cve_2017_7650_WildcardsInNamesMatchNobody) {
  for (const auto* id : {"#", "+", "dev+", "dev1/#", "+/mod1", "%", "dev_", "$SYS"}) {
    EXPECT_EQ(answer_to(*open_client(), {.client_id = id,
                                         .user_name = "localhost/" + std::string(id) + "/",
                                         .token = token("dev1", "", "primary key of dev1")}),
              "20020005")
        << id;
  }
  EXPECT_EQ(answer_to(*open_client(), {.user_name = "localhost/+/?api-version=2021-04-12"}), "20020005");
}

TEST_F(ThreatTest, Cve_2021_34434_RevokedIdentityKeepsNoSubscription) {
  const auto client = connect();
  subscribe(*client, kMethods);
  store_.put("hub1", "dev1", "", {.generation_id = "g1", .enabled = false, .primary_key = kPrimary});
  directory_->revoke({"hub1", "dev1", ""});
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return sessions_.count() == 0; }));
  EXPECT_EQ(answer_to(*open_client(), {}), "20020005");
  EXPECT_FALSE(notify({"hub1", "dev1", ""}, MethodCall{.id = 1, .name = "n", .payload = ""}));
}

TEST_F(ThreatTest, FiltersOfOthersAndOfOnesOwnMakingAreDenied) {
  for (const auto* filter :
       {"#", "+/#", "$iothub/#", "$iothub/twin/#", "$iothub/twin/res/+", "$iothub/methods/POST/reboot/#",
        "devices/+/messages/devicebound/#", "devices/dev2/messages/devicebound/#", "$SYS/#",
        "$share/g/$iothub/twin/res/#", "devices/dev1/messages/events/#", "$dps/registrations/res/#"}) {
    const auto client = connect();
    EXPECT_EQ(subscribe(*client, filter), "9003000780") << filter;
  }
}

TEST_F(ThreatTest, RetainedMessageIsNobodysWelcome) {
  const auto client = connect();
  client->send(
      encoded(mqtt::Publish{.topic = "devices/dev1/messages/events/", .payload = {as_bytes("x")}, .retain = true}));
  for (const auto filter : {kTwinResponses, kDesired, kMethods, kDevicebound}) subscribe(*client, filter);
  expect_silence(*client);
}

TEST_F(ThreatTest, NobodyPublishesAsAnother) {
  for (const auto* topic :
       {"devices/dev2/messages/events/", "devices/dev1/modules/mod1/messages/events/", "devices/dev1x/messages/events/",
        "devices/dev1/../dev2/messages/events/", "devices/DEV1/messages/events/", "devices//messages/events/",
        "devices/dev1/messages/devicebound/", "$iothub/twin/res/200/?$rid=1",
        "$iothub/twin/PATCH/properties/desired/?$version=9", "$iothub/methods/POST/reboot/?$rid=1",
        "devices/+/messages/events/"}) {
    const auto client = connect();
    client->send(publish_packet(1, "{}", "", topic));
    EXPECT_TRUE(client->closed_by_peer()) << topic;
  }
  EXPECT_TRUE(eventually([&] { return disconnects(DisconnectReason::topic_denied) == 11; }));
  EXPECT_TRUE(journal_.messages().empty());
}

// ---- text

TEST_F(ThreatTest, Cve_2017_7653_InvalidUtf8IsNeverForwarded) {
  expect_violation("30040002c328");  // not UTF-8
  expect_violation(
      "30030001"
      "00");                           // U+0000
  expect_violation("30050003eda080");  // a surrogate
  expect_violation(
      "30030001"
      "07");  // control character
  const auto client = connect();
  client->send(publish_packet(1, "x", "a=%c3%28"));
  expect_end(*client, DisconnectReason::bad_properties);
  EXPECT_TRUE(journal_.messages().empty());
}

// ---- time

TEST_F(ThreatTest, KeepAliveOfTheClientIsCapped) {
  for (const std::uint16_t keep_alive : {std::uint16_t{0}, std::uint16_t{65'535}}) {
    const auto client =
        connect({.token = token("dev1", "", "primary key of dev1", Duration::hours(24)), .keep_alive_s = keep_alive});
    clock_.advance(Duration::seconds(1766));
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    EXPECT_EQ(head_->stats().connected, 1u);
    clock_.advance(Duration::seconds(1));
    EXPECT_TRUE(client->closed_by_peer());
    EXPECT_TRUE(eventually([&] { return head_->stats().connected == 0; }));
  }
}

// ---- property: twins of one device are never visible to another

TEST_F(ThreatTest, TwinsAreVisibleToTheirOwnerOnlyWhateverTheIdsAre) {
  const std::vector<std::string> ids = {"a",     "A",      "a+",      "+",    "#",     "a#",  "$iothub", "$",
                                        "a%2Fb", "%",      "%23",     "a'b",  "a.b",   "..",  "*",       "?",
                                        "res",   "a?$rid", "a,b",     "a=b",  "a:b@c", "(a)", "!",       "a_b",
                                        "a%",    "twin",   "devices", "dev1", "-",     "a-b"};
  struct Party {
    Identity identity;
    std::unique_ptr<net::TestClient> client;
  };
  std::vector<Party> parties;
  for (const auto& id : ids) {
    for (const auto& module : {std::string(), std::string("m"), std::string("#")}) {
      if (id == "a?$rid" && module == "#") continue;
      store_.put("hub1", id, module, {.generation_id = "g", .primary_key = kPrimary});
      Hello hello{.client_id = module.empty() ? id : id + "/" + module};
      hello.user_name = "localhost/" + hello.client_id + "/?api-version=2021-04-12";
      hello.token = token(percent_encode(id), module.empty() ? "" : percent_encode(module), "primary key of dev1");
      auto client = open_client();
      auto answer = answer_to(*client, hello);
      if (answer != "20020000") {  // the resource name in its other spelling
        hello.token = token(id, module, "primary key of dev1");
        client = open_client();
        answer = answer_to(*client, hello);
      }
      ASSERT_EQ(answer, "20020000") << hello.client_id;
      parties.push_back({{"hub1", id, module, "g"}, std::move(client)});
      subscribe(*parties.back().client, kTwinResponses);
      subscribe(*parties.back().client, kDesired);
    }
  }
  for (auto& party : parties) party.client->send(encoded(request("$iothub/twin/GET/?$rid=1")));
  for (auto& party : parties) {
    EXPECT_EQ(next_text(*party.client), "$iothub/twin/res/200/?$rid=1 " + FakeTwins::view_of(party.identity));
  }
  for (auto& party : parties) {
    const auto patch = R"({"for":")" + display_name(party.identity) + R"("})";
    EXPECT_TRUE(notify(key_of(party.identity), desired(patch, 2)));
  }
  for (auto& party : parties) {
    const auto patch = R"({"for":")" + display_name(party.identity) + R"("})";
    EXPECT_EQ(next_text(*party.client), "$iothub/twin/PATCH/properties/desired/?$version=2 " + patch);
    expect_silence(*party.client);
  }
}

}  // namespace
}  // namespace picket::hub
