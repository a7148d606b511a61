// What operations cost of the rates of an identity and its hub: first they wait, then they are refused.
#include "amqp_harness.h"

namespace picket::hub::amqp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kThrottledCondition = "com.microsoft:device-container-throttled";

class AmqpRates : public AmqpTest {
 protected:
  static Limits only(Meter meter, Rate rate) {
    Limits limits;
    limits[meter] = rate;
    return limits;
  }
  /// So much of the hub's bucket that nothing more is let in.
  void use_up(Meter meter, double amount) {
    static_cast<void>(rim_.throttle.take_of_hub("hub1", meter, amount, rim_.monotonic()));
  }
  std::vector<std::string> throttles() {
    auto lines = rim_.lines();
    std::erase_if(lines, [](const auto& line) { return !line.starts_with("throttled:"); });
    return lines;
  }
};

TEST_F(AmqpRates, TelemetryAboveItsRateWaitsAndIsNotLost) {
  rim_.throttle.set_hub("hub1", only(Meter::d2c_messages, {1, 2}));
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  std::vector<Sending*> sent;
  for (const auto* text : {"1", "2", "3", "4"}) sent.push_back(client_->send(link, text_message(text)));
  pump();
  EXPECT_EQ(rim_.records.size(), 2u);
  EXPECT_EQ(sent[1]->outcome, "accepted");
  EXPECT_EQ(sent[2]->outcome, "");
  advance(Duration::seconds(1));
  EXPECT_EQ(rim_.records.size(), 3u);
  advance(Duration::seconds(1));
  ASSERT_EQ(rim_.records.size(), 4u);
  EXPECT_EQ(rim_.records[3].body, "4");
  EXPECT_EQ(sent[3]->outcome, "accepted");
  EXPECT_THAT(throttles(), ElementsAre("throttled:d2c_messages")) << "once a minute";
  EXPECT_EQ(rim_.times_throttled, 2u);
}

TEST_F(AmqpRates, NothingOvertakesWhatWaits) {
  rim_.throttle.set_hub("hub1", only(Meter::d2c_messages, {10, 1}));
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  for (int i = 0; i < 20; ++i) client_->send(link, text_message(std::to_string(i)));
  pump();
  for (int i = 0; i < 30; ++i) advance(Duration::milliseconds(100));
  ASSERT_EQ(rim_.records.size(), 20u);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(rim_.records[i].body, std::to_string(i));
}

TEST_F(AmqpRates, TelemetryFarAboveItsRateIsRejectedAndNoCreditFollowsUntilItFits) {
  rim_.throttle.set_hub("hub1", only(Meter::d2c_messages, {1, 1}));
  use_up(Meter::d2c_messages, 5.5);
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  const int credit = link->credit;
  ASSERT_GT(credit, 0);
  for (int i = 0; i < credit; ++i) {
    EXPECT_EQ(send(link, text_message("x")), "rejected:" + std::string(kThrottledCondition));
  }
  EXPECT_EQ(link->credit, 0);
  advance(Duration::seconds(1));
  EXPECT_EQ(link->credit, 0) << "who tries at once does not spin";
  EXPECT_THAT(rim_.records, IsEmpty());
  EXPECT_THAT(rim_.counted, Contains("d2c_message failed:429001"));
  advance(Duration::seconds(6));
  EXPECT_GT(link->credit, 0);
  EXPECT_EQ(send(link, text_message("x")), "accepted");
}

TEST_F(AmqpRates, OneIdentityAboveItsRateDoesNotSlowAnother) {
  rim_.throttle.set_identities(only(Meter::d2c_messages, {1, 1}));
  start_as_d();
  ASSERT_EQ(put_token(resource("e"), token("e", "key of e")), 200);
  auto* const d = sender(kTelemetryOfD);
  auto* const e = sender("/devices/e/messages/events");
  EXPECT_EQ(send(d, text_message("x")), "accepted");
  EXPECT_EQ(send(d, text_message("x")), "");
  EXPECT_EQ(send(e, text_message("x")), "accepted");
}

