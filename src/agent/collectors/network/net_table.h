// /proc/net/{tcp,tcp6,udp,udp6} and who holds which socket.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/record.h"

namespace picket::agent {

/// States as the kernel numbers them (include/net/tcp_states.h).
enum class TcpState : std::uint8_t {
  established = 1,
  syn_sent = 2,
  syn_recv = 3,
  time_wait = 6,
  close = 7,
  listen = 10
};

struct NetEntry {
  std::uint8_t protocol = 6;
  TcpState state = TcpState::close;
  Endpoint local, remote;
  std::uint32_t uid = 0;
  std::uint64_t inode = 0;  ///< 0: no process holds it (TIME_WAIT, orphan).
};

/// Parses one line of such a table. nullopt: the heading, or not in the form of proc(5).
std::optional<NetEntry> parse_net_line(std::string_view line, std::uint8_t protocol);

/// Appends the entries of all four tables, at most `entries_max` in all. Returns how many lines did not fit the bound.
std::size_t read_net_tables(const std::string& procfs, std::size_t entries_max, std::vector<NetEntry>& out);

/// Socket inode -> pid, from the fd folders of all processes. One process of several that share a socket: the lowest
/// pid.
class SocketOwners {
 public:
  static constexpr std::size_t kSocketsMax = 16384;

  explicit SocketOwners(std::string procfs) : procfs_(std::move(procfs)) {}
  /// Walks every fd folder this process may read: milliseconds a thousand descriptors.
  void refresh();
  /// 0: unknown.
  [[nodiscard]] std::uint32_t find(std::uint64_t inode) const;

 private:
  struct Held {
    std::uint64_t inode;
    std::uint32_t pid;
    friend auto operator<=>(const Held&, const Held&) = default;
  };
  std::string procfs_;
  std::vector<Held> held_;  // sorted
};

/// Local ports that somebody listens on, with the process that does.
class Listeners {
 public:
  struct Listener {
    std::uint16_t port = 0;
    std::uint32_t uid = 0;
    std::uint64_t inode = 0;
  };
  /// TCP that listens, or everything of another protocol.
  void rebuild(const std::vector<NetEntry>& entries, std::uint8_t protocol = 6);
  void add(std::uint16_t port, std::uint32_t uid, std::uint64_t inode);
  void clear() { listeners_.clear(); }
  /// nullptr: nobody is known to listen there.
  [[nodiscard]] const Listener* find(std::uint16_t port) const;

 private:
  static constexpr std::size_t kListenersMax = 1024;
  std::vector<Listener> listeners_;
};

}  // namespace picket::agent
