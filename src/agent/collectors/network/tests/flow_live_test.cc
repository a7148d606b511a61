// UDP and ICMP of tier ebpf against the running kernel, and interfaces.
#include <fstream>

#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <sys/wait.h>

#include "live_words.h"
#include "tests/network_namespace.h"

namespace picket::agent {
namespace {

const KeptConnection* find_icmp(const Recorder& sink, Kind kind, Direction direction) {
  for (const auto& kept : sink.connections) {
    const bool icmp = kept.record.protocol == IPPROTO_ICMP || kept.record.protocol == IPPROTO_ICMPV6;
    if (icmp && kept.record.kind == kind && kept.record.direction == direction) return &kept;
  }
  return nullptr;
}

void send_to(const UniqueFd& socket, const Address& to, std::string_view text) {
  ASSERT_EQ(sendto(socket.get(), text.data(), text.size(), 0, to.get(), to.size), static_cast<ssize_t>(text.size()));
}

/// Waits for a datagram; returns who sent it.
Address receive(const UniqueFd& socket, std::size_t bytes) {
  Address from;
  from.size = sizeof(from.storage);
  char buffer[2048];
  EXPECT_EQ(recvfrom(socket.get(), buffer, sizeof(buffer), 0, from.get(), &from.size), static_cast<ssize_t>(bytes));
  return from;
}

class NetworkFlow : public testing::TestWithParam<std::tuple<int, bool>> {};

TEST_P(NetworkFlow, IsReportedFromBothEndsWithItsBytesAndProcess) {
  PICKET_NEEDS_ROOT();
  const auto [family, connected] = GetParam();
  Bench bench("network", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start()) << describe(bench.collector.refusals().back().error);
  Pair pair(family, SOCK_DGRAM);
  const std::uint16_t port = pair.port();
  if (connected) {
    ASSERT_EQ(connect(pair.client.get(), pair.address.get(), pair.address.size), 0);
    ASSERT_EQ(send(pair.client.get(), "question", 8, 0), 8);
  } else {
    send_to(pair.client, pair.address, "question");
  }
  const Address from = receive(pair.listener, 8);
  send_to(pair.listener, from, "the answer");
  receive(pair.client, 10);
  pair.client.reset();
  pair.listener.reset();
  const auto found = [&](Kind kind, Direction direction) { return find(bench.sink, kind, direction, port); };
  ASSERT_TRUE(bench.run_until([&] {
    return found(Kind::closed, Direction::out) && found(Kind::closed, Direction::in);
  })) << "port "
      << port << " " << told(bench);
  for (const Direction direction : {Direction::out, Direction::in}) {
    ASSERT_TRUE(found(Kind::opened, direction));
    const KeptConnection& opened = *found(Kind::opened, direction);
    EXPECT_EQ(opened.record.protocol, IPPROTO_UDP);
    EXPECT_EQ(opened.record.remote.address.length, family == AF_INET ? 4 : 16);
    EXPECT_EQ(opened.record.local.address, opened.record.remote.address);
    EXPECT_EQ(opened.record.pid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(opened.record.uid, getuid());
    EXPECT_TRUE(opened.record.uid_known);
    EXPECT_EQ(opened.executable, self());
    EXPECT_FALSE(opened.argv.empty());
    EXPECT_EQ(opened.interface, "lo");
    const KeptConnection& closed = *found(Kind::closed, direction);
    EXPECT_TRUE(closed.record.bytes_known);
    EXPECT_EQ(closed.record.bytes_out, direction == Direction::out ? 8u : 10u);
    EXPECT_EQ(closed.record.bytes_in, direction == Direction::out ? 10u : 8u);
    EXPECT_EQ(closed.record.cookie, opened.record.cookie);
    EXPECT_EQ(closed.record.local, opened.record.local);
    EXPECT_EQ(closed.executable, opened.executable);
  }
  const std::uint16_t client_port = found(Kind::opened, Direction::out)->record.local.port;
  EXPECT_NE(client_port, 0);
  EXPECT_EQ(found(Kind::opened, Direction::in)->record.remote.port, client_port);
}

INSTANTIATE_TEST_SUITE_P(Udp, NetworkFlow, testing::Combine(testing::Values(AF_INET, AF_INET6), testing::Bool()),
                         [](const auto& at) {
                           return std::string(std::get<0>(at.param) == AF_INET ? "V4" : "V6") +
                                  (std::get<1>(at.param) ? "Connected" : "Unconnected");
                         });

// The kernel sends the refusal from a raw socket of its own.
TEST(NetworkFlows, ARefusalIsNoConnectionOfWhoWasAsked) {
  PICKET_NEEDS_ROOT();
  Bench bench("network", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  for (const int family : {AF_INET, AF_INET6}) {
    Pair pair(family);
    pair.listener.reset();
    ASSERT_EQ(connect(pair.client.get(), pair.address.get(), pair.address.size), -1);
    ASSERT_EQ(errno, ECONNREFUSED);
    ASSERT_TRUE(
        bench.run_until([&] { return find(bench.sink, Kind::failed, Direction::out, pair.port()) != nullptr; }));
    for (const auto& kept : bench.sink.connections) {
      EXPECT_FALSE(kept.record.protocol == IPPROTO_TCP && kept.record.local.port == pair.port()) << told(bench);
    }
  }
}

// The C library connects a UDP socket to each address of a name, to sort them: that is no traffic.
TEST(NetworkFlows, AConnectThatSendsNothingIsNone) {
  PICKET_NEEDS_ROOT();
  Bench bench("network", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  Pair silent(AF_INET, SOCK_DGRAM), talking(AF_INET, SOCK_DGRAM);
  ASSERT_EQ(connect(silent.client.get(), silent.address.get(), silent.address.size), 0);
  send_to(talking.client, talking.address, "x");
  ASSERT_TRUE(
      bench.run_until([&] { return find(bench.sink, Kind::opened, Direction::out, talking.port()) != nullptr; }));
  EXPECT_EQ(find(bench.sink, Kind::opened, Direction::out, silent.port()), nullptr);
}

TEST(NetworkFlows, ASocketWithManyPeersHasOneEach) {
  PICKET_NEEDS_ROOT();
  constexpr std::size_t kPeers = 40;
  CollectorSettings settings = forced("ebpf");
  settings.network_idle = Duration::milliseconds(400);
  Bench bench("network", settings);
  ASSERT_TRUE(bench.collector.start());
  std::vector<Pair> pairs;
  for (std::size_t i = 0; i < kPeers; ++i) pairs.emplace_back(AF_INET, SOCK_DGRAM);
  const UniqueFd& one = pairs[0].client;
  for (std::size_t i = 0; i < kPeers; ++i) send_to(one, pairs[i].address, std::string(i + 1, 'x'));
  for (std::size_t i = 0; i < kPeers; ++i) receive(pairs[i].listener, i + 1);
  // The first one has its place in the socket, and ends with it; the others fall silent.
  ASSERT_TRUE(bench.run_until([&] {
    for (std::size_t i = 1; i < kPeers; ++i) {
      if (!find(bench.sink, Kind::closed, Direction::out, pairs[i].port())) return false;
    }
    return true;
  }));
  pairs[0].client.reset();
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::closed, Direction::out, pairs[0].port()); }));
  for (std::size_t i = 0; i < kPeers; ++i) {
    const KeptConnection* opened = find(bench.sink, Kind::opened, Direction::out, pairs[i].port());
    const KeptConnection* closed = find(bench.sink, Kind::closed, Direction::out, pairs[i].port());
    ASSERT_TRUE(opened && closed) << i;
    EXPECT_EQ(closed->record.bytes_out, i + 1);
    EXPECT_EQ(closed->record.pid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(closed->record.cookie, opened->record.cookie);
  }
  // Others go on meanwhile, so that now and then something is seen and not read yet.
  EXPECT_TRUE(bench.run_until([&] {
    const Counters counters = bench.collector.counters();
    return counters.seen == counters.delivered + counters.dropped_kernel + counters.dropped_user;
  })) << told(bench);
  EXPECT_EQ(bench.collector.counters().delivered, bench.sink.connections.size());
}

TEST(NetworkFlows, WhatIsSaidAfterASilenceIsAnother) {
  PICKET_NEEDS_ROOT();
  CollectorSettings settings = forced("ebpf");
  settings.network_idle = Duration::milliseconds(100);
  Bench bench("network", settings);
  ASSERT_TRUE(bench.collector.start());
  Pair pair(AF_INET, SOCK_DGRAM);
  const auto hits = [&] {
    return std::ranges::count_if(bench.sink.connections, [&](const KeptConnection& kept) {
      return kept.record.kind == Kind::opened && kept.record.direction == Direction::out &&
             kept.record.remote.port == pair.port();
    });
  };
  send_to(pair.client, pair.address, "beep");
  ASSERT_TRUE(bench.run_until([&] { return hits() == 1; }));
  bench.run_for(0.3);
  send_to(pair.client, pair.address, "beep");
  ASSERT_TRUE(bench.run_until([&] { return hits() == 2; }));
  EXPECT_EQ(find(bench.sink, Kind::closed, Direction::out, pair.port())->record.bytes_out, 4u);
}

TEST(NetworkFlows, NamesTheProgramOfADatagramThatIsGoneAtOnce) {
  PICKET_NEEDS_ROOT();
  Bench bench("network", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  Pair pair(AF_INET, SOCK_DGRAM);
  const std::string command = "echo > /dev/udp/127.0.0.1/" + std::to_string(pair.port());
  const pid_t pid = fork();
  if (pid == 0) {
    execl("/bin/bash", "bash", "-c", command.c_str(), nullptr);
    _exit(1);
  }
  waitpid(pid, nullptr, 0);
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::closed, Direction::out, pair.port()) != nullptr; }))
      << "port " << pair.port() << " " << told(bench);
  const KeptConnection& kept = *find(bench.sink, Kind::opened, Direction::out, pair.port());
  EXPECT_EQ(kept.record.pid, static_cast<std::uint32_t>(pid));
  EXPECT_TRUE(kept.executable.ends_with("/bash")) << kept.executable;
  EXPECT_NE(kept.argv.find(command), std::string::npos);
}

