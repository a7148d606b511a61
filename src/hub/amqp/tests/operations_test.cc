// Commands, methods and twins of a device; what the service sends and reads; limits of a connection.
#include "amqp_harness.h"

namespace picket::hub::amqp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

using AmqpCommands = AmqpTest;
using AmqpMethods = AmqpTest;
using AmqpTwins = AmqpTest;
using AmqpService = AmqpTest;
using AmqpEvents = AmqpTest;
using AmqpLimits = AmqpTest;

constexpr std::string_view kCommandsOfD = "/devices/d/messages/devicebound";
const IdentityKey kD{"hub1", "d", ""};

LockedCommand locked(std::string lock, std::string_view body) {
  LockedCommand out{.lock = std::move(lock), .sequence = 5, .delivery_count = 1};
  out.command.body.assign(as_bytes(body).begin(), as_bytes(body).end());
  out.command.properties = {{"$.mid", "m1"}, {"$.cid", "c1"}, {"$.ct", "text/plain"}, {"colour", "red"}};
  return out;
}

TEST_F(AmqpCommands, DeliveredWithPropertiesAndSettledByTheOutcome) {
  start_as_d();
  for (const auto* lock : {"L1", "L2", "L3", "L4"}) commands_.queues[kD].push_back(locked(lock, "go"));
  auto* const link = receiver(kCommandsOfD);
  ASSERT_EQ(link->received.size(), 4u);
  const auto& message = link->received[0].message;
  EXPECT_EQ(text_of(message), "go");
  EXPECT_EQ(to_text(message.message_id), "m1");
  EXPECT_EQ(message.content_type, "text/plain");
  EXPECT_EQ(to_text(*find(message.application, "colour")), "red");
  EXPECT_THAT(commands_.settled, IsEmpty());
  ProtonClient::settle(link->received[0], PN_ACCEPTED);
  ProtonClient::settle(link->received[1], PN_REJECTED);
  ProtonClient::settle(link->received[2], PN_RELEASED);
  ProtonClient::settle(link->received[3], PN_MODIFIED);
  pump();
  EXPECT_THAT(commands_.settled, UnorderedElementsAre("L1:complete", "L2:reject", "L3:abandon", "L4:abandon"));
}

TEST_F(AmqpCommands, WaitingOnesComeWhenToldAndAsCreditAllows) {
  start_as_d();
  auto* const link = receiver(kCommandsOfD, 2);
  EXPECT_THAT(link->received, IsEmpty());
  for (const auto* lock : {"L1", "L2", "L3"}) commands_.queues[kD].push_back(locked(lock, "go"));
  EXPECT_TRUE(core_->notify(rim_.claims[0].first, CommandsWaiting{}));
  pump();
  EXPECT_EQ(link->received.size(), 2u);
  EXPECT_EQ(commands_.queues[kD].size(), 1u) << "no lock is taken without credit";
}

TEST_F(AmqpCommands, NobodyListensWithoutALink) {
  start_as_d();
  EXPECT_FALSE(core_->notify(rim_.claims[0].first, CommandsWaiting{}));
}

TEST_F(AmqpCommands, UnsettledOnesAreUnlockedWhenTheLinkEnds) {
  start_as_d();
  commands_.queues[kD].push_back(locked("L1", "go"));
  auto* const link = receiver(kCommandsOfD);
  ASSERT_EQ(link->received.size(), 1u);
  client_->detach(link);
  pump();
  EXPECT_THAT(commands_.unlocked, ElementsAre("d"));
  EXPECT_THAT(commands_.settled, IsEmpty());
}

TEST_F(AmqpCommands, OfAnotherDeviceAreNotVisible) {
  commands_.queues[{"hub1", "e", ""}].push_back(locked("L1", "secret"));
  start_as_d();
  EXPECT_EQ(receiver("/devices/e/messages/devicebound")->error, "amqp:unauthorized-access");
  EXPECT_THAT(receiver(kCommandsOfD)->received, IsEmpty());
}

