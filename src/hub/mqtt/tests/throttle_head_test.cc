// Rates and settings of the hub at the MQTT head.
#include "head_harness.h"

namespace picket::hub {
namespace {

Limits only(Meter meter, Rate rate) {
  Limits limits;
  limits[meter] = rate;
  return limits;
}

TEST_F(HubTest, TelemetryAboveItsRateIsDelayedAndNotLost) {
  throttle_.set_hub("hub1", only(Meter::d2c_messages, {1, 2}));
  start();
  const auto client = connect();
  for (std::uint16_t id = 1; id <= 4; ++id) {
    client->send(publish_packet(id, "x"));
    if (id <= 2) EXPECT_EQ(receive(*client, 4), puback(id));
  }
  ASSERT_TRUE(eventually([&] { return head_->stats().throttled >= 1; }));
  EXPECT_EQ(journal_.messages().size(), 2u);
  const auto advance = [&] { clock_.advance(Duration::milliseconds(50)); };
  advance();
  ASSERT_TRUE(eventually([&] { return journal_.messages().size() == 3 || (advance(), false); }));
  ASSERT_TRUE(eventually([&] { return journal_.messages().size() == 4 || (advance(), false); }));
  EXPECT_EQ(receive(*client, 8), puback(3) + puback(4));
  EXPECT_EQ(log_.of(HubEventKind::throttled)[0].reason, "d2c_messages");
}

TEST_F(HubTest, OneDeviceAboveItsRateDoesNotSlowAnother) {
  throttle_.set_identities(only(Meter::d2c_messages, {1, 1}));
  start();
  const auto busy = connect();
  for (std::uint16_t id = 1; id <= 4; ++id) busy->send(publish_packet(id, "x"));
  const auto other = connect({.client_id = "dev2", .user_name = "localhost/dev2/"});
  other->send(publish_packet(1, "x", "", "devices/dev2/messages/events/"));
  EXPECT_EQ(receive(*other, 4), puback(1));
}

TEST_F(HubTest, StopDoesNotWaitForTheRate) {
  throttle_.set_hub("hub1", only(Meter::d2c_messages, {0.001, 1}));
  start();
  const auto client = connect();
  client->send(publish_packet(1, "x"));
  EXPECT_EQ(receive(*client, 4), puback(1));
  client->send(publish_packet(2, "x"));
  ASSERT_TRUE(eventually([&] { return head_->stats().throttled >= 1; }));
  stop();
}

TEST_F(HubTest, DayThatIsUsedUpGivesNoPuback) {
  Limits limits;
  limits.messages_per_day = 2;
  throttle_.set_hub("hub1", limits);
  start();
  const auto client = connect();
  client->send(publish_packet(1, std::string(5000, 'x')));
  EXPECT_EQ(receive(*client, 4), puback(1));
  client->send(publish_packet(2, "x"));
  expect_end(*client, DisconnectReason::throttled);
  EXPECT_EQ(log_.of(HubEventKind::throttled)[0].code, 403002);
  EXPECT_EQ(journal_.messages().size(), 1u);
}

TEST_F(HubTest, TwinRequestsAboveTheirRateAreDelayed) {
  throttle_.set_hub("hub1", only(Meter::twin_reads, {0.5, 1}));
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  client->send(encoded(request("$iothub/twin/GET/?$rid=1")));
  EXPECT_EQ(next_text(*client).substr(0, 28), "$iothub/twin/res/200/?$rid=1");
  client->send(encoded(request("$iothub/twin/GET/?$rid=2")));
  EXPECT_EQ(next_text(*client).substr(0, 28), "$iothub/twin/res/200/?$rid=2") << "delays the next";
  client->send(encoded(request("$iothub/twin/GET/?$rid=3")));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(twins_.reads(), 2u);
  clock_.advance(Duration::seconds(2));
  EXPECT_EQ(next_text(*client).substr(0, 28), "$iothub/twin/res/200/?$rid=3");
}

TEST_F(HubTest, TwinRequestsRefusedByTheRateSayWhy) {
  throttle_.set_hub("hub1", only(Meter::twin_updates, {0.01, 1}));
  static_cast<void>(throttle_.take({"hub1", "dev2", ""}, Meter::twin_updates, 2, clock_.monotonic()));
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  client->send(encoded(request("$iothub/twin/PATCH/properties/reported/?$rid=1", "{}")));
  EXPECT_EQ(
      next_text(*client),
      R"($iothub/twin/res/429/?$rid=1 {"errorCode":429001,"message":"Too many twin requests. Try again later."})");
  EXPECT_TRUE(twins_.reports().empty());
}

TEST_F(HubTest, ConnectsFarAboveTheirRateAreAnsweredWithServerUnavailable) {
  throttle_.set_identities(only(Meter::connects, {0.01, 1}));
  static_cast<void>(throttle_.take({"hub1", "dev1", ""}, Meter::connects, 2, clock_.monotonic()));
  start();
  EXPECT_EQ(answer_to(*open_client(), {}), "20020003");
  EXPECT_EQ(answer_to(*open_client(), {.client_id = "dev2", .user_name = "localhost/dev2/"}), "20020000");
  EXPECT_EQ(answer_to(*open_client(), {.token = token("dev1", "", "guessed")}), "20020005")
      << "who proves nothing takes nothing";
}

TEST_F(HubTest, OperationsAreCountedByIdentityAndProtocol) {
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  client->send(publish_packet(1, "four"));
  EXPECT_EQ(receive(*client, 4), puback(1));
  client->send(encoded(request("$iothub/twin/GET/?$rid=1")));
  next_text(*client);
  twins_.fail_with(HubError{400004, "no"});
  client->send(encoded(request("$iothub/twin/PATCH/properties/reported/?$rid=1", "{")));
  next_text(*client);
  counters_.flush(clock_.now());
  std::vector<std::string> lines;
  for (const auto& event : log_.of(HubEventKind::d2c)) lines.push_back(std::to_string(event.bytes));
  EXPECT_THAT(lines, testing::ElementsAre("4"));
  ASSERT_FALSE(log_.of(HubEventKind::twin).empty());
}

// ---- settings

TEST_F(HubTest, AddressThatTheFilterRejectsIsNotLetIn) {
  HubSettings settings{.name = "hub1"};
  settings.configuration.ip_rules = {{"nobody", IpAction::reject, parse_cidr("127.0.0.0/8").value()}};
  settings_.put(settings);
  start();
  EXPECT_EQ(answer_to(*open_client(), {}), "20020005");
  const auto events = log_.of(HubEventKind::auth_failed);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].reason, reason::kIpFilter);
}

TEST_F(HubTest, PolicyWithDeviceConnectSpeaksForADevice) {
  HubSettings settings{.name = "hub1"};
  settings.policies = {{"device", kDeviceConnect, bytes_of("policy key"), {}},
                       {"service", kServiceConnect, bytes_of("service key"), {}}};
  settings_.put(settings);
  start();
  EXPECT_EQ(answer_to(*open_client(), {.token = token("dev1", "", "policy key") + "&skn=device"}), "20020000");
  EXPECT_EQ(log_.of(HubEventKind::connect)[0].auth_scope, "hub");
  EXPECT_EQ(answer_to(*open_client(), {.token = token("dev1", "", "service key") + "&skn=service"}), "20020005");
}

}  // namespace
}  // namespace picket::hub