TEST(NetworkFlows, FindsTheOwnerOfASocketThatIsOlderThanItself) {
  PICKET_NEEDS_ROOT();
  Pair pair(AF_INET, SOCK_DGRAM);
  Bench bench("network", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  send_to(pair.client, pair.address, "x");
  for (const Direction direction : {Direction::in, Direction::out}) {
    ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::opened, direction, pair.port()) != nullptr; }));
    const KeptConnection& kept = *find(bench.sink, Kind::opened, direction, pair.port());
    EXPECT_EQ(kept.record.pid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(kept.executable, self());
  }
}

/// The calling thread's namespace: addresses count from the start, not after a search for others that have them.
void no_duplicate_search() {
  for (const char* name : {"accept_dad", "dad_transmits"}) {
    std::ofstream(std::string("/proc/sys/net/ipv6/conf/default/") + name) << 0;
  }
}

/// Plugs a cable whose ends have link-local addresses: what goes to the other end's does go over the cable.
bool plug_cable() {
  no_duplicate_search();
  return NetworkNamespace::add_veth("pk0", "pk1") && NetworkNamespace::up("pk0") && NetworkNamespace::up("pk1");
}

/// The address of pk1, reached through pk0; nullopt: it has none yet.
std::optional<Address> far_end(std::uint16_t port) {
  std::ifstream table("/proc/thread-self/net/if_inet6");
  for (std::string address, index, prefix, scope, flags, name;
       table >> address >> index >> prefix >> scope >> flags >> name;) {
    if (name != "pk1" || scope != "20" || (std::stoul(flags, nullptr, 16) & 0x40) != 0) continue;  // tentative
    sockaddr_in6 in{.sin6_family = AF_INET6, .sin6_port = htons(port)};
    for (std::size_t i = 0; i < 16; ++i) {
      in.sin6_addr.s6_addr[i] = static_cast<std::uint8_t>(std::stoul(address.substr(2 * i, 2), nullptr, 16));
    }
    in.sin6_scope_id = if_nametoindex("pk0");
    Address out;
    std::memcpy(&out.storage, &in, out.size = sizeof(in));
    return out;
  }
  return std::nullopt;
}

