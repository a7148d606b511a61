#include "support.h"

namespace picket::message {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST(ClassicMessage, IsReadWithAllItsDefects) {
  const auto message = decode(data_file("classic.json"));
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->schema_version, "1.0");
  EXPECT_FALSE(message->sequence.has_value());
  ASSERT_EQ(message->events.size(), 4u);

  const Event& process = message->events[0];  // a space instead of T, no UserId
  EXPECT_EQ(process.kind, EventKind::ProcessCreate);
  EXPECT_EQ(format_rfc3339(process.timestamp_utc), "2019-01-27T13:48:52.000000Z");
  EXPECT_EQ(
      process.items[0].details,
      R"({"Executable":"/usr/bin/myApp","ProcessId":11750,"ParentProcessId":1593,"UserName":"aUser","CommandLine":"myApp -a -b",)"
      R"("TimestampLocal":"2019-01-27 15:48:52","EventId":"21a2db0b-44fe-42e9-9cff-bbb2d8fdf874"})");
  EXPECT_EQ(find(process.items[0], Field::UserId), nullptr);

  const Event& connection = message->events[1];  // Aggregated, and IsEmpty although there is an item
  EXPECT_EQ(connection.category, Category::Triggered);
  EXPECT_TRUE(connection.aggregated);
  EXPECT_FALSE(connection.is_empty);
  EXPECT_THAT(connection.items[0], HoldsRoughly(Field::HitCount, std::int64_t{17}));
  EXPECT_THAT(connection.items[0], HoldsExactly(Field::RemoteAddress, std::string_view("?")));
  EXPECT_EQ(connection.items[0].inexact, 0u) << "the key HitCount itself is absent, so a null column is right";

  const Event& baseline = message->events[2];
  EXPECT_THAT(std::string(baseline.items[0].details), HasSubstr(R"("Result":"FAIL")"));
  EXPECT_THAT(std::string(baseline.items[1].details), HasSubstr(R"("Result":"ERROR","Error":"no file")"));
  EXPECT_THAT(baseline.items[1], HoldsExactly(Field::Result, std::string_view("ERROR")));

  const Event& ports = message->events[3];
  EXPECT_TRUE(ports.is_empty);
  ASSERT_EQ(ports.items.size(), 1u);
  EXPECT_EQ(ports.items[0].details,
            R"({"TimestampLocal":"2019-01-27T15:48:52+02:00","EventId":"21a2db0b-44fe-42e9-9cff-bbb2d8fdf877"})");
}

TEST(ClassicMessage, KeepsTheValidEventsOfAMixedMessage) {
  const auto message = decode(data_file("classic.json"));
  ASSERT_EQ(message->rejected.size(), 1u);
  EXPECT_EQ(message->rejected[0].index, 4u);
  EXPECT_EQ(message->rejected[0].error.where, "message.event.id");
  EXPECT_EQ(data_file("classic.json").at(message->rejected[0].error.offset), '{');
}

TEST(Message, AcceptsMinorVersionsAndUnknownMembers) {
  const auto event = event_with("Heartbeat", "[]");
  EXPECT_TRUE(
      decode(R"({"New":{"a":[1]},"MessageSchemaVersion":"3.17","Events":[)" + event + R"(],"Later":1})").has_value());
}

TEST(Message, RefusesOtherSchemaVersionsByName) {
  for (const auto* version : {"\"2.0\"", "\"4.0\"", "\"3\"", "\"3.\"", "\"3.x\"", "\"1.1\"", "3.0", "null"}) {
    const auto message = decode(std::string(R"({"MessageSchemaVersion":)") + version + R"(,"Events":[]})");
    ASSERT_FALSE(message.has_value()) << version;
    EXPECT_EQ(message.error().where, "message.schema_version") << version;
  }
  EXPECT_THAT(decode("{}"), FailsWith(Errc::unsupported, "message.schema_version"));
}

TEST(Message, NamesTheFirstWrongByte) {
  const auto message = decode(R"({"MessageSchemaVersion":"3.0","Events":[}]})");
  ASSERT_THAT(message, FailsWith(Errc::malformed, "message.json"));
  EXPECT_EQ(message.error().offset, 40u);
  EXPECT_EQ(decode("").error().offset, 0u);
  EXPECT_EQ(decode("\xEF\xBB\xBF{").error().offset, 4u) << "offsets count the byte order mark";
}

TEST(Message, NeedsAListOfEvents) {
  EXPECT_THAT(decode(message_with("[]")), FailsWith(Errc::malformed, "message.events"));
  EXPECT_THAT(decode(message_with("{}")), FailsWith(Errc::malformed, "message.events"));
  EXPECT_THAT(decode(R"({"MessageSchemaVersion":"3.0"})"), FailsWith(Errc::malformed, "message.events"));
  EXPECT_THAT(decode("[1]"), FailsWith(Errc::malformed, "message.json.root"));
}

