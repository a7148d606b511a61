// A hundred thousand connections at once: what each tier and the aggregation behind it keep is bounded, and what does
// not fit is counted.
#include <malloc.h>
#include <sys/wait.h>

#include "agent/aggregate.h"
#include "live_words.h"
#include "tests/network_namespace.h"

namespace picket::agent {
namespace {

constexpr std::size_t kMany = 100'000;
constexpr std::size_t kSome = 9'000;  // where the kernel is slow with them

/// Adds up what leaves the aggregation.
struct Sum final : AggregateSink {
  std::uint64_t hits = 0, records = 0, bytes_out = 0;
  void connection(const ConnectionRecord&, const ConnectionHits& each, Priority) override {
    ++records;
    hits += each.hits.count;
    bytes_out += each.bytes_out.sum();
  }
  void process(const ProcessRecord&, const Hits&, Priority) override {}
  void login(const LoginRecord&) override {}
  void system(const SystemRecord&) override {}
  void heartbeat(const HeartbeatRecord&) override {}
  void statistics(const StatisticsRecord&) override {}
  void event(const EventRecord&, const Hits&, const EventSums&, Priority) override {}
};

/// Counts records on their way into the aggregation.
struct Tap final : RecordSink {
  explicit Tap(Aggregator& to) : next(to) {}
  void emit(const ConnectionRecord& record) override {
    records += record.count;
    if (record.kind != Kind::closed) hits += record.count;
    if (record.kind == Kind::closed && record.bytes_known) bytes_out += record.bytes_out * record.count;
    next.emit(record);
    memory_max = std::max(memory_max, next.memory_bytes());
    entries_max = std::max(entries_max, next.entries());
  }
  void emit(const ProcessRecord&) override {}
  void emit(const LoginRecord&) override {}
  void emit(const SystemRecord&) override {}
  void emit(const HeartbeatRecord&) override {}
  void emit(const StatisticsRecord&) override {}
  void emit(const EventRecord&) override {}
  Aggregator& next;
  std::uint64_t records = 0, hits = 0, bytes_out = 0;
  std::size_t memory_max = 0, entries_max = 0;
};

std::size_t heap_bytes() {
  const auto heap = mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

/// A collector with the aggregation it has in the agent.
struct Device {
  explicit Device(CollectorSettings with)
      : settings(std::move(with)), collector(spec_named("network"), {settings, system_clock(), tap}) {}
  bool start() {
    before = heap_bytes();
    const auto started = collector.start();
    EXPECT_TRUE(started) << (started ? "" : describe(started.error()));
    return started.has_value();
  }
  void turn(int wait_ms) {
    std::vector<pollfd> fds;
    for (const int fd : collector.fds()) fds.push_back({.fd = fd, .events = POLLIN, .revents = 0});
    poll(fds.data(), fds.size(), wait_ms);
    for (const pollfd& fd : fds) {
      if ((fd.revents & POLLIN) != 0) collector.on_ready(fd.fd);
    }
    collector.on_timer();
    heap_max = std::max(heap_max, heap_bytes() - std::min(before, heap_bytes()));
  }
  /// Lets the collector work until it has nothing more to say, as long as it may take.
  void settle() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(300);
    for (int quiet = 0; quiet < 8 && std::chrono::steady_clock::now() < end;) {
      const auto counted = collector.counters().seen;
      turn(50);
      quiet = collector.counters().seen == counted ? quiet + 1 : 0;
    }
  }
  void expect_bounds_and_sums(std::size_t tier_bytes_max) {
    aggregator.flush();
    const Counters counters = collector.counters();
    EXPECT_EQ(counters.seen, counters.delivered + counters.dropped_kernel + counters.dropped_user);
    EXPECT_EQ(counters.delivered, tap.records);
    EXPECT_EQ(sum.hits, tap.hits) << "the aggregation lost some";
    EXPECT_EQ(sum.bytes_out, tap.bytes_out);
    EXPECT_LE(tap.entries_max, AggregateOptions{}.entries_max);
    EXPECT_LE(tap.memory_max, AggregateOptions{}.bytes_max + empty_bytes);
    EXPECT_LE(heap_max, 2 * AggregateOptions{}.bytes_max + tier_bytes_max);
  }

  CollectorSettings settings;
  Sum sum;
  Aggregator aggregator{{}, sum};
  Tap tap{aggregator};
  Collector collector;
  std::size_t before = 0, heap_max = 0, empty_bytes = aggregator.memory_bytes();
};

sockaddr_in peer_number(std::size_t i, std::uint16_t port) {
  // 127.64.0.1 and so on: each peer is an address of its own.
  return {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(0x7f400001U + static_cast<std::uint32_t>(i))}};
}

/// One socket that talks to many peers; each gets `bytes` bytes.
void talk_to_all(Device& device, std::uint16_t port, std::size_t bytes) {
  const std::string text(bytes, 'x');
  const UniqueFd client{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const UniqueFd server{socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
  const sockaddr_in any{.sin_family = AF_INET, .sin_port = htons(port)};
  ASSERT_EQ(bind(server.get(), reinterpret_cast<const sockaddr*>(&any), sizeof(any)), 0);
  for (std::size_t i = 0; i < kMany; ++i) {
    const sockaddr_in to = peer_number(i, port);
    ASSERT_EQ(sendto(client.get(), text.data(), text.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof(to)),
              static_cast<ssize_t>(bytes));
    if (i % 500 == 0) device.turn(0);
  }
}

TEST(NetworkCapacity, EbpfWithAHundredThousandPeers) {
  PICKET_NEEDS_ROOT();
  NetworkNamespace network;
  ASSERT_TRUE(network.entered());
  CollectorSettings settings = forced("ebpf");
  settings.network_ring_bytes = CollectorSettings{}.network_ring_bytes;
  settings.network_idle = Duration::milliseconds(500);
  Device device(settings);
  ASSERT_TRUE(device.start());
  talk_to_all(device, 9, 3);
  device.settle();
  device.expect_bounds_and_sums(1 << 20);
  const Counters counters = device.collector.counters();
  EXPECT_GE(counters.seen, kMany) << "each is delivered or counted as dropped";
  EXPECT_GE(device.sum.hits, 4'096u);
}

TEST(NetworkCapacity, ConntrackWithAHundredThousandFlows) {
  PICKET_NEEDS_ROOT();
  NetworkNamespace network;
  ASSERT_TRUE(network.entered());
  ASSERT_EQ(std::system("nft 'add table inet t; add chain inet t in { type filter hook input priority 0; }; "
                        "add rule inet t in ct state invalid drop'"),
            0);
  CollectorSettings settings = forced("conntrack");
  settings.network_ring_bytes = 1 << 19;
  Device device(settings);
  ASSERT_TRUE(device.start());
  talk_to_all(device, 9, 3);
  device.settle();
  device.expect_bounds_and_sums(1 << 20);
  EXPECT_GE(device.sum.hits, kMany) << "told of, also those that are not remembered";
}

/// Processes that hold many sockets, each connected to a peer of its own.
class Holders {
 public:
  explicit Holders(std::size_t count) {
    constexpr std::size_t kEach = 16'000;
    for (std::size_t first = 0; first < count; first += kEach) {
      int ready[2], stay[2];
      if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(stay, O_CLOEXEC) != 0) return;
      const pid_t pid = fork();
      if (pid == 0) {
        close(ready[0]);
        close(stay[1]);
        _exit(hold(first, std::min(kEach, count - first)) && write(ready[1], "r", 1) == 1 &&
                      read(stay[0], ready, 1) == 0
                  ? 0
                  : 1);
      }
      close(ready[1]);
      close(stay[0]);
      char word = 0;
      all_ &= read(ready[0], &word, 1) == 1;
      close(ready[0]);
      processes_.push_back({pid, UniqueFd(stay[1])});
    }
  }
  ~Holders() { end(); }
  Holders(const Holders&) = delete;
  Holders& operator=(const Holders&) = delete;
  [[nodiscard]] bool all() const { return all_; }
  void end() {
    for (auto& [pid, stay] : processes_) stay.reset();
    for (auto& [pid, stay] : processes_) waitpid(pid, nullptr, 0);
    processes_.clear();
  }

 private:
  static bool hold(std::size_t first, std::size_t count) {
    const sockaddr_in own = peer_number(first, 0);  // an address of its own has ports enough
    for (std::size_t i = 0; i < count; ++i) {
      const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);  // until the process ends
      const sockaddr_in peer = peer_number(first + i, 9);
      if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof(own)) != 0) return false;
      if (connect(fd, reinterpret_cast<const sockaddr*>(&peer), sizeof(peer)) != 0) return false;
    }
    return true;
  }
  std::vector<std::pair<pid_t, UniqueFd>> processes_;
  bool all_ = true;
};