/// The first send over a new cable may find it not ready.
bool send_until_it_goes(Bench& bench, const UniqueFd& socket, const Address& to, std::string_view text) {
  bool sent = false;
  return bench.run_until([&] {
    sent = sent || sendto(socket.get(), text.data(), text.size(), 0, to.get(), to.size) > 0;
    return sent;
  });
}

TEST(NetworkFlows, IcmpHasItsSenderAndTheOneWhoIsAskedSeesItComeIn) {
  PICKET_NEEDS_ROOT();
  NetworkNamespace network;
  ASSERT_TRUE(network.entered() && plug_cable());
  Bench bench("network", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  std::optional<Address> far;
  ASSERT_TRUE(bench.run_until([&] { return (far = far_end(0)).has_value(); }));
  UniqueFd ping{socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6)};
  icmp6_filter filter;
  ICMP6_FILTER_SETBLOCKALL(&filter);
  ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &filter);
  ASSERT_EQ(setsockopt(ping.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &filter, sizeof(filter)), 0);
  std::string request(8 + 24, '\0');  // head and payload
  request[0] = static_cast<char>(ICMP6_ECHO_REQUEST);
  ASSERT_TRUE(send_until_it_goes(bench, ping, *far, request));
  receive(ping, request.size());
  ping.reset();
  ASSERT_TRUE(bench.run_until([&] {
    return find_icmp(bench.sink, Kind::closed, Direction::out) && find_icmp(bench.sink, Kind::opened, Direction::in);
  }));
  const KeptConnection& out = *find_icmp(bench.sink, Kind::opened, Direction::out);
  EXPECT_EQ(out.record.protocol, IPPROTO_ICMPV6);
  EXPECT_EQ(out.record.pid, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(out.executable, self());
  EXPECT_EQ(out.interface, "pk0");
  EXPECT_EQ(out.record.remote.port, 0);
  EXPECT_EQ(std::memcmp(out.record.remote.address.bytes.data(),
                        &reinterpret_cast<const sockaddr_in6*>(far->get())->sin6_addr, 16),
            0);
  const KeptConnection& closed = *find_icmp(bench.sink, Kind::closed, Direction::out);
  EXPECT_EQ(closed.record.bytes_out, 24u);
  EXPECT_EQ(closed.record.bytes_in, 24u);
  const KeptConnection& in = *find_icmp(bench.sink, Kind::opened, Direction::in);
  EXPECT_EQ(in.record.pid, 0u);
  EXPECT_EQ(in.record.local.address, out.record.remote.address);
  EXPECT_EQ(in.record.remote.address, out.record.local.address);
}

