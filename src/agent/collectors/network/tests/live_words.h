// Words for live tests of the network collector.
#pragma once

#include <cstring>
#include <string>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/core/file.h"
#include "tests/live.h"

namespace picket::agent {

using Kind = ConnectionRecord::Kind;
using Direction = ConnectionRecord::Direction;

inline CollectorSettings forced(const char* tier) {
  CollectorSettings settings;
  settings.choose("network").tier = tier;
  // What others on this machine do comes through the same buffer.
  if (std::string_view(tier) == "ebpf") settings.network_ring_bytes = 4 << 20;
  settings.socket_dump_every = Duration::milliseconds(200);
  settings.procfs_poll_max = Duration::milliseconds(200);
  return settings;
}

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
  std::uint16_t port() const { return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port); }
};

inline Address loopback(int family) {
  Address out;
  if (family == AF_INET) {
    const sockaddr_in address{.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    std::memcpy(&out.storage, &address, out.size = sizeof(address));
  } else {
    const sockaddr_in6 address{.sin6_family = AF_INET6, .sin6_addr = in6addr_loopback};
    std::memcpy(&out.storage, &address, out.size = sizeof(address));
  }
  return out;
}

/// A listener on loopback and a connection to it.
struct Pair {
  explicit Pair(int family, int type = SOCK_STREAM) : address(loopback(family)) {
    listener.reset(socket(family, type | SOCK_CLOEXEC, 0));
    EXPECT_EQ(bind(listener.get(), address.get(), address.size), 0);
    if (type == SOCK_STREAM) EXPECT_EQ(listen(listener.get(), 8), 0);
    EXPECT_EQ(getsockname(listener.get(), address.get(), &address.size), 0);
    client.reset(socket(family, type | SOCK_CLOEXEC, 0));
  }
  void connect_now() {
    ASSERT_EQ(connect(client.get(), address.get(), address.size), 0);
    server.reset(accept(listener.get(), nullptr, nullptr));
    ASSERT_TRUE(server.valid());
  }
  std::uint16_t port() const { return address.port(); }
  Address address;
  UniqueFd listener, client, server;
};

inline const KeptConnection* find(const Recorder& sink, Kind kind, Direction direction, std::uint16_t server_port) {
  for (const auto& kept : sink.connections) {
    const auto port = direction == Direction::in ? kept.record.local.port : kept.record.remote.port;
    if (kept.record.kind == kind && kept.record.direction == direction && port == server_port) return &kept;
  }
  return nullptr;
}

/// What was told, and the account: for messages of tests that fail.
inline std::string told(const Bench& bench) {
  const Counters counters = bench.collector.counters();
  std::string out = "seen " + std::to_string(counters.seen) + ", delivered " + std::to_string(counters.delivered) +
                    ", dropped " + std::to_string(counters.dropped_kernel) + " and " +
                    std::to_string(counters.dropped_user) + "\n";
  const auto& all = bench.sink.connections;
  for (std::size_t i = all.size() - std::min<std::size_t>(all.size(), 40); i < all.size(); ++i) {
    const ConnectionRecord& r = all[i].record;
    out += "kind " + std::to_string(static_cast<int>(r.kind)) + " direction " +
           std::to_string(static_cast<int>(r.direction)) + " protocol " + std::to_string(r.protocol) + " ports " +
           std::to_string(r.local.port) + " " + std::to_string(r.remote.port) + " pid " + std::to_string(r.pid) + " " +
           all[i].executable + "\n";
  }
  return out;
}

inline std::string self() {
  char path[4096] = {};
  EXPECT_GT(readlink("/proc/self/exe", path, sizeof(path) - 1), 0);
  return path;
}

}  // namespace picket::agent