TEST(Message, RefusesAStreamWithoutSequence) {
  const auto events = "[" + event_with("Heartbeat", "[]") + "]";
  EXPECT_THAT(decode(message_with(events, R"("StreamEpoch":"e",)")), FailsWith(Errc::malformed, "message.stream"));
  EXPECT_THAT(decode(message_with(events, R"("StreamEpoch":"e","Sequence":0,)")),
              FailsWith(Errc::malformed, "message.stream"));
  EXPECT_EQ(decode(message_with(events, R"("StreamEpoch":"e","Sequence":18446744073709551615,)"))->sequence,
            18446744073709551615u);
}

TEST(Message, ReadsMembersInAnyOrderAndEscapedNames) {
  const auto message = decode(
      R"({"\u0045vents" : [ {"Payload":[{"UserName":"\u0061"}],"Name":"Login","Id":"i","TimestampUTC":"2026-01-01T00:00:00Z"} ],
                                  "MessageSchemaVersion":"3.0"})");
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->events.at(0).items.at(0).details,
            R"({"UserName":"\u0061","TimestampLocal":"2026-01-01T00:00:00.000000Z","EventId":"i"})");
  EXPECT_THAT(message->events[0].items[0], HoldsExactly(Field::UserName, std::string_view("a")));
}

TEST(Event, WithoutUsableTimeNameOrPayloadIsRejectedAlone) {
  const auto reason = [](std::string_view event) {
    const auto message = decode(message_with("[" + std::string(event) + "," + event_with("Heartbeat", "[]") + "]"));
    EXPECT_EQ(message->events.size(), 1u) << event;
    EXPECT_EQ(message->event_index.at(0), 1u);
    return message->rejected.at(0).error.where;
  };
  EXPECT_EQ(reason("7"), "message.event");
  EXPECT_EQ(reason(R"({"Id":"i","TimestampUTC":"2026-01-01T00:00:00Z","Payload":[]})"), "message.event.name");
  EXPECT_EQ(reason(R"({"Id":"i","Name":"Login","TimestampUTC":"yesterday","Payload":[]})"), "message.event.time");
  EXPECT_EQ(reason(R"({"Id":"i","Name":"Login","TimestampLocal":"2026-01-01T00:00:00","Payload":[]})"),
            "message.event.time");
  EXPECT_EQ(reason(R"({"Id":"i","Name":"Login","TimestampUTC":"2026-01-01T00:00:00Z"})"), "message.event.payload");
  EXPECT_EQ(reason(R"({"Id":"i","Name":"Login","TimestampUTC":"2026-01-01T00:00:00Z","Payload":[{},3]})"),
            "message.event.payload");
  EXPECT_EQ(reason(R"({"Id":")" + std::string(kIdBytesMax + 1, 'x') +
                   R"(","Name":"Login","TimestampUTC":"2026-01-01T00:00:00Z","Payload":[]})"),
            "message.event.id");
}

TEST(Event, OfUnknownNameIsARawEvent) {
  std::optional<SecurityMessage> message;
  const Item& item = item_of(message, "com.example.Custom", R"({"UserName":"u","Deep":{"a":[1,{"b":null}]}})");
  EXPECT_EQ(message->events[0].kind, EventKind::Unknown);
  EXPECT_EQ(message->events[0].name, "com.example.Custom");
  EXPECT_EQ(info(message->events[0].kind).table, Table::DeviceEvents);
  EXPECT_THAT(std::string(item.details), StartsWith(R"({"UserName":"u","Deep":{"a":[1,{"b":null}]},)"));
}

TEST(Details, LeaveNumbersAndStringsAsTheyWereWritten) {
  std::optional<SecurityMessage> message;
  const Item& item = item_of(message, "Custom",
                             R"({ "a" : 1.50, "b" : 1E+2 , "c" : -0, "d" : "x \/ y" , "e" : 18446744073709551615 })");
  EXPECT_THAT(std::string(item.details),
              StartsWith(R"({"a":1.50,"b":1E+2,"c":-0,"d":"x \/ y","e":18446744073709551615,)"));
}

TEST(Details, KeepNumbersThatNoMachineTypeHolds) {
  std::optional<SecurityMessage> message;
  const Item& item =
      item_of(message, "ProcessCreate",
              R"({"ProcessId":123456789012345678901234567890,"x":1e999,"y":2.5,"UserId":98765432109876543210987})");
  EXPECT_THAT(std::string(item.details),
              StartsWith(R"({"ProcessId":123456789012345678901234567890,"x":1e999,"y":2.5,)"));
  EXPECT_EQ(find(item, Field::ProcessId), nullptr);
  EXPECT_TRUE(is_inexact(item, Table::ProcessEvents, Field::ProcessId));
  EXPECT_THAT(item, HoldsRoughly(Field::UserId, std::string_view("98765432109876543210987")));
}

