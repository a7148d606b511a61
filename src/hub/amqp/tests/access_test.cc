// Who a connection may act as, and for how long.
#include "amqp_harness.h"

namespace picket::hub::amqp {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

using AmqpAccess = AmqpTest;

TEST_F(AmqpAccess, NothingIsOpenBeforeACredential) {
  start();
  for (const auto* address : {"/devices/d/messages/events", "/messages/devicebound", "/devices/d/twin"}) {
    auto* const link = sender(address);
    EXPECT_TRUE(link->closed) << address;
    EXPECT_EQ(link->error, "amqp:unauthorized-access") << address;
  }
  EXPECT_FALSE(rim_.proven);
  EXPECT_THAT(rim_.lines(), Contains("auth_failed:token_missing"));
}

TEST_F(AmqpAccess, TokenOpensItsDevice) {
  start_as_d();
  EXPECT_TRUE(rim_.proven);
  auto* const link = sender(kTelemetryOfD);
  EXPECT_TRUE(link->open);
  EXPECT_FALSE(link->closed);
  EXPECT_EQ(rim_.events[0].kind, HubEventKind::connect);
  EXPECT_EQ(rim_.events[0].identity, (Identity{"hub1", "d", "", "g1"}));
  EXPECT_EQ(rim_.events[0].key_slot, "primary");
}

TEST_F(AmqpAccess, SecondaryKeyIsAsGood) {
  start();
  EXPECT_EQ(put_token(resource("d"), token("d", "second")), 200);
}

TEST_F(AmqpAccess, WrongTokensAreAnswered401AndLogged) {
  start();
  EXPECT_EQ(put_token(resource("d"), token("d", "key of e")), 401);
  EXPECT_EQ(put_token(resource("d"), token("e", "key of e")), 401);
  EXPECT_EQ(put_token(resource("d"), token("d", "key of d", "", Duration::seconds(-1))), 401);
  EXPECT_EQ(put_token(resource("off"), token("off", "key of off")), 401);
  EXPECT_EQ(put_token(resource("nobody"), token("nobody", "key of d")), 401);
  EXPECT_EQ(put_token(resource("d"), "garbage"), 401);
  EXPECT_EQ(put_token("localhost", policy_token("service", "key of registry")), 401);
  EXPECT_THAT(rim_.lines(),
              ElementsAre("auth_failed:token_signature", "auth_failed:token_resource", "auth_failed:token_expired",
                          "auth_failed:disabled", "auth_failed:unknown_identity", "auth_failed:token_malformed",
                          "auth_failed:token_signature"));
  EXPECT_FALSE(rim_.proven);
  EXPECT_THAT(rim_.claims, IsEmpty());
}

TEST_F(AmqpAccess, OneDevicesTokenOpensNoOtherAddress) {
  start_as_d();
  for (const auto* address :
       {"/devices/e/messages/events", "/devices/d/modules/m/messages/events", "/devices/D/messages/events",
        "/devices/%64%2f/messages/events", "/devices/e/twin", "/messages/devicebound", "hub1/$management"}) {
    auto* const link = sender(address);
    EXPECT_EQ(link->error, "amqp:unauthorized-access") << address;
  }
  EXPECT_THAT(rim_.lines(), Contains("topic_denied:other_identity"));
}

TEST_F(AmqpAccess, ModuleIsAnIdentityOfItsOwn) {
  start();
  EXPECT_EQ(put_token(resource("d", "m"), token("d", "key of d", "m")), 401);
  EXPECT_EQ(put_token(resource("d", "m"), token("d", "key of m", "m")), 200);
  EXPECT_FALSE(sender("/devices/d/modules/m/messages/events")->closed);
  EXPECT_TRUE(sender(kTelemetryOfD)->closed);
}

// As the Java SDK does it.
TEST_F(AmqpAccess, ModuleMayBeNamedByItsTokenOnly) {
  start();
  EXPECT_EQ(put_token(resource("d"), token("d", "key of d", "m")), 401);
  EXPECT_EQ(put_token(resource("e"), token("d", "key of m", "m")), 401);
  EXPECT_EQ(put_token(resource("d"), token("d", "key of m", "m")), 200);
  EXPECT_FALSE(sender("/devices/d/modules/m/messages/events")->closed);
  EXPECT_TRUE(sender(kTelemetryOfD)->closed);
}

TEST_F(AmqpAccess, SeveralDevicesShareAConnection) {
  start_as_d();
  EXPECT_EQ(put_token(resource("e"), token("e", "key of e")), 200);
  auto* const d = sender(kTelemetryOfD);
  auto* const e = sender("/devices/e/messages/events");
  EXPECT_EQ(send(d, text_message("from d")), "accepted");
  EXPECT_EQ(send(e, text_message("from e")), "accepted");
  ASSERT_EQ(rim_.records.size(), 2u);
  EXPECT_EQ(rim_.records[0].identity.device_id, "d");
  EXPECT_EQ(rim_.records[1].identity.device_id, "e");
}

TEST_F(AmqpAccess, TokenMayBeOutlivedByItsGraceOnly) {
  start();
  ASSERT_EQ(put_token(resource("d"), token("d", "key of d", "", Duration::minutes(5))), 200);
  auto* const link = sender(kTelemetryOfD);
  advance(Duration::minutes(3));
  advance(Duration::minutes(3));
  EXPECT_EQ(send(link, text_message("in the grace")), "accepted");
  for (int i = 0; i < 5; ++i) advance(Duration::minutes(2));
  EXPECT_TRUE(client_->closed());
  EXPECT_EQ(client_->error(), "amqp:unauthorized-access");
  EXPECT_THAT(rim_.ends, ElementsAre(DisconnectReason::token_expired));
}

TEST_F(AmqpAccess, RenewalKeepsConnectionAndLinks) {
  start();
  ASSERT_EQ(put_token(resource("d"), token("d", "key of d", "", Duration::minutes(5))), 200);
  auto* const link = sender(kTelemetryOfD);
  for (int i = 0; i < 10; ++i) {
    advance(Duration::minutes(3));
    ASSERT_EQ(put_token(resource("d"), token("d", "key of d", "", Duration::minutes(5))), 200);
  }
  EXPECT_FALSE(client_->closed());
  EXPECT_EQ(send(link, text_message("still there")), "accepted");
  EXPECT_EQ(rim_.claims.size(), 1u) << "the place is kept";
}

TEST_F(AmqpAccess, AnswerWaitsForThePlace) {
  hold_places_ = true;
  start();
  EXPECT_EQ(put_token(resource("d"), token("d", "key of d")), 0);
  hold_places_ = false;
  pump();
  EXPECT_EQ(cbs_answer(), 200);
}

TEST_F(AmqpAccess, DeletedBetweenProofAndPlaceIsRefused) {
  hold_places_ = true;
  start();
  EXPECT_EQ(put_token(resource("d"), token("d", "key of d")), 0);
  store_.remove("hub1", "d", "");
  hold_places_ = false;
  pump();
  EXPECT_EQ(rim_.releases.size(), 1u);
  EXPECT_TRUE(rim_.ends.empty()) << "it was never connected";
  EXPECT_THAT(rim_.lines(), Contains("auth_failed:unknown_identity"));
}

TEST_F(AmqpAccess, NothingProvenInTenSecondsEnds) {
  start();
  advance(Duration::seconds(9));
  EXPECT_FALSE(client_->closed());
  advance(Duration::seconds(2));
  EXPECT_TRUE(client_->closed());
  EXPECT_THAT(rim_.lines(), ElementsAre("auth_failed:unauthenticated_time_out"));
}

TEST_F(AmqpAccess, PlainDevice) {
  start({"PLAIN", "d@sas.localhost", token("d", "key of d")});
  auto* const link = sender(kTelemetryOfD);
  EXPECT_EQ(send(link, text_message("x")), "accepted");
}

TEST_F(AmqpAccess, PlainModule) {
  start({"PLAIN", "d/m@sas.localhost", token("d", "key of m", "m")});
  EXPECT_FALSE(sender("/devices/d/modules/m/messages/events")->closed);
}

TEST_F(AmqpAccess, PlainPolicy) {
  start({"PLAIN", "service@sas.root.localhost", policy_token("service", "key of service")});
  EXPECT_FALSE(sender("/messages/devicebound")->closed);
}

TEST_F(AmqpAccess, PlainUserMustBeWhoTheTokenIsFor) {
  for (const auto& [user, password] : {std::pair<std::string, std::string>{"e@sas.localhost", token("d", "key of d")},
                                       {"d@sas.elsewhere", token("d", "key of d")},
                                       {"d@sas.localhost", token("d", "key of e")},
                                       {"d", token("d", "key of d")},
                                       {"registry@sas.root.localhost", policy_token("service", "key of service")},
                                       {"", ""}}) {
    start({"PLAIN", user, password});
    EXPECT_TRUE(client_->closed()) << user;
    EXPECT_FALSE(rim_.proven) << user;
  }
  EXPECT_EQ(rim_.lines().size(), 6u) << "each is logged";
}

TEST_F(AmqpAccess, CertificateNeedsNoToken) {
  net::ClientCertificate certificate;
  certificate.sha256_thumbprint = std::string(64, 'a');
  certificate.sha1_thumbprint = std::string(40, 'b');
  certificate.not_after = rim_.time + Duration::days(1);
  certificate.not_before = rim_.time - Duration::days(1);
  store_.put("hub1", "x", "",
             {.generation_id = "gx",
              .auth = state::AuthType::self_signed,
              .thumbprints = {.primary = certificate.sha256_thumbprint, .secondary = {}}});
  rim_.facts.client_certificate = certificate;
  for (const auto* mechanism : {"EXTERNAL", "ANONYMOUS", ""}) {
    start({mechanism, "", ""});
    given_ = rim_.claims.size();
    auto* const link = sender("/devices/x/messages/events");
    EXPECT_EQ(send(link, text_message("x")), "accepted") << mechanism;
    EXPECT_EQ(sender(kTelemetryOfD)->error, "amqp:unauthorized-access") << "a certificate of x";
  }
  EXPECT_EQ(rim_.records.back().property("iothub-connection-auth-method"),
            R"({"scope":"device","type":"x509","issuer":"iothub"})");
}

TEST_F(AmqpAccess, ExternalNeedsACertificate) {
  start({"EXTERNAL", "", ""});
  EXPECT_TRUE(client_->closed());
}

TEST_F(AmqpAccess, PolicyNeedsServiceConnectForServiceLinks) {
  start();
  EXPECT_EQ(put_token("localhost", policy_token("registry", "key of registry")), 200);
  EXPECT_EQ(sender("/messages/devicebound")->error, "amqp:unauthorized-access");
  EXPECT_EQ(receiver("/messages/serviceBound/feedback")->error, "amqp:unauthorized-access");
  EXPECT_THAT(rim_.lines(), Contains("topic_denied:policy"));
}

TEST_F(AmqpAccess, PolicyWithDeviceConnectSpeaksForADevice) {
  start();
  const auto text =
      make_policy_token("localhost/devices/d", "device", as_bytes("key of device"), rim_.time + Duration::hours(1));
  EXPECT_EQ(put_token(resource("d"), text), 200);
  EXPECT_FALSE(sender(kTelemetryOfD)->closed);
}

TEST_F(AmqpAccess, EventHubTokensAreSignedWithTheKeysText) {
  const auto name = "sb://localhost/hub1/consumergroups/$default/partitions/0";
  const auto text_key = to_base64(as_bytes("key of service"));
  start();
  EXPECT_EQ(put_token(name, make_policy_token("sb://localhost/hub1", "service", as_bytes(text_key),
                                              rim_.time + Duration::hours(1))),
            200);
  EXPECT_EQ(put_token(name, make_policy_token("sb://localhost/hub1", "service", as_bytes("key of d"),
                                              rim_.time + Duration::hours(1))),
            401);
  EXPECT_EQ(put_token(name, make_policy_token("sb://localhost/hub2", "service", as_bytes(text_key),
                                              rim_.time + Duration::hours(1))),
            401);
}

TEST_F(AmqpAccess, OverTheConnectBudgetTheClientIsToldToTryAgain) {
  rim_.budget = false;
  start();
  put_token(resource("d"), token("d", "key of d"));
  EXPECT_TRUE(client_->closed());
  EXPECT_EQ(client_->error(), "com.microsoft:device-container-throttled");
  EXPECT_THAT(rim_.lines(), ElementsAre("throttled:connect"));
}

TEST_F(AmqpAccess, EvictedConnectionEndsAndIsLogged) {
  start_as_d();
  sender(kTelemetryOfD);
  core_->close_device(rim_.claims[0].first, DisconnectReason::evicted, {});
  EXPECT_EQ(rim_.releases.size(), 1u) << "the newcomer does not wait for this client";
  pump();
  EXPECT_TRUE(client_->closed());
  EXPECT_EQ(client_->error(), "amqp:connection:forced");
  EXPECT_THAT(rim_.lines(), ElementsAre("connect:", "evicted:", "disconnect:evicted"));
  EXPECT_EQ(rim_.events[1].code, 400027);
}

TEST_F(AmqpAccess, OtherDevicesOfASharedConnectionStay) {
  start_as_d();
  ASSERT_EQ(put_token(resource("e"), token("e", "key of e")), 200);
  auto* const d = sender(kTelemetryOfD);
  auto* const e = sender("/devices/e/messages/events");
  core_->close_device(rim_.claims[0].first, DisconnectReason::revoked, {});
  pump();
  EXPECT_TRUE(d->closed);
  EXPECT_FALSE(client_->closed());
  EXPECT_EQ(send(e, text_message("x")), "accepted");
}

TEST_F(AmqpAccess, SaslAgainEndsTheConnectionBeforeProtonForgetsTheFirst) {
  start_as_d();
  core_->input(from_hex("0000001002010000005341c003024040").value());
  pump();
  EXPECT_TRUE(core_->closing());
  EXPECT_TRUE(core_->finished());
  core_->end(DisconnectReason::peer_gone);
  EXPECT_THAT(rim_.lines(), ElementsAre("connect:", "disconnect:protocol"));
}

TEST_F(AmqpAccess, EndOfTheSocketReleasesThePlace) {
  start_as_d();
  core_->end(DisconnectReason::peer_gone);
  EXPECT_EQ(rim_.releases.size(), 1u);
  EXPECT_THAT(rim_.lines(), ElementsAre("connect:", "disconnect:peer_gone"));
}

}  // namespace
}  // namespace picket::hub::amqp
