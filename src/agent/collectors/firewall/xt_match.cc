// Extensions of x_tables (include/uapi/linux/netfilter/xt_*.h) that say addresses, ports, states or comments.
#include <algorithm>
#include <cstring>

#include <linux/netfilter/xt_comment.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>

#include "firewall/rule.h"

namespace picket::agent {
namespace {

template <class T>
std::optional<T> as(Bytes data) {
  if (data.size() < sizeof(T)) return std::nullopt;
  T out;
  std::memcpy(&out, data.data(), sizeof(T));
  return out;
}

void add_port(std::string& field, bool inverted, std::uint16_t first, std::uint16_t last) {
  const std::string text = port_range_text(first, last);
  if (!text.empty()) add_text(field, (inverted ? "!" : "") + text);
}

bool read_ports(std::string_view name, Bytes data, FirewallRule& rule) {
  if (name == "tcp") {
    const auto tcp = as<xt_tcp>(data);
    if (!tcp) return false;
    add_port(rule.source_port, (tcp->invflags & XT_TCP_INV_SRCPT) != 0, tcp->spts[0], tcp->spts[1]);
    add_port(rule.destination_port, (tcp->invflags & XT_TCP_INV_DSTPT) != 0, tcp->dpts[0], tcp->dpts[1]);
    if (tcp->flg_mask != 0) rule.detail("Match", "tcp flags");
    return true;
  }
  const auto udp = as<xt_udp>(data);
  if (!udp) return false;
  add_port(rule.source_port, (udp->invflags & XT_UDP_INV_SRCPT) != 0, udp->spts[0], udp->spts[1]);
  add_port(rule.destination_port, (udp->invflags & XT_UDP_INV_DSTPT) != 0, udp->dpts[0], udp->dpts[1]);
  return true;
}

bool read_multiport(Bytes data, FirewallRule& rule) {
  const auto ports = as<xt_multiport_v1>(data);
  if (!ports || ports->count > XT_MULTI_PORTS) return false;
  std::string text(ports->invert != 0 ? "!" : "");
  for (std::size_t i = 0; i < ports->count; ++i) {
    if (i > 0) text += ports->pflags[i - 1] != 0 ? '-' : ',';
    text += std::to_string(ports->ports[i]);
  }
  if (ports->flags != XT_MULTIPORT_DESTINATION) add_text(rule.source_port, text);
  if (ports->flags != XT_MULTIPORT_SOURCE) add_text(rule.destination_port, text);
  return true;
}

bool read_conntrack(std::uint8_t revision, Bytes data, FirewallRule& rule) {
  std::uint16_t match = 0, inverted = 0, state = 0;
  const auto take = [&](const auto& info) {
    match = info.match_flags;
    inverted = info.invert_flags;
    state = info.state_mask;
  };
  if (revision == 2) {
    if (const auto info = as<xt_conntrack_mtinfo2>(data)) take(*info);
  } else if (revision == 3) {
    if (const auto info = as<xt_conntrack_mtinfo3>(data)) take(*info);
  }
  if ((match & XT_CONNTRACK_STATE) == 0) return false;
  rule.detail("CtState", ((inverted & XT_CONNTRACK_STATE) != 0 ? "!" : "") + ct_state_text(state));
  return (match & ~XT_CONNTRACK_STATE) == 0;
}

}  // namespace

void read_xt_match(std::string_view name, std::uint8_t revision, Bytes data, FirewallRule& rule) {
  bool known = false;
  if (name == "tcp" || name == "udp") known = read_ports(name, data, rule);
  if (name == "multiport" && revision == 1) known = read_multiport(data, rule);
  if (name == "conntrack") known = read_conntrack(revision, data, rule);
  if (name == "state") {
    if (const auto info = as<xt_state_info>(data)) {
      rule.detail("CtState", ct_state_text(info->statemask));
      known = true;
    }
  }
  if (name == "comment") {
    rule.detail("Comment", clean_text(data.first(std::min<std::size_t>(data.size(), XT_MAX_COMMENT_LEN))));
    known = true;
  }
  if (!known) rule.detail("Match", name);
}

}  // namespace picket::agent
