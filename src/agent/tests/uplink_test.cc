#include "agent/uplink.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/resolver.h"
#include "uplink_fixture.h"

namespace picket::agent {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST_F(UplinkTest, SendsASecurityMessageAsTheSdksDo) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  put(R"({"Name":"One"})");
  put(R"({"Name":"Two"})");
  connect_to(hub.port(), "127.0.0.1", "DefenderIotMicroAgent");
  ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;

  EXPECT_EQ(hub.client_ids().front(), "dev#1/DefenderIotMicroAgent");
  EXPECT_EQ(hub.last_user_name(),
            "hub.example/dev#1/DefenderIotMicroAgent/?api-version=2021-04-12&DeviceClientType=picket-agent%2F0.1");
  EXPECT_THAT(hub.last_password(), StartsWith("SharedAccessSignature sr=hub.example%2Fdevices%2Fdev%231%2Fmodules%2F"));
  const auto arrived = hub.arrived();
  ASSERT_EQ(arrived.size(), 2u);
  EXPECT_THAT(arrived[0].topic, StartsWith("devices/dev#1/modules/DefenderIotMicroAgent/messages/events/"));
  EXPECT_THAT(arrived[0].topic, HasSubstr("%24.ifid=urn%3Aazureiot%3ASecurity%3ASecurityAgent%3A1"));
  EXPECT_THAT(arrived[0].topic, HasSubstr("%24.ct=application%2Fjson"));
  EXPECT_THAT(arrived[0].topic, HasSubstr("%24.ce=utf-8"));
  EXPECT_EQ(arrived[0].message_id, message_id({arrived[0].epoch, 1}));
  EXPECT_THAT(arrived[0].body, HasSubstr(R"("Events":[{"Name":"One"}])"));
  EXPECT_EQ(arrived[1].sequence, 2u);
  EXPECT_EQ(uplink_->status().acknowledged, 2u);
  EXPECT_EQ(uplink_->status().state, UplinkState::connected);
}

TEST_F(UplinkTest, CompressesWhatBecomesSmaller) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  std::string event = R"({"Name":")" + std::string(50'000, 'x') + R"("})";
  put(event);
  connect_to(hub.port());
  ASSERT_TRUE(run_until_sent());
  EXPECT_TRUE(hub.arrived()[0].compressed);
  EXPECT_THAT(hub.arrived()[0].body, HasSubstr(event));
  EXPECT_LT(uplink_->status().bytes_sent, 2'000u);
}

TEST_F(UplinkTest, SendsTheLargestMessageAndManyAtOnce) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  UplinkSettings settings;
  settings.compress = false;
  for (int i = 0; i < 8; ++i) put(R"({"N":")" + std::string(203'000, static_cast<char>('a' + i)) + R"("})");
  connect_to(hub.port(), "127.0.0.1", "", settings);
  ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;
  const auto arrived = hub.arrived();
  ASSERT_EQ(arrived.size(), 8u);
  for (std::size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(arrived[i].sequence, i + 1);
    EXPECT_THAT(arrived[i].body, HasSubstr(std::string(203'000, static_cast<char>('a' + i)) + R"("}]})"));
  }
}

TEST_F(UplinkTest, SendsAgainWithTheSameMessageIdAfterALostConnection) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.close_after = 5;
  for (int i = 0; i < 20; ++i) put(R"({"N":)" + std::to_string(i) + "}");
  connect_to(hub.port());
  ASSERT_TRUE(run_until_sent()) << uplink_->status().reason;
  EXPECT_GT(hub.connections(), 3u);
  std::set<std::uint64_t> sequences;
  for (const auto& each : hub.arrived()) {
    sequences.insert(each.sequence);
    EXPECT_EQ(each.message_id, message_id({each.epoch, each.sequence}));
    EXPECT_THAT(each.body, HasSubstr(R"({"N":)" + std::to_string(each.sequence - 1) + "}"));
  }
  EXPECT_EQ(sequences.size(), 20u);
  EXPECT_GT(uplink_->status().sent_again, 0u);
}

TEST_F(UplinkTest, AMessageLeavesTheSpoolOnlyAfterItsAcknowledgement) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.withhold_every = 2;
  for (int i = 0; i < 6; ++i) put("{}");
  connect_to(hub.port());
  ASSERT_TRUE(run_until([&] { return hub.arrived().size() == 6 && spool_.pending() == 3; }));
  uplink_->stop();
  hub.faults.withhold_every = 0;
  uplink_->start();
  ASSERT_TRUE(run_until_sent());
  EXPECT_EQ(hub.arrived().size(), 9u);
}

TEST_F(UplinkTest, ABusyHubIsAskedAgainSoonARefusalIsNot) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.refuse = 3;
  connect_to(hub.port());
  ASSERT_TRUE(run_until([&] { return hub.connections() >= 3; }));
  EXPECT_EQ(uplink_->status().problem, UplinkProblem::busy);
  hub.faults.refuse = 5;
  ASSERT_TRUE(run_until([&] { return uplink_->status().problem == UplinkProblem::denied; }));
  EXPECT_THAT(uplink_->status().reason, HasSubstr("CONNACK 5"));
  ASSERT_TRUE(uplink_->status().next_attempt);
  EXPECT_GE(*uplink_->status().next_attempt - system_clock().now(), Duration::minutes(4));
}

