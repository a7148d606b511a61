// The network collector: connections, who made them, and what they carried.
#include "network/device_filter.h"
#include "network/tiers.h"

namespace picket::agent {
namespace {

constexpr Tier kTiers[] = {
    {"ebpf", "TCP connects, accepts, failures; UDP and ICMP with every peer; bytes, interface, process",
     "BTF, kernel 5.17, CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN", false, open_network_ebpf},
    {"sock-diag", "connections and their bytes; owner only if a dump saw it; no failed connects", "CONFIG_INET_DIAG",
     false, open_network_diag},
    {"conntrack", "flows the firewall tracks, of a gateway also those it forwards; no failed UDP",
     "a rule that tracks connections, CAP_NET_ADMIN", false, open_network_conntrack},
    {"audit", "connect and accept with their process; no bytes, no local address of short ones",
     "audit (CONFIG_AUDITSYSCALL), CAP_AUDIT_CONTROL and CAP_AUDIT_READ", false, open_network_audit},
    {"procfs", "connections that live longer than the poll interval", "procfs", true, open_network_procfs},
};

/// Nothing stands between when every interface counts, which is the default.
std::unique_ptr<RecordSink> listed_devices(const Environment& environment) {
  if (environment.settings.network_devices.empty()) return nullptr;
  return std::make_unique<DeviceFilter>(environment.sink, environment.settings.network_devices);
}

}  // namespace

const CollectorSpec& network_collector() {
  static constexpr CollectorSpec spec{"network", "connections", kTiers, Priority::medium, {}, listed_devices};
  return spec;
}

}  // namespace picket::agent
