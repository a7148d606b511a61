// dns collector against the running kernel, in a network of its own: this test is client and server.
#include "tests/live.h"

#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "base/core/file.h"
#include "tests/dns_bytes.h"
#include "tests/network_namespace.h"

namespace picket::agent {
namespace {

using namespace std::string_literals;

constexpr unsigned kA = 1, kAaaa = 28;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};
Address loopback(int family, std::uint16_t port) {
  Address out;
  if (family == AF_INET) {
    const sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    std::memcpy(&out.storage, &address, out.size = sizeof(address));
  } else {
    const sockaddr_in6 address{.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback};
    std::memcpy(&out.storage, &address, out.size = sizeof(address));
  }
  return out;
}

/// A client and a server on port 53 of loopback.
class Exchange {
 public:
  Exchange(int family, int type) : type_(type), server_address_(loopback(family, 53)) {
    server_.reset(socket(family, type | SOCK_CLOEXEC, 0));
    client_.reset(socket(family, type | SOCK_CLOEXEC, 0));
    const int one = 1;
    setsockopt(server_.get(), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    EXPECT_EQ(bind(server_.get(), server_address_.get(), server_address_.size), 0);
    if (type == SOCK_STREAM) EXPECT_EQ(listen(server_.get(), 8), 0);
    EXPECT_EQ(connect(client_.get(), server_address_.get(), server_address_.size), 0);
    if (type == SOCK_STREAM) accepted_.reset(accept(server_.get(), nullptr, nullptr));
  }
  /// From now on each so many bytes are a segment of their own.
  void in_pieces(std::size_t bytes) {
    piece_ = bytes;
    const int one = 1;
    for (const int fd : {client_.get(), accepted_.get()}) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  }
  void ask(const std::string& question) { put(client_.get(), question, nullptr); }
  void answer(const std::string& text) {
    char buffer[4096];
    Address client;
    client.size = sizeof(client.storage);
    const int from = type_ == SOCK_STREAM ? accepted_.get() : server_.get();
    EXPECT_GT(recvfrom(from, buffer, sizeof(buffer), 0, client.get(), &client.size), 0);
    put(from, text, type_ == SOCK_STREAM ? nullptr : &client);
  }

 private:
  void put(int to, const std::string& text, Address* whom) const {
    const std::string bytes = type_ == SOCK_STREAM ? be16(static_cast<unsigned>(text.size())) + text : text;
    const std::size_t piece = piece_ == 0 ? bytes.size() : piece_;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      const std::size_t length = std::min(piece, bytes.size() - at);
      EXPECT_EQ(sendto(to, bytes.data() + at, length, 0, whom ? whom->get() : nullptr, whom ? whom->size : 0),
                static_cast<ssize_t>(length));
    }
  }
  int type_;
  std::size_t piece_ = 0;
  Address server_address_;
  UniqueFd server_, client_, accepted_;
};

std::string self() {
  char path[4096] = {};
  EXPECT_GT(readlink("/proc/self/exe", path, sizeof(path) - 1), 0);
  return path;
}
std::string myself() { return R"(,"ProcessId":)" + std::to_string(getpid()) + R"(,"Executable":")" + self() + "\""; }

struct Stage {
  explicit Stage(const char* tier = "packet") {
    settings.choose("dns").tier = tier;
    settings.dns_timeout = Duration::minutes(1);
  }
  NetworkNamespace network;
  CollectorSettings settings;
};

/// The event about a name: tier cgroup also sees what others on this machine look up.
const KeptEvent* find_name(const Bench& bench, const std::string& name) {
  for (const KeptEvent& each : bench.sink.events) {
    if (each.items.starts_with(R"({"QueryName":")" + name + "\"")) return &each;
  }
  return nullptr;
}

class DnsOver : public testing::TestWithParam<std::tuple<int, int, const char*>> {
 protected:
  int family() const { return std::get<0>(GetParam()); }
  int type() const { return std::get<1>(GetParam()); }
  const char* tier() const { return std::get<2>(GetParam()); }
  std::string source() const { return R"(,"Source":")" + std::string(tier()) + "\"}"; }
  std::string server() const { return family() == AF_INET ? "127.0.0.1" : "::1"; }
};

