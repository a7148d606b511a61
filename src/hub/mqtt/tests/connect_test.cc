// Who may connect, and how the others are refused.
#include "head_harness.h"

namespace picket::hub {
namespace {

using testing::ElementsAre;

TEST_F(HubTest, WelcomesADeviceAndLogsIt) {
  start();
  const auto client = connect();
  EXPECT_EQ(head_->stats().connected, 1u);
  const auto events = log_.of(HubEventKind::connect);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].identity, (Identity{"hub1", "dev1", "", "g1"}));
  EXPECT_EQ(events[0].sdk, "test/1.0");
  EXPECT_EQ(events[0].tls_version, "TLSv1.3");
  EXPECT_EQ(events[0].source_address, "127.0.0.1");
}

TEST_F(HubTest, AcceptsTheSecondaryKey) {
  start();
  EXPECT_EQ(answer_to(*open_client(), {.token = token("dev1", "", "secondary")}), "20020000");
  EXPECT_EQ(log_.of(HubEventKind::connect)[0].key_slot, "secondary");
}

TEST_F(HubTest, RefusesAnExpiredTokenAndNamesTheCheck) {
  start();
  const auto client = open_client();
  EXPECT_EQ(answer_to(*client, {.token = token("dev1", "", "primary key of dev1", Duration::seconds(-1))}), "20020005");
  EXPECT_TRUE(client->closed_by_peer());
  const auto events = log_.of(HubEventKind::auth_failed);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].reason, "token_expired");
  EXPECT_EQ(events[0].code, 401003);
  EXPECT_FALSE(events[0].authenticated);
}

TEST_F(HubTest, RefusesTheTokenOfAnotherDevice) {
  start();
  EXPECT_EQ(answer_to(*open_client(), {.token = token("dev2", "", "key of dev2")}), "20020005");
  EXPECT_EQ(answer_to(*open_client(), {.token = token("dev1", "", "key of dev2")}), "20020005");
  EXPECT_THAT(log_.lines(), ElementsAre("auth_failed:token_resource", "auth_failed:token_signature"));
}

TEST_F(HubTest, ModuleNeedsItsOwnToken) {
  start();
  auto hello = module_hello();
  connect(hello);
  hello.token = token("dev1", "", "primary key of dev1");
  EXPECT_EQ(answer_to(*open_client(), hello), "20020005");
}

TEST_F(HubTest, RefusesADisabledDevice) {
  store_.put("hub1", "dev1", "", {.generation_id = "g1", .enabled = false, .primary_key = kPrimary});
  start();
  EXPECT_EQ(answer_to(*open_client(), {}), "20020005");
  EXPECT_EQ(log_.of(HubEventKind::auth_failed)[0].code, 403012);
}

TEST_F(HubTest, CertificateWithTheRightThumbprintNeedsNoPassword) {
  const auto server = net::open_or_create_server_identity(folder_, {}, system_clock().now()).value();
  const auto other = net::open_or_create_server_identity(folder_ + "/other", {}, system_clock().now()).value();
  const auto thumbprint = net::parse_certificate(server.certificate_pem).value().sha256_thumbprint;
  store_.put("hub1", "dev-x509", "",
             {.generation_id = "g", .auth = state::AuthType::self_signed, .thumbprints = {.primary = thumbprint}});
  tls_ = net::TlsContext::create({.certificate_pem = server.certificate_pem,
                                  .private_key_pem = server.private_key_pem,
                                  .request_client_certificate = true})
             .value();
  clock_.advance(Duration{(system_clock().now() - TestClock::kStart).us});
  start();
  mqtt::Connect packet{.client_id = "dev-x509", .clean_session = false, .keep_alive_s = 60};
  packet.user_name = "localhost/dev-x509/?api-version=2021-04-12";
  const auto answer = [&](const net::TestClientOptions& options) {
    const auto client = net::TestClient::connect(head_->port(), options);
    client->send(encoded(packet));
    return receive(*client, 4);
  };
  EXPECT_EQ(answer({.certificate_pem = server.certificate_pem, .private_key_pem = server.private_key_pem}), "20020000");
  const auto connects = log_.of(HubEventKind::connect);
  ASSERT_EQ(connects.size(), 1u);
  EXPECT_EQ(connects[0].auth_type, "x509");
  ASSERT_TRUE(connects[0].certificate.has_value());
  EXPECT_EQ(connects[0].certificate->thumbprint, thumbprint);
  EXPECT_EQ(answer({.certificate_pem = other.certificate_pem, .private_key_pem = other.private_key_pem}), "20020005");
  EXPECT_EQ(answer({}), "20020005");
  EXPECT_EQ(log_.of(HubEventKind::auth_failed)[0].reason, reason::kCertificateThumbprint);
  EXPECT_EQ(answer_to(*open_client(), {}), "20020000") << "tokens go on working";
}

TEST_F(HubTest, AnswersVersion5WithItsOwnRefusal) {
  start();
  const auto client = open_client();
  client->send(from_hex("101000044d5154540502003c00000364657631").value());
  EXPECT_EQ(receive(*client, 5), "2003008400");
  EXPECT_TRUE(client->closed_by_peer());
}

TEST_F(HubTest, FirstPacketMustBeConnect) {
  start();
  const auto client = open_client();
  client->send(from_hex("c000").value());
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return head_->stats().refused_protocol == 1; }));
}

TEST_F(HubTest, ConnectOver4KiBIsRefusedByItsFirstBytes) {
  start();
  const auto client = open_client();
  client->send(from_hex("10ff1f").value());
  EXPECT_TRUE(client->closed_by_peer());
}

TEST_F(HubTest, ConnectMustComeWholeWithinTenSeconds) {
  start();
  const auto client = open_client();
  const auto packet = connect_packet({});
  client->send(Bytes(packet).first(20));
  ASSERT_TRUE(eventually([&] { return head_->stats().listener.unauthenticated == 1; }));
  clock_.advance(Duration::milliseconds(9900));
  client->send(Bytes(packet).subspan(20, 1));  // a slow-loris does not gain time by it
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(head_->stats().refused_protocol, 0u);
  clock_.advance(Duration::seconds(10));  // the session may have begun after the first step
  EXPECT_TRUE(client->closed_by_peer());
  EXPECT_TRUE(eventually([&] { return head_->stats().refused_protocol == 1; }));
}

TEST_F(HubTest, OverloadIsAnsweredWithServerUnavailable) {
  links_.connects_per_second = 0.001;
  links_.connects_burst = 4;  // two a thread
  start();
  std::vector<std::string> answers;
  for (int i = 0; i < 6; ++i) answers.push_back(answer_to(*open_client(), {}));
  EXPECT_EQ(std::ranges::count(answers, "20020000"), 4);
  EXPECT_EQ(std::ranges::count(answers, "20020003"), 2);
}

TEST_F(HubTest, DiskReserveIsAnsweredWithServerUnavailable) {
  start();
  journal_.reach_reserve(true);
  EXPECT_EQ(answer_to(*open_client(), {}), "20020003");
}

}  // namespace
}  // namespace picket::hub