TEST_F(AmqpMethods, CallAndAnswerCarryTheSameId) {
  start_as_d();
  const Map properties = {{Symbol{"com.microsoft:channel-correlation-id"}, "methods:1"}};
  auto* const calls = receiver("/devices/d/methods/devicebound", 10, properties);
  auto* const answers = sender("/devices/d/methods/devicebound", properties);
  EXPECT_THAT(methods_.online, ElementsAre("d"));
  const std::uint64_t call = 0x1122334455667788;
  EXPECT_TRUE(core_->notify(rim_.claims[0].first, MethodCall{call, "reboot", R"({"now":true})"}));
  pump();
  ASSERT_EQ(calls->received.size(), 1u);
  const auto& message = calls->received[0].message;
  EXPECT_EQ(to_text(*find(message.application, "IoThub-methodname")), "reboot");
  EXPECT_EQ(text_of(message), R"({"now":true})");
  ASSERT_NE(message.correlation_id.get<Uuid>(), nullptr) << "as the SDKs want it";
  for (const auto& correlation : {message.correlation_id, Value(to_text(message.correlation_id))}) {
    auto answer = text_message(R"({"done":1})");
    answer.correlation_id = correlation;
    answer.application = {{"IoThub-status", std::int32_t{201}}};
    EXPECT_EQ(send(answers, answer), "accepted");
  }
  ASSERT_EQ(methods_.replies.size(), 2u);
  for (const auto& [from, id, reply] : methods_.replies) {
    EXPECT_EQ(from, kD);
    EXPECT_EQ(id, call);
    EXPECT_EQ(reply.status, 201);
    EXPECT_EQ(reply.payload, R"({"done":1})");
  }
  client_->detach(calls);
  pump();
  EXPECT_THAT(methods_.offline, ElementsAre("d"));
  EXPECT_FALSE(core_->notify(rim_.claims[0].first, MethodCall{1, "reboot", ""}));
}

TEST_F(AmqpMethods, AnswersWithoutAProperIdAreRejected) {
  start_as_d();
  auto* const answers = sender("/devices/d/methods/devicebound");
  for (const Value& correlation : {Value(), Value("x"), Value(Uuid{}), Value("00000000-0000-0000-0000-000000000001")}) {
    auto answer = text_message("{}");
    answer.correlation_id = correlation;
    answer.application = {{"IoThub-status", std::int32_t{200}}};
    EXPECT_EQ(send(answers, answer), "rejected:com.microsoft:argument-error");
  }
  EXPECT_THAT(methods_.replies, IsEmpty());
}

class AmqpTwinTest : public AmqpTest {
 protected:
  void open(std::string_view address = "/devices/d/twin") {
    const Map properties = {{Symbol{"com.microsoft:channel-correlation-id"}, "twin:1"}};
    out_ = sender(address, properties);
    in_ = receiver(address, 100, properties);
  }
  ReceivedMessage ask(std::string_view operation, std::string_view resource = "", std::string_view body = " ") {
    auto message = text_message(body);
    message.correlation_id = "q" + std::to_string(++asked_);
    message.annotations = {{Symbol{"operation"}, operation}};
    if (!resource.empty()) message.annotations.emplace_back(Symbol{"resource"}, resource);
    EXPECT_EQ(send(out_, message), "accepted");
    EXPECT_FALSE(in_->received.empty());
    if (in_->received.empty()) return {};
    auto answer = in_->received.back();
    EXPECT_EQ(to_text(answer.message.correlation_id), "q" + std::to_string(asked_));
    return answer;
  }
  static std::int64_t status_of(const ReceivedMessage& answer) {
    const auto* value = find(answer.message.annotations, "status");
    return value == nullptr ? 0 : value->integer().value_or(0);
  }
  ClientLink* out_ = nullptr;
  ClientLink* in_ = nullptr;
  int asked_ = 0;
};

TEST_F(AmqpTwinTest, GetAndPatch) {
  start_as_d();
  open();
  const auto got = ask("GET");
  EXPECT_EQ(status_of(got), 200);
  EXPECT_EQ(text_of(got.message), R"({"self":"d"})");
  const auto patched = ask("PATCH", "/properties/reported", R"({"fw":2})");
  EXPECT_EQ(status_of(patched), 200);
  EXPECT_EQ(find(patched.message.annotations, "version")->integer(), 1);
  EXPECT_EQ(twins_.reports[0], (std::pair<std::string, std::string>{"d", R"({"fw":2})"}));
}

