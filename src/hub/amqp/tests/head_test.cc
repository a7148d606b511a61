// The head over real TLS on the loopback: what the core's tests cannot see.
#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../../tests/hub_testing.h"
#include "../../tests/memory_journal.h"
#include "base/core/random.h"
#include "hub/amqp_head.h"
#include "hub/memory_identity_store.h"
#include "hub/sas_token.h"
#include "hub/throttle.h"
#include "net/certificate_authority.h"
#include "proton_client.h"
#include "tls_client.h"

namespace picket::hub {
namespace {

using testing::Contains;

/// A Proton client on a TLS connection, driven by the test's thread.
class Peer {
 public:
  explicit Peer(std::uint16_t port) : tls_(net::TestClient::connect(port)) { pump(); }
  /// Writes what is to be written and reads until `done` or the end.
  bool until(const std::function<bool()>& done) {
    for (;;) {
      pump();
      if (done()) return true;
      const auto byte = tls_->receive(1);
      if (!byte) return done();
      amqp.input(*byte);
    }
  }
  void pump() {
    const auto out = amqp.output();
    if (!out.empty()) tls_->send(out);
  }
  amqp::ProtonClient amqp;

 private:
  std::unique_ptr<net::TestClient> tls_;
};

class AmqpHeadTest : public testing::Test {
 protected:
  AmqpHeadTest() {
    store_.put("hub1", "dev1", "", {.generation_id = "g1", .primary_key = {std::byte{'k'}, std::byte{'1'}}});
    const auto server = net::open_or_create_server_identity(directory_, {}, system_clock().now()).value();
    tls_ =
        net::TlsContext::create({.certificate_pem = server.certificate_pem, .private_key_pem = server.private_key_pem})
            .value();
    AmqpHeadOptions options{.hubs = {.default_hub = "hub1", .hub_of_host = {}}};
    options.listener.address = "127.0.0.1";
    options.listener.port = 0;
    head_ = AmqpHead::open({.threads = threads_,
                            .tls = *tls_,
                            .identities = store_,
                            .journal = journal_,
                            .log = log_,
                            .clock = clock_,
                            .directory = links_,
                            .throttle = &throttle_},
                           options)
                .value();
  }
  ~AmqpHeadTest() override {
    head_.reset();
    links_.stop();
    threads_.stop();
    std::filesystem::remove_all(directory_);
  }
  /// Connects as dev1; the telemetry link when it has credit.
  amqp::ClientLink* connect(Peer& peer) {
    auto* const out = peer.amqp.sender("$cbs");
    auto* const in = peer.amqp.receiver("$cbs");
    amqp::Message put{.message_id = "1", .to = "$cbs"};
    put.application = {{"operation", "put-token"},
                       {"type", "servicebus.windows.net:sastoken"},
                       {"name", "localhost%2Fdevices%2Fdev1"}};
    put.value = amqp::Value(make_sas_token("localhost", "dev1", "", as_bytes("k1"), clock_.now() + Duration::hours(1)));
    EXPECT_TRUE(peer.until([&] { return out->credit > 0; }));
    peer.amqp.send(out, put);
    EXPECT_TRUE(peer.until([&] { return !in->received.empty(); }));
    auto* const link = peer.amqp.sender("/devices/dev1/messages/events");
    EXPECT_TRUE(peer.until([&] { return link->credit > 0; }));
    return link;
  }

  std::string directory_ = testing::TempDir() + "/amqp-" + random_uuid();
  TestClock clock_;
  TestLog log_;
  MemoryJournal journal_;
  MemoryIdentityStore store_;
  net::IoThreads threads_{2};
  Directory links_{threads_, clock_, {.tick = Duration::milliseconds(5)}};
  Throttle throttle_;
  std::unique_ptr<net::TlsContext> tls_;
  std::unique_ptr<AmqpHead> head_;
};

TEST_F(AmqpHeadTest, TelemetryReachesTheJournalOverTls) {
  Peer peer(head_->port());
  auto* const link = connect(peer);
  amqp::Message message;
  message.data.resize(200'000, std::byte{'x'});
  auto* const sending = peer.amqp.send(link, message);
  EXPECT_TRUE(peer.until([&] { return !sending->outcome.empty(); }));
  EXPECT_EQ(sending->outcome, "accepted");
  ASSERT_EQ(journal_.messages().size(), 1u);
  EXPECT_EQ(journal_.messages()[0].identity, (Identity{"hub1", "dev1", "", "g1"}));
  const auto events = log_.of(HubEventKind::connect);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].protocol, "amqp");
  EXPECT_EQ(events[0].source_address, "127.0.0.1");
  EXPECT_EQ(events[0].transport, "tls");
  EXPECT_NE(events[0].tls_version, "");
  EXPECT_NE(events[0].tls_group, "");
  EXPECT_FALSE(events[0].certificate.has_value());
  EXPECT_TRUE(eventually([&] { return head_->stats().messages_stored == 1; }));
}

TEST_F(AmqpHeadTest, TelemetryAboveItsRateIsAcceptedInItsTime) {
  Limits limits;
  limits[Meter::d2c_messages] = {1, 1};
  throttle_.set_hub("hub1", limits);
  Peer peer(head_->port());
  auto* const link = connect(peer);
  auto* const first = peer.amqp.send(link, {});
  auto* const second = peer.amqp.send(link, {});
  EXPECT_TRUE(peer.until([&] { return !first->outcome.empty(); }));
  ASSERT_TRUE(eventually([&] { return head_->stats().throttled == 1; }));
  EXPECT_EQ(second->outcome, "");
  EXPECT_EQ(journal_.messages().size(), 1u);
  clock_.advance(Duration::seconds(1));
  EXPECT_TRUE(peer.until([&] { return !second->outcome.empty(); }));
  EXPECT_EQ(second->outcome, "accepted");
  EXPECT_EQ(log_.of(HubEventKind::throttled)[0].reason, "d2c_messages");
}

TEST_F(AmqpHeadTest, NewConnectionOfADeviceEvictsTheOld) {
  Peer first(head_->port());
  connect(first);
  Peer second(head_->port());
  connect(second);
  EXPECT_FALSE(first.until([&] { return first.amqp.closed(); })) << "the socket ends without an AMQP close";
  EXPECT_THAT(log_.lines(), Contains("evicted:"));
  EXPECT_TRUE(eventually([&] { return head_->stats().connected == 1; }));
}

TEST_F(AmqpHeadTest, RevokedDeviceLosesItsConnection) {
  Peer peer(head_->port());
  connect(peer);
  links_.revoke({"hub1", "dev1", ""});
  EXPECT_FALSE(peer.until([&] { return peer.amqp.closed(); })) << "the socket ends without an AMQP close";
  EXPECT_TRUE(eventually([&] { return head_->stats().connections == 0; })) << "the socket too";
}

TEST_F(AmqpHeadTest, StrangersAreClosedAfterTheirTime) {
  Peer peer(head_->port());
  auto* const link = peer.amqp.sender("$cbs");
  EXPECT_TRUE(peer.until([&] { return link->open; }));
  clock_.advance(Duration::seconds(11));
  EXPECT_TRUE(peer.until([&] { return peer.amqp.closed(); }));
  EXPECT_EQ(head_->stats().auth_failed, 1u);
}

TEST_F(AmqpHeadTest, StopEndsConnectionsAndIsLogged) {
  Peer peer(head_->port());
  connect(peer);
  head_->stop();
  EXPECT_EQ(head_->stats().connections, 0u);
  EXPECT_EQ(log_.of(HubEventKind::disconnect).size(), 1u);
}

}  // namespace
}  // namespace picket::hub