TEST_F(AmqpRates, DayThatIsUsedUpRejects) {
  Limits limits;
  limits.messages_per_day = 2;
  rim_.throttle.set_hub("hub1", limits);
  start_as_d();
  auto* const link = sender(kTelemetryOfD);
  EXPECT_EQ(send(link, text_message(std::string(5000, 'x'))), "accepted") << "two blocks of 4 KiB";
  EXPECT_EQ(send(link, text_message("x")), "rejected:amqp:resource-limit-exceeded");
  EXPECT_EQ(rim_.records.size(), 1u);
  ASSERT_THAT(throttles(), ElementsAre("throttled:messages_per_day"));
  EXPECT_EQ(rim_.events.back().code, kQuotaExceeded);
  EXPECT_TRUE(rim_.events.back().authenticated);
}

TEST_F(AmqpRates, ServiceMessagesWaitAndAreRefusedByTheHubsRate) {
  rim_.throttle.set_hub("hub1", only(Meter::c2d_messages, {1, 1}));
  start_as_service();
  auto* const link = sender("/messages/devicebound");
  auto message = text_message("x");
  message.to = "/devices/d/messages/devicebound";
  EXPECT_EQ(send(link, message), "accepted");
  auto* const second = client_->send(link, message);
  pump();
  EXPECT_EQ(commands_.sent.size(), 1u);
  advance(Duration::seconds(1));
  EXPECT_EQ(commands_.sent.size(), 2u);
  EXPECT_EQ(second->outcome, "accepted");
  use_up(Meter::c2d_messages, 5.5);
  EXPECT_EQ(send(link, message), "rejected:" + std::string(kThrottledCondition));
  EXPECT_EQ(rim_.events.back().actor, "policy/service");
}

// ---- twins

class AmqpTwinRates : public AmqpRates {
 protected:
  void open() {
    const Map channel = {{Symbol{"com.microsoft:channel-correlation-id"}, "twin:1"}};
    out_ = sender("/devices/d/twin", channel);
    in_ = receiver("/devices/d/twin", 100, channel);
  }
  void ask(std::string_view operation, std::string_view resource = "") {
    auto message = text_message("{}");
    message.correlation_id = "q";
    message.annotations = {{Symbol{"operation"}, operation}};
    if (!resource.empty()) message.annotations.emplace_back(Symbol{"resource"}, resource);
    client_->send(out_, message);
    pump();
  }
  /// Of all answers so far.
  std::vector<std::int64_t> statuses() {
    std::vector<std::int64_t> out;
    for (auto& received : in_->received) {
      out.push_back(find(received.message.annotations, "status")->integer().value_or(0));
    }
    return out;
  }
  ClientLink* out_ = nullptr;
  ClientLink* in_ = nullptr;
};

TEST_F(AmqpTwinRates, RequestsAboveTheirRateWait) {
  rim_.throttle.set_hub("hub1", only(Meter::twin_reads, {1, 1}));
  start_as_d();
  open();
  ask("GET");
  ask("GET");
  ask("PATCH", "/properties/reported");
  EXPECT_THAT(statuses(), ElementsAre(200)) << "nothing overtakes what waits";
  advance(Duration::seconds(1));
  EXPECT_THAT(statuses(), ElementsAre(200, 200, 200));
  EXPECT_THAT(throttles(), ElementsAre("throttled:twin_reads"));
}

TEST_F(AmqpTwinRates, RequestsFarAboveTheirRateAreRefusedWithABodyThatIsJson) {
  rim_.throttle.set_hub("hub1", only(Meter::twin_updates, {1, 1}));
  use_up(Meter::twin_updates, 5.5);
  start_as_d();
  open();
  ask("PATCH", "/properties/reported");
  EXPECT_THAT(statuses(), ElementsAre(429));
  EXPECT_EQ(text_of(in_->received[0].message),
            R"({"errorCode":429001,"message":"Too many requests; try again later."})");
  EXPECT_THAT(twins_.reports, IsEmpty());
  EXPECT_THAT(rim_.counted, ElementsAre("twin_report failed:429001"));
  ask("GET");
  EXPECT_THAT(statuses(), ElementsAre(429, 200)) << "the link goes on";
}

