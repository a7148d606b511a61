// DPS over MQTT at the head.
#include "head_harness.h"
#include "hub/provisioning.h"

namespace picket::hub {
namespace {

/// Lets "reg1" in with the token "good" and remembers what it asks.
class FakeProvisioning final : public Provisioning {
 public:
  [[nodiscard]] const std::string& scope() const override { return scope_; }
  [[nodiscard]] HubResult<ProvisioningGrant> authenticate(const ProvisioningClaim& claim) const override {
    if (claim.scope != scope_ || claim.registration_id != "reg1" || claim.token != "good") {
      return hub_fail(kUnauthorized, "no");
    }
    return ProvisioningGrant{.registration_id = claim.registration_id};
  }
  void register_device(const ProvisioningGrant& grant, std::string body,
                       std::move_only_function<void(ProvisioningReply)> done) override {
    done({.status = 202, .retry_after_seconds = 1, .body = grant.registration_id + " " + body});
  }
  void operation_status(const ProvisioningGrant&, std::string_view operation_id,
                        std::move_only_function<void(ProvisioningReply)> done) override {
    done({.status = 200, .body = std::string(operation_id)});
  }
  void service(ProvisioningServiceCall, const state::Actor&,
               std::move_only_function<void(ProvisioningServiceReply)>) override {}

 private:
  std::string scope_ = "0ne0001";
};

class ProvisioningHeadTest : public HubTest {
 protected:
  ProvisioningHeadTest() {
    provisioning_ = &service_;
    start();
  }
  static Hello hello(std::string token = "good") {
    return {.client_id = "reg1",
            .user_name =
                "0ne0001/registrations/reg1/api-version=2019-03-31&ClientVersion=azure-iot-provisioning-device%2F1.9.1",
            .token = std::move(token),
            .clean = true};
  }
  FakeProvisioning service_;
};

constexpr std::string_view kAnswers = "$dps/registrations/res/#";

TEST_F(ProvisioningHeadTest, DeviceRegistersAndAsksForTheResult) {
  const auto client = connect(hello());
  EXPECT_EQ(subscribe(*client, kAnswers, mqtt::QoS::at_least_once), "9003000701");
  auto ask = request("$dps/registrations/PUT/iotdps-register/?$rid=7f", R"({"registrationId":"reg1"})");
  ask.qos = mqtt::QoS::at_least_once;
  ask.packet_id = 5;
  client->send(encoded(ask));
  EXPECT_EQ(receive(*client, 4), puback(5));
  const auto answer = next(*client);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->text(), R"($dps/registrations/res/202/?$rid=7f&retry-after=1 reg1 {"registrationId":"reg1"})");
  EXPECT_EQ(answer->publish().qos, mqtt::QoS::at_least_once);
  client->send(encoded(mqtt::Puback{answer->publish().packet_id}));
  client->send(encoded(request("$dps/registrations/GET/iotdps-get-operationstatus/?$rid=8&operationId=4.a%20b")));
  EXPECT_EQ(next_text(*client), "$dps/registrations/res/200/?$rid=8 4.a b");
  client->send(encoded(mqtt::Unsubscribe{4, {kAnswers}}));
  EXPECT_EQ(receive(*client, 4), "b0020004");
}

TEST_F(ProvisioningHeadTest, ProofThatFailsIsRefused) {
  EXPECT_EQ(answer_to(*open_client(), hello("bad")), "20020005");
  EXPECT_EQ(head_->stats().refused_provisioning, 1u);
  EXPECT_EQ(log_.of(HubEventKind::auth_failed)[0].reason, "provisioning");
}

TEST_F(ProvisioningHeadTest, RegistrationIsNoIdentity) {
  for (const auto* topic :
       {"devices/reg1/messages/events/", "$iothub/twin/GET/?$rid=1", "$dps/registrations/DELETE/x"}) {
    const auto client = connect(hello());
    client->send(encoded(request(topic)));
    EXPECT_TRUE(client->closed_by_peer()) << topic;
  }
  const auto client = connect(hello());
  EXPECT_EQ(subscribe(*client, kTwinResponses), "9003000780");
  EXPECT_EQ(sessions_.stores(), 0u);
  EXPECT_TRUE(journal_.messages().empty());
}

TEST_F(ProvisioningHeadTest, AnswerLeavesTheClientTimeToListen) {
  stop();
  start([](MqttHeadOptions& options) { options.provisioning_pause = Duration::hours(1); });
  const auto client = connect(hello());
  subscribe(*client, kAnswers);
  client->send(encoded(request("$dps/registrations/PUT/iotdps-register/?$rid=1", "{}")));
  client->send(encoded(mqtt::Pingreq{}));
  EXPECT_EQ(receive(*client, 2), "d000") << "the answer waits, nothing else does";
  client->send(encoded(mqtt::Disconnect{}));
  EXPECT_TRUE(client->closed_by_peer()) << "and keeps nobody from going";
}

TEST_F(ProvisioningHeadTest, DevicesConnectBesideIt) {
  const auto device = connect();
  const auto client = connect(hello());
  expect_silence(*device);
  EXPECT_EQ(head_->stats().connected, 1u) << "a registration is not a connected device";
}

}  // namespace
}  // namespace picket::hub
