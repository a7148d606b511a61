// Tier conntrack against the running kernel, in namespaces of its own: connections of this device, and of others.
#include <array>
#include <fstream>

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/tcp.h>
#include <sys/wait.h>

#include "live_words.h"
#include "tests/network_namespace.h"

namespace picket::agent {
namespace {

bool run(const std::string& command) {
  const int status = std::system(command.c_str());
  EXPECT_EQ(status, 0) << command;
  return status == 0;
}

/// A device with a firewall that tracks connections.
class Conntrack : public testing::Test {
 protected:
  void SetUp() override {
    PICKET_NEEDS_ROOT();
    ASSERT_TRUE(network_.entered());
    ASSERT_TRUE(
        run("nft 'add table inet t; add chain inet t in { type filter hook input priority 0; }; "
            "add rule inet t in ct state invalid drop'"));
    settings_.conntrack_accounting = true;
  }
  bool start() {
    bench_ = std::make_unique<Bench>("network", settings_);
    const auto started = bench_->collector.start();
    EXPECT_TRUE(started) << (started ? "" : describe(started.error()));
    return started.has_value();
  }
  /// The kernel forgets all flows, and says so: nobody has to wait two minutes for it.
  static void forget_flows() {
    const UniqueFd fd{socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER)};
    struct {
      nlmsghdr netlink;
      nfgenmsg netfilter;
    } request{};
    request.netlink = {.nlmsg_len = sizeof(request),
                       .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
                       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK};
    ASSERT_EQ(send(fd.get(), &request, sizeof(request), 0), static_cast<ssize_t>(sizeof(request)));
    std::array<std::byte, 256> answer;
    ASSERT_GT(recv(fd.get(), answer.data(), answer.size(), 0), 0);
  }
  [[nodiscard]] const KeptConnection* found(Kind kind, Direction direction, std::uint16_t port) const {
    return find(bench_->sink, kind, direction, port);
  }
  [[nodiscard]] std::ptrdiff_t count(Kind kind, Direction direction, std::uint16_t port) const {
    return std::ranges::count_if(bench_->sink.connections, [&](const KeptConnection& kept) {
      return kept.record.kind == kind && kept.record.direction == direction &&
             (direction == Direction::in ? kept.record.local.port : kept.record.remote.port) == port;
    });
  }
  void expect_closed_account() const {
    const Counters counters = bench_->collector.counters();
    EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
    EXPECT_EQ(counters.delivered, bench_->sink.connections.size());
  }

