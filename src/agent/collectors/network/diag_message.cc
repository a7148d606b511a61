#include "network/diag_message.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <sys/socket.h>

#include "base/core/cursor.h"
#include "support/bpf_text.h"

namespace picket::agent {
namespace {

constexpr std::size_t aligned(std::size_t n) { return (n + 3) & ~std::size_t{3}; }

// Kernel structs grow at the end: takes what is there, the rest stays zero.
template <class T>
T copy_prefix(Bytes bytes) {
  T out{};
  std::memcpy(&out, bytes.data(), std::min(bytes.size(), sizeof(T)));
  return out;
}

void read_attributes(Bytes rest, DiagSocket& out) {
  while (rest.size() >= sizeof(nlattr)) {
    const auto header = copy_prefix<nlattr>(rest);
    if (header.nla_len < sizeof(nlattr) || header.nla_len > rest.size()) return;
    const Bytes value = rest.subspan(sizeof(nlattr), header.nla_len - sizeof(nlattr));
    if (header.nla_type == INET_DIAG_PROTOCOL && !value.empty()) out.protocol = static_cast<std::uint8_t>(value[0]);
    if (header.nla_type == INET_DIAG_INFO && value.size() >= offsetof(tcp_info, tcpi_bytes_retrans)) {
      const auto info = copy_prefix<tcp_info>(value);
      out.has_info = true;
      // The kernel counts the peer's FIN as a byte; only where no data came can that be told from here.
      out.bytes_in = info.tcpi_data_segs_in == 0 ? 0 : info.tcpi_bytes_received;
      out.bytes_out = info.tcpi_bytes_sent - std::min(info.tcpi_bytes_retrans, info.tcpi_bytes_sent);
      out.bytes_acked = info.tcpi_bytes_acked;
    }
    rest = rest.subspan(std::min(aligned(header.nla_len), rest.size()));
  }
}

DiagSocket read_socket(Bytes payload) {
  const auto message = copy_prefix<inet_diag_msg>(payload);
  DiagSocket out;
  const auto endpoint = [&](const __be32* address, __be16 port) {
    std::array<std::uint8_t, 16> raw;
    std::memcpy(raw.data(), address, raw.size());
    return Endpoint{address_of(message.idiag_family, raw.data()), static_cast<std::uint16_t>(__builtin_bswap16(port))};
  };
  out.local = endpoint(message.id.idiag_src, message.id.idiag_sport);
  out.remote = endpoint(message.id.idiag_dst, message.id.idiag_dport);
  out.state = static_cast<TcpState>(message.idiag_state);
  out.uid = message.idiag_uid;
  out.inode = message.idiag_inode;
  out.cookie = std::uint64_t{message.id.idiag_cookie[1]} << 32 | message.id.idiag_cookie[0];
  read_attributes(payload.subspan(std::min(sizeof(inet_diag_msg), payload.size())), out);
  return out;
}

}  // namespace

Result<> request_dump(int fd, int family, int protocol) {
  struct {
    nlmsghdr header;
    inet_diag_req_v2 request;
  } message{};
  message.header = {
      .nlmsg_len = sizeof(message), .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP};
  message.request.sdiag_family = static_cast<__u8>(family);
  message.request.sdiag_protocol = static_cast<__u8>(protocol);
  message.request.idiag_ext = 1 << (INET_DIAG_INFO - 1);
  message.request.idiag_states = 0xffffffff;
  if (send(fd, &message, sizeof(message), 0) < 0) return fail_errno("agent.diag.request");
  return {};
}

bool walk_diag(Bytes datagram, void (*each)(void* context, const DiagSocket& socket), void* context) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    const auto header = copy_prefix<nlmsghdr>(datagram);
    if (header.nlmsg_len < sizeof(nlmsghdr) || header.nlmsg_len > datagram.size()) return false;
    if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) return false;
    const Bytes payload = datagram.subspan(sizeof(nlmsghdr), header.nlmsg_len - sizeof(nlmsghdr));
    if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY && payload.size() >= sizeof(inet_diag_msg))
      each(context, read_socket(payload));
    datagram = datagram.subspan(std::min(aligned(header.nlmsg_len), datagram.size()));
  }
  return true;
}

int diag_error(Bytes datagram) {
  if (datagram.size() < sizeof(nlmsghdr) + sizeof(int)) return 0;
  if (copy_prefix<nlmsghdr>(datagram).nlmsg_type != NLMSG_ERROR) return 0;
  return -copy_prefix<int>(datagram.subspan(sizeof(nlmsghdr)));
}

}  // namespace picket::agent