TEST_F(AmqpTwinTest, FailureHasItsStatusAndABodyThatIsJson) {
  start_as_d();
  open();
  twins_.fails = HubError{kTooLarge, "Too \"large\"."};
  const auto answer = ask("PATCH", "/properties/reported", "{}");
  EXPECT_EQ(status_of(answer), 413);
  EXPECT_EQ(text_of(answer.message), R"({"errorCode":413001,"message":"Too \"large\"."})");
  EXPECT_EQ(status_of(ask("DELETE", "/everything")), 400);
  EXPECT_EQ(status_of(ask("PATCH", "/properties/desired", "{}")), 400);
}

TEST_F(AmqpTwinTest, ChangesAreSentOnlyWhileSubscribed) {
  start_as_d();
  open();
  const DesiredPatch change{std::make_shared<std::string>(R"({"a":1,"$version":2})"), 2};
  const auto device = rim_.claims[0].first;
  EXPECT_FALSE(core_->notify(device, change));
  EXPECT_EQ(status_of(ask("PUT", "/notifications/twin/properties/desired")), 200);
  EXPECT_TRUE(core_->notify(device, change));
  pump();
  EXPECT_EQ(text_of(in_->received.back().message), R"({"a":1,"$version":2})");
  EXPECT_TRUE(in_->received.back().message.correlation_id.is_null()) << "how the SDK tells it from an answer";
  EXPECT_EQ(status_of(ask("DELETE", "/notifications/twin/properties/desired")), 200);
  EXPECT_FALSE(core_->notify(device, change));
}

TEST_F(AmqpTwinTest, OfADeviceIsNotVisibleToOthers) {
  start_as_d();
  EXPECT_EQ(receiver("/devices/e/twin")->error, "amqp:unauthorized-access");
  EXPECT_EQ(sender("/devices/d/modules/m/twin")->error, "amqp:unauthorized-access");
}

TEST_F(AmqpTwinTest, ClientThatAsksAndDoesNotListenLosesItsLink) {
  start_as_d();
  const Map properties = {{Symbol{"com.microsoft:channel-correlation-id"}, "twin:1"}};
  auto* const out = sender("/devices/d/twin", properties);
  auto* const in = receiver("/devices/d/twin", 0, properties);
  for (int i = 0; i < 200; ++i) {
    auto message = text_message(" ");
    message.correlation_id = "q";
    message.annotations = {{Symbol{"operation"}, "GET"}};
    client_->send(out, message);
    pump();
  }
  EXPECT_EQ(in->error, "amqp:resource-limit-exceeded");
}

Message command_to(std::string_view to) {
  Message out{.message_id = "m1", .to = std::string(to)};
  out.application = {{"iothub-ack", "full"}, {"colour", "red"}};
  out.data = {std::byte{'x'}};
  return out;
}

TEST_F(AmqpService, SendsACommand) {
  start_as_service();
  auto message = command_to("/devices/a%2Bb/messages/devicebound");
  message.expiry = rim_.time + Duration::minutes(5);
  EXPECT_EQ(send(sender("/messages/devicebound"), message), "accepted");
  ASSERT_EQ(commands_.sent.size(), 1u);
  const auto& [to, command] = commands_.sent[0];
  EXPECT_EQ(to, (IdentityKey{"hub1", "a+b", ""}));
  EXPECT_EQ(command.feedback, FeedbackWish::full);
  EXPECT_EQ(command.expiry, message.expiry);
  EXPECT_THAT(command.properties, Contains(std::pair<std::string, std::string>{"$.mid", "m1"}));
  EXPECT_THAT(command.properties, Contains(std::pair<std::string, std::string>{"colour", "red"}));
  EXPECT_EQ(commands_.actors[0], "policy/service");
}

TEST_F(AmqpService, FailuresAreTheSdksConditions) {
  start_as_service();
  auto* const link = sender("/messages/devicebound");
  const std::pair<int, std::string_view> cases[] = {{kDeviceNotFound, "amqp:not-found"},
                                                    {kCommandQueueFull, "amqp:resource-limit-exceeded"},
                                                    {kTooLarge, "amqp:link:message-size-exceeded"},
                                                    {kThrottled, "com.microsoft:device-container-throttled"},
                                                    {kUnavailable, "com.microsoft:timeout"},
                                                    {kInternal, "amqp:internal-error"}};
  for (const auto& [code, condition] : cases) {
    commands_.fails = HubError{code, "no"};
    EXPECT_EQ(send(link, command_to("/devices/d/messages/devicebound")), "rejected:" + std::string(condition));
  }
  commands_.fails.reset();
  EXPECT_EQ(send(link, command_to("/devices/d/twin")), "rejected:com.microsoft:argument-error");
  auto message = command_to("/devices/d/messages/devicebound");
  message.application = {{"iothub-ack", "sometimes"}};
  EXPECT_EQ(send(link, message), "rejected:com.microsoft:argument-error");
  EXPECT_THAT(commands_.sent, IsEmpty());
}

