#include <array>

#include "message/event_table.h"
#include "message/events.h"
#include "message/message_builder.h"
#include "message/visit_all_events.h"
#include "support.h"

namespace picket::message {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kId = "0b5e2a52-0f6e-4a2e-9d3e-0d9d5b8f3a10";
const Timestamp kTime = parse_rfc3339("2026-11-21T09:30:00.123456Z").value();
const Envelope kEnvelope{.agent_version = "0.1.0",
                         .agent_id = kId,
                         .sent = kTime,
                         .boot_id = "b",
                         .monotonic_ms = 5,
                         .stream_epoch = "s",
                         .sequence = 9};

TEST(EncodeEvent, WritesLocalTimeWithOffsetOnBothSidesOfUtc) {
  EXPECT_THAT(encode_event({kId, kTime, 150}, Heartbeat{}),
              HasSubstr(R"("TimestampLocal":"2026-11-21T12:00:00.123456+02:30")"));
  EXPECT_THAT(encode_event({kId, kTime, -5}, Heartbeat{}),
              HasSubstr(R"("TimestampLocal":"2026-11-21T09:25:00.123456-00:05")"));
}

TEST(EncodeEvent, LeavesAbsentKeysOutAndKeepsRequiredOnes) {
  EXPECT_THAT(
      encode_event({kId, kTime}, ProcessCreate{.executable = "/bin/sh", .process_id = 7}),
      HasSubstr(
          R"("Payload":[{"Executable":"/bin/sh","ProcessId":7,"ParentProcessId":0,"UserId":"","CommandLine":""}])"));
}

TEST(EncodeEvent, MarksAnEventWithoutItemsAsEmpty) {
  const std::span<const ListeningPorts> none;
  EXPECT_THAT(encode_event({kId, kTime}, none),
              HasSubstr(R"("IsEmpty":true,"PayloadSchemaVersion":"3.0","Payload":[])"));
}

TEST(EncodeEvent, KeepsTheOutputValidWhateverTheTextsHold) {
  const auto event = encode_event(
      {kId, kTime}, ProcessCreate{.executable = "\xff\"\\\n\x01", .command_line = std::string_view("\0x", 2)});
  EXPECT_TRUE(decode(message_with("[" + event + "]")).has_value());
}

TEST(MessageBuilder, RefusesTheEventThatWouldExceedTheSize) {
  const std::string event = encode_event({kId, kTime}, Heartbeat{});
  MessageBuilder builder(kMessageBytesMin);
  std::size_t added = 0;
  while (builder.add(event)) ++added;
  EXPECT_GT(added, 10u);
  const std::string message = builder.finish(kEnvelope);
  EXPECT_LE(message.size(), kMessageBytesMin);
  EXPECT_GT(message.size() + event.size() + 1024, kMessageBytesMin);
  EXPECT_TRUE(builder.empty());
}

TEST(MessageBuilder, SaysThatAnEventAloneIsTooLarge) {
  MessageBuilder builder(kMessageBytesMin);
  EXPECT_FALSE(builder.add(std::string(kMessageBytesMin, 'x')));
  EXPECT_TRUE(builder.empty());
}

TEST(MessageRoundTrip, EveryEventComesBackUnderItsKindWithEveryColumnExact) {
  visit_all_events([](const auto& item) {
    using Payload = std::decay_t<decltype(item)>;
    MessageBuilder builder;
    ASSERT_TRUE(builder.add(encode_event({kId, kTime}, item)));
    const auto message = decode(builder.finish(kEnvelope));
    ASSERT_TRUE(message.has_value()) << Payload::kEvent.name;
    ASSERT_EQ(message->events.size(), 1u);
    const Event& event = message->events[0];
    EXPECT_EQ(info(event.kind).name, Payload::kEvent.name);
    EXPECT_EQ(event.category, Payload::kEvent.category);
    EXPECT_EQ(event.type, Payload::kEvent.type);
    EXPECT_EQ(event.items[0].inexact, 0u);
    for (const FieldValue& field : event.items[0].fields) EXPECT_TRUE(field.exact);
  });
}

TEST(MessageRoundTrip, CarriesEnvelopeAndAggregatedConnection) {
  const std::array<std::uint32_t, 3> gaps{1000, 1100, 2000};
  const ConnectionCreate connection{.remote_address = "198.51.100.7",
                                    .remote_port = "443",
                                    .direction = Direction::Out,
                                    .protocol = "tcp",
                                    .process_id = 42,
                                    .executable = "/usr/bin/curl",
                                    .fail_count = 2,
                                    .bytes_out = 900,
                                    .gaps_ms = gaps,
                                    .hit_count = 4,
                                    .start_time_utc = kTime};
  MessageBuilder builder;
  ASSERT_TRUE(builder.add(encode_event({kId, kTime}, connection)));
  const auto message = decode(builder.finish(kEnvelope));
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->schema_version, "3.0");
  EXPECT_EQ(message->agent_version, "0.1.0");
  EXPECT_EQ(message->sent_utc, kTime);
  EXPECT_EQ(message->boot_id, "b");
  EXPECT_EQ(message->monotonic_ms, 5);
  EXPECT_EQ(message->stream_epoch, "s");
  EXPECT_EQ(message->sequence, 9u);
  const Item& item = message->events.at(0).items.at(0);
  EXPECT_THAT(item, HoldsExactly(Field::RemotePort, std::string_view("443")));
  EXPECT_THAT(item, HoldsExactly(Field::Direction, std::string_view("Out")));
  EXPECT_THAT(item, HoldsExactly(Field::HitCount, std::int64_t{4}));
  EXPECT_THAT(item, HoldsExactly(Field::StartTimeUtc, kTime));
  EXPECT_THAT(std::string(item.details), HasSubstr(R"("GapsMs":[1000,1100,2000])"));
}

TEST(EventTable, NamesLeadToKindsAndBack) {
  for (const EventInfo& event : all_events()) {
    if (event.kind != EventKind::Unknown) EXPECT_EQ(find_event(event.name), event.kind);
    for (const KeyInfo& key : event.keys) {
      if (!key.field) continue;
      EXPECT_EQ(info(*key.field).name, key.name);
      EXPECT_TRUE(column_of(event.table, *key.field).has_value()) << event.name << "." << key.name;
    }
  }
  EXPECT_EQ(find_event("processcreate"), EventKind::Unknown);
}

TEST(EventTable, SigmaFieldsOfProcessCreationAreThere) {
  for (const auto* name :
       {"CommandLine", "Image", "ParentImage", "ParentCommandLine", "User", "CurrentDirectory", "LogonId"}) {
    EXPECT_NE(find_sigma(EventKind::ProcessCreate, name), nullptr) << name;
  }
  for (const auto* name : {"DestinationHostname", "DestinationIp", "DestinationPort", "Initiated", "Image"}) {
    EXPECT_NE(find_sigma(EventKind::ConnectionCreate, name), nullptr) << name;
  }
  EXPECT_EQ(find_sigma(EventKind::FileSystem, "targetfilename")->name, "Path");
}

}  // namespace
}  // namespace picket::message
