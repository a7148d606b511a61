// Host names to addresses, without glibc's name service (a static binary cannot load it) and without blocking.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/event_loop.h"
#include "agent/record.h"
#include "base/core/result.h"

namespace picket::agent {

inline constexpr std::size_t kAddressesMax = 8;

/// Numeric addresses, /etc/hosts and "localhost" (RFC 6761: always the loopback, also without /etc/hosts), then DNS as
/// /etc/resolv.conf says, through c-ares. One question at a time; one thread.
class Resolver {
 public:
  /// Errors of the answer: not_found (no such name, or no address), unavailable (no server answered).
  using OnDone = std::function<void(Result<std::vector<IpAddress>>)>;

  /// `dns_server` is "address:port"; empty: as /etc/resolv.conf says.
  explicit Resolver(EventLoop& loop, std::string dns_server = {});
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  /// `on_done` is called once, maybe before this returns; a new question or cancel() makes the old one silent.
  void resolve(const std::string& host, OnDone on_done);
  void cancel();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Answers that need no server. nullopt: ask DNS.
std::optional<std::vector<IpAddress>> resolve_locally(const std::string& host, std::string_view hosts_file);

}  // namespace picket::agent