TEST_F(UplinkTest, ACertificateForAnotherNameIsRefused) {
  test::MiniHub hub(authority_.issue("DNS:other.example,IP:127.0.0.2"));
  connect_to(hub.port());
  ASSERT_TRUE(run_until([&] { return uplink_->status().problem != UplinkProblem::none; }));
  EXPECT_EQ(uplink_->status().problem, UplinkProblem::certificate);
  EXPECT_THAT(uplink_->status().reason, HasSubstr("is not for '127.0.0.1'"));
  EXPECT_TRUE(hub.client_ids().empty()) << "the token was not sent";
}

TEST_F(UplinkTest, ANameIsVerifiedToo) {
  test::MiniHub hub(authority_.issue("DNS:localhost"));
  put("{}");
  connect_to(hub.port(), "localhost");
  EXPECT_TRUE(run_until_sent()) << uplink_->status().reason;
}

TEST_F(UplinkTest, ACertificateOfAnotherAuthorityIsRefused) {
  const test::TestAuthority stranger;
  test::MiniHub hub(stranger.issue("IP:127.0.0.1"));
  connect_to(hub.port());
  ASSERT_TRUE(run_until([&] { return uplink_->status().problem != UplinkProblem::none; }));
  EXPECT_THAT(uplink_->status().reason, HasSubstr("not signed by a certificate in ca_file"));
  EXPECT_TRUE(hub.client_ids().empty());
}

TEST_F(UplinkTest, AnExpiredCertificateIsRefusedAndTheClockMentioned) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1", -7'200, -3'600));
  connect_to(hub.port());
  ASSERT_TRUE(run_until([&] { return uplink_->status().problem != UplinkProblem::none; }));
  EXPECT_EQ(uplink_->status().problem, UplinkProblem::certificate);
  EXPECT_THAT(uplink_->status().reason, HasSubstr("clock"));
}

TEST_F(UplinkTest, NobodyListeningIsANetworkProblem) {
  std::uint16_t port = 0;
  {
    test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
    port = hub.port();
  }
  connect_to(port);
  ASSERT_TRUE(run_until([&] { return uplink_->status().problem != UplinkProblem::none; }));
  EXPECT_EQ(uplink_->status().problem, UplinkProblem::network);
  EXPECT_THAT(uplink_->status().reason, HasSubstr("Connection refused"));
}

TEST_F(UplinkTest, ATokenIsRenewedByANewConnectionBeforeItEnds) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  UplinkSettings settings;
  settings.token_lifetime = Duration::seconds(2);
  connect_to(hub.port(), "127.0.0.1", "", settings);
  ASSERT_TRUE(run_until([&] { return hub.connections() >= 2 && uplink_->status().state == UplinkState::connected; }));
  EXPECT_EQ(uplink_->status().problem, UplinkProblem::none);
  put("{}");
  EXPECT_TRUE(run_until_sent());
}

TEST_F(UplinkTest, APeerThatClosesAtOnceIsToldApart) {
  test::MiniHub hub(authority_.issue("IP:127.0.0.1"));
  hub.faults.close_on_connect = true;
  connect_to(hub.port());
  ASSERT_TRUE(run_until([&] { return uplink_->status().problem != UplinkProblem::none; }));
  EXPECT_EQ(uplink_->status().problem, UplinkProblem::lost);
}

TEST(Resolver, AnswersWithoutAServer) {
  const auto text = [](const std::string& host, std::string_view hosts) {
    const auto found = resolve_locally(host, hosts);
    if (!found) return std::string("ask");
    std::string out;
    for (const IpAddress& each : *found) out += std::to_string(each.length) + ":" + std::to_string(each.bytes[3]) + " ";
    return out;
  };
  EXPECT_EQ(text("192.0.2.7", ""), "4:7 ");
  EXPECT_EQ(text("::1", ""), "16:0 ");
  EXPECT_EQ(text("localhost", ""), "4:1 16:0 ");
  EXPECT_EQ(text("a.localhost.", ""), "4:1 16:0 ");
  EXPECT_EQ(text("Hub.Example", "# c\n10.0.0.9\thub.example alias # x\n\nbroken\n10.0.0.8 other\n"), "4:9 ");
  EXPECT_EQ(text("alias", "10.0.0.9 hub alias\r\n10.0.0.8 alias"), "4:9 4:8 ");
  EXPECT_EQ(text("hub.example", "10.0.0.9 hub.example.com"), "ask");
}

}  // namespace
}  // namespace picket::agent
