// The dns collector: names that this device looks up.
#include "dns/tiers.h"

namespace picket::agent {
namespace {

constexpr Tier kTiers[] = {
    {"packet", "look-ups on port 53, all interfaces, UDP and TCP, with answers; the process where its socket still is",
     "CONFIG_PACKET, CAP_NET_RAW", false, open_dns_packet},
    {"cgroup", "the same from sockets of this device and its containers, with the process that asks",
     "BTF, kernel 5.17, cgroup2, CAP_BPF and CAP_NET_ADMIN", false, open_dns_cgroup},
    {"uprobe", "what programs ask their C library (getaddrinfo), with its answer; no name server, no other resolvers",
     "CONFIG_UPROBE_EVENTS, BPF, kernel 5.8, CAP_BPF and CAP_PERFMON, a shared C library (on ARM not in Thumb)", false,
     open_dns_uprobe},
};

}  // namespace

const CollectorSpec& dns_collector() {
  static constexpr CollectorSpec spec{"dns", "name look-ups", kTiers, Priority::medium};
  return spec;
}

}  // namespace picket::agent
