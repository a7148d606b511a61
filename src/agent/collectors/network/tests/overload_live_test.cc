// Connections while nobody reads: what the full ring refuses is counted in the kernel, and told when the reader is
// back.
#include "network/tests/live_words.h"

namespace picket::agent {
namespace {

TEST(NetworkOverload, EveryConnectionIsCountedWithItsBytesWhileTheReaderIsStopped) {
  PICKET_NEEDS_ROOT();
  CollectorSettings settings = forced("ebpf");
  settings.network_ring_bytes = 32 << 10;
  Bench bench("network", settings);
  ASSERT_TRUE(bench.collector.start());
  Pair pair(AF_INET);
  constexpr int kConnects = 1000;
  std::uint64_t sent = 0;
  for (int i = 0; i < kConnects; ++i) {
    const UniqueFd client{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    ASSERT_EQ(connect(client.get(), pair.address.get(), pair.address.size), 0);
    const UniqueFd server{accept(pair.listener.get(), nullptr, nullptr)};
    char bytes[64] = {};
    const auto count = static_cast<std::size_t>(1 + i % 7);
    ASSERT_EQ(write(client.get(), bytes, count), static_cast<ssize_t>(count));
    ASSERT_EQ(read(server.get(), bytes, sizeof(bytes)), static_cast<ssize_t>(count));
    sent += count;
  }
  EXPECT_GT(bench.collector.counters().dropped_kernel, 1000u) << "32 KiB cannot hold 4,000 records";
  const auto total = [&](Kind kind, Direction direction, bool bytes) {
    std::uint64_t sum = 0;
    for (const auto& kept : bench.sink.connections) {
      const ConnectionRecord& each = kept.record;
      const auto port = direction == Direction::in ? each.local.port : each.remote.port;
      if (each.kind != kind || each.direction != direction || port != pair.port()) continue;
      sum += each.count * (bytes ? each.bytes_in + each.bytes_out : 1);
    }
    return sum;
  };
  const auto all = [&] {
    return total(Kind::opened, Direction::out, false) == kConnects &&
           total(Kind::opened, Direction::in, false) == kConnects &&
           total(Kind::closed, Direction::out, false) == kConnects &&
           total(Kind::closed, Direction::in, false) == kConnects;
  };
  EXPECT_TRUE(bench.run_until([&] { return all(); }, 30))
      << "opened " << total(Kind::opened, Direction::out, false) << " and " << total(Kind::opened, Direction::in, false)
      << ", closed " << total(Kind::closed, Direction::out, false) << " and "
      << total(Kind::closed, Direction::in, false);
  EXPECT_EQ(total(Kind::closed, Direction::out, true), sent);
  EXPECT_EQ(total(Kind::closed, Direction::in, true), sent);
  Counters after;
  EXPECT_TRUE(bench.run_until(
      [&] {
        after = bench.collector.counters();
        return after.seen == after.delivered + after.dropped_kernel + after.dropped_user;
      },
      30));
  // One record says who and where for many.
  bool named = false;
  for (const auto& kept : bench.sink.connections) {
    if (kept.record.count < 2 || kept.record.remote.port != pair.port()) continue;
    EXPECT_EQ(kept.record.pid, static_cast<std::uint32_t>(getpid()));
    EXPECT_EQ(kept.executable, self());
    EXPECT_EQ(kept.record.local.port, 0) << "they had different ones";
    named = true;
  }
  EXPECT_TRUE(named);
}

}  // namespace
}  // namespace picket::agent
