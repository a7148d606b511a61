#include "network/conntrack_message.h"

#include <algorithm>
#include <cstring>

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "firewall/netlink_attribute.h"
#include "support/bpf_text.h"

namespace picket::agent {
namespace {

constexpr std::uint32_t kAssured = IPS_ASSURED;

std::uint8_t first_byte(Bytes in) { return in.empty() ? 0 : static_cast<std::uint8_t>(in[0]); }

void read_address(Bytes value, Endpoint& out) {
  if (value.size() != 4 && value.size() != 16) return;
  out.address = address_of(value.size() == 4 ? AF_INET : AF_INET6, reinterpret_cast<const std::uint8_t*>(value.data()));
}

std::uint16_t read_port(Bytes value) { return Cursor{value}.be<std::uint16_t>().value_or(0); }

void read_tuple(Bytes in, FlowTuple& out, std::uint8_t& protocol) {
  for_each_attribute(attribute(in, CTA_TUPLE_IP), [&](std::uint16_t type, Bytes value) {
    if (type == CTA_IP_V4_SRC || type == CTA_IP_V6_SRC) read_address(value, out.source);
    if (type == CTA_IP_V4_DST || type == CTA_IP_V6_DST) read_address(value, out.destination);
  });
  for_each_attribute(attribute(in, CTA_TUPLE_PROTO), [&](std::uint16_t type, Bytes value) {
    if (type == CTA_PROTO_NUM) protocol = first_byte(value);
    if (type == CTA_PROTO_SRC_PORT) out.source.port = read_port(value);
    if (type == CTA_PROTO_DST_PORT) out.destination.port = read_port(value);
  });
}

bool read_counters(Bytes in, FlowTuple& out) {
  if (attribute(in, CTA_COUNTERS_BYTES).size() != 8) return false;
  out.packets = attribute_u64(in, CTA_COUNTERS_PACKETS, 0);
  out.bytes = attribute_u64(in, CTA_COUNTERS_BYTES, 0);
  return true;
}

/// False: not a whole flow.
bool read_flow(Bytes in, ConntrackFlow& out) {
  bool to = false, back = false;
  for_each_attribute(in, [&](std::uint16_t type, Bytes value) {
    switch (type) {
      case CTA_TUPLE_ORIG:
        read_tuple(value, out.origin, out.protocol);
        break;
      case CTA_TUPLE_REPLY: {
        std::uint8_t same = 0;
        read_tuple(value, out.reply, same);
        break;
      }
      case CTA_STATUS:
        out.assured = (Cursor{value}.be<std::uint32_t>().value_or(0) & kAssured) != 0;
        break;
      case CTA_COUNTERS_ORIG:
        to = read_counters(value, out.origin);
        break;
      case CTA_COUNTERS_REPLY:
        back = read_counters(value, out.reply);
        break;
      case CTA_ID:
        out.id = Cursor{value}.be<std::uint32_t>().value_or(0);
        break;
      case CTA_PROTOINFO:
        out.established = first_byte(attribute(attribute(value, CTA_PROTOINFO_TCP), CTA_PROTOINFO_TCP_STATE)) ==
                          TCP_CONNTRACK_ESTABLISHED;
        break;
      case CTA_TIMESTAMP:
        out.start_ns = attribute_u64(value, CTA_TIMESTAMP_START, 0);
        out.stop_ns = attribute_u64(value, CTA_TIMESTAMP_STOP, 0);
        break;
      default:
        break;
    }
  });
  out.counted = to && back;
  const std::uint8_t length = out.origin.source.address.length;
  return length != 0 && out.origin.destination.address.length == length && out.reply.source.address.length == length &&
         out.reply.destination.address.length == length && out.protocol != 0;
}

}  // namespace

std::uint64_t payload_bytes(const FlowTuple& tuple, std::uint8_t protocol) {
  const std::uint64_t heads = (tuple.source.address.length == 4 ? 20U : 40U) + (protocol == IPPROTO_TCP ? 20U : 8U);
  if (tuple.packets > tuple.bytes / heads) return 0;
  return tuple.bytes - tuple.packets * heads;
}

bool walk_conntrack(Bytes datagram, void (*each)(void*, const ConntrackFlow&), void* context) {
  while (datagram.size() >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, datagram.data(), sizeof(header));
    if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > datagram.size()) return true;
    if (header.nlmsg_type == NLMSG_DONE || header.nlmsg_type == NLMSG_ERROR) return false;
    constexpr std::size_t kHead = sizeof(nlmsghdr) + sizeof(nfgenmsg);
    const unsigned kind = header.nlmsg_type & 0xffU;
    if (header.nlmsg_type >> 8 == NFNL_SUBSYS_CTNETLINK && header.nlmsg_len >= kHead &&
        (kind == IPCTNL_MSG_CT_NEW || kind == IPCTNL_MSG_CT_DELETE)) {
      ConntrackFlow flow;
      if (kind == IPCTNL_MSG_CT_DELETE) flow.message = ConntrackFlow::Message::destroyed;
      flow.created = kind == IPCTNL_MSG_CT_NEW && (header.nlmsg_flags & NLM_F_CREATE) != 0;
      if (read_flow(datagram.subspan(kHead, header.nlmsg_len - kHead), flow)) each(context, flow);
    }
    datagram = datagram.subspan(std::min<std::size_t>(NLMSG_ALIGN(std::size_t{header.nlmsg_len}), datagram.size()));
  }
  return true;
}

Result<> request_flows(int fd) {
  struct {
    nlmsghdr netlink;
    nfgenmsg netfilter;
  } request{};
  request.netlink = {.nlmsg_len = sizeof(request),
                     .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET,
                     .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP};
  request.netfilter = {.nfgen_family = AF_UNSPEC, .version = NFNETLINK_V0};
  if (::send(fd, &request, sizeof(request), 0) < 0) return fail_errno("agent.conntrack.dump");
  return {};
}

}  // namespace picket::agent