TEST(Details, KeepThePayloadsOwnTimeAndId) {
  std::optional<SecurityMessage> message;
  EXPECT_EQ(item_of(message, "Custom", R"({"EventId":"mine"})").details, R"({"EventId":"mine","TimestampLocal":"L"})");
  EXPECT_EQ(item_of(message, "Custom", R"({"TimestampLocal":"mine"})").details,
            R"({"TimestampLocal":"mine","EventId":"e1"})");
  EXPECT_EQ(item_of(message, "Custom", R"({"TimestampLocal":"a","EventId":"b"})").details,
            R"({"TimestampLocal":"a","EventId":"b"})");
}

TEST(Columns, AreExactOnlyInTheirOwnForm) {
  std::optional<SecurityMessage> message;
  const Item& numbers =
      item_of(message, "ConnectionCreate",
              R"({"RemotePort":443,"ProcessId":"42","BytesIn":1e3,"BytesOut":1.5,"LocalPort":"80","HitCount":true})");
  EXPECT_THAT(numbers, HoldsRoughly(Field::RemotePort, std::string_view("443")));
  EXPECT_THAT(numbers, HoldsRoughly(Field::ProcessId, std::int64_t{42}));
  EXPECT_THAT(numbers, HoldsRoughly(Field::BytesIn, std::int64_t{1000}));
  EXPECT_EQ(find(numbers, Field::BytesOut), nullptr);
  EXPECT_EQ(find(numbers, Field::HitCount), nullptr);
  EXPECT_THAT(numbers, HoldsExactly(Field::LocalPort, std::string_view("80")));
  for (const Field field : {Field::RemotePort, Field::ProcessId, Field::BytesIn, Field::BytesOut, Field::HitCount}) {
    EXPECT_TRUE(is_inexact(numbers, Table::NetworkEvents, field)) << info(field).name;
  }
  EXPECT_FALSE(is_inexact(numbers, Table::NetworkEvents, Field::LocalPort));
}

TEST(Columns, TakeTimesInOurOwnFormOnly) {
  std::optional<SecurityMessage> message;
  const Item& own =
      item_of(message, "ConnectionCreate",
              R"({"StartTimeUtc":"2026-01-01T00:00:00.000000Z","EndTimeUtc":"2026-01-01T01:00:00+01:00"})");
  const Timestamp time = parse_rfc3339("2026-01-01T00:00:00Z").value();
  EXPECT_THAT(own, HoldsExactly(Field::StartTimeUtc, time));
  EXPECT_THAT(own, HoldsRoughly(Field::EndTimeUtc, time));
}

TEST(Columns, TrustNoKeyThatWasSentTwice) {
  std::optional<SecurityMessage> message;
  const Item& item = item_of(message, "ProcessCreate", R"({"CommandLine":"good","UserId":"1","CommandLine":"evil"})");
  EXPECT_THAT(item, HoldsRoughly(Field::CommandLine, std::string_view("good")));
  EXPECT_TRUE(is_inexact(item, Table::ProcessEvents, Field::CommandLine));
  EXPECT_THAT(item, HoldsExactly(Field::UserId, std::string_view("1")));
}

TEST(Columns, AreFilledForEveryKeyThatTheTableHas) {
  std::optional<SecurityMessage> message;
  const Item& item =
      item_of(message, "ProcessTerminate", R"({"StdinSocket":"s","HostName":"not a column of this table"})");
  EXPECT_THAT(item, HoldsExactly(Field::StdinSocket, std::string_view("s")));
  EXPECT_EQ(find(item, Field::HostName), nullptr);
}

TEST(Columns, TreatNullAsAbsentAndNulAsDoubtful) {
  std::optional<SecurityMessage> message;
  const Item& item = item_of(message, "ProcessCreate", R"({"UserName":null,"UserId":"a\u0000b","CommandLine":["a"]})");
  EXPECT_EQ(find(item, Field::UserName), nullptr);
  EXPECT_FALSE(is_inexact(item, Table::ProcessEvents, Field::UserName));
  EXPECT_THAT(item, HoldsRoughly(Field::UserId, std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_inexact(item, Table::ProcessEvents, Field::CommandLine));
}

TEST(Mti, DecidesTheEncoding) {
  const auto body = message_with("[" + event_with("Heartbeat", "[]") + "]");
  EXPECT_TRUE(decode(body, {.mti = "1.0-0-1-0"}).has_value());
  for (const auto* mti : {"2.3", "2.3-1", "2.3-1-0-0-", "x", "2,3-1-0-0", "2.3-1-0-", "99999999999.1-0-0-0"}) {
    EXPECT_THAT(decode(body, {.mti = mti}), FailsWith(Errc::malformed, "message.mti")) << mti;
  }
  EXPECT_THAT(decode(body, {.mti = "2.3-2-0-0"}), FailsWith(Errc::unsupported, "message.mti"));
  EXPECT_THAT(decode(body, {.mti = "2.3-1-0-1"}), FailsWith(Errc::unsupported, "message.mti"));
  EXPECT_THAT(decode(body, {.mti = "3.0-1-0-0"}), FailsWith(Errc::unsupported, "message.schema_version"));
}

}  // namespace
}  // namespace picket::message
