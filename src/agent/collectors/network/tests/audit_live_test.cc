// Tier audit of network against the running kernel.
#include <sys/wait.h>

#include "live_words.h"
#include "network/audit_connect.h"
#include "support/audit_socket.h"
#include "tests/network_namespace.h"

namespace picket::agent {
namespace {

class NetworkAuditTier : public testing::TestWithParam<int> {};

TEST_P(NetworkAuditTier, ReportsBothSidesOfAConnectionAndARefusal) {
  PICKET_NEEDS_ROOT();
  Bench bench("network", forced("audit"));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  // After that: audit reports to the first namespace only. The tables of sockets are without those of others here.
  NetworkNamespace network;
  ASSERT_TRUE(network.entered());
  Pair pair(GetParam());
  ASSERT_EQ(connect(pair.client.get(), pair.address.get(), pair.address.size), 0);
  Address peer;
  peer.size = sizeof(peer.storage);
  pair.server.reset(accept(pair.listener.get(), peer.get(), &peer.size));
  ASSERT_TRUE(pair.server.valid());
  const auto incoming = [&]() -> const KeptConnection* {
    for (const auto& kept : bench.sink.connections) {
      if (kept.record.direction == Direction::in && kept.record.remote.port == peer.port()) return &kept;
    }
    return nullptr;
  };
  ASSERT_TRUE(bench.run_until(
      [&] { return find(bench.sink, Kind::opened, Direction::out, pair.port()) != nullptr && incoming() != nullptr; }));
  for (const KeptConnection* kept : {find(bench.sink, Kind::opened, Direction::out, pair.port()), incoming()}) {
    EXPECT_EQ(kept->record.protocol, IPPROTO_TCP);
    EXPECT_EQ(kept->record.remote.address.length, GetParam() == AF_INET ? 4 : 16);
    EXPECT_EQ(kept->record.pid, static_cast<std::uint32_t>(getpid()));
    EXPECT_TRUE(kept->record.uid_known);
    EXPECT_EQ(kept->record.uid, getuid());
    EXPECT_EQ(kept->executable, self());
    EXPECT_FALSE(kept->argv.empty());
  }
  pair.listener.reset();
  const UniqueFd refused{socket(GetParam(), SOCK_STREAM | SOCK_CLOEXEC, 0)};
  EXPECT_EQ(connect(refused.get(), pair.address.get(), pair.address.size), -1);
  EXPECT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::failed, Direction::out, pair.port()) != nullptr; }));
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
  EXPECT_EQ(counters.delivered, bench.sink.connections.size());
}

TEST_P(NetworkAuditTier, TellsUdpFromTcpWhileTheSocketLives) {
  PICKET_NEEDS_ROOT();
  Bench bench("network", forced("audit"));
  ASSERT_TRUE(bench.collector.start());
  NetworkNamespace network;
  ASSERT_TRUE(network.entered());
  Pair pair(GetParam(), SOCK_DGRAM);
  ASSERT_EQ(connect(pair.client.get(), pair.address.get(), pair.address.size), 0);
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::opened, Direction::out, pair.port()) != nullptr; }));
  const KeptConnection& kept = *find(bench.sink, Kind::opened, Direction::out, pair.port());
  EXPECT_EQ(kept.record.protocol, IPPROTO_UDP);
  EXPECT_NE(kept.record.local.port, 0);
}

INSTANTIATE_TEST_SUITE_P(Families, NetworkAuditTier, testing::Values(AF_INET, AF_INET6),
                         [](const auto& at) { return at.param == AF_INET ? "V4" : "V6"; });

TEST(NetworkAuditRules, AreThereOnceAndGoneWithTheCollector) {
  PICKET_NEEDS_ROOT();
  auto control = AuditControl::open();
  ASSERT_TRUE(control);
  constexpr unsigned kCalls[] = {kConnectCalls.connect, kConnectCalls.accept, kConnectCalls.accept4};
  const AuditRule rule =
      audit_call_rule(kConnectCalls.arch, kCalls, "picket-network", {.also_failed = true, .family = AF_INET});
  ASSERT_TRUE(control->add(rule)) << "as an agent leaves it that was killed";
  {
    Bench bench("network", forced("audit"));
    ASSERT_TRUE(bench.collector.start());
    EXPECT_EQ(control->add(rule), false) << "it is there";
  }
  EXPECT_EQ(control->remove(rule), false) << "nothing is left";
}

TEST(NetworkAuditRules, NameTheProgramOfAConnectThatIsOverAtOnce) {
  PICKET_NEEDS_ROOT();
  Bench bench("network", forced("audit"));
  ASSERT_TRUE(bench.collector.start());
  NetworkNamespace network;
  ASSERT_TRUE(network.entered());
  Pair pair(AF_INET);
  const std::string command = "echo > /dev/tcp/127.0.0.1/" + std::to_string(pair.port());
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/bash", "bash", "-c", command.c_str(), nullptr);
    _exit(1);
  }
  waitpid(pid, nullptr, 0);
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::opened, Direction::out, pair.port()) != nullptr; }));
  const KeptConnection& kept = *find(bench.sink, Kind::opened, Direction::out, pair.port());
  EXPECT_EQ(kept.record.pid, static_cast<std::uint32_t>(pid));
  EXPECT_TRUE(kept.executable.ends_with("/bash")) << kept.executable;
}

}  // namespace
}  // namespace picket::agent