TEST_F(AmqpService, DevicesMayNotUseItsLinks) {
  start_as_d();
  EXPECT_EQ(sender("/messages/devicebound")->error, "amqp:unauthorized-access");
  EXPECT_EQ(receiver("/messages/serviceBound/feedback")->error, "amqp:unauthorized-access");
  EXPECT_EQ(receiver("hub1/ConsumerGroups/$Default/Partitions/0")->error, "amqp:unauthorized-access");
  EXPECT_EQ(sender("hub1/$management")->error, "amqp:unauthorized-access");
}

TEST_F(AmqpService, ItsPolicyOpensNoLinksOfDevices) {
  start_as_service();
  EXPECT_EQ(sender(kTelemetryOfD)->error, "amqp:unauthorized-access");
  EXPECT_EQ(receiver("/devices/d/twin")->error, "amqp:unauthorized-access");
}

TEST_F(AmqpService, FeedbackIsDeliveredAndSettled) {
  start_as_service();
  auto* const link = receiver("/messages/serviceBound/feedback");
  FeedbackBatch batch{.lock = "F1", .enqueued = rim_.time};
  batch.records.push_back({.original_message_id = "m1", .status_code = "Success", .device_id = "d"});
  commands_.feedback = batch;
  advance(Duration::seconds(2));
  ASSERT_EQ(link->received.size(), 1u);
  EXPECT_EQ(link->received[0].message.content_type, "application/vnd.microsoft.iothub.feedback.json");
  EXPECT_NE(text_of(link->received[0].message).find(R"("originalMessageId":"m1")"), std::string::npos);
  ProtonClient::settle(link->received[0], PN_ACCEPTED);
  pump();
  EXPECT_THAT(commands_.settled, ElementsAre("F1:complete"));
}

TEST_F(AmqpService, ExpiredTokenEndsTheConnection) {
  start_as_service();
  advance(Duration::minutes(69));
  EXPECT_FALSE(client_->closed());
  advance(Duration::minutes(2));
  EXPECT_TRUE(client_->closed());
}

TEST_F(AmqpEvents, RedirectNamesTheEventHubAtTheSameHost) {
  start_as_service();
  auto* const link = receiver("amqps://localhost/messages/events/$management");
  EXPECT_EQ(link->error, "amqp:link:redirect");
  EXPECT_EQ(to_text(*find(link->error_info, "hostname")), "localhost");
  EXPECT_EQ(to_text(*find(link->error_info, "address")), "amqps://localhost:5671/hub1/$management");
  EXPECT_EQ(to_text(*find(receiver("/messages/events/ConsumerGroups/c/Partitions/1")->error_info, "address")),
            "amqps://localhost:5671/hub1/ConsumerGroups/c/Partitions/1");
}

