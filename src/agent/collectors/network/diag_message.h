// Messages of NETLINK_SOCK_DIAG: sockets of a dump and of the destroy groups.
#pragma once

#include <cstdint>

#include "agent/record.h"
#include "base/core/bytes.h"
#include "base/core/result.h"
#include "network/net_table.h"

namespace picket::agent {

struct DiagSocket {
  std::uint8_t protocol = 6;
  TcpState state = TcpState::close;
  Endpoint local, remote;
  std::uint32_t uid = 0;
  std::uint64_t inode = 0;
  std::uint64_t cookie = 0;
  bool has_info = false;  ///< The counts below were in the message.
  std::uint64_t bytes_in = 0, bytes_out = 0, bytes_acked = 0;
};

/// Asks for all sockets of one family and protocol, with tcp_info. Errors: io.
Result<> request_dump(int fd, int family, int protocol);

/// Walks one datagram. False: the dump ends in it, or it is an error; what is cut off or unknown ends the walk.
bool walk_diag(Bytes datagram, void (*each)(void* context, const DiagSocket& socket), void* context);
template <class Each>
bool for_each_diag(Bytes datagram, Each each) {
  return walk_diag(datagram, [](void* context, const DiagSocket& s) { (*static_cast<Each*>(context))(s); }, &each);
}

/// errno of an NLMSG_ERROR at the front of a datagram; 0: none.
int diag_error(Bytes datagram);

}  // namespace picket::agent