TEST_P(DnsOver, TellsQuestionAnswersCodeServerAndProcess) {
  PICKET_NEEDS_ROOT();
  Stage stage(tier());
  ASSERT_TRUE(stage.network.entered());
  Bench bench("dns", stage.settings);
  const auto started = bench.collector.start();
  ASSERT_TRUE(started) << describe(started.error());
  Exchange exchange(family(), type());
  const std::string question = dns_question(0x77, "Picket.Example", kAaaa);
  exchange.ask(question);
  bench.run_for(0.05);  // most often it is asked who asks before there is an answer
  const std::string data = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\1"s;
  const std::string answer = dns_answer(0x77, "Picket.Example", kAaaa, 0, 1, record(kAaaa, data));
  exchange.answer(answer);
  ASSERT_TRUE(bench.run_until([&] { return find_name(bench, "picket.example") != nullptr; }));
  const KeptEvent kept = *find_name(bench, "picket.example");
  EXPECT_EQ(kept.items, R"({"QueryName":"picket.example","QueryType":"AAAA","ResponseCode":"NOERROR",)"
                        R"("Answers":["2001:db8::1"],"RemoteAddress":")" +
                            server() + "\"" + myself() + source());
  EXPECT_FALSE(kept.record.failed);
  EXPECT_EQ(kept.record.bytes_out, question.size());
  EXPECT_EQ(kept.record.bytes_in, answer.size());
  EXPECT_EQ(kept.record.priority, Priority::medium);

  exchange.ask(dns_question(0x78, "no.example", kA));
  exchange.answer(dns_answer(0x78, "no.example", kA, 3));
  ASSERT_TRUE(bench.run_until([&] { return find_name(bench, "no.example") != nullptr; }));
  EXPECT_EQ(find_name(bench, "no.example")->items,
            R"({"QueryName":"no.example","QueryType":"A","ResponseCode":"NXDOMAIN","RemoteAddress":")" + server() +
                "\"" + myself() + source());
  EXPECT_TRUE(find_name(bench, "no.example")->record.failed);
  bench.run_for(0.1);
  // Tier cgroup also sees what others ask.
  const auto ours = std::ranges::count_if(bench.sink.events, [](const KeptEvent& each) {
    return each.items.contains(".example\"") && each.items.contains(myself());
  });
  EXPECT_EQ(ours, 2) << "loopback shows each packet twice";
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
  EXPECT_EQ(counters.delivered, bench.sink.events.size());
}

