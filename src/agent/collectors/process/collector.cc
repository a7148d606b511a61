// The process collector: programs that start, and on request forks and ends.
#include "process/tiers.h"

namespace picket::agent {
namespace {

constexpr Tier kTiers[] = {
    {"ebpf", "every exec with full argv, path, parent, stdio sockets", "BTF, kernel 5.17, CAP_BPF and CAP_PERFMON",
     false, open_process_ebpf},
    {"tracepoint", "every exec with full argv and path as called; the rest as far as procfs still has it",
     "tracefs mounted, CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN below kernel 5.8); no BTF", false,
     open_process_tracepoint},
    {"audit", "every exec with full argv, path, cwd, session; the rest as far as procfs still has it",
     "CONFIG_AUDITSYSCALL, CAP_AUDIT_CONTROL, CAP_AUDIT_READ", false, open_process_audit},
    {"proc-connector", "every exec; details as far as procfs still has them",
     "CONFIG_PROC_EVENTS; CAP_NET_ADMIN below kernel 6.6", false, open_process_connector},
    {"procfs", "processes that live longer than the poll interval", "procfs", true, open_process_procfs},
};

}  // namespace

const CollectorSpec& process_collector() {
  static constexpr CollectorSpec spec{"process", "program starts", kTiers, Priority::medium};
  return spec;
}

}  // namespace picket::agent
