// A change of a hub's settings acts on who is connected.
#include "hub/standing.h"

#include <future>
#include <latch>

#include <gtest/gtest.h>

#include "hub/memory_identity_store.h"
#include "hub/sas_token.h"
#include "hub_testing.h"
#include "net/stream.h"

namespace picket::hub {
namespace {

/// A connection that is only looked at.
class Peer final : public net::Stream {
 public:
  explicit Peer(std::string address) : endpoint_{.address = std::move(address)} {
    facts.version = "TLSv1.2";
    facts.cipher = "ECDHE-ECDSA-AES128-GCM-SHA256";
  }
  net::asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte>) override { co_return gone<std::size_t>(); }
  net::asio::awaitable<Result<>> wait_readable() override { co_return gone<void>(); }
  net::asio::awaitable<Result<>> write(Bytes) override { co_return gone<void>(); }
  void shutdown() override {}
  void close() override {}
  [[nodiscard]] const net::Endpoint& peer() const override { return endpoint_; }
  [[nodiscard]] const net::TlsFacts* tls() const override { return &facts; }
  net::asio::any_io_executor executor() override { return {}; }

  net::TlsFacts facts;

 private:
  template <class T>
  static Result<T> gone() {
    return fail(Errc::unavailable, "test");
  }
  net::Endpoint endpoint_;
};

struct StandingTest : ::testing::Test {
  StandingTest() {
    settings.name = "h";
    settings.policies = {{"device", kDeviceConnect, bytes_of("0123456789abcdef0123456789abcdef"), bytes_of("second")}};
    identities.put("h", "d", "", {.generation_id = "g"});
  }
  [[nodiscard]] bool device_stands() const {
    return still_stands({.stream = &peer, .identity = &device}, settings, identities);
  }
  [[nodiscard]] bool policy_stands(bool as_device) const {
    const PolicyUse use{"h", "device", key_fingerprint(bytes_of("0123456789abcdef0123456789abcdef")), as_device};
    return still_stands({.stream = &peer, .policy = &use}, settings, identities);
  }
  void show_certificate(bool chained) {
    auto& certificate = peer.facts.client_certificate.emplace();
    certificate.sha256_thumbprint = "aa";
    certificate.sha1_thumbprint = "bb";
    certificate.chained = chained;
    if (chained) certificate.issuer_thumbprints = {"cc", "dd"};
  }
  void proves_by(state::AuthType auth) { identities.put("h", "d", "", {.generation_id = "g", .auth = auth}); }

  Peer peer{"192.0.2.7"};
  HubSettings settings;
  MemoryIdentityStore identities;
  IdentityKey device{"h", "d", ""};
};

TEST_F(StandingTest, WhoIsWithinTheRulesStays) {
  EXPECT_TRUE(device_stands());
  EXPECT_TRUE(policy_stands(true));
  EXPECT_TRUE(policy_stands(false));
}

TEST_F(StandingTest, AnIpRuleEndsWhomItRejects) {
  settings.configuration.ip_rules = {{"no", IpAction::reject, *parse_cidr("192.0.2.0/24")}};
  EXPECT_FALSE(device_stands());
  EXPECT_FALSE(policy_stands(false));
  settings.configuration.ip_rules = {{"no", IpAction::reject, *parse_cidr("198.51.100.0/24")}};
  EXPECT_TRUE(device_stands());
}

TEST_F(StandingTest, TheTlsPolicyEndsOlderConnections) {
  settings.configuration.tls_minimum = TlsVersion::tls13;
  EXPECT_FALSE(device_stands());
  settings.configuration.tls_minimum = TlsVersion::tls12;
  settings.configuration.ciphers = CipherPolicy::strict;
  EXPECT_FALSE(device_stands());
}

TEST_F(StandingTest, APolicyEndsWithItsKeyItsRightOrItself) {
  settings.policies[0].primary_key = bytes_of("another");
  EXPECT_FALSE(policy_stands(true));
  settings.policies[0].secondary_key = bytes_of("0123456789abcdef0123456789abcdef");
  EXPECT_TRUE(policy_stands(true)) << "either slot";
  settings.policies[0].rights = kServiceConnect;
  EXPECT_FALSE(policy_stands(true));
  EXPECT_TRUE(policy_stands(false));
  settings.policies.clear();
  EXPECT_FALSE(policy_stands(false));
}

TEST_F(StandingTest, ARevokedCertificateEndsWhatItProvedAndNothingElse) {
  show_certificate(true);
  proves_by(state::AuthType::certificate_authority);
  settings.authorities = {{.name = "ca", .sha256_thumbprint = "dd"}};
  EXPECT_TRUE(device_stands());
  for (const std::string thumbprint : {"aa", "bb", "cc", "dd"}) {
    settings.revoked = {{.thumbprint = thumbprint}};
    EXPECT_FALSE(device_stands()) << thumbprint;
  }
  proves_by(state::AuthType::sas);
  EXPECT_TRUE(device_stands()) << "its token proved it";
}

TEST_F(StandingTest, ARemovedAuthorityEndsWhatItVouchedFor) {
  show_certificate(true);
  proves_by(state::AuthType::certificate_authority);
  EXPECT_FALSE(device_stands());
  proves_by(state::AuthType::self_signed);
  EXPECT_TRUE(device_stands()) << "its thumbprint proved it";
}

TEST_F(StandingTest, TheCertificatePolicyActsBothWays) {
  settings.configuration.client_certificates = ClientCertificatePolicy::required;
  EXPECT_FALSE(device_stands());
  settings.configuration.client_certificates = ClientCertificatePolicy::off;
  EXPECT_TRUE(device_stands());
  show_certificate(false);
  proves_by(state::AuthType::self_signed);
  EXPECT_FALSE(device_stands());
}

/// The directory finds whom to ask about.
class Link final : public DeviceLink {
 public:
  void granted() override { grant.set_value(); }
  void close(DisconnectReason reason, std::string_view) override { closed = reason; }
  void close_then(DisconnectReason reason, std::move_only_function<void()> then) override {
    close(reason, {});
    then();
  }
  bool notify(const Notification&) override { return false; }
  void completed(const Completion&) override {}
  void check_deadlines(Duration, Timestamp) override {}