  NetworkNamespace network_;
  CollectorSettings settings_ = forced("conntrack");
  std::unique_ptr<Bench> bench_;
};

TEST_F(Conntrack, TcpIsReportedFromBothSidesWithItsProcess) {
  if (HasFatalFailure() || IsSkipped()) return;
  ASSERT_TRUE(start());
  for (const int family : {AF_INET, AF_INET6}) {
    Pair pair(family);
    pair.connect_now();
    ASSERT_TRUE(bench_->run_until([&] {
      return found(Kind::opened, Direction::out, pair.port()) && found(Kind::opened, Direction::in, pair.port());
    }));
    for (const Direction direction : {Direction::out, Direction::in}) {
      const KeptConnection& opened = *found(Kind::opened, direction, pair.port());
      EXPECT_EQ(opened.record.protocol, IPPROTO_TCP);
      EXPECT_EQ(opened.record.remote.address.length, family == AF_INET ? 4 : 16);
      EXPECT_EQ(opened.record.local.address, opened.record.remote.address);
      EXPECT_EQ(opened.record.pid, static_cast<std::uint32_t>(getpid()));
      EXPECT_EQ(opened.executable, self());
      EXPECT_FALSE(opened.argv.empty());
      EXPECT_TRUE(opened.record.uid_known);
      EXPECT_EQ(opened.record.uid, getuid());
      EXPECT_EQ(opened.interface, "lo");
      EXPECT_FALSE(opened.record.forwarded);
      EXPECT_FALSE(opened.record.origin.sampled);
    }
    const std::string request(5'000, 'x');
    ASSERT_EQ(send(pair.client.get(), request.data(), request.size(), 0), static_cast<ssize_t>(request.size()));
    forget_flows();
    ASSERT_TRUE(bench_->run_until([&] { return found(Kind::closed, Direction::in, pair.port()) != nullptr; }));
    const KeptConnection& closed = *found(Kind::closed, Direction::out, pair.port());
    EXPECT_TRUE(closed.record.bytes_known);
    EXPECT_GE(closed.record.bytes_out, 5'000u);
    EXPECT_LT(closed.record.bytes_out, 5'200u) << "options of TCP count";
    EXPECT_EQ(closed.executable, self());
    EXPECT_EQ(closed.record.cookie, found(Kind::opened, Direction::out, pair.port())->record.cookie);
    const KeptConnection& server = *found(Kind::closed, Direction::in, pair.port());
    EXPECT_EQ(server.record.bytes_in, closed.record.bytes_out);
    EXPECT_EQ(server.record.bytes_out, closed.record.bytes_in);
    EXPECT_EQ(count(Kind::opened, Direction::out, pair.port()), 1);
  }
  expect_closed_account();
}

TEST_F(Conntrack, UdpHasItsExactBytesAndIcmpIsThere) {
  if (HasFatalFailure() || IsSkipped()) return;
  ASSERT_TRUE(start());
  Pair pair(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(sendto(pair.client.get(), "question", 8, 0, pair.address.get(), pair.address.size), 8);
  const UniqueFd ping{socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)};
  const std::array<std::uint8_t, 8> echo{8, 0, 0xf7, 0xff, 0, 0, 0, 0};
  const Address to = loopback(AF_INET);
  ASSERT_EQ(sendto(ping.get(), echo.data(), echo.size(), 0, to.get(), to.size), 8);
  ASSERT_TRUE(bench_->run_until([&] { return found(Kind::opened, Direction::in, pair.port()) != nullptr; }));
  EXPECT_EQ(found(Kind::opened, Direction::out, pair.port())->executable, self());
  forget_flows();
  ASSERT_TRUE(bench_->run_until([&] { return found(Kind::closed, Direction::out, pair.port()) != nullptr; }));
  const ConnectionRecord& closed = found(Kind::closed, Direction::out, pair.port())->record;
  EXPECT_EQ(closed.protocol, IPPROTO_UDP);
  EXPECT_EQ(closed.bytes_out, 8u);
  EXPECT_EQ(closed.bytes_in, 0u);
  EXPECT_TRUE(std::ranges::any_of(bench_->sink.connections,
                                  [](const KeptConnection& kept) { return kept.record.protocol == IPPROTO_ICMP; }));
  expect_closed_account();
}

TEST_F(Conntrack, AConnectThatIsRefusedHasFailed) {
  if (HasFatalFailure() || IsSkipped()) return;
  ASSERT_TRUE(start());
  Pair pair(AF_INET);
  const std::uint16_t port = pair.port();
  pair.listener.reset();
  EXPECT_EQ(connect(pair.client.get(), pair.address.get(), pair.address.size), -1);
  forget_flows();
  ASSERT_TRUE(bench_->run_until([&] { return found(Kind::failed, Direction::out, port) != nullptr; }));
  EXPECT_EQ(count(Kind::opened, Direction::out, port), 0);
  EXPECT_EQ(count(Kind::failed, Direction::out, port), 1);
}

TEST_F(Conntrack, WhatWasOpenBeforeIsNoNews) {
  if (HasFatalFailure() || IsSkipped()) return;
  Pair before(AF_INET), after(AF_INET);
  before.connect_now();
  ASSERT_TRUE(start());
  after.connect_now();
  ASSERT_TRUE(bench_->run_until([&] { return found(Kind::opened, Direction::in, after.port()) != nullptr; }));
  EXPECT_EQ(count(Kind::opened, Direction::out, before.port()), 0);
}

TEST_F(Conntrack, AfterALossAListingTellsWhatWasMissedAndNothingTwice) {
  if (HasFatalFailure() || IsSkipped()) return;
  settings_.network_ring_bytes = 4096;  // the smallest buffer
  ASSERT_TRUE(start());
  constexpr std::uint16_t kFirst = 2'000, kFlows = 3'000;
  const UniqueFd client{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  for (std::uint16_t i = 0; i < kFlows; ++i) {
    sockaddr_in to{.sin_family = AF_INET, .sin_port = htons(kFirst + i), .sin_addr = {htonl(0x7f020304)}};
    // A refusal by ICMP shows up as an error of a later call, which has sent nothing then.
    while (sendto(client.get(), "x", 1, 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 1) {
    }
  }
  ASSERT_TRUE(bench_->run_until(
      [&] {
        return std::ranges::count_if(bench_->sink.connections, [](const KeptConnection& kept) {
                 return kept.record.direction == Direction::out && kept.record.kind == Kind::opened &&
                        kept.record.protocol == IPPROTO_UDP;
               }) >= kFlows;
      },
      30));
  EXPECT_GT(bench_->collector.counters().dropped_kernel, 0u);
  std::vector<int> told(kFlows);
  for (const KeptConnection& kept : bench_->sink.connections) {
    const int port = kept.record.remote.port - kFirst;
    if (kept.record.kind == Kind::opened && kept.record.direction == Direction::out && port >= 0 && port < kFlows) {
      ++told[static_cast<std::size_t>(port)];
    }
  }
  EXPECT_EQ(std::ranges::count(told, 1), kFlows);
  expect_closed_account();
}

TEST_F(Conntrack, WithoutARuleThatTracksItSaysSo) {
  if (HasFatalFailure() || IsSkipped()) return;
  ASSERT_TRUE(run("nft flush ruleset"));
  Bench bench("network", settings_);
  const auto started = bench.collector.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().where, "agent.conntrack.nothing_is_tracked");
}

/// A device of its own behind a cable to this one: a process in another network namespace.
class Neighbour {
 public:
  /// `number` n: this end of the cable is 10.99.n.1, the neighbour 10.99.n.2. It runs `job` when told to.
  template <class Job>
  Neighbour(int number, Job job) {
    int up[2], down[2];
    EXPECT_EQ(pipe2(up, O_CLOEXEC) | pipe2(down, O_CLOEXEC), 0);
    pid_ = fork();
    if (pid_ == 0) {
      char word = 0;
      const bool ready = unshare(CLONE_NEWNET) == 0 && write(up[1], "r", 1) == 1 && read(down[0], &word, 1) == 1;
      const std::string net = "10.99." + std::to_string(number) + ".";
      const std::string setup = "ip link set lo up && ip addr add " + net + "2/24 dev eth0 && ip link set eth0 up && " +
                                "ip route add default via " + net + "1";
      const bool set = ready && std::system(setup.c_str()) == 0;
      _exit(set && job([&] { return write(up[1], "r", 1) == 1; }) ? 0 : 1);
    }
    said_.reset(up[0]);
    told_.reset(down[1]);
    close(up[1]);
    close(down[0]);
    wait_for_word();
    const std::string end = "g" + std::to_string(number);
    EXPECT_TRUE(run("ip link add " + end + " type veth peer name eth0 netns " + std::to_string(pid_) +
                    " && ip addr add 10.99." + std::to_string(number) + ".1/24 dev " + end + " && ip link set " + end +
                    " up"));
  }
  Neighbour(const Neighbour&) = delete;
  Neighbour& operator=(const Neighbour&) = delete;
  ~Neighbour() {
    told_.reset();
    if (pid_ > 0) waitpid(pid_, nullptr, 0);
  }
  void begin() { EXPECT_EQ(write(told_.get(), "g", 1), 1); }
  void wait_for_word() {
    char word = 0;
    EXPECT_EQ(read(said_.get(), &word, 1), 1);
  }
  /// Its job was done.
  bool ended_well() {
    int status = 1;
    waitpid(pid_, &status, 0);
    pid_ = 0;
    return status == 0;
  }

 private:
  pid_t pid_ = 0;
  UniqueFd said_, told_;
};

TEST_F(Conntrack, AGatewayReportsWhatItForwards) {
  if (HasFatalFailure() || IsSkipped()) return;
  std::ofstream("/proc/sys/net/ipv4/ip_forward") << 1;
  constexpr std::uint16_t kPort = 5'555;
  const sockaddr_in server_at{.sin_family = AF_INET, .sin_port = htons(kPort), .sin_addr = {htonl(0x0a630202)}};
  Neighbour server(2, [&](auto say) {
    const UniqueFd listener{socket(AF_INET, SOCK_STREAM, 0)};
    if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&server_at), sizeof(server_at)) != 0) return false;
    if (listen(listener.get(), 1) != 0 || !say()) return false;
    const UniqueFd peer{accept(listener.get(), nullptr, nullptr)};
    char buffer[64];
    return recv(peer.get(), buffer, 7, MSG_WAITALL) == 7 && send(peer.get(), "the answer", 10, 0) == 10;
  });
  Neighbour client(1, [&](auto) {
    const UniqueFd peer{socket(AF_INET, SOCK_STREAM, 0)};
    char buffer[64];
    return connect(peer.get(), reinterpret_cast<const sockaddr*>(&server_at), sizeof(server_at)) == 0 &&
           send(peer.get(), "request", 7, 0) == 7 && recv(peer.get(), buffer, 10, MSG_WAITALL) == 10;
  });
  ASSERT_TRUE(start());
  server.begin();
  server.wait_for_word();
  client.begin();
  ASSERT_TRUE(client.ended_well());
  ASSERT_TRUE(bench_->run_until([&] { return found(Kind::opened, Direction::out, kPort) != nullptr; }));
  const KeptConnection& opened = *found(Kind::opened, Direction::out, kPort);
  EXPECT_TRUE(opened.record.forwarded);
  EXPECT_EQ(opened.record.local.address, (IpAddress{{10, 99, 1, 2}, 4}));
  EXPECT_EQ(opened.record.remote.address, (IpAddress{{10, 99, 2, 2}, 4}));
  EXPECT_EQ(opened.record.pid, 0u);
  EXPECT_EQ(count(Kind::opened, Direction::in, kPort), 0) << "nobody here was reached";
  forget_flows();
  ASSERT_TRUE(bench_->run_until([&] { return found(Kind::closed, Direction::out, kPort) != nullptr; }));
  const ConnectionRecord& closed = found(Kind::closed, Direction::out, kPort)->record;
  EXPECT_GE(closed.bytes_out, 7u);
  EXPECT_GE(closed.bytes_in, 10u);
  EXPECT_TRUE(server.ended_well());
}

}  // namespace
}  // namespace picket::agent
