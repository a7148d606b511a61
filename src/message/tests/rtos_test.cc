#include "support.h"

namespace picket::message {
namespace {

using ::testing::HasSubstr;

constexpr ContentInfo kRtos{.mti = "2.3-1-0-0"};

// Lines of "offset  hex  # remark".
Buffer by_hand() {
  std::string digits;
  const std::string text = data_file("rtos_by_hand.hex");
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    line = line.substr(0, line.find('#'));
    for (const char c : line.size() > 3 ? line.substr(3) : std::string{}) {
      if (c != ' ') digits.push_back(c);
    }
    at = end + 1;
  }
  return from_hex(digits).value();
}

TEST(RtosMessage, WrittenByHandIsRead) {
  const Buffer bytes = by_hand();
  const auto message = Decoder().decode(bytes, kRtos);
  ASSERT_TRUE(message.has_value()) << describe(message.error());
  EXPECT_EQ(message->encoding, Encoding::flatbuffers);
  EXPECT_EQ(message->schema_version, "2.3");
  EXPECT_EQ(message->agent_version, "4.6.2");
  EXPECT_EQ(message->agent_id, "defender-iot-micro-agent");
  ASSERT_EQ(message->events.size(), 2u);
  EXPECT_EQ(message->events[0].kind, EventKind::Heartbeat);
  EXPECT_TRUE(message->events[0].is_empty);
  EXPECT_EQ(message->events[0].id, "00010203-0405-4607-8809-0a0b0c0d0e0f");
  EXPECT_EQ(message->events[0].timestamp_utc, (Timestamp{0x6553f100LL * 1'000'000}));

  const Event& connection = message->events[1];
  EXPECT_EQ(connection.name, "ConnectionCreate");
  EXPECT_EQ(
      connection.items.at(0).details,
      R"({"LocalAddress":"192.168.1.10","RemoteAddress":"203.0.113.7","LocalPort":"53248","RemotePort":"443","BytesIn":1500,"BytesOut":300,)"
      R"("Protocol":"tcp","ProcessId":77,"UserId":"0","Executable":"/bin/app","CommandLine":"/bin/app -v",)"
      R"("ExtraDetails":{"CollectionIntervalSeconds":"300"},)"
      R"("TimestampLocal":"2023-11-14T22:13:21.000000Z","EventId":"10111213-1415-4617-9819-1a1b1c1d1e1f"})");
}

TEST(RtosMessage, OfFlatcBecomesOurEventsAndKeys) {
  const auto bytes = read_file(PICKET_FLATC_VECTOR, 1 << 20);
  ASSERT_TRUE(bytes.has_value());
  const auto message = decode(*bytes, kRtos);
  ASSERT_TRUE(message.has_value()) << describe(message.error());
  std::vector<std::string> names;
  for (const Event& event : message->events) names.emplace_back(event.name);
  EXPECT_THAT(names, ::testing::ElementsAre("ConnectionCreate", "SystemInformation", "ListeningPorts", "Heartbeat",
                                            "Baseline", "ProcessCreate", "ProcessTerminate", "Log"));
  EXPECT_TRUE(message->rejected.empty());
  EXPECT_EQ(message->unknown_enum_values, 0u);

  const auto& connections = message->events[0].items;
  ASSERT_EQ(connections.size(), 2u);
  EXPECT_THAT(connections[0], HoldsExactly(Field::RemoteAddress, std::string_view("198.51.100.9")));
  EXPECT_THAT(connections[0], HoldsExactly(Field::Protocol, std::string_view("udp")));
  EXPECT_THAT(connections[1], HoldsExactly(Field::LocalAddress, std::string_view("fe80::1")));
  EXPECT_THAT(connections[1], HoldsExactly(Field::RemoteAddress, std::string_view("2001:db8::2")));
  EXPECT_THAT(message->events[1].items[0], HoldsExactly(Field::OSName, std::string_view("ThreadX")));
  EXPECT_THAT(message->events[2].items.at(1), HoldsExactly(Field::LocalAddress, std::string_view("::1")));
  EXPECT_THAT(message->events[2].items.at(1), HoldsExactly(Field::LocalPort, std::string_view("5353")));
  EXPECT_THAT(message->events[4].items.at(0), HoldsExactly(Field::BaselineCheckResult, std::string_view("FAIL")));
  EXPECT_THAT(message->events[4].items.at(1), HoldsExactly(Field::BaselineCheckResult, std::string_view("ERROR")));
  EXPECT_THAT(message->events[5].items.at(0), HoldsExactly(Field::HitCount, std::int64_t{3}));
  EXPECT_THAT(message->events[5].items.at(0), HoldsExactly(Field::ProcessId, std::int64_t{70000}));
  EXPECT_THAT(message->events[6].items.at(0), HoldsExactly(Field::HitCount, std::int64_t{1}))
      << "the default of the schema";
  EXPECT_THAT(message->events[7].items.at(0), HoldsExactly(Field::Level, std::string_view("Warning")));
}

TEST(RtosMessage, KeepsUnknownEnumValuesAsNumbers) {
  Buffer bytes = by_hand();
  bytes[0x114] = std::byte{9};
  const auto message = Decoder().decode(bytes, kRtos);
  ASSERT_TRUE(message.has_value());
  EXPECT_THAT(std::string(message->events[1].items[0].details), HasSubstr(R"("Protocol":9,)"));
  EXPECT_EQ(message->unknown_enum_values, 1u);
}

TEST(RtosMessage, RejectsAnUnknownPayloadTypeAlone) {
  Buffer bytes = by_hand();
  bytes[0x80] = std::byte{8};
  const auto message = Decoder().decode(bytes, kRtos);
  ASSERT_TRUE(message.has_value());
  ASSERT_EQ(message->rejected.size(), 1u);
  EXPECT_EQ(message->rejected[0].index, 0u);
  EXPECT_EQ(message->rejected[0].error.where, "message.event.payload");
  ASSERT_EQ(message->events.size(), 1u);
  EXPECT_EQ(message->event_index[0], 1u);
}

TEST(RtosMessage, CutAnywhereIsBrokenAsAWholeOrReadsTheSame) {
  const Buffer whole = by_hand();
  for (std::size_t size = 0; size + 1 < whole.size();
       ++size) {  // the last byte is the NUL of a string, which no length counts
    const auto message = Decoder().decode(Bytes(whole).first(size), kRtos);
    EXPECT_FALSE(message.has_value()) << size << " bytes";
  }
}

TEST(RtosMessage, EveryChangedByteEndsInAValueOrAnError) {
  const Buffer whole = by_hand();
  Decoder decoder;
  std::size_t broken = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (const int value : {0x00, 0x01, 0x7f, 0x80, 0xff}) {
      Buffer bytes = whole;
      bytes[at] = static_cast<std::byte>(value);
      broken += !decoder.decode(bytes, kRtos).has_value();
    }
  }
  EXPECT_GT(broken, 100u);
}

}  // namespace
}  // namespace picket::message