class NetworkCapacityOfSockets : public testing::TestWithParam<const char*> {};

TEST_P(NetworkCapacityOfSockets, MoreThanFit) {
  PICKET_NEEDS_ROOT();
  NetworkNamespace network;
  ASSERT_TRUE(network.entered());
  CollectorSettings settings = forced(GetParam());
  settings.procfs = "/proc";
  Device device(settings);
  ASSERT_TRUE(device.start());
  const std::size_t count = std::string_view(GetParam()) == "procfs" ? kSome : kMany;
  Holders holders(count);
  ASSERT_TRUE(holders.all());
  device.settle();
  EXPECT_GE(device.collector.counters().seen, count) << "each is delivered or counted as dropped";
  EXPECT_GE(device.sum.hits, 8'000u);
  const std::uint64_t dropped = device.collector.counters().dropped_user;
  device.settle();
  EXPECT_LE(device.collector.counters().dropped_user, dropped + 8'192) << "the same ones do not count again";
  holders.end();
  device.settle();
  device.expect_bounds_and_sums(4 << 20);
}

INSTANTIATE_TEST_SUITE_P(EachForced, NetworkCapacityOfSockets, testing::Values("sock-diag", "procfs"),
                         [](const auto& at) { return std::string(at.param) == "procfs" ? "procfs" : "sockdiag"; });

}  // namespace
}  // namespace picket::agent