  std::promise<void> grant;
  std::atomic<std::optional<DisconnectReason>> closed{};
  LinkAddress address;
};

struct ReviewTest : ::testing::Test {
  void on(std::size_t thread, const std::function<void()>& work) {
    std::promise<void> done;
    threads.post(thread, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  void connect(Link& link, const Identity& identity, std::size_t thread) {
    on(thread, [&] {
      link.address = directory.enter(thread, link);
      directory.stand_on(link.address, peer);
      directory.claim(identity, link.address);
    });
    link.grant.get_future().wait();
  }
  /// Until what was asked has been answered on every thread.
  void settle() {
    for (int round = 0; round < 3; ++round) {
      for (std::size_t i = 0; i < threads.size(); ++i) on(i, [] {});
    }
  }

  Peer peer{"192.0.2.7"};
  net::IoThreads threads{3};
  Directory directory{threads, system_clock(), {}};
};

TEST_F(ReviewTest, AsksAboutEveryIdentityOfTheHubOnly) {
  Link first, second, other;
  connect(first, {"h", "a", "", "g"}, 0);
  connect(second, {"h", "b", "m", "g"}, 2);
  connect(other, {"x", "a", "", "g"}, 1);
  directory.review("h", [](const Standing& standing) {
    return standing.identity == nullptr || standing.identity->device_id != "b";
  });
  settle();
  EXPECT_EQ(first.closed.load(), std::nullopt);
  EXPECT_EQ(second.closed.load(), DisconnectReason::revoked);
  directory.review("h", [](const Standing&) { return false; });
  settle();
  EXPECT_EQ(first.closed.load(), DisconnectReason::revoked);
  EXPECT_EQ(other.closed.load(), std::nullopt);
}

TEST_F(ReviewTest, AServiceConnectionStandsOnItsPolicyAlone) {
  Link service;
  on(1, [&] {
    service.address = directory.enter(1, service);
    directory.stand_on(service.address, peer, {"h", "service", "old", false});
  });
  const auto by_credential = [](std::string wanted) {
    return [wanted](const Standing& standing) {
      return standing.policy == nullptr || standing.policy->credential == wanted;
    };
  };
  directory.review("h", by_credential("old"));
  settle();
  EXPECT_EQ(service.closed.load(), std::nullopt);
  on(1, [&] { directory.stand_on(service.address, peer, {"h", "service", "new", false}); });
  directory.review("h", by_credential("new"));
  settle();
  EXPECT_EQ(service.closed.load(), std::nullopt) << "a renewed token replaces the old one";
  directory.review("x", by_credential("other"));
  settle();
  EXPECT_EQ(service.closed.load(), std::nullopt) << "another hub's";
  directory.review("h", by_credential("other"));
  settle();
  EXPECT_EQ(service.closed.load(), DisconnectReason::revoked);
  on(1, [&] { directory.leave(service.address); });
}

}  // namespace
}  // namespace picket::hub
