#include "mqtt/server_session.h"

#include <gtest/gtest.h>

#include "testing.h"

namespace picket::mqtt {
namespace {

constexpr Duration seconds(std::int64_t n) { return Duration::seconds(n); }

class MqttServerSession : public testing::Test {
 protected:
  void connect(std::uint16_t keep_alive_s = 60) {
    ASSERT_TRUE(session_.on_packet(Connect{.client_id = "d", .keep_alive_s = keep_alive_s}, now_, out_).has_value());
    session_.accept(false, now_, out_);
    out_.clear();
  }
  std::uint64_t publish(std::uint16_t id) {
    const auto event =
        session_.on_packet(Publish{.topic = "t", .qos = QoS::at_least_once, .packet_id = id}, now_, out_);
    return std::get<PublishRequested>(event.value().value()).sequence.value();
  }
  std::string sent() {
    auto text = to_hex(out_);
    out_.clear();
    return text;
  }

  Duration now_ = seconds(100);
  ServerSession session_{ServerOptions{.unacknowledged_max = 3}, now_};
  Buffer out_;
};

TEST_F(MqttServerSession, WaitsTenSecondsForConnect) {
  EXPECT_EQ(session_.role(), Role::server_first);
  EXPECT_EQ(session_.deadline(), seconds(110));
}

TEST_F(MqttServerSession, AnswersConnectOnlyWhenTheOwnerHasDecided) {
  const auto event = session_.on_packet(Connect{.client_id = "d"}, now_, out_);
  EXPECT_TRUE(std::holds_alternative<ConnectRequested>(event.value().value()));
  EXPECT_FALSE(session_.wants_input());
  EXPECT_EQ(session_.deadline(), std::nullopt);
  EXPECT_TRUE(out_.empty());
  session_.accept(true, now_, out_);
  EXPECT_EQ(sent(), "20020100");
  EXPECT_TRUE(session_.wants_input());
  EXPECT_EQ(session_.role(), Role::server);
}

TEST_F(MqttServerSession, RefusalEndsTheSession) {
  session_.on_packet(Connect{.client_id = "d"}, now_, out_).value();
  session_.refuse(ConnectCode::not_authorized, out_);
  EXPECT_EQ(sent(), "20020005");
  EXPECT_FALSE(session_.wants_input());
}

TEST_F(MqttServerSession, EmptyClientIdIsRejected_3_1_3_8) {
  EXPECT_EQ(session_.on_packet(Connect{.client_id = "", .clean_session = false}, now_, out_).error().where,
            "mqtt.connect.client_id");
  EXPECT_EQ(sent(), "20020002");
}

TEST_F(MqttServerSession, OtherProtocolLevelsAreAnsweredInTheirWords_3_1_2_2) {
  EXPECT_EQ(session_.on_packet(ConnectOtherLevel{5}, now_, out_).error().code, Errc::unsupported);
  EXPECT_EQ(sent(), "2003008400");
  ServerSession other{{}, now_};
  EXPECT_EQ(other.on_packet(ConnectOtherLevel{3}, now_, out_).error().code, Errc::unsupported);
  EXPECT_EQ(sent(), "20020001");
}

TEST_F(MqttServerSession, FirstPacketMustBeConnect_3_1_0_1) {
  EXPECT_EQ(session_.on_packet(Pingreq{}, now_, out_).error().where, "mqtt.session.connect_first");
}

TEST_F(MqttServerSession, SecondConnectIsAViolation_3_1_0_2) {
  connect();
  EXPECT_EQ(session_.on_packet(Connect{.client_id = "d"}, now_, out_).error().where, "mqtt.session.second_connect");
  EXPECT_EQ(session_.on_packet(ConnectOtherLevel{5}, now_, out_).error().where, "mqtt.session.second_connect");
}

TEST_F(MqttServerSession, AcknowledgesInTheOrderOfPublish_4_6_0_2) {
  connect();
  const auto first = publish(11);
  const auto second = publish(12);
  session_.stored(second, out_);
  EXPECT_EQ(sent(), "") << "the first one is not stored yet";
  session_.stored(first, out_);
  EXPECT_EQ(sent(), "4002000b4002000c");
}

TEST_F(MqttServerSession, SamePacketIdTwiceIsAcknowledgedTwice) {
  connect();
  const auto first = publish(7);
  const auto second = publish(7);
  session_.stored(first, out_);
  session_.stored(second, out_);
  EXPECT_EQ(sent(), "4002000740020007");
}

TEST_F(MqttServerSession, UnknownAndRepeatedSequencesAreIgnored) {
  connect();
  const auto only = publish(1);
  session_.stored(only + 1, out_);
  session_.stored(only, out_);
  sent();
  session_.stored(only, out_);
  EXPECT_EQ(sent(), "");
}

TEST_F(MqttServerSession, StopsReadingAtTheBoundOfUnacknowledgedMessages) {
  connect();
  const auto first = publish(1);
  publish(2);
  EXPECT_TRUE(session_.wants_input());
  publish(3);
  EXPECT_FALSE(session_.wants_input());
  session_.stored(first, out_);
  EXPECT_TRUE(session_.wants_input());
}

TEST_F(MqttServerSession, QoS0NeedsNoAcknowledgement) {
  connect();
  const auto event = session_.on_packet(Publish{.topic = "t"}, now_, out_);
  EXPECT_EQ(std::get<PublishRequested>(event.value().value()).sequence, std::nullopt);
  EXPECT_EQ(session_.unacknowledged(), 0u);
}

TEST_F(MqttServerSession, QoS2IsRefused) {
  connect();
  EXPECT_EQ(
      session_.on_packet(Publish{.topic = "t", .qos = QoS::exactly_once, .packet_id = 1}, now_, out_).error().where,
      "mqtt.session.qos2");
  EXPECT_EQ(session_.on_packet(Pubrel{1}, now_, out_).error().where, "mqtt.session.qos2");
}

TEST_F(MqttServerSession, GrantsQoS1ForQoS2) {
  connect();
  const std::vector codes = {SubackCode::exactly_once, SubackCode::failure};
  EXPECT_TRUE(session_.suback(5, codes, out_).has_value());
  EXPECT_EQ(sent(), "900400050180");
}

TEST_F(MqttServerSession, PingIsAnsweredAndKeepsAlive_3_12_4_1) {
  connect(60);
  EXPECT_EQ(session_.deadline(), now_ + seconds(90)) << "one and a half times the keep-alive [MQTT-3.1.2-24]";
  now_ = now_ + seconds(80);
  EXPECT_FALSE(session_.on_packet(Pingreq{}, now_, out_).value().has_value());
  EXPECT_EQ(sent(), "d000");
  EXPECT_EQ(session_.deadline(), now_ + seconds(90));
}

TEST_F(MqttServerSession, KeepAliveWaitIsCapped) {
  connect(1178);  // 1767 s exactly
  EXPECT_EQ(session_.deadline(), now_ + seconds(1767));
  ServerSession long_one{{}, now_};
  long_one.on_packet(Connect{.client_id = "d", .keep_alive_s = 65535}, now_, out_).value();
  long_one.accept(false, now_, out_);
  EXPECT_EQ(long_one.deadline(), now_ + seconds(1767));
  ServerSession without{{}, now_};
  without.on_packet(Connect{.client_id = "d", .keep_alive_s = 0}, now_, out_).value();
  without.accept(false, now_, out_);
  EXPECT_EQ(without.deadline(), now_ + seconds(1767));
}

TEST_F(MqttServerSession, DisconnectEnds) {
  connect();
  EXPECT_TRUE(std::holds_alternative<ClientDisconnected>(session_.on_packet(Disconnect{}, now_, out_).value().value()));
  EXPECT_FALSE(session_.wants_input());
  EXPECT_EQ(session_.deadline(), std::nullopt);
}

}  // namespace
}  // namespace picket::mqtt
