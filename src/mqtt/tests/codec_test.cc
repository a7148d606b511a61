#include "mqtt/codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "mqtt/inbox.h"
#include "testing.h"

namespace picket::mqtt {
namespace {

// Broken packets, one a rule of the OASIS standard. `where` is what decode() says about it.
struct Broken {
  const char* name;
  Role role;
  const char* bytes;
  Errc code;
  std::string_view where;
};

class MalformedPacket : public testing::TestWithParam<Broken> {};

TEST_P(MalformedPacket, IsRefusedByName) {
  const auto bytes = hex(GetParam().bytes);
  Cursor in{Bytes(bytes)};
  const auto result = decode(in, {}, GetParam().role);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error().code, GetParam().code);
  EXPECT_EQ(result.error().where, GetParam().where);
  EXPECT_EQ(in.offset(), 0u) << "a refused packet leaves the cursor where it was";
}

constexpr auto kFirst = Role::server_first;
constexpr auto kServer = Role::server;
constexpr auto kClient = Role::client;
constexpr auto kBad = Errc::malformed;
constexpr auto kOver = Errc::limit_exceeded;

INSTANTIATE_TEST_SUITE_P(
    FixedHeader, MalformedPacket,
    testing::Values(
        Broken{"Type0IsReserved", kServer, "0000", kBad, "mqtt.frame.type"},
        Broken{"Type15IsReserved", kServer, "f000", kBad, "mqtt.frame.type"},
        Broken{"FirstPacketIsConnect_3_1_0_1", kFirst, "c000", kBad, "mqtt.frame.role"},
        Broken{"FirstPacketIsNotPublish_3_1_0_1", kFirst, "30 ff", kBad, "mqtt.frame.role"},
        Broken{"ServerRefusesConnack", kServer, "20020000", kBad, "mqtt.frame.role"},
        Broken{"ServerRefusesSuback", kServer, "9003000100", kBad, "mqtt.frame.role"},
        Broken{"ServerRefusesUnsuback", kServer, "b0020001", kBad, "mqtt.frame.role"},
        Broken{"ServerRefusesPingresp", kServer, "d000", kBad, "mqtt.frame.role"},
        Broken{"ClientRefusesConnect", kClient, "1000", kBad, "mqtt.frame.role"},
        Broken{"ClientRefusesSubscribe", kClient, "8200", kBad, "mqtt.frame.role"},
        Broken{"ClientRefusesUnsubscribe", kClient, "a200", kBad, "mqtt.frame.role"},
        Broken{"ClientRefusesPingreq", kClient, "c000", kBad, "mqtt.frame.role"},
        Broken{"ClientRefusesDisconnect", kClient, "e000", kBad, "mqtt.frame.role"},
        Broken{"ConnectFlags_2_2_2_2", kServer, "1100", kBad, "mqtt.frame.flags"},
        Broken{"ConnackFlags_2_2_2_2", kClient, "21020000", kBad, "mqtt.frame.flags"},
        Broken{"PubackFlags_2_2_2_2", kServer, "41020001", kBad, "mqtt.frame.flags"},
        Broken{"PubrecFlags_2_2_2_2", kServer, "52020001", kBad, "mqtt.frame.flags"},
        Broken{"PubrelFlags_3_6_1_1", kServer, "60020001", kBad, "mqtt.frame.flags"},
        Broken{"PubcompFlags_2_2_2_2", kServer, "78020001", kBad, "mqtt.frame.flags"},
        Broken{"SubscribeFlags_3_8_1_1", kServer, "8006 0001 0001'a'00", kBad, "mqtt.frame.flags"},
        Broken{"SubackFlags_2_2_2_2", kClient, "9103000100", kBad, "mqtt.frame.flags"},
        Broken{"UnsubscribeFlags_3_10_1_1", kServer, "a005 0001 0001'a'", kBad, "mqtt.frame.flags"},
        Broken{"UnsubackFlags_2_2_2_2", kClient, "b2020001", kBad, "mqtt.frame.flags"},
        Broken{"PingreqFlags_2_2_2_2", kServer, "c100", kBad, "mqtt.frame.flags"},
        Broken{"PingrespFlags_2_2_2_2", kClient, "d800", kBad, "mqtt.frame.flags"},
        Broken{"DisconnectFlags_3_14_1_1", kServer, "e100", kBad, "mqtt.frame.flags"},
        // CVE-2026-21888: a remaining length of 5 bytes
        Broken{"RemainingLengthHas4BytesAtMost", kServer, "30 80808080 01", kBad, "mqtt.frame.remaining_length"},
        Broken{"RemainingLengthIsJudgedAtItsFourthByte", kServer, "30 ffffffff", kBad, "mqtt.frame.remaining_length"},
        // CVE-2017-7651: a huge announced length is refused before any of the body is there
        Broken{"ConnectOver4KiB", kFirst, "10 ff1f", kOver, "mqtt.connect.size"},
        Broken{"PacketOverItsLimit", kServer, "30 ffffff7f", kOver, "mqtt.frame.size"}),
    [](const auto& each) { return each.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Connect, MalformedPacket,
    testing::Values(
        Broken{"WithoutContent", kFirst, "1000", kBad, "mqtt.connect.protocol_name"},
        Broken{"ProtocolName_3_1_2_1", kFirst, "100c 0004'MQTS' 04 02 0000 0000", kBad, "mqtt.connect.protocol_name"},
        Broken{"ProtocolNameOfVersion3", kFirst, "100e 0006'MQIsdp' 03 02 0000 0000", kBad,
               "mqtt.connect.protocol_name"},
        Broken{"ProtocolNameIsCaseSensitive", kFirst, "100c 0004'mqtt' 04 02 0000 0000", kBad,
               "mqtt.connect.protocol_name"},
        Broken{"ProtocolLevelMissing", kFirst, "1006 0004'MQTT'", kBad, "mqtt.connect.protocol_level"},
        Broken{"FlagsMissing", kFirst, "1007 0004'MQTT' 04", kBad, "mqtt.connect.flags"},
        Broken{"ReservedFlag_3_1_2_3", kFirst, "100c 0004'MQTT' 04 03 0000 0000", kBad, "mqtt.connect.reserved_flag"},
        Broken{"WillQosWithoutWill_3_1_2_13", kFirst, "100c 0004'MQTT' 04 0a 0000 0000", kBad, "mqtt.connect.will_qos"},
        Broken{"WillQos3_3_1_2_14", kFirst, "1011 0004'MQTT' 04 1e 0000 0000 0001'a' 0000", kBad,
               "mqtt.connect.will_qos"},
        Broken{"WillRetainWithoutWill_3_1_2_15", kFirst, "100c 0004'MQTT' 04 22 0000 0000", kBad,
               "mqtt.connect.will_retain"},
        Broken{"PasswordWithoutUserName_3_1_2_22", kFirst, "100e 0004'MQTT' 04 42 0000 0000 0000", kBad,
               "mqtt.connect.password_flag"},
        Broken{"KeepAliveMissing", kFirst, "1009 0004'MQTT' 04 02 00", kBad, "mqtt.connect.keep_alive"},
        Broken{"ClientIdMissing_3_1_3_3", kFirst, "100a 0004'MQTT' 04 02 0000", kBad, "mqtt.connect.client_id"},
        Broken{"ClientIdLongerThanPacket", kFirst, "100d 0004'MQTT' 04 02 0000 0002'a'", kBad,
               "mqtt.connect.client_id"},
        Broken{"ClientIdNotUtf8_1_5_3_1", kFirst, "100d 0004'MQTT' 04 02 0000 0001 ff", kBad, "mqtt.connect.client_id"},
        Broken{"ClientIdSurrogate_1_5_3_1", kFirst, "100f 0004'MQTT' 04 02 0000 0003 eda080", kBad,
               "mqtt.connect.client_id"},
        Broken{"ClientIdWithNul_1_5_3_2", kFirst, "100d 0004'MQTT' 04 02 0000 0001 00", kBad, "mqtt.connect.client_id"},
        Broken{"WillTopicMissing_3_1_2_9", kFirst, "100c 0004'MQTT' 04 06 0000 0000", kBad, "mqtt.connect.will_topic"},
        Broken{"WillTopicEmpty_4_7_3_1", kFirst, "1010 0004'MQTT' 04 06 0000 0000 0000 0000", kBad,
               "mqtt.connect.will_topic"},
        Broken{"WillTopicNotUtf8_3_1_3_10", kFirst, "1011 0004'MQTT' 04 06 0000 0000 0001 c0 0000", kBad,
               "mqtt.connect.will_topic"},
        Broken{"WillTopicWithWildcard", kFirst, "1011 0004'MQTT' 04 06 0000 0000 0001'#' 0000", kBad,
               "mqtt.connect.will_topic"},
        Broken{"WillMessageMissing_3_1_2_9", kFirst, "100f 0004'MQTT' 04 06 0000 0000 0001'a'", kBad,
               "mqtt.connect.will_message"},
        Broken{"UserNameMissing_3_1_2_19", kFirst, "100c 0004'MQTT' 04 82 0000 0000", kBad, "mqtt.connect.user_name"},
        Broken{"UserNameNotUtf8_3_1_3_11", kFirst, "100f 0004'MQTT' 04 82 0000 0000 0001 80", kBad,
               "mqtt.connect.user_name"},
        Broken{"PasswordMissing_3_1_2_21", kFirst, "100e 0004'MQTT' 04 c2 0000 0000 0000", kBad,
               "mqtt.connect.password"},
        Broken{"UserNameNotAnnounced_3_1_2_18", kFirst, "100f 0004'MQTT' 04 02 0000 0000 0001'a'", kBad,
               "mqtt.connect.length"},
        Broken{"PasswordNotAnnounced_3_1_2_20", kFirst, "1011 0004'MQTT' 04 82 0000 0000 0001'u' 0000", kBad,
               "mqtt.connect.length"}),
    [](const auto& each) { return each.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Connack, MalformedPacket,
    testing::Values(Broken{"Empty", kClient, "2000", kBad, "mqtt.connack.flags"},
                    Broken{"CodeMissing", kClient, "2001 00", kBad, "mqtt.connack.code"},
                    Broken{"ReservedFlags_3_2_2", kClient, "2002 0200", kBad, "mqtt.connack.flags"},
                    Broken{"ReservedCode_3_2_2_3", kClient, "2002 0006", kBad, "mqtt.connack.code"},
                    Broken{"SessionPresentInRefusal_3_2_2_4", kClient, "2002 0105", kBad, "mqtt.connack.flags"},
                    Broken{"TooLong", kClient, "2003 000000", kBad, "mqtt.connack.length"}),
    [](const auto& each) { return each.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Publish, MalformedPacket,
    testing::Values(Broken{"Qos3_3_3_1_4", kServer, "3605 0001'a' 0001", kBad, "mqtt.publish.qos"},
                    Broken{"DupWithQos0_3_3_1_2", kServer, "3803 0001'a'", kBad, "mqtt.publish.dup"},
                    Broken{"TopicMissing", kServer, "3000", kBad, "mqtt.publish.topic"},
                    Broken{"TopicLongerThanPacket", kServer, "3003 0005'a'", kBad, "mqtt.publish.topic"},
                    Broken{"TopicEmpty_4_7_3_1", kServer, "3002 0000", kBad, "mqtt.publish.topic"},  // CVE-2021-34432
                    Broken{"TopicNotUtf8_3_3_2_1", kServer, "3003 0001 fe", kBad,
                           "mqtt.publish.topic"},  // CVE-2017-7653
                    Broken{"TopicOverlongUtf8_1_5_3_1", kServer, "3004 0002 c080", kBad, "mqtt.publish.topic"},
                    Broken{"TopicWithNul_1_5_3_2", kServer, "3003 0001 00", kBad, "mqtt.publish.topic"},
                    Broken{"TopicWithControlCharacter", kServer, "3003 0001 1f", kBad, "mqtt.publish.topic"},
                    Broken{"TopicWithC1ControlCharacter", kServer, "3004 0002 c285", kBad, "mqtt.publish.topic"},
                    Broken{"TopicWithHash_3_3_2_2", kServer, "3005 0003'a/#'", kBad, "mqtt.publish.topic"},
                    Broken{"TopicWithPlus_3_3_2_2", kServer, "3005 0003'+/a'", kBad, "mqtt.publish.topic"},
                    Broken{"PacketIdMissing_2_3_1_1", kServer, "3203 0001'a'", kBad, "mqtt.publish.packet_id"},
                    Broken{"PacketId0_2_3_1_1", kServer, "3205 0001'a' 0000", kBad, "mqtt.publish.packet_id"},
                    Broken{"PacketId0WithQos2_2_3_1_1", kServer, "3405 0001'a' 0000", kBad, "mqtt.publish.packet_id"}),
    [](const auto& each) { return each.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Subscriptions, MalformedPacket,
    testing::Values(
        Broken{"SubscribeId0_2_3_1_1", kServer, "8206 0000 0001'a'00", kBad, "mqtt.subscribe.packet_id"},
        Broken{"SubscribeWithoutId", kServer, "8200", kBad, "mqtt.subscribe.packet_id"},
        Broken{"SubscribeWithoutFilters_3_8_3_3", kServer, "8202 0001", kBad, "mqtt.subscribe.filters"},
        Broken{"SubscribeFilterEmpty_4_7_3_1", kServer, "8205 0001 0000 00", kBad, "mqtt.subscribe.filter"},
        Broken{"SubscribeFilterNotUtf8_3_8_3_1", kServer, "8206 0001 0001 ff 00", kBad, "mqtt.subscribe.filter"},
        Broken{"SubscribeFilterWithNul_1_5_3_2", kServer, "8206 0001 0001 00 00", kBad, "mqtt.subscribe.filter"},
        Broken{"SubscribeHashInTheMiddle_4_7_1_2", kServer, "8208 0001 0003'#/a'00", kBad, "mqtt.subscribe.filter"},
        Broken{"SubscribeHashInALevel_4_7_1_2", kServer, "8207 0001 0002'a#'00", kBad, "mqtt.subscribe.filter"},
        Broken{"SubscribePlusInALevel_4_7_1_3", kServer, "8207 0001 0002'a+'00", kBad, "mqtt.subscribe.filter"},
        Broken{"SubscribeWithoutQos", kServer, "8205 0001 0001'a'", kBad, "mqtt.subscribe.qos"},
        Broken{"SubscribeQos3_3_8_3_4", kServer, "8206 0001 0001'a'03", kBad, "mqtt.subscribe.qos"},
        Broken{"SubscribeReservedQosBits_3_8_3_4", kServer, "8206 0001 0001'a'04", kBad, "mqtt.subscribe.qos"},
        Broken{"SubscribeSecondFilterCut", kServer, "8208 0001 0001'a'00 0001", kBad, "mqtt.subscribe.filter"},
        Broken{"SubscribeFilterCountIsBounded", kServer,
               "8246 0001 0001'a'00 0001'a'00 0001'a'00 0001'a'00 0001'a'00 0001'a'00 0001'a'00 0001'a'00 0001'a'00 "
               "0001'a'00 0001'a'00 0001'a'00 0001'a'00 0001'a'00 0001'a'00 0001'a'00 0001'a'00",
               kOver, "mqtt.subscribe.filters"},
        Broken{"UnsubscribeId0_2_3_1_1", kServer, "a205 0000 0001'a'", kBad, "mqtt.unsubscribe.packet_id"},
        Broken{"UnsubscribeWithoutFilters_3_10_3_2", kServer, "a202 0001", kBad, "mqtt.unsubscribe.filters"},
        Broken{"UnsubscribeFilterEmpty_4_7_3_1", kServer, "a204 0001 0000", kBad, "mqtt.unsubscribe.filter"},
        Broken{"UnsubscribeFilterNotUtf8_3_10_3_1", kServer, "a205 0001 0001 f8", kBad, "mqtt.unsubscribe.filter"},
        Broken{"SubackId0_2_3_1_1", kClient, "9003 0000 00", kBad, "mqtt.suback.packet_id"},
        Broken{"SubackWithoutCodes", kClient, "9002 0001", kBad, "mqtt.suback.codes"},  // CVE-2024-10525
        Broken{"SubackReservedCode_3_9_3_2", kClient, "9003 0001 03", kBad, "mqtt.suback.code"},
        Broken{"SubackCodeCountIsBounded", kClient, "9013 0001 0000000000000000000000000000000000", kOver,
               "mqtt.suback.codes"},
        Broken{"UnsubackId0_2_3_1_1", kClient, "b002 0000", kBad, "mqtt.unsuback.packet_id"}),
    [](const auto& each) { return each.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Lengths, MalformedPacket,
    testing::Values(Broken{"PubackEmpty", kServer, "4000", kBad, "mqtt.puback.packet_id"},
                    Broken{"PubackId0", kServer, "4002 0000", kBad, "mqtt.puback.packet_id"},
                    Broken{"PubackTooLong", kServer, "4003 0001 00", kBad, "mqtt.puback.packet_id"},
                    Broken{"PubrecTooShort", kServer, "5001 00", kBad, "mqtt.pubrec.packet_id"},
                    Broken{"PubrelTooLong", kServer, "6203 0001 00", kBad, "mqtt.pubrel.packet_id"},
                    Broken{"PubcompId0", kServer, "7002 0000", kBad, "mqtt.pubcomp.packet_id"},
                    Broken{"PingreqWithContent", kServer, "c001 00", kBad, "mqtt.pingreq.length"},
                    Broken{"PingrespWithContent", kClient, "d001 00", kBad, "mqtt.pingresp.length"},
                    Broken{"DisconnectWithContent", kServer, "e001 00", kBad, "mqtt.disconnect.length"}),
    [](const auto& each) { return each.param.name; });

Connect full_connect() {
  static const auto kPassword = hex("0001ff");
  static const auto kWill = hex("00");
  return {
      .client_id = "dev1/modul\xc3\xa4",
      .clean_session = false,
      .keep_alive_s = 180,
      .will =
          Will{.topic = "devices/dev1/messages/events/", .payload = {kWill}, .qos = QoS::at_least_once, .retain = true},
      .user_name = "hub/dev1/?api-version=2021-04-12",
      .password = Payload{kPassword}};
}

std::vector<std::pair<Role, Packet>> one_of_each() {
  static const auto kBody = hex("00 01 02 ff");
  return {
      {Role::server_first, full_connect()},
      {Role::server_first, Connect{.client_id = ""}},
      {Role::client, Connack{.session_present = true}},
      {Role::client, Connack{.code = ConnectCode::not_authorized}},
      {Role::server, Publish{.topic = "a", .payload = {}}},
      {Role::server,
       Publish{.topic = "a/b", .payload = {kBody}, .qos = QoS::at_least_once, .dup = true, .packet_id = 65535}},
      {Role::client,
       Publish{.topic = "a", .payload = {kBody}, .qos = QoS::exactly_once, .retain = true, .packet_id = 1}},
      {Role::server, Puback{1}},
      {Role::client, Pubrec{2}},
      {Role::server, Pubrel{3}},
      {Role::client, Pubcomp{4}},
      {Role::server, Subscribe{5, {{"a/#", QoS::at_least_once}, {"+/b", QoS::exactly_once}}}},
      {Role::client, Suback{5, {SubackCode::at_least_once, SubackCode::failure}}},
      {Role::server, Unsubscribe{6, {"a/#", "+"}}},
      {Role::client, Unsuback{6}},
      {Role::server, Pingreq{}},
      {Role::client, Pingresp{}},
      {Role::server, Disconnect{}},
  };
}

TEST(MqttCodec, DecodesWhatItEncoded) {
  for (const auto& [role, packet] : one_of_each()) {
    const auto bytes = encoded(packet);
    const auto decoded = decode_all(bytes, role);
    ASSERT_TRUE(decoded.has_value()) << packet.index();
    ASSERT_TRUE(decoded->has_value()) << packet.index();
    EXPECT_TRUE(**decoded == packet) << packet.index();
  }
}

TEST(MqttCodec, AsksForMoreAtEveryTruncation) {
  for (const auto& [role, packet] : one_of_each()) {
    const auto bytes = encoded(packet);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
      Cursor in{Bytes(bytes).first(n)};
      const auto result = decode(in, {}, role);
      ASSERT_TRUE(result.has_value()) << packet.index() << " at " << n;
      EXPECT_FALSE(result->has_value());
      EXPECT_EQ(in.offset(), 0u);
    }
  }
}

TEST(MqttCodec, StandsBehindThePacketAfterReadingIt) {
  auto bytes = encoded(Pingreq{});
  append(bytes, encoded(Puback{7}));
  Cursor in{Bytes(bytes)};
  EXPECT_TRUE(**decode(in, {}, Role::server) == Packet(Pingreq{}));
  EXPECT_TRUE(**decode(in, {}, Role::server) == Packet(Puback{7}));
  EXPECT_TRUE(in.empty());
}

TEST(MqttCodec, TellsAPacketsLengthBeforeItsBodyIsThere) {
  const auto bytes = hex("32 80 80 01");  // the smallest length of three bytes
  Cursor in{Bytes(bytes)};
  const auto frame = decode_frame(in, {}, Role::server);
  ASSERT_TRUE(frame.has_value() && frame->has_value());
  EXPECT_EQ((*frame)->size(), 4u + 16384u);
  EXPECT_EQ(in.remaining(), 0u);
}

TEST(MqttCodec, RemainingLengthBoundariesOfTheStandard) {  // table 2.4
  Limits wide;
  wide.packet_bytes_max = std::size_t{kRemainingLengthMax} + 5;
  for (const auto& [text, length] : std::vector<std::pair<const char*, std::size_t>>{{"3000", 0},
                                                                                     {"307f", 127},
                                                                                     {"308001", 128},
                                                                                     {"30ff7f", 16383},
                                                                                     {"30808001", 16384},
                                                                                     {"30ffff7f", 2097151},
                                                                                     {"3080808001", 2097152},
                                                                                     {"30ffffff7f", 268435455}}) {
    const auto bytes = hex(text);
    Cursor in{Bytes(bytes)};
    EXPECT_EQ((*decode_frame(in, wide, Role::server))->remaining_bytes, length);
  }
}

TEST(MqttCodec, SizeLimitsHoldOnBothSidesOfTheEdge) {
  Limits limits;
  limits.packet_bytes_max = 2 + 100;
  const auto at = hex("30 64");
  const auto over = hex("30 65");
  Cursor fits{Bytes(at)};
  Cursor exceeds{Bytes(over)};
  EXPECT_TRUE(decode_frame(fits, limits, Role::server).has_value());
  EXPECT_EQ(decode_frame(exceeds, limits, Role::server).error().where, "mqtt.frame.size");
}

TEST(MqttCodec, ConnectOfAnotherLevelIsReportedNotParsed) {
  const auto v5 = hex("1010 0004'MQTT' 05 02 003c 05 1100000e10 00 00");
  EXPECT_TRUE(**decode_all(Bytes(v5).first(18), Role::server_first) == Packet(ConnectOtherLevel{5}));
  const auto v3 = hex("100c 0004'MQTT' 03 02 0000 0000");
  EXPECT_TRUE(**decode_all(v3, Role::server_first) == Packet(ConnectOtherLevel{3}));
}

TEST(MqttCodec, AnswersVersion5InItsOwnWords) {
  Buffer out;
  encode_connack_v5_unsupported_version(out);
  EXPECT_EQ(to_hex(out), "2003008400");
}

TEST(MqttCodec, ByteOrderMarkIsKept_1_5_3_3) {
  const auto bytes = hex("3006 0004 efbbbf'a'");
  EXPECT_EQ(std::get<Publish>(**decode_all(bytes, Role::server)).topic,
            "\xef\xbb\xbf"
            "a");
}

TEST(MqttCodec, DeviceIdsWithWildcardCharactersPassOnRequest) {
  Limits limits;
  limits.literal_wildcards = true;
  const auto bytes = hex("3010 000e'devices/a+#b/m'");
  EXPECT_FALSE(decode_all(bytes, Role::server).has_value());
  EXPECT_EQ(std::get<Publish>(**decode_all(bytes, Role::server, limits)).topic, "devices/a+#b/m");
}

TEST(MqttEncoder, RefusesWhatAPeerWouldRefuse) {
  const auto where = [](const Packet& packet) {
    Buffer out = hex("aa");
    const auto result = encode(packet, out);
    EXPECT_EQ(out.size(), 1u) << "a refused packet leaves nothing behind";
    return result ? std::string_view("accepted") : result.error().where;
  };
  const std::string long_text(kFieldBytesMax + 1, 'a');
  EXPECT_EQ(where(Connect{.client_id = "a", .password = Payload{}}), "mqtt.connect.password_flag");
  EXPECT_EQ(where(Connect{.client_id = long_text}), "mqtt.connect.client_id");
  EXPECT_EQ(where(Connect{.client_id = "a", .user_name = "\xff"}), "mqtt.connect.user_name");
  EXPECT_EQ(where(Connect{.client_id = "a", .will = Will{.topic = "#"}}), "mqtt.connect.will_topic");
  EXPECT_EQ(where(Connack{.session_present = true, .code = ConnectCode::not_authorized}), "mqtt.connack.flags");
  EXPECT_EQ(where(Publish{.topic = ""}), "mqtt.publish.topic");
  EXPECT_EQ(where(Publish{.topic = "a/+"}), "mqtt.publish.topic");
  EXPECT_EQ(where(Publish{.topic = long_text}), "mqtt.publish.topic");
  EXPECT_EQ(where(Publish{.topic = "a", .qos = QoS::at_least_once}), "mqtt.publish.packet_id");
  EXPECT_EQ(where(Publish{.topic = "a", .packet_id = 1}), "mqtt.publish.packet_id");
  EXPECT_EQ(where(Publish{.topic = "a", .dup = true}), "mqtt.publish.dup");
  EXPECT_EQ(where(Puback{0}), "mqtt.acknowledgement.packet_id");
  EXPECT_EQ(where(Subscribe{1, {}}), "mqtt.subscribe.filters");
  EXPECT_EQ(where(Subscribe{1, {{"a#", {}}}}), "mqtt.subscribe.filter");
  EXPECT_EQ(where(Suback{1, {}}), "mqtt.suback.codes");
  EXPECT_EQ(where(Unsubscribe{1, {}}), "mqtt.unsubscribe.filters");
}

TEST(MqttInbox, GivesTheSamePacketsForEveryCut) {
  Buffer stream;
  append(stream,
         encoded(Publish{.topic = "a/b", .payload = {as_bytes("hello")}, .qos = QoS::at_least_once, .packet_id = 9}));
  append(stream, encoded(Pingreq{}));
  append(stream, encoded(Puback{3}));
  for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
    Inbox inbox;
    std::vector<std::size_t> kinds;
    for (const Bytes part : {Bytes(stream).first(cut), Bytes(stream).subspan(cut)}) {
      inbox.append(part);
      for (auto next = inbox.next({}, Role::server).value(); next; next = inbox.next({}, Role::server).value()) {
        kinds.push_back(next->index());
      }
    }
    EXPECT_THAT(kinds, testing::ElementsAre(3, 12, 4)) << cut;
    EXPECT_EQ(inbox.pending_bytes(), 0u);
  }
}

TEST(MqttInbox, MemoryFollowsReceivedBytesNotTheAnnouncedLength) {
  Inbox inbox;
  inbox.append(hex("32 80 80 10"));  // announces 256 KiB
  EXPECT_FALSE(inbox.next({}, Role::server).value().has_value());
  EXPECT_LE(inbox.capacity_bytes(), 64u);
}

TEST(MqttInbox, GivesLargeMemoryBackWhenIdle) {
  const Buffer body(100'000);
  Inbox inbox;
  inbox.append(encoded(Publish{.topic = "a", .payload = {body}}));
  EXPECT_TRUE(inbox.next({}, Role::server).value().has_value());
  inbox.append(encoded(Pingreq{}));
  EXPECT_LE(inbox.capacity_bytes(), Inbox::kIdleBytes);
}

}  // namespace
}  // namespace picket::mqtt