class DnsOverTcp : public DnsOver {};
TEST_P(DnsOverTcp, PutsMessagesTogetherFromSegments) {
  PICKET_NEEDS_ROOT();
  Stage stage(tier());
  ASSERT_TRUE(stage.network.entered());
  Bench bench("dns", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  Exchange exchange(family(), type());
  exchange.in_pieces(7);
  exchange.ask(dns_question(0x79, "pieces.example", kA));
  exchange.in_pieces(500);
  std::string records;
  for (unsigned i = 0; i < 60; ++i) records += record(kA, "\xc0\x00\x02"s + static_cast<char>(i));
  const std::string answer = dns_answer(0x79, "pieces.example", kA, 0, 60, records);
  exchange.answer(answer);
  ASSERT_TRUE(bench.run_until([&] { return find_name(bench, "pieces.example") != nullptr; }));
  const KeptEvent& kept = *find_name(bench, "pieces.example");
  EXPECT_NE(kept.items.find(R"("192.0.2.0","192.0.2.1")"), std::string::npos) << kept.items;
  EXPECT_EQ(kept.record.bytes_in, answer.size());
}

std::string name_of(const testing::TestParamInfo<std::tuple<int, int, const char*>>& at) {
  return std::string(std::get<1>(at.param) == SOCK_DGRAM ? "Udp" : "Tcp") +
         (std::get<0>(at.param) == AF_INET ? "V4" : "V6") + std::get<2>(at.param);
}
INSTANTIATE_TEST_SUITE_P(Each, DnsOver,
                         testing::Combine(testing::Values(AF_INET, AF_INET6), testing::Values(SOCK_DGRAM, SOCK_STREAM),
                                          testing::Values("packet", "cgroup")),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Each, DnsOverTcp,
                         testing::Combine(testing::Values(AF_INET, AF_INET6), testing::Values(SOCK_STREAM),
                                          testing::Values("packet", "cgroup")),
                         name_of);

TEST(DnsPacketTier, SaysWhenNobodyAnswered) {
  PICKET_NEEDS_ROOT();
  Stage stage;
  ASSERT_TRUE(stage.network.entered());
  stage.settings.dns_timeout = Duration::milliseconds(100);
  Bench bench("dns", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  Exchange exchange(AF_INET, SOCK_DGRAM);
  exchange.ask(dns_question(1, "silence.example", kA));
  ASSERT_TRUE(bench.run_until([&] { return !bench.sink.events.empty(); }));
  EXPECT_EQ(bench.sink.events[0].items,
            R"({"QueryName":"silence.example","QueryType":"A","ResponseCode":"TIMEOUT","RemoteAddress":"127.0.0.1")" +
                myself() + R"(,"Source":"packet"})");
  EXPECT_TRUE(bench.sink.events[0].record.failed);
}

TEST(DnsPacketTier, SeesInterfacesThatCameLater) {
  PICKET_NEEDS_ROOT();
  Stage stage;
  ASSERT_TRUE(stage.network.entered());
  stage.settings.dns_timeout = Duration::milliseconds(100);
  Bench bench("dns", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  ASSERT_TRUE(NetworkNamespace::add_veth("later", "other"));
  ASSERT_TRUE(NetworkNamespace::up("later") && NetworkNamespace::up("other"));
  const UniqueFd client{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const int one = 1;
  ASSERT_EQ(setsockopt(client.get(), SOL_SOCKET, SO_BROADCAST, &one, sizeof(one)), 0);
  ASSERT_EQ(setsockopt(client.get(), SOL_SOCKET, SO_BINDTODEVICE, "later", 5), 0);
  sockaddr_in everybody{.sin_family = AF_INET, .sin_port = htons(53), .sin_addr = {INADDR_BROADCAST}};
  const std::string question = dns_question(1, "later.example", kA);
  // A link that has just come up may swallow what is sent, so it is sent until it is seen: one look-up all the same.
  const auto seen = [&] {
    if (!bench.sink.events.empty()) return true;
    sendto(client.get(), question.data(), question.size(), 0, reinterpret_cast<sockaddr*>(&everybody),
           sizeof(everybody));
    return false;
  };
  ASSERT_TRUE(bench.run_until(seen));
  EXPECT_NE(bench.sink.events[0].items.find("later.example"), std::string::npos);
  EXPECT_NE(bench.sink.events[0].items.find("255.255.255.255"), std::string::npos);
  bench.run_for(0.3);
  EXPECT_EQ(bench.sink.events.size(), 1u) << "the other end only hears it";
}

TEST(DnsPacketTier, CountsWhatItCannotReadAndWhatNobodyAskedFor) {
  PICKET_NEEDS_ROOT();
  Stage stage;
  ASSERT_TRUE(stage.network.entered());
  Bench bench("dns", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  Exchange exchange(AF_INET, SOCK_DGRAM);
  exchange.ask("no message");
  exchange.answer(dns_answer(9, "unasked.example", kA, 0));
  ASSERT_TRUE(bench.run_until([&] { return bench.collector.counters().dropped_user == 2; }));
  EXPECT_TRUE(bench.sink.events.empty());
  EXPECT_EQ(bench.collector.counters().seen, 2u);
}

TEST(DnsPacketTier, AccountsForAStorm) {
  PICKET_NEEDS_ROOT();
  Stage stage;
  ASSERT_TRUE(stage.network.entered());
  stage.settings.dns_timeout = Duration::milliseconds(100);
  Bench bench("dns", stage.settings);
  ASSERT_TRUE(bench.collector.start());
  Exchange exchange(AF_INET, SOCK_DGRAM);
  constexpr unsigned kQuestions = 3000;
  for (unsigned i = 0; i < kQuestions; ++i) exchange.ask(dns_question(i, "storm.example", kA));
  const auto accounted = [&] { return bench.collector.counters().seen >= kQuestions; };
  EXPECT_TRUE(bench.run_until(accounted));
  const Counters counters = bench.collector.counters();
  EXPECT_EQ(counters.seen, kQuestions);
  EXPECT_GT(counters.dropped_kernel, 0u) << "the buffer cannot hold them all";
  EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
  EXPECT_EQ(counters.delivered, bench.sink.events.size());
}

}  // namespace
}  // namespace picket::agent