TEST_F(AmqpEvents, AreReadWithTheAnnotationsOfAnEventHub) {
  StreamEvent event{.sequence = 41, .enqueued = Timestamp{1'700'000'000'000'000}, .identity = {"hub1", "d", "m", "g1"}};
  event.properties = {{"$.mid", "m1"}, {"iothub-connection-auth-method", "{}"}, {"colour", "red"}};
  event.body = {std::byte{'x'}};
  events_.events.push_back(event);
  start_as_service();
  Described described{.descriptor = "apache.org:selector-filter:string", .value = {}};
  described.value.emplace_back("amqp.annotation.x-opt-sequence-number > '40'");
  const Map filter = {{Symbol{"apache.org:selector-filter:string"}, std::move(described)}};
  auto* const link = receiver("hub1/ConsumerGroups/$Default/Partitions/2", 10, {}, filter);
  ASSERT_EQ(link->received.size(), 1u);
  const auto& message = link->received[0].message;
  EXPECT_EQ(find(message.annotations, "x-opt-sequence-number")->integer(), 41);
  EXPECT_EQ(to_text(*find(message.annotations, "x-opt-offset")), "41");
  EXPECT_NE(find(message.annotations, "x-opt-enqueued-time")->get<Timestamp>(), nullptr);
  EXPECT_EQ(to_text(*find(message.annotations, "iothub-connection-device-id")), "d");
  EXPECT_EQ(to_text(*find(message.annotations, "iothub-connection-module-id")), "m");
  EXPECT_EQ(to_text(*find(message.annotations, "iothub-connection-auth-method")), "{}");
  EXPECT_EQ(to_text(message.message_id), "m1");
  EXPECT_EQ(to_text(*find(message.application, "colour")), "red");
  ASSERT_EQ(events_.starts.size(), 1u);
  EXPECT_EQ(events_.starts[0].first, 2);
  EXPECT_EQ(events_.starts[0].second.sequence, 40u);
}

TEST_F(AmqpEvents, AreSentAsCreditAllows) {
  for (int i = 0; i < 50; ++i) events_.events.push_back({.sequence = static_cast<std::uint64_t>(i)});
  start_as_service();
  auto* const link = receiver("hub1/ConsumerGroups/$Default/Partitions/0", 7);
  EXPECT_EQ(link->received.size(), 7u);
  EXPECT_GE(events_.events.size(), 30u) << "not read ahead without bound";
}

TEST_F(AmqpEvents, UnknownPartitionsAndFiltersAreRefused) {
  start_as_service();
  EXPECT_EQ(receiver("hub1/ConsumerGroups/$Default/Partitions/99")->error, "amqp:not-found");
  EXPECT_EQ(receiver("other/ConsumerGroups/$Default/Partitions/0")->error, "amqp:unauthorized-access");
  const Map filter = {{Symbol{"f"}, "1 = 1"}};
  EXPECT_EQ(receiver("hub1/ConsumerGroups/$Default/Partitions/0", 1, {}, filter)->error,
            "com.microsoft:argument-error");
}

TEST_F(AmqpEvents, ManagementTellsOfHubAndPartitions) {
  start_as_service();
  auto* const out = sender("$management");
  auto* const in = receiver("$management");
  const auto ask = [&](std::string_view type, std::string_view name, std::string_view partition) {
    Message request{.message_id = "1", .reply_to = "me"};
    request.application = {{"operation", "READ"}, {"name", name}, {"type", type}};
    if (!partition.empty()) request.application.emplace_back("partition", partition);
    request.value = Value();
    EXPECT_EQ(send(out, request), "accepted");
    return in->received.back().message;
  };
  const auto hub = ask("com.microsoft:eventhub", "hub1", "");
  EXPECT_EQ(find(hub.application, "status-code")->integer(), 200);
  const auto* facts = hub.value->get<Map>();
  ASSERT_NE(facts, nullptr);
  EXPECT_EQ(find(*facts, "partition_count")->integer(), kEventPartitions);
  EXPECT_EQ(find(*facts, "partition_ids")->get<List>()->size(), kEventPartitions);
  const auto partition = ask("com.microsoft:partition", "hub1", "1");
  EXPECT_EQ(find(*partition.value->get<Map>(), "last_enqueued_sequence_number")->integer(), 41);
  EXPECT_EQ(find(ask("com.microsoft:partition", "hub1", "77").application, "status-code")->integer(), 404);
  EXPECT_EQ(find(ask("com.microsoft:eventhub", "other", "").application, "status-code")->integer(), 404);
}

TEST_F(AmqpLimits, TooManyLinksEndTheConnection) {
  start_as_d();
  for (int i = 0; i < 400 && !client_->closed(); ++i) sender(kTelemetryOfD);
  EXPECT_TRUE(client_->closed());
  EXPECT_EQ(client_->error(), "amqp:resource-limit-exceeded");
}

TEST_F(AmqpLimits, TooManySessionsEndTheConnection) {
  start();
  core_ = std::make_unique<Connection>(rim_, authenticator_, services_, limits_);
  core_->input(from_hex("414d515000010000"
                        "0000001102000000005310c00401a10163")
                   .value());  // header, open
  for (int channel = 0; channel < 12 && !core_->closing(); ++channel) {
    auto begin = from_hex(
                     "0000001402000000005311c007044043"
                     "52645264")
                     .value();
    begin[7] = static_cast<std::byte>(channel);
    core_->input(begin);
    EXPECT_TRUE(channel < limits_.engine.sessions_max || core_->closing()) << channel;
  }
  EXPECT_TRUE(core_->closing());
}

TEST_F(AmqpLimits, SilentClientIsTimedOut) {
  start_as_d();
  advance(Duration::minutes(4), false);
  advance(Duration::minutes(2), false);
  EXPECT_TRUE(client_->closed());
  core_->end(DisconnectReason::peer_gone);
  EXPECT_THAT(rim_.ends, ElementsAre(DisconnectReason::keep_alive));
}

TEST_F(AmqpLimits, BytesThatAreNoAmqpEndTheConnection) {
  for (const auto* text : {"GET / HTTP/1.1\r\n\r\n", "AMQP\x03\x09\x09\x09", "\x10\x10MQTT......."}) {
    start();
    core_ = std::make_unique<Connection>(rim_, authenticator_, services_, limits_);
    core_->input(as_bytes(text));
    Buffer out;
    while (core_->take_output(out, 1 << 16)) {
    }
    EXPECT_TRUE(core_->closing()) << text;
    EXPECT_LT(out.size(), 200u) << "little is said to strangers";
  }
}

TEST_F(AmqpLimits, UnknownAddressIsNotFound) {
  start_as_d();
  EXPECT_EQ(sender("/no/such/place")->error, "amqp:not-found");
}

TEST_F(AmqpLimits, ServiceThatIsNotThereIsNotImplemented) {
  services_ = {};
  start_as_d();
  EXPECT_EQ(receiver(kCommandsOfD)->error, "amqp:not-implemented");
  EXPECT_EQ(receiver("/devices/d/twin")->error, "amqp:not-implemented");
  EXPECT_EQ(sender("/devices/d/methods/devicebound")->error, "amqp:not-implemented");
}

TEST_F(AmqpEvents, WhatTheClientStillSettlesAfterItsSessionsEndIsPassedOver) {
  start_as_service();
  sender("$cbs");  // keeps its session, number 0
  core_->input(from_hex("00000010020000010053114540404040").value());
  core_->input(from_hex("0000000c0200000100531745").value());
  core_->input(from_hex("0000001202000001005315c0050441434341").value());
  EXPECT_FALSE(core_->closing());
}

TEST_F(AmqpEvents, EventsThatNobodyTookDoNotBlockOtherLinksOfTheSession) {
  start_as_service();
  const auto fill = [&] {
    for (std::uint64_t i = 1; i <= 30; ++i) events_.events.push_back({.sequence = i, .body = Buffer(60'000)});
  };
  fill();
  auto* const link = client_->receiver("hub1/ConsumerGroups/$Default/Partitions/0", 100);
  core_->input(client_->output());
  while (!rim_.posted.empty()) {
    auto work = std::move(rim_.posted.front());
    rim_.posted.pop_front();
    work();
  }
  client_->detach(link);  // before it has read anything of it
  core_->input(client_->output());
  pump();
  EXPECT_TRUE(link->closed);
  EXPECT_THAT(link->received, IsEmpty());
  events_.events.clear();
  fill();
  EXPECT_EQ(receiver("hub1/ConsumerGroups/$Default/Partitions/1", 100)->received.size(), 30u);
}

TEST_F(AmqpEvents, ReceiverThatComesAndGoesWithoutReadingDoesNotFillTheMemory) {
  for (const bool settled : {false, true}) {
    start();
    cbs_out_ = nullptr;
    ASSERT_EQ(put_token("localhost", policy_token("service", "key of service")), 200);
    for (int round = 0; round < 10 && !core_->closing(); ++round) {
      events_.events.clear();
      for (std::uint64_t i = 1; i <= 30; ++i) events_.events.push_back({.sequence = i, .body = Buffer(60'000)});
      auto* const link = client_->receiver("hub1/ConsumerGroups/$Default/Partitions/0", 100, {}, {}, settled);
      core_->input(client_->output());
      for (; !rim_.posted.empty(); rim_.posted.pop_front()) rim_.posted.front()();
      client_->detach(link);
      core_->input(client_->output());
    }
    EXPECT_EQ(core_->closing(), settled) << "what cannot be given up is bounded";
  }
}

}  // namespace
}  // namespace picket::hub::amqp
