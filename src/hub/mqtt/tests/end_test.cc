// How connections end.
#include "head_harness.h"

namespace picket::hub {
namespace {

using testing::ElementsAre;

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
  identities_ = &racing;
  restart();
  const auto client = open_client();
  EXPECT_EQ(answer_to(*client, {}), "20020005");
  EXPECT_EQ(head_->stats().connected, 0u);
  stop();
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
  links_.connects_burst = 1e6;
  start();
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
