// Which sockets wait for peers, found in either of the kernel's tables.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "network/net_table.h"

namespace picket::agent {

/// An entry waits for peers: TCP in LISTEN, UDP and raw without a peer.
bool waits_for_peers(const NetEntry& entry);

/// The range that the kernel gives ports from (proc/sys/net/ipv4/ip_local_port_range).
struct PortRange {
  std::uint16_t first = 32768, last = 60999;
  [[nodiscard]] bool holds(std::uint16_t port) const { return port >= first && port <= last; }
};
std::optional<PortRange> parse_port_range(std::string_view text);

/// Takes passers-by out of successive looks: a UDP socket on a port that the kernel chose is most often a client that
/// waits for one answer (DNS), so it counts only when the look before saw it too.
class UdpPassersBy {
 public:
  void keep_lasting(std::vector<NetEntry>& entries, const PortRange& chosen_by_kernel);

 private:
  std::vector<std::uint64_t> last_;  ///< Inodes, sorted.
};

/// What one listener is on the wire; views into texts that the caller keeps.
struct PortTexts {
  std::string address, port;
  std::string_view protocol, state;
};
PortTexts port_texts(const NetEntry& entry);

/// Equal for equal sets of sockets, in any order: then owners need not be looked for again.
std::uint64_t fingerprint(const std::vector<NetEntry>& entries);

}  // namespace picket::agent
