// How bytes get to the hub: WebSocket, proxy, certificates, provisioning.
#include <gmock/gmock.h>

#include "mini_proxy.h"
#include "uplink_fixture.h"

namespace picket::agent {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class UplinkRoutesTest : public UplinkTest {
 protected:
  UplinkSettings by_websocket(std::uint16_t port) {
    UplinkSettings out;
    out.transport = UplinkTransport::websocket;
    out.websocket_port = port;
    return out;
  }
  UplinkSettings through(const test::MiniProxy& proxy, std::string user = "", std::string password = "") {
    UplinkSettings out;
    out.proxy = Proxy{{"127.0.0.1", proxy.port()}, std::move(user), std::move(password)};
    return out;
  }
  /// A port where nobody listens.
  std::uint16_t closed_port() { return test::MiniHub(authority_.issue("IP:127.0.0.1")).port(); }
  /// Waits for the end of an attempt, and says how it ended.
  std::string failure() {
    EXPECT_TRUE(run_until([&] { return uplink_->status().problem != UplinkProblem::none; }));
    return uplink_->status().reason;
  }
  TlsFiles client(const test::TestAuthority::Server& identity) {
    return {.certificate_file = write("device.crt", identity.certificate_pem),
            .key_file = write("device.key", identity.key_pem)};
  }
  ConnectionString x509(std::uint16_t port, const std::string& device, const std::string& module = "") {
    return *parse_connection_string("HostName=hub.example;x509=true;DeviceId=" + device +
                                    (module.empty() ? "" : ";ModuleId=" + module) +
                                    ";GatewayHostName=127.0.0.1:" + std::to_string(port));
  }
  ProvisioningOptions provisioning(const test::MiniHub& hub) {
    return {.endpoint = {"127.0.0.1", hub.port()},
            .id_scope = "0ne0001",
            .registration_id = "reg-1",
            .key = {std::byte{1}},
            .module_id = "DefenderIotMicroAgent",
            .state_file = folder_ + "/provisioned"};
  }
};

// ---- WebSocket ----

TEST_F(UplinkRoutesTest, SpeaksMqttOverAWebSocket) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  put(R"({"Name":"One"})");
  put(R"({"N":")" + std::string(60'000, 'x') + R"("})");
  UplinkSettings settings = by_websocket(hub.port());
  settings.compress = false;
  connect_to(1, "127.0.0.1", "DefenderIotMicroAgent", settings);
  ASSERT_TRUE(run_until_sent()) << uplink_->status().reason << hub.websocket_problem();
  EXPECT_EQ(hub.websockets(), 1u);
  EXPECT_EQ(hub.client_ids().front(), "dev#1/DefenderIotMicroAgent");
  ASSERT_EQ(hub.arrived().size(), 2u);
  EXPECT_THAT(hub.arrived()[1].body, HasSubstr(std::string(60'000, 'x')));
  EXPECT_EQ(uplink_->status().transport, "websocket");
  EXPECT_TRUE(run_until([&] { return hub.pongs() > 0; })) << "each answer of this hub has a ping inside";
  EXPECT_EQ(hub.websocket_problem(), "");
}

TEST_F(UplinkRoutesTest, SendsAgainOverAWebSocketThatBreaks) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.close_after = 5;
  for (int i = 0; i < 12; ++i) put(R"({"N":)" + std::to_string(i) + "}");
  connect_to(1, "127.0.0.1", "", by_websocket(hub.port()));
  ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;
  EXPECT_GE(hub.websockets(), 3u);
}

TEST_F(UplinkRoutesTest, AutoGoesOnByWebSocketAndSaysWhy) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  put("{}");
  UplinkSettings settings = by_websocket(hub.port());
  settings.transport = UplinkTransport::automatic;
  connect_to(closed_port(), "127.0.0.1", "", settings);
  ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;
  EXPECT_EQ(uplink_->status().transport, "websocket");
  EXPECT_THAT(uplink_->status().fallback, HasSubstr("Connection refused"));
  EXPECT_EQ(uplink_->status().attempts, 1u);
}

TEST_F(UplinkRoutesTest, AutoTakesMqttWhereItCan) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  put("{}");
  UplinkSettings settings = by_websocket(closed_port());
  settings.transport = UplinkTransport::automatic;
  connect_to(hub.port(), "127.0.0.1", "", settings);
  ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;
  EXPECT_EQ(hub.websockets(), 0u);
  EXPECT_EQ(uplink_->status().fallback, "");
}

