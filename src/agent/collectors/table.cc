// The table of collectors and their tiers, and the choice among tiers.
#include <array>

#include "agent/collector.h"
#include "sources.h"

namespace picket::agent {
namespace {

constexpr std::array kProcessTiers{
    Tier{"ebpf", "every exec with full argv, path, parent, stdio sockets", "BTF, kernel 5.17, CAP_BPF and CAP_PERFMON",
         false, open_process_ebpf},
    Tier{"proc-connector", "every exec; details as far as procfs still has them",
         "CONFIG_PROC_EVENTS; CAP_NET_ADMIN below kernel 6.6", false, open_process_connector},
    Tier{"procfs", "processes that live longer than the poll interval", "procfs", true, open_process_procfs},
};
constexpr std::array kNetworkTiers{
    Tier{"ebpf", "TCP connects, accepts, failures, bytes; UDP connects; pid of the caller",
         "BTF, kernel 5.17, CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN", false, open_network_ebpf},
    Tier{"sock-diag", "connections and their bytes; owner only if a dump saw it; no failed connects",
         "CONFIG_INET_DIAG", false, open_network_diag},
    Tier{"procfs", "connections that live longer than the poll interval", "procfs", true, open_network_procfs},
};
constexpr std::array kLoginTiers{
    Tier{"audit", "every authentication and session that PAM or sshd reports",
         "CONFIG_AUDIT, CAP_AUDIT_READ, enabled=1", false, open_login_audit},
    Tier{"accounting", "btmp, wtmp: failed logins, and logins with a terminal", "readable btmp", false,
         open_login_accounting},
    Tier{"log", "sshd's and login's lines in the authentication log", "readable log file", false, open_login_log},
    Tier{"wtmp", "logins with a terminal; no failed ones", "readable wtmp", false, open_login_wtmp},
};
constexpr std::array kSystemTiers{
    Tier{"snapshot", "system facts at start and on schedule", "procfs", false, open_system}};
constexpr std::array kHeartbeatTiers{Tier{"timer", "a counted sign of life", "nothing", false, open_heartbeat}};

constexpr std::array kCollectors{
    CollectorSpec{"process", kProcessTiers, &CollectorSettings::process_tier},
    CollectorSpec{"network", kNetworkTiers, &CollectorSettings::network_tier},
    CollectorSpec{"login", kLoginTiers, &CollectorSettings::login_tier},
    CollectorSpec{"system", kSystemTiers, nullptr},
    CollectorSpec{"heartbeat", kHeartbeatTiers, nullptr},
};

}  // namespace

std::span<const CollectorSpec> collector_table() { return kCollectors; }

Moment moment_of(const Clock& clock) { return {clock.now(), clock.monotonic()}; }

Result<> Collector::start() {
  stop();
  refusals_.clear();
  tier_ = nullptr;
  const std::string_view forced =
      spec_->forced_tier ? std::string_view(environment_.settings.*spec_->forced_tier) : "auto";
  Error last{Errc::not_found, "agent.collector.tier"};
  for (const Tier& tier : spec_->tiers) {
    if (forced != "auto" && forced != tier.name) continue;
    auto source = tier.open(environment_);
    if (source) {
      source_ = *std::move(source);
      tier_ = &tier;
      return {};
    }
    last = source.error();
    refusals_.push_back({tier.name, last});
  }
  return std::unexpected(last);
}

StatisticsRecord Collector::statistics(Moment now) const {
  const Counters counters = this->counters();
  return {.time = now,
          .origin = {spec_->name, tier_in_use(), sampled()},
          .seen = counters.seen,
          .delivered = counters.delivered,
          .dropped_kernel = counters.dropped_kernel,
          .dropped_user = counters.dropped_user,
          .incomplete = counters.incomplete};
}

}  // namespace picket::agent