TEST(NetworkFlows, IcmpOverIpv4HasItsSender) {
  PICKET_NEEDS_ROOT();
  Bench bench("network", forced("ebpf"));
  ASSERT_TRUE(bench.collector.start());
  UniqueFd ping{socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP)};
  std::string request(8 + 24, '\0');
  request[0] = static_cast<char>(ICMP_ECHO);
  request[2] = static_cast<char>(0xf7);  // checksum: one's complement of 0x0800
  request[3] = static_cast<char>(0xff);
  Address to = loopback(AF_INET);
  reinterpret_cast<sockaddr_in*>(to.get())->sin_addr.s_addr = htonl(0x7f123401);  // 127.18.52.1: nobody else's
  send_to(ping, to, request);
  const auto ours = [&](Direction direction) -> const KeptConnection* {
    for (const auto& kept : bench.sink.connections) {
      const IpAddress& at = direction == Direction::out ? kept.record.remote.address : kept.record.local.address;
      if (kept.record.protocol == IPPROTO_ICMP && kept.record.direction == direction && at.bytes[1] == 18 &&
          at.bytes[2] == 52) {
        return &kept;
      }
    }
    return nullptr;
  };
  ASSERT_TRUE(bench.run_until([&] { return ours(Direction::out) && ours(Direction::in); }));
  EXPECT_EQ(ours(Direction::out)->record.pid, static_cast<std::uint32_t>(getpid()));
  EXPECT_EQ(ours(Direction::out)->interface, "lo");
  EXPECT_EQ(ours(Direction::in)->record.pid, 0u);
}

TEST(NetworkInterfaces, OnlyListedOnesAreReportedAlsoThoseThatComeLater) {
  PICKET_NEEDS_ROOT();
  NetworkNamespace network;
  ASSERT_TRUE(network.entered());
  CollectorSettings settings = forced("ebpf");
  settings.network_devices = {"pk1"};
  Bench bench("network", settings);
  ASSERT_TRUE(bench.collector.start());
  Pair over_lo(AF_INET6, SOCK_DGRAM);
  send_to(over_lo.client, over_lo.address, "x");
  ASSERT_TRUE(plug_cable());
  Pair over_cable(AF_INET6, SOCK_DGRAM);
  // The listener of a Pair is bound to loopback; this one takes what comes over the cable.
  UniqueFd listener{socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  Address any;
  const sockaddr_in6 anywhere{.sin6_family = AF_INET6};
  std::memcpy(&any.storage, &anywhere, any.size = sizeof(anywhere));
  ASSERT_EQ(bind(listener.get(), any.get(), any.size), 0);
  ASSERT_EQ(getsockname(listener.get(), any.get(), &any.size), 0);
  std::optional<Address> far;
  ASSERT_TRUE(bench.run_until([&] { return (far = far_end(any.port())).has_value(); }));
  ASSERT_TRUE(send_until_it_goes(bench, over_cable.client, *far, "over the cable"));
  receive(listener, 14);
  ASSERT_TRUE(bench.run_until([&] { return find(bench.sink, Kind::opened, Direction::in, any.port()) != nullptr; }));
  EXPECT_EQ(find(bench.sink, Kind::opened, Direction::in, any.port())->interface, "pk1");
  EXPECT_EQ(find(bench.sink, Kind::opened, Direction::out, any.port()), nullptr) << "left by pk0";
  EXPECT_EQ(find(bench.sink, Kind::opened, Direction::out, over_lo.port()), nullptr) << "over lo";
}

}  // namespace
}  // namespace picket::agent