TEST_F(UplinkRoutesTest, AutoNamesBothWaysWhenNeitherWorks) {
  const std::uint16_t first = closed_port(), second = closed_port();
  UplinkSettings settings = by_websocket(second);
  settings.transport = UplinkTransport::automatic;
  connect_to(first, "127.0.0.1", "", settings);
  EXPECT_THAT(failure(),
              AllOf(HasSubstr(std::to_string(first)), HasSubstr("by WebSocket"), HasSubstr(std::to_string(second))));
}

TEST_F(UplinkRoutesTest, ARefusedIdentityIsNoReasonForAnotherTransport) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.refuse = 5;
  UplinkSettings settings = by_websocket(hub.port());
  settings.transport = UplinkTransport::automatic;
  connect_to(hub.port(), "127.0.0.1", "", settings);
  EXPECT_THAT(failure(), HasSubstr("CONNACK 5"));
  EXPECT_EQ(hub.websockets(), 0u);
}

// ---- proxy ----

TEST_F(UplinkRoutesTest, GoesThroughAProxyWithCredentials) {
  test::MiniHub hub(authority_.issue("DNS:hub.invalid"));
  test::MiniProxy proxy({.credentials = "me:pass word"});
  put("{}");
  connect_to(hub.port(), "hub.invalid", "", through(proxy, "me", "pass word"));
  ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;
  EXPECT_THAT(proxy.asked(), ElementsAre("hub.invalid:" + std::to_string(hub.port())))
      << "the proxy looks up the name, this device need not know it";
}

TEST_F(UplinkRoutesTest, AProxysAnswerMayComeByteByByte) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  test::MiniProxy proxy({.dribble = true});
  put("{}");
  UplinkSettings settings = through(proxy);
  settings.transport = UplinkTransport::websocket;
  settings.websocket_port = hub.port();
  connect_to(1, "127.0.0.1", "", settings);
  EXPECT_TRUE(run_until_sent()) << uplink_->status().reason;
  EXPECT_EQ(hub.websockets(), 1u);
}

TEST_F(UplinkRoutesTest, AProxyThatWantsOtherCredentialsIsToldWithoutThem) {
  test::MiniProxy proxy({.credentials = "me:right"});
  connect_to(1, "hub.invalid", "", through(proxy, "me", "wr0ng-secret"));
  EXPECT_THAT(failure(), AllOf(HasSubstr("407"), HasSubstr("uplink.proxy"), Not(HasSubstr("wr0ng"))));
  EXPECT_EQ(uplink_->status().problem, UplinkProblem::proxy);
}

TEST_F(UplinkRoutesTest, WhatAProxySaysInsteadIsShown) {
  test::MiniProxy forbidding({.refuse = "HTTP/1.1 403 Not for you\r\n\r\n"});
  connect_to(1, "hub.invalid", "", through(forbidding));
  EXPECT_THAT(failure(), HasSubstr("403 Not for you"));
  test::MiniProxy strange({.refuse = "SSH-2.0-dropbear\r\n"});
  connect_to(1, "hub.invalid", "", through(strange));
  EXPECT_THAT(failure(), HasSubstr("no HTTP"));
}

TEST_F(UplinkRoutesTest, AProxyThatIsNotThereIsNamed) {
  UplinkSettings settings;
  settings.proxy = Proxy{{"127.0.0.1", closed_port()}, "", ""};
  connect_to(1, "hub.invalid", "", settings);
  EXPECT_THAT(failure(), StartsWith("cannot reach the proxy 127.0.0.1 port"));
}

// ---- X.509 ----

TEST_F(UplinkRoutesTest, ShowsItsCertificateAndSendsNoToken) {
  for (const auto kind : {test::TestAuthority::KeyKind::ec, test::TestAuthority::KeyKind::rsa}) {
    test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
    put("{}");
    start({}, x509(hub.port(), "dev-x"), client(authority_.issue_client("dev-x", kind)));
    ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;
    EXPECT_EQ(hub.last_common_name(), "dev-x");
    EXPECT_EQ(hub.last_password(), "");
    EXPECT_EQ(hub.client_ids().front(), "dev-x");
    uplink_.reset();
  }
}

TEST_F(UplinkRoutesTest, ARenewedCertificateIsShownWithoutARestart) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.close_after = 2;  // the hub cuts this connection, so that the next one comes soon
  start({}, x509(hub.port(), "dev-x"), client(authority_.issue_client("dev-x")));
  put("{}");
  ASSERT_TRUE(run_until_sent());
  (void)client(authority_.issue_client("dev-y"));
  put("{}");
  put("{}");
  EXPECT_TRUE(run_until([&] { return hub.last_common_name() == "dev-y"; })) << uplink_->status().reason;
}

