// Messages of ctnetlink: flows that the kernel's connection tracking begins, changes and forgets
// (include/uapi/linux/netfilter/nfnetlink_conntrack.h).
#pragma once

#include <cstdint>

#include "agent/record.h"
#include "base/core/bytes.h"
#include "base/core/result.h"

namespace picket::agent {

/// One direction of a flow: as its packets are addressed when they come to this device.
struct FlowTuple {
  Endpoint source, destination;  ///< Ports of TCP and UDP; ICMP has none.
  std::uint64_t packets = 0, bytes = 0;
};

struct ConntrackFlow {
  enum class Message : std::uint8_t { changed, destroyed };  ///< New ones and those of a dump are `changed`.
  Message message = Message::changed;
  bool created = false;  ///< The first message of this flow.
  std::uint8_t protocol = 0;
  std::uint32_t id = 0;  ///< Of the kernel, while the flow lives; 0: it gave none.
  FlowTuple origin;      ///< From who began it.
  FlowTuple reply;       ///< Back; its source is who was truly reached, its destination who is answered (NAT).
  bool counted = false;  ///< Packets and bytes of both were in the message (with the heads of IP and above).
  bool assured = false;  ///< Seen in both directions; TCP: it was established.
  bool established = false;  ///< TCP: now.
  std::uint64_t start_ns = 0, stop_ns = 0;  ///< Wall clock; 0: not in the message.
};

/// Payload bytes of one direction: without the heads that packets have at least.
std::uint64_t payload_bytes(const FlowTuple& tuple, std::uint8_t protocol);

/// Walks one datagram. Flows without both tuples of one family are left out. False: a dump ends in it, or it is an
/// error; what is cut off ends the walk.
bool walk_conntrack(Bytes datagram, void (*each)(void* context, const ConntrackFlow& flow), void* context);
template <class Each>
bool for_each_flow(Bytes datagram, Each each) {
  return walk_conntrack(datagram, [](void* context, const ConntrackFlow& f) { (*static_cast<Each*>(context))(f); },
                        &each);
}

/// Asks for all flows. Errors: io.
Result<> request_flows(int fd);

}  // namespace picket::agent
