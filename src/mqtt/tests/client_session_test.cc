#include "mqtt/client_session.h"

#include <gtest/gtest.h>

#include "testing.h"

namespace picket::mqtt {
namespace {

constexpr Duration seconds(std::int64_t n) { return Duration::seconds(n); }

class MqttClientSession : public testing::Test {
 protected:
  void connect() {
    session_.connect("d", "hub/d/", "token", false, now_, out_).value();
    session_.on_packet(Connack{}, now_, out_).value();
    out_.clear();
  }
  /// The packet id it went out with.
  std::uint16_t publish(std::uint64_t token) {
    out_.clear();
    session_.publish(token, "t", as_bytes("x"), now_, out_).value();
    return std::get<Publish>(decode_all(out_, Role::server).value().value()).packet_id;
  }
  std::optional<std::uint64_t> acknowledge(std::uint16_t id) {
    const auto event = session_.on_packet(Puback{id}, now_, out_).value();
    if (!event) return std::nullopt;
    return std::get<ClientAcknowledged>(*event).token;
  }

  Duration now_ = seconds(100);
  ClientSession session_{ClientOptions{.keep_alive_s = 240, .window = 2, .resends_max = 1}};
  Buffer out_;
};

TEST_F(MqttClientSession, ConnectCarriesTheCredentials) {
  session_.connect("d/m", "hub/d/m/", "token", false, now_, out_).value();
  const auto packet = std::get<Connect>(decode_all(out_, Role::server_first).value().value());
  EXPECT_EQ(packet.client_id, "d/m");
  EXPECT_EQ(packet.keep_alive_s, 240);
  EXPECT_FALSE(packet.clean_session);
  EXPECT_EQ(as_text(packet.password->bytes), "token");
  EXPECT_EQ(session_.next_deadline(), now_ + seconds(30));
}

TEST_F(MqttClientSession, RefusalIsToldWithItsCode) {
  session_.connect("d", "u", "p", false, now_, out_).value();
  const auto event = session_.on_packet(Connack{.code = ConnectCode::not_authorized}, now_, out_).value();
  EXPECT_EQ(std::get<ClientRefused>(*event).code, ConnectCode::not_authorized);
  EXPECT_FALSE(session_.can_publish());
}

TEST_F(MqttClientSession, NoConnackInTimeIsTheEnd) {
  session_.connect("d", "u", "p", false, now_, out_).value();
  EXPECT_TRUE(session_.on_time(now_ + seconds(29), out_).has_value());
  EXPECT_EQ(session_.on_time(now_ + seconds(30), out_).error().where, "mqtt.client.connect_timeout");
}

TEST_F(MqttClientSession, WindowBoundsWhatIsInFlight) {
  connect();
  const auto first = publish(1);
  publish(2);
  EXPECT_FALSE(session_.can_publish());
  EXPECT_EQ(session_.publish(3, "t", {}, now_, out_).error().where, "mqtt.client.window");
  EXPECT_EQ(acknowledge(first), 1u);
  EXPECT_TRUE(session_.can_publish());
}

TEST_F(MqttClientSession, SendsAgainWithANewPacketIdAfterTheTimeOut) {
  connect();
  const auto first = publish(1);
  EXPECT_EQ(session_.due_again(now_ + seconds(29)), std::nullopt);
  now_ = now_ + seconds(30);
  EXPECT_EQ(session_.due_again(now_), 1u);
  const auto second = publish(1);
  EXPECT_NE(first, second);
  EXPECT_EQ(session_.due_again(now_), std::nullopt);
  EXPECT_EQ(session_.in_flight(), 1u);
}

TEST_F(MqttClientSession, EitherPubackOfAMessageSentTwiceCountsOnce) {
  connect();
  const auto first = publish(1);
  now_ = now_ + seconds(30);
  const auto second = publish(1);
  EXPECT_EQ(acknowledge(first), 1u);
  EXPECT_EQ(acknowledge(second), std::nullopt);
  EXPECT_EQ(session_.stray_acks(), 1u);
}

TEST_F(MqttClientSession, GivesUpTheConnectionAfterTheLastResend) {
  connect();
  publish(1);
  now_ = now_ + seconds(30);
  EXPECT_TRUE(session_.on_time(now_, out_).has_value());
  publish(1);
  now_ = now_ + seconds(30);
  EXPECT_EQ(session_.on_time(now_, out_).error().where, "mqtt.client.ack_timeout");
}

TEST_F(MqttClientSession, PacketIdsSkipZeroAndThoseInFlight) {
  connect();
  const auto held = publish(1);
  for (std::uint64_t token = 2; token < 2 + 65'535; ++token) {
    const auto id = publish(token);
    ASSERT_NE(id, 0);
    ASSERT_NE(id, held);
    ASSERT_EQ(acknowledge(id), token);
  }
}

TEST_F(MqttClientSession, PingsAfterHalfTheKeepAliveAndExpectsAnAnswer) {
  connect();
  EXPECT_EQ(session_.next_deadline(), now_ + seconds(120));
  now_ = now_ + seconds(120);
  session_.on_time(now_, out_).value();
  EXPECT_EQ(to_hex(out_), "c000");
  session_.on_time(now_ + seconds(29), out_).value();
  EXPECT_EQ(session_.on_time(now_ + seconds(30), out_).error().where, "mqtt.client.ping_timeout");
}

TEST_F(MqttClientSession, PingrespCalms) {
  connect();
  session_.on_time(now_ + seconds(120), out_).value();
  session_.on_packet(Pingresp{}, now_ + seconds(121), out_).value();
  EXPECT_TRUE(session_.on_time(now_ + seconds(160), out_).has_value());
}

TEST_F(MqttClientSession, AcknowledgesWhatTheHubSends) {
  connect();
  const Publish message{.topic = "c2d", .payload = {as_bytes("x")}, .qos = QoS::at_least_once, .packet_id = 77};
  const auto event = session_.on_packet(message, now_, out_).value();
  EXPECT_EQ(std::get<ClientReceived>(*event).message, message);
  EXPECT_EQ(to_hex(out_), "4002004d");
}

TEST_F(MqttClientSession, SubackMustMatchItsSubscribe_3_9_3_1) {
  connect();
  const std::vector<Subscription> two = {{"a/#", QoS::at_most_once}, {"b/#", QoS::at_least_once}};
  const auto id = session_.subscribe(two, now_, out_).value();
  EXPECT_EQ(session_.on_packet(Suback{id, {SubackCode::failure}}, now_, out_).error().where, "mqtt.client.suback");
  const auto event =
      session_.on_packet(Suback{id, {SubackCode::at_most_once, SubackCode::failure}}, now_, out_).value();
  EXPECT_EQ(std::get<ClientSubscribed>(*event).codes.size(), 2u);
  EXPECT_EQ(session_.on_packet(Suback{id, {SubackCode::at_most_once}}, now_, out_).error().where, "mqtt.client.suback");
}

TEST_F(MqttClientSession, HostileHubIsRefused) {
  EXPECT_FALSE(session_.on_packet(Puback{1}, now_, out_).has_value()) << "before CONNACK";
  connect();
  EXPECT_FALSE(session_.on_packet(Connack{}, now_, out_).has_value());
  EXPECT_FALSE(session_.on_packet(Pubrec{1}, now_, out_).has_value());
  EXPECT_FALSE(session_.on_packet(Unsuback{1}, now_, out_).has_value());
  EXPECT_FALSE(
      session_.on_packet(Publish{.topic = "t", .qos = QoS::exactly_once, .packet_id = 1}, now_, out_).has_value());
}

TEST_F(MqttClientSession, ForgottenTokenFreesItsPlace) {
  connect();
  const auto id = publish(1);
  session_.forget(1);
  EXPECT_EQ(session_.in_flight(), 0u);
  EXPECT_EQ(acknowledge(id), std::nullopt);
}

TEST_F(MqttClientSession, DisconnectIsTheLastPacket) {
  connect();
  session_.disconnect(out_);
  EXPECT_EQ(to_hex(out_), "e000");
  EXPECT_FALSE(session_.can_publish());
}

}  // namespace
}  // namespace picket::mqtt
