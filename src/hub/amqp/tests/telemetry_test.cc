// Telemetry: what is stored, when it is accepted, what is refused.
#include "hub/telemetry.h"

#include "amqp_harness.h"

namespace picket::hub::amqp {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

using AmqpTelemetry = AmqpTest;

constexpr std::string_view kSecurity = "urn:azureiot:Security:SecurityAgent:1";

TEST_F(AmqpTelemetry, StoredWithIdentityStampAndProperties) {
  start_as_d();
  auto message = text_message("{}");
  message.message_id = "id 1";
  message.correlation_id = Uuid{};
  message.user_id = "u";
  message.content_type = "application/json";
  message.content_encoding = "utf-8";
  message.application = {{"colour", "r\xc3\xb6\x64"}, {"count", std::int32_t{7}}, {"good", true}};
  EXPECT_EQ(send(sender(kTelemetryOfD), message), "accepted");
  ASSERT_EQ(rim_.records.size(), 1u);
  const auto& record = rim_.records[0];
  EXPECT_EQ(record.identity, (Identity{"hub1", "d", "", "g1"}));
  EXPECT_EQ(record.body, "{}");
  using Pair = std::pair<std::string, std::string>;
  EXPECT_THAT(record.properties,
              ElementsAre(Pair{"iothub-connection-auth-method", R"({"scope":"device","type":"sas","issuer":"iothub"})"},
                          Pair{"$.mid", "id 1"}, Pair{"$.cid", "00000000-0000-0000-0000-000000000000"},
                          Pair{"$.uid", "u"}, Pair{"$.ct", "application/json"}, Pair{"$.ce", "utf-8"},
                          Pair{"colour", "r\xc3\xb6\x64"}, Pair{"count", "7"}, Pair{"good", "true"}));
}

TEST_F(AmqpTelemetry, SecurityMarkAsAnnotationOrAsApplicationProperty) {
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  auto annotated = text_message("a");
  annotated.annotations = {{Symbol{"iothub-interface-id"}, kSecurity}};
  auto propertied = text_message("b");
  propertied.application = {{"iothub-interface-id", kSecurity}};
  auto both = annotated;
  both.application = propertied.application;
  for (const auto& message : {annotated, propertied, both}) EXPECT_EQ(send(link, message), "accepted");
  for (const auto& record : rim_.records) {
    EXPECT_EQ(record.property("$.ifid"), kSecurity);
    EXPECT_EQ(record.properties.size(), 2u) << "once, and nothing else";
  }
}

TEST_F(AmqpTelemetry, StampsCannotBeImitated) {
  start_as_d();
  auto message = text_message("x");
  message.annotations = {{Symbol{"iothub-connection-device-id"}, "e"}};
  message.application = {
      {"iothub-connection-auth-method", "forged"}, {"iothub-connection-device-id", "e"}, {"$.ifid", kSecurity}};
  EXPECT_EQ(send(sender(kTelemetryOfD), message), "accepted");
  EXPECT_EQ(rim_.records[0].properties.size(), 1u);
  EXPECT_NE(rim_.records[0].property("iothub-connection-auth-method"), "forged");
}

TEST_F(AmqpTelemetry, AcceptedOnlyWhenDurable) {
  hold_journal_ = true;
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  auto* const first = client_->send(link, text_message("1"));
  auto* const second = client_->send(link, text_message("2"));
  pump();
  ASSERT_EQ(rim_.works.size(), 2u);
  EXPECT_EQ(first->outcome, "");
  core_->stored(rim_.works[1], true);
  pump();
  EXPECT_EQ(first->outcome, "");
  EXPECT_EQ(second->outcome, "accepted");
  core_->stored(rim_.works[0], true);
  pump();
  EXPECT_EQ(first->outcome, "accepted");
}

TEST_F(AmqpTelemetry, GivenUpByTheJournalIsReleased) {
  hold_journal_ = true;
  start_as_d();
  auto* const sending = client_->send(sender(kTelemetryOfD), text_message("1"));
  pump();
  core_->stored(rim_.works[0], false);
  pump();
  EXPECT_EQ(sending->outcome, "released");
}

/// A transfer frame by hand, since Proton sends no other message format than 0.
Buffer batch_frame(std::uint8_t handle, std::uint8_t delivery, std::initializer_list<std::string_view> bodies) {
  Buffer payload;
  for (const auto body : bodies) {
    Message message;
    message.data.assign(as_bytes(body).begin(), as_bytes(body).end());
    write_descriptor(payload, 0x75);
    write_binary(payload, write_message(message));
  }
  auto frame = from_hex(
                   "0000000002000000"
                   "005314"
                   "c00e05"
                   "5200"
                   "5200"
                   "a00131"
                   "7080013700"
                   "42")
                   .value();
  frame[15] = std::byte{handle};
  frame[17] = std::byte{delivery};
  append(frame, payload);
  const auto size = frame.size();
  for (std::size_t i = 0; i < 4; ++i) frame[3 - i] = static_cast<std::byte>(size >> (8 * i));
  return frame;
}

TEST_F(AmqpTelemetry, RecordsOfABatchAreOneAppend) {
  hold_journal_ = true;
  start_as_d();
  sender(kTelemetryOfD);
  core_->input(batch_frame(2, 1, {"one", "two", "three"}));
  ASSERT_EQ(rim_.records.size(), 3u);
  EXPECT_EQ(rim_.records[2].body, "three");
  ASSERT_EQ(rim_.works.size(), 1u) << "they stand or fall together";
  EXPECT_THAT(rim_.counted, ElementsAre("d2c_message:3:11"));
  EXPECT_EQ(core_->stored(rim_.works[0], true), 3u);
  EXPECT_EQ(core_->stored(rim_.works[0], true), 0u) << "once";
}

TEST_F(AmqpTelemetry, BodyMayBeAStringOrEmpty) {
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  Message value;
  value.value = Value("text");
  EXPECT_EQ(send(link, value), "accepted");
  EXPECT_EQ(send(link, Message{}), "accepted");
  EXPECT_EQ(rim_.records[0].body, "text");
  EXPECT_EQ(rim_.records[1].body, "");
}

TEST_F(AmqpTelemetry, MessageOf256KBPassesAndOneByteMoreEndsTheLink) {
  start_as_d();
  auto* link = sender(kTelemetryOfD);
  EXPECT_EQ(send(link, text_message(std::string(kMessageBytesMax, 'x'))), "accepted");
  auto over = text_message(std::string(kMessageBytesMax, 'x'));
  over.application = {{"a", ""}};
  send(link, over);
  EXPECT_TRUE(link->closed);
  EXPECT_EQ(link->error, "amqp:link:message-size-exceeded");
  link = sender(kTelemetryOfD);
  send(link, text_message(std::string(kMessageBytesMax * 3, 'x')));
  EXPECT_EQ(link->error, "amqp:link:message-size-exceeded");
  EXPECT_EQ(rim_.records.size(), 1u);
  EXPECT_FALSE(client_->closed()) << "only the link ends";
}

TEST_F(AmqpTelemetry, WhatIsNoMessageIsRejected) {
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  for (const auto* bytes : {"00", "0053759f", "ffffff", "0053734000537740"}) {
    auto* const sending = client_->send_bytes(link, from_hex(bytes).value());
    pump();
    EXPECT_EQ(sending->outcome, "rejected:com.microsoft:argument-error") << bytes;
  }
  auto message = text_message("x");
  message.application = {{"name", "\xff\xfe"}};
  EXPECT_EQ(send(link, message), "rejected:com.microsoft:argument-error");
  message.application.clear();
  for (int i = 0; i < 130; ++i) message.application.emplace_back("p" + std::to_string(i), "v");
  EXPECT_EQ(send(link, message), "rejected:com.microsoft:argument-error");
  EXPECT_THAT(rim_.records, IsEmpty());
  EXPECT_EQ(send(link, text_message("good")), "accepted") << "the link goes on";
}

TEST_F(AmqpTelemetry, FullJournalIsWaitedForAndNoCreditIsGiven) {
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  rim_.refuse = true;
  auto* const sending = client_->send(link, text_message("waits"));
  pump();
  EXPECT_EQ(sending->outcome, "");
  for (int i = 0; i < 100; ++i) client_->send(link, text_message("more"));
  pump();
  EXPECT_LE(link->credit, 0) << "what it may send is bounded";
  rim_.refuse = false;
  advance(Duration::seconds(1));
  EXPECT_EQ(sending->outcome, "accepted");
  EXPECT_EQ(rim_.records.size(), 101u) << "nothing was lost on the way";
}

TEST_F(AmqpTelemetry, FullJournalForAMinuteEndsTheConnection) {
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  rim_.refuse = true;
  auto* const sending = client_->send(link, text_message("waits"));
  pump();
  advance(Duration::seconds(59));
  EXPECT_FALSE(client_->closed());
  advance(Duration::seconds(2));
  EXPECT_TRUE(client_->closed());
  EXPECT_NE(sending->outcome, "accepted");
}

TEST_F(AmqpTelemetry, NoCreditWhileTheDiskReserveIsReached) {
  rim_.ready = false;
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  EXPECT_EQ(link->credit, 0);
  rim_.ready = true;
  advance(Duration::seconds(1));
  EXPECT_GT(link->credit, 0);
}

TEST_F(AmqpTelemetry, WrongDirectionIsRefused) {
  start_as_d();
  EXPECT_EQ(receiver(kTelemetryOfD)->error, "amqp:not-allowed");
  EXPECT_EQ(sender("/devices/d/messages/devicebound")->error, "amqp:not-allowed");
}

TEST_F(AmqpTelemetry, AddressesInFull) {
  start_as_d();
  for (const auto* address : {"amqps://localhost/devices/d/messages/events", "devices/d/messages/events/",
                              "/devices/%64/messages/events", "/devices/d/messages/nothing", "", "/", "$other"}) {
    auto* const link = sender(address);
    const bool good =
        std::string_view(address).starts_with("amqps") || std::string_view(address).starts_with("/devices/%");
    EXPECT_EQ(link->closed, !good) << address;
    if (!good) EXPECT_EQ(link->error, "amqp:not-found") << address;
  }
}

}  // namespace
}  // namespace picket::hub::amqp