TEST_F(UplinkRoutesTest, ItsOwnExpiredCertificateIsNamedAndEventsAreKept) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  const auto late = client(authority_.issue_client("dev-x", test::TestAuthority::KeyKind::ec, -5));
  put("{}");
  start({}, x509(hub.port(), "dev-x"), late);
  EXPECT_THAT(failure(), AllOf(HasSubstr(late.certificate_file), HasSubstr("expired"), HasSubstr("clock")));
  EXPECT_EQ(uplink_->status().problem, UplinkProblem::certificate);
  EXPECT_EQ(spool_.pending(), 1u);
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_THAT(warnings_[0], HasSubstr("has expired at"));
  // Renewed, it goes on by itself.
  (void)client(authority_.issue_client("dev-x"));
  EXPECT_TRUE(run_until_sent()) << uplink_->status().reason;
}

TEST_F(UplinkRoutesTest, WarnsAMonthBeforeTheEndAndNotEarlier) {
  constexpr long kDay = 86'400;
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  const auto connected = [&] { return uplink_->status().state == UplinkState::connected; };
  start({}, x509(hub.port(), "d"), client(authority_.issue_client("d", test::TestAuthority::KeyKind::ec, 31 * kDay)));
  ASSERT_TRUE(run_until(connected));
  EXPECT_TRUE(warnings_.empty());
  uplink_.reset();
  start({}, x509(hub.port(), "d"), client(authority_.issue_client("d", test::TestAuthority::KeyKind::ec, 29 * kDay)));
  ASSERT_TRUE(run_until(connected));
  ASSERT_EQ(warnings_.size(), 1u);
  EXPECT_THAT(warnings_[0], HasSubstr("ends at"));
  ASSERT_TRUE(uplink_->status().certificate_end);
  EXPECT_NEAR(static_cast<double>((*uplink_->status().certificate_end - system_clock().now()).whole_seconds()),
              29.0 * kDay, 600);
}

// ---- provisioning ----

TEST_F(UplinkRoutesTest, AsksTheProvisioningServiceAndGoesToItsHub) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.decides_after = 3;
  put("{}");
  start({.provisioning = provisioning(hub)}, std::nullopt);
  ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;
  EXPECT_THAT(hub.client_ids(), ElementsAre("reg-1", "dev-reg-1/DefenderIotMicroAgent"));
  EXPECT_EQ(hub.registrations(), 1u);
  EXPECT_EQ(uplink_->status().identity, "dev-reg-1/DefenderIotMicroAgent");
  EXPECT_THAT(hub.last_password(), HasSubstr("sr=127.0.0.1%3A"));

  // Kept: the next start asks nobody.
  uplink_.reset();
  put("{}");
  start({.provisioning = provisioning(hub)}, std::nullopt);
  ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;
  EXPECT_EQ(hub.registrations(), 1u);
}

TEST_F(UplinkRoutesTest, AsksAgainWhenTheHubRefusesWhatWasAssigned) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.refuse = 5;
  put("{}");
  start({.provisioning = provisioning(hub)}, std::nullopt);
  ASSERT_TRUE(run_until([&] { return hub.registrations() == 2; })) << uplink_->status().reason;
  ASSERT_TRUE(run_until([&] { return hub.client_ids().size() >= 4; }));
  // Refused twice: now it waits for minutes instead of asking for ever.
  ASSERT_TRUE(run_until([&] { return uplink_->status().next_attempt.has_value(); }));
  EXPECT_GE(*uplink_->status().next_attempt - system_clock().now(), Duration::minutes(4));
  EXPECT_EQ(spool_.pending(), 1u);
}

TEST_F(UplinkRoutesTest, ARefusedRegistrationIsExplained) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.registration_status = 401;
  start({.provisioning = provisioning(hub)}, std::nullopt);
  EXPECT_THAT(failure(), AllOf(HasSubstr("provisioning"), HasSubstr("401"), HasSubstr("no such enrolment")));
  EXPECT_EQ(uplink_->status().problem, UplinkProblem::denied);
}

TEST_F(UplinkRoutesTest, ABusyProvisioningServiceIsAskedAgain) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.registration_status = 429;
  put("{}");
  start({.provisioning = provisioning(hub)}, std::nullopt);
  EXPECT_THAT(failure(), HasSubstr("busy"));
  hub.faults.registration_status = 200;
  EXPECT_TRUE(run_until_sent()) << uplink_->status().reason;
}

}  // namespace
}  // namespace picket::agent
