// Network collector against the running kernel, each tier forced.
#include <netinet/tcp.h>
#include <sys/wait.h>

#include "live_words.h"
#include "tests/network_namespace.h"

namespace picket::agent {
namespace {

class NetworkTier : public testing::TestWithParam<std::tuple<const char*, int>> {
 protected:
  const char* tier() const { return std::get<0>(GetParam()); }
  int family() const { return std::get<1>(GetParam()); }
  bool sampled() const { return std::string_view(tier()) == "procfs"; }
};

TEST_P(NetworkTier, ReportsBothSidesOfAConnectionAndItsEnd) {
  if (!sampled()) PICKET_NEEDS_ROOT();
  std::optional<NetworkNamespace> network;  // without the connections of others
  if (geteuid() == 0) ASSERT_TRUE(network.emplace().entered());
  Bench bench("network", forced(tier()));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  Pair pair(family());
  pair.connect_now();
  const auto opened = [&](Direction direction) { return find(bench.sink, Kind::opened, direction, pair.port()); };
  ASSERT_TRUE(bench.run_until([&] { return opened(Direction::out) && opened(Direction::in); }));

  for (const Direction direction : {Direction::out, Direction::in}) {
    const KeptConnection& kept = *opened(direction);
    EXPECT_EQ(kept.record.protocol, 6);
    EXPECT_EQ(kept.record.remote.address.length, family() == AF_INET ? 4 : 16);
    EXPECT_EQ(kept.record.local.address, kept.record.remote.address);
    EXPECT_EQ(kept.record.pid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(kept.executable, self());
    EXPECT_FALSE(kept.argv.empty());
    EXPECT_TRUE(kept.record.uid_known);
    EXPECT_EQ(kept.record.uid, getuid());
    EXPECT_EQ(kept.record.origin.sampled, sampled());
    if (std::string_view(tier()) == "ebpf") EXPECT_EQ(kept.interface, "lo");
  }
  ASSERT_EQ(send(pair.client.get(), "request", 7, 0), 7);
  char buffer[16];
  ASSERT_EQ(recv(pair.server.get(), buffer, sizeof(buffer), 0), 7);
  ASSERT_EQ(send(pair.server.get(), "the answer", 10, 0), 10);
  ASSERT_EQ(recv(pair.client.get(), buffer, sizeof(buffer), 0), 10);
  pair.client.reset();
  ASSERT_EQ(recv(pair.server.get(), buffer, sizeof(buffer), 0), 0);
  pair.server.reset();
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::closed, Direction::out, pair.port()) != nullptr; }));
  const ConnectionRecord& end = find(bench.sink, Kind::closed, Direction::out, pair.port())->record;
  EXPECT_EQ(end.bytes_known, !sampled());
  if (!sampled()) {
    EXPECT_EQ(end.bytes_out, 7u);
    EXPECT_GE(end.bytes_in, 10u);
    // sock-diag cannot tell the peer's FIN from a byte.
    EXPECT_LE(end.bytes_in, std::string_view(tier()) == "sock-diag" ? 11u : 10u);
  }
  EXPECT_EQ(end.cookie, opened(Direction::out)->record.cookie);
  EXPECT_GT(end.lasted.us, 0);
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.delivered, bench.sink.connections.size());
}

INSTANTIATE_TEST_SUITE_P(EachForced, NetworkTier,
                         testing::Combine(testing::Values("ebpf", "sock-diag", "procfs"),
                                          testing::Values(AF_INET, AF_INET6)),
                         [](const auto& at) {
                           std::string name = std::get<0>(at.param);
                           std::erase(name, '-');
                           return name + (std::get<1>(at.param) == AF_INET ? "V4" : "V6");
                         });

TEST(NetworkEbpf, NamesTheProgramOfAConnectThatIsOverAtOnce) {
  PICKET_NEEDS_ROOT();
  Bench bench("network", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  Pair pair(AF_INET);
  const std::string command = "echo > /dev/tcp/127.0.0.1/" + std::to_string(pair.port());
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/bash", "bash", "-c", command.c_str(), nullptr);
    _exit(1);
  }
  waitpid(pid, nullptr, 0);  // gone before the collector looks
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::opened, Direction::out, pair.port()) != nullptr; }));
  const KeptConnection& kept = *find(bench.sink, Kind::opened, Direction::out, pair.port());
  EXPECT_EQ(kept.record.pid, static_cast<std::uint32_t>(pid));
  EXPECT_TRUE(kept.executable.ends_with("/bash")) << kept.executable;
  EXPECT_NE(kept.argv.find(command), std::string::npos);
}

TEST(NetworkEbpf, FindsTheOwnerOfAListenerThatIsOlderThanItself) {
  PICKET_NEEDS_ROOT();
  Pair pair(AF_INET);
  Bench bench("network", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  pair.connect_now();
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::opened, Direction::in, pair.port()) != nullptr; }));
  const KeptConnection& kept = *find(bench.sink, Kind::opened, Direction::in, pair.port());
  EXPECT_EQ(kept.record.pid, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(kept.executable, self());
}

// Only this tier promises it: once a blocking connect() has failed, the kernel forgets the peer.
TEST(NetworkEbpf, TellsAFailedConnectFromAnOpenOne) {
  PICKET_NEEDS_ROOT();
  Bench bench("network", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  for (const int family : {AF_INET, AF_INET6}) {
    Pair pair(family);
    const std::uint16_t port = pair.port();
    pair.listener.reset();  // now nobody listens there
    EXPECT_EQ(connect(pair.client.get(), pair.address.get(), pair.address.size), -1);
    pair.client.reset();
    ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::failed, Direction::out, port) != nullptr; }));
    bench.run_for(0.5);
    int failed = 0;
    for (const auto& kept : bench.sink.connections) {
      if (kept.record.remote.port != port) continue;
      EXPECT_EQ(kept.record.kind, Kind::failed);
      ++failed;
    }
    EXPECT_EQ(failed, 1);
  }
}

TEST(NetworkEbpf, AccountsForAStormOfConnects) {
  PICKET_NEEDS_ROOT();
  CollectorSettings settings = forced("ebpf");
  settings.network_ring_bytes = 16384;
  Bench bench("network", settings);
  ASSERT_TRUE(bench.collector.start());
  Pair pair(AF_INET);
  for (int i = 0; i < 1000; ++i) {
    const UniqueFd client{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(connect(client.get(), pair.address.get(), pair.address.size), 0);
    const UniqueFd server{accept(pair.listener.get(), nullptr, nullptr)};
  }
  EXPECT_GT(bench.collector.counters().dropped_kernel, 0u) << "16 KiB cannot hold 4,000 records";
  Counters after;
  bench.run_until([&] {
    after = bench.collector.counters();  // others go on meanwhile
    return after.seen == after.delivered + after.dropped_kernel;
  });
  EXPECT_GE(after.seen, 4000u);
  EXPECT_EQ(after.seen, after.delivered + after.dropped_kernel + after.dropped_user);
  std::uint64_t told = 0;
  for (const auto& kept : bench.sink.connections) told += kept.record.count;
  EXPECT_EQ(after.delivered, told);
}

}  // namespace
}  // namespace picket::agent
