// The format: values, messages, batches, formats of transfers, addresses, filters.
#include "message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "address.h"
#include "base/core/encoding.h"
#include "event_filter.h"
#include "frame_gate.h"
#include "telemetry_record.h"

namespace picket::hub::amqp {
namespace {

Buffer bytes_of(std::string_view text) { return {as_bytes(text).begin(), as_bytes(text).end()}; }

Message whole_message() {
  Message out;
  out.annotations = {{Symbol{"iothub-interface-id"}, "urn"}, {Symbol{"number"}, std::int64_t{-5}}};
  out.message_id = Uuid{std::byte{1}, std::byte{2}};
  out.user_id = "u";
  out.to = "$cbs";
  out.subject = "s";
  out.reply_to = "cbs";
  out.correlation_id = std::uint64_t{77};
  out.content_type = "application/json";
  out.content_encoding = "utf-8";
  out.expiry = Timestamp{1'700'000'000'000'000};
  out.application = {{"a", "1"}, {"b", std::int32_t{2}}, {"c", true}, {"d", 1.5}, {"long", std::string(300, 'x')}};
  out.data = bytes_of("body");
  return out;
}

TEST(AmqpMessage, ReadsWhatItWrites) {
  const auto bytes = write_message(whole_message());
  const auto read = read_message(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(write_message(*read), bytes);
  EXPECT_EQ(to_text(read->message_id), "01020000-0000-0000-0000-000000000000");
  EXPECT_EQ(read->expiry, whole_message().expiry);
  EXPECT_EQ(find(read->application, "d")->get<double>() != nullptr, true);
}

TEST(AmqpMessage, EveryTruncationIsAnErrorOrAShorterMessage) {
  const auto bytes = write_message(whole_message());
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    const auto read = read_message(Bytes(bytes).first(n));
    EXPECT_TRUE(!read.has_value() || write_message(*read).size() <= n + 16) << n;
  }
}

TEST(AmqpMessage, PassesOverSectionsItHasNoUseFor) {
  // header, delivery annotations, data, data, footer
  const auto bytes = from_hex(
                         "005370c0020141"
                         "005371c10100"
                         "005375a00161"
                         "005375a00162"
                         "005378c10100")
                         .value();
  const auto read = read_message(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(as_text(read->body()), "ab");
}

TEST(AmqpMessage, SectionsAreBounded) {
  Buffer bytes;
  for (std::size_t i = 0; i <= kSectionsMax; ++i) append(bytes, from_hex("005375a000").value());
  EXPECT_EQ(read_message(bytes).error().where, "amqp.message.sections");
}

TEST(AmqpValue, NestingIsBounded) {
  for (const auto* step : {"c0ff01", "00a300"}) {
    Buffer bytes;
    for (int i = 0; i < 100'000; ++i) append(bytes, from_hex(step).value());
    Cursor in{bytes};
    EXPECT_FALSE(read_value(in).has_value()) << step;
  }
  Buffer zeros(100'000);
  Cursor in{zeros};
  EXPECT_EQ(read_value(in).error().where, "amqp.value.depth");
  Cursor skipped{zeros};
  EXPECT_FALSE(skip_value(skipped).has_value());
}

TEST(AmqpValue, ArraysOfNothingAreBounded) {
  // 2^32-1 nulls in ten bytes.
  Cursor many{from_hex("f000000005ffffffff40").value()};
  const auto bytes = from_hex("f000000005ffffffff40").value();
  Cursor in{bytes};
  EXPECT_EQ(read_value(in).error().where, "amqp.value.count");
  // Lists of such arrays: the bound is on all together.
  Buffer inside;
  for (int i = 0; i < 100; ++i)
    append(inside, from_hex("e0020040").value()), append(inside, from_hex("e003ff4040").value());
  Buffer list = from_hex("d0").value();
  for (const auto shift : {24, 16, 8, 0}) list.push_back(static_cast<std::byte>((inside.size() + 4) >> shift));
  append(list, from_hex("000000c8").value());
  append(list, inside);
  Cursor of_arrays{list};
  EXPECT_FALSE(read_value(of_arrays).has_value());
}

TEST(AmqpValue, OddMapIsMalformed) {
  const auto bytes = from_hex("c103014141").value();
  Cursor in{bytes};
  EXPECT_EQ(read_value(in).error().where, "amqp.value.map");
}

TEST(AmqpValue, IntegersOfEveryWidth) {
  for (const auto& [hex, text] : {std::pair{"50ff", "255"},
                                  {"51ff", "-1"},
                                  {"54fe", "-2"},
                                  {"55fd", "-3"},
                                  {"6000ff", "255"},
                                  {"61ffff", "-1"},
                                  {"70ffffffff", "4294967295"},
                                  {"71ffffffff", "-1"},
                                  {"43", "0"},
                                  {"44", "0"},
                                  {"80ffffffffffffffff", "18446744073709551615"},
                                  {"818000000000000000", "-9223372036854775808"},
                                  {"5601", "true"},
                                  {"42", "false"}}) {
    const auto bytes = from_hex(hex).value();
    Cursor in{bytes};
    EXPECT_EQ(to_text(read_value(in).value()), text) << hex;
  }
}

TEST(AmqpBatch, EachDataSectionIsAMessage) {
  Message first, second;
  first.data = bytes_of("one");
  first.message_id = "1";
  second.data = bytes_of("two");
  Buffer batch;
  for (const auto& message : {first, second}) {
    write_descriptor(batch, 0x75);
    write_binary(batch, write_message(message));
  }
  const auto records = read_telemetry(batch, kBatchedFormat);
  ASSERT_TRUE(records.has_value());
  ASSERT_EQ(records->size(), 2u);
  EXPECT_EQ(as_text((*records)[0].body), "one");
  EXPECT_EQ((*records)[0].properties.size(), 1u);
  EXPECT_EQ(as_text((*records)[1].body), "two");
  const auto plain = read_telemetry(batch, 0);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->size(), 1u) << "without the format it is one message";
}

TEST(AmqpBatch, IsBoundedAndNeverEmpty) {
  EXPECT_FALSE(read_batch({}).has_value());
  Buffer batch;
  for (std::size_t i = 0; i <= kBatchMessagesMax; ++i) append(batch, from_hex("005375a000").value());
  EXPECT_EQ(read_batch(batch).error().where, "amqp.batch");
}

/// All that Proton gets to see of the bytes.
Buffer pass(FrameGate& gate, Bytes bytes) {
  Buffer out;
  while (!bytes.empty()) append(out, gate.take(bytes));
  return out;
}

TEST(AmqpFrameGate, SeesTheFormatHoweverTheBytesAreCut) {
  // Protocol header; transfer of tag "t" with the batched format and 5 bytes behind; an empty frame; a transfer
  // without.
  const auto bytes = from_hex(
                         "414d515003010000"
                         "0000002202000000"
                         "005314c00b0452005201a001747080013700"
                         "0102030405"
                         "060708"
                         "0000000802000000"
                         "0000001a02000000"
                         "005314c00a0452005202a001757000000000")
                         .value();
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    FrameGate gate;
    auto passed = pass(gate, Bytes(bytes).first(cut));
    append(passed, pass(gate, Bytes(bytes).subspan(cut)));
    EXPECT_EQ(passed, bytes);
    EXPECT_EQ(gate.format_of("t"), kBatchedFormat) << cut;
    EXPECT_EQ(gate.format_of("t"), 0u) << "once";
    EXPECT_EQ(gate.format_of("u"), 0u);
  }
}

TEST(AmqpFrameGate, TellsWhatMayComeButOnce) {
  const auto repeated = [](std::string_view hex) {
    const auto bytes = from_hex(hex).value();
    FrameGate gate;
    for (std::size_t n = 0; n < bytes.size(); ++n) pass(gate, Bytes(bytes).subspan(n, 1));
    return gate.repeated();
  };
  constexpr std::string_view kSaslHeader = "414d515003010000", kHeader = "414d515000010000";
  constexpr std::string_view kInit = "0000001002010000005341c003024040",
                             kOpen = "0000001302000000005310c006010140a00140";
  constexpr std::string_view kOpenLong = "0000001a0200000000800000000000000010c006010140a00140";
  const auto join = [](std::initializer_list<std::string_view> parts) {
    std::string out;
    for (const auto part : parts) out += part;
    return out;
  };
  EXPECT_FALSE(repeated(join({kSaslHeader, kInit, kHeader, kOpen})));
  EXPECT_TRUE(repeated(join({kSaslHeader, kInit, kInit})));
  EXPECT_TRUE(repeated(join({kSaslHeader, kInit, kHeader, kInit})));
  EXPECT_TRUE(repeated(join({kHeader, kInit}))) << "SASL was not begun with";
  EXPECT_TRUE(repeated(join({kHeader, kOpen, kOpen})));
  EXPECT_TRUE(repeated(join({kHeader, kOpen, kOpenLong}))) << "however the number is written";
}

TEST(AmqpFrameGate, DropsWhatComesForASessionThatTheClientHasEnded) {
  const auto frame = [](std::string_view channel, std::string_view performative) {
    const auto hex =
        "02"
        "00" +
        std::string(channel) + std::string(performative);
    auto out = from_hex("000000" + to_hex(Buffer{static_cast<std::byte>(4 + hex.size() / 2)}) + hex).value();
    return out;
  };
  const std::string kBegin =
                        "005311c00501404343"
                        "43",
                    kEnd = "00531745";
  const std::string kFlow = "00531345", kDisposition = "005315c0050441434341",
                    kDetach =
                        "005316c0030252"
                        "0041";
  const std::string kTransfer =
                        "005314c00b0452005201a001747080013700"
                        "0102030405",
                    kAttach = "00531245";
  struct Step {
    Buffer frame;
    bool passes;
  };
  const Step steps[] = {
      {from_hex("414d515000010000").value(), true},
      {frame("0001", kEnd), true},  // of a session that was never begun: for Proton to judge
      {frame("0001", kDisposition), true},
      {frame("0005", kBegin), true},
      {frame("0006", kBegin), true},
      {frame("0005", kDisposition), true},
      {frame("0005", kEnd), true},
      {frame("0005", kDisposition), false},
      {frame("0005", kFlow), false},
      {frame("0005", kDetach), false},
      {frame("0005", kTransfer), false},
      {frame("0005", kAttach), true},  // nothing that was under way
      {frame("0006", kDisposition), true},
      {frame("0005", kBegin), true},
      {frame("0005", kDisposition), true},
  };
  Buffer all, expected;
  for (const auto& step : steps) {
    append(all, step.frame);
    if (step.passes) append(expected, step.frame);
  }
  for (std::size_t size = 1; size < 40; ++size) {
    FrameGate gate;
    Buffer passed;
    for (std::size_t n = 0; n < all.size(); n += size) {
      append(passed, pass(gate, Bytes(all).subspan(n, std::min(size, all.size() - n))));
    }
    EXPECT_EQ(to_hex(passed), to_hex(expected)) << "in pieces of " << size;
    EXPECT_EQ(gate.format_of("t"), 0u);
  }
}

TEST(AmqpFrameGate, NonsensePassesForProtonToRefuse) {
  for (const auto* begin : {"00000000020000000000000002000000", "414d5150000100000000000002000000"}) {
    FrameGate gate;
    const auto bytes = from_hex(begin).value();
    EXPECT_EQ(pass(gate, bytes), bytes);
    EXPECT_EQ(pass(gate, Buffer(100'000)), Buffer(100'000));
    EXPECT_EQ(gate.format_of(""), 0u);
  }
}

TEST(AmqpAddress, TableOfAddresses) {
  const std::tuple<std::string, AddressKind, std::string, std::string> cases[] = {
      {"$cbs", AddressKind::cbs, "", ""},
      {"/devices/d/messages/events", AddressKind::telemetry, "d", ""},
      {"amqps://host.example/devices/d/messages/events", AddressKind::telemetry, "d", ""},
      {"/devices/d/modules/m/messages/events", AddressKind::telemetry, "d", "m"},
      {"/devices/a%2Bb%23/messages/devicebound", AddressKind::commands, "a+b#", ""},
      {"/devices/a%b/messages/devicebound", AddressKind::commands, "a%b", ""},
      {"/devices/d/methods/devicebound", AddressKind::methods, "d", ""},
      {"/devices/d/modules/m/methods/devicebound", AddressKind::methods, "d", "m"},
      {"/devices/d/twin", AddressKind::twin, "d", ""},
      {"/devices/d/modules/m/twin", AddressKind::twin, "d", "m"},
      {"/devices/modules/modules/modules/twin", AddressKind::twin, "modules", "modules"},
      {"/messages/devicebound", AddressKind::devicebound, "", ""},
      {"/messages/serviceBound/feedback", AddressKind::feedback, "", ""},
      {"/messages/servicebound/filenotifications", AddressKind::file_notifications, "", ""},
      {"/messages/events/$management", AddressKind::events_redirect, "", ""},
      {"hub1/ConsumerGroups/$Default/Partitions/3", AddressKind::events, "", ""},
      {"$management", AddressKind::management, "", ""},
      {"/devices//messages/events", AddressKind::unknown, "", ""},
      {"/devices/d", AddressKind::unknown, "d", ""},
      {"/devices/d/../e/messages/events", AddressKind::unknown, "d", ""},
      {"hub1/ConsumerGroups/$Default/Partitions/3x", AddressKind::unknown, "", ""},
      {"hub1/ConsumerGroups/$Default/Partitions/-1", AddressKind::unknown, "", ""},
      {std::string(10'000, '/'), AddressKind::unknown, "", ""},
  };
  for (const auto& [text, kind, device, module] : cases) {
    const auto address = parse_address(text);
    EXPECT_EQ(address.kind, kind) << text;
    EXPECT_EQ(address.device_id, device) << text;
    EXPECT_EQ(address.module_id, module) << text;
  }
}

TEST(AmqpAddress, ResourcesCoverByWholeSegments) {
  EXPECT_TRUE(covers("sb://host/hub", "sb://HOST/hub/ConsumerGroups/a"));
  EXPECT_TRUE(covers("sb%3A%2F%2Fhost%2Fhub", "amqps://host:5671/hub"));
  EXPECT_TRUE(covers("host", "sb://host/hub"));
  EXPECT_FALSE(covers("sb://host/hub", "sb://host/hub2"));
  EXPECT_FALSE(covers("sb://host/hub/a", "sb://host/hub"));
  EXPECT_FALSE(covers("sb://other/hub", "sb://host/hub"));
  EXPECT_FALSE(covers("", ""));
}

Map selector(std::string_view expression) {
  Described described{.descriptor = "apache.org:selector-filter:string", .value = {}};
  described.value.emplace_back(expression);
  return {{Symbol{"apache.org:selector-filter:string"}, std::move(described)}};
}

TEST(AmqpEventFilter, TableOfExpressions) {
  using Kind = EventStart::Kind;
  const auto start = [](std::string_view text) { return read_event_filter(selector(text)).value(); };
  EXPECT_EQ(start("amqp.annotation.x-opt-offset > '-1'").kind, Kind::earliest);
  EXPECT_EQ(start("amqp.annotation.x-opt-offset > '@latest'").kind, Kind::latest);
  EXPECT_EQ(start("amqp.annotation.x-opt-sequence-number >= '12'").sequence, 12u);
  EXPECT_TRUE(start("amqp.annotation.x-opt-sequence-number >= '12'").inclusive);
  EXPECT_FALSE(start("amqp.annotation.x-opt-offset > '12'").inclusive);
  EXPECT_EQ(start("amqp.annotation.x-opt-enqueued-time > '1000'").time, Timestamp{1'000'000});
  EXPECT_EQ(read_event_filter({}).value().kind, Kind::latest);
}

TEST(AmqpEventFilter, NonsenseIsRefused) {
  for (const auto* text : {"", "1 > 2", "amqp.annotation.x-opt-offset = '1'", "amqp.annotation.other > '1'",
                           "amqp.annotation.x-opt-offset > 'x'", "amqp.annotation.x-opt-enqueued-time >",
                           "amqp.annotation.x-opt-sequence-number > '99999999999999999999999'"}) {
    EXPECT_FALSE(read_event_filter(selector(text)).has_value()) << text;
  }
}

}  // namespace
}  // namespace picket::hub::amqp