TEST_F(AmqpTwinRates, WhatWaitsIsForgottenWithItsLink) {
  rim_.throttle.set_hub("hub1", only(Meter::twin_reads, {1, 1}));
  start_as_d();
  open();
  ask("GET");
  ask("GET");
  client_->detach(out_);
  pump();
  advance(Duration::seconds(5));
  EXPECT_THAT(statuses(), ElementsAre(200));
}

// ---- connects

TEST_F(AmqpRates, ConnectAboveItsRateWaitsForItsPlace) {
  rim_.throttle.set_identities(only(Meter::connects, {1, 1}));
  static_cast<void>(rim_.throttle.take({"hub1", "d", ""}, Meter::connects, 2, rim_.monotonic()));
  start();
  EXPECT_EQ(put_token(resource("d"), token("d", "key of d")), 0) << "no answer yet";
  EXPECT_THAT(rim_.claims, IsEmpty());
  advance(Duration::seconds(2));
  EXPECT_EQ(cbs_answer(), 200);
  EXPECT_EQ(rim_.claims.size(), 1u);
}

TEST_F(AmqpRates, ConnectFarAboveItsRateEndsAConnectionThatServesNobodyElse) {
  rim_.throttle.set_identities(only(Meter::connects, {1, 1}));
  static_cast<void>(rim_.throttle.take({"hub1", "d", ""}, Meter::connects, 6.5, rim_.monotonic()));
  start();
  put_token(resource("d"), token("d", "key of d"));
  EXPECT_TRUE(client_->closed());
  EXPECT_EQ(client_->error(), kThrottledCondition);
  EXPECT_THAT(throttles(), ElementsAre("throttled:connects"));
}

TEST_F(AmqpRates, ConnectFarAboveItsRateDoesNotHarmOthersOfTheConnection) {
  rim_.throttle.set_identities(only(Meter::connects, {1, 1}));
  static_cast<void>(rim_.throttle.take({"hub1", "d", ""}, Meter::connects, 6.5, rim_.monotonic()));
  start();
  ASSERT_EQ(put_token(resource("e"), token("e", "key of e")), 200);
  EXPECT_EQ(put_token(resource("d"), token("d", "key of d")), 429);
  EXPECT_EQ(send(sender("/devices/e/messages/events"), text_message("x")), "accepted");
  EXPECT_EQ(sender(kTelemetryOfD)->error, "amqp:unauthorized-access");
}

TEST_F(AmqpRates, WhoProvesNothingTakesNothing) {
  rim_.throttle.set_identities(only(Meter::connects, {0.01, 1}));
  start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(put_token(resource("d"), token("d", "guessed")), 401);
  EXPECT_EQ(put_token(resource("d"), token("d", "key of d")), 200);
}

TEST_F(AmqpRates, RenewalIsNoConnect) {
  rim_.throttle.set_identities(only(Meter::connects, {0.01, 1}));
  start_as_d();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(put_token(resource("d"), token("d", "key of d")), 200);
}

TEST_F(AmqpRates, ConnectByCertificateFarAboveItsRateIsNoFailedProof) {
  net::ClientCertificate certificate;
  certificate.sha256_thumbprint = std::string(64, 'a');
  certificate.not_after = rim_.time + Duration::days(1);
  certificate.not_before = rim_.time - Duration::days(1);
  store_.put("hub1", "x", "",
             {.generation_id = "gx",
              .auth = state::AuthType::self_signed,
              .thumbprints = {.primary = certificate.sha256_thumbprint, .secondary = {}}});
  rim_.facts.client_certificate = certificate;
  rim_.throttle.set_identities(only(Meter::connects, {1, 1}));
  static_cast<void>(rim_.throttle.take({"hub1", "x", ""}, Meter::connects, 6.5, rim_.monotonic()));
  start({"EXTERNAL", "", ""});
  sender("/devices/x/messages/events");
  EXPECT_TRUE(client_->closed());
  EXPECT_EQ(client_->error(), kThrottledCondition);
  EXPECT_THAT(rim_.lines(), Not(Contains("auth_failed:token_missing")));
}

}  // namespace
}  // namespace picket::hub::amqp
