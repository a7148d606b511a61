#include "agent/preflight.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/netlink.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/core/file.h"
#include "base/core/json_writer.h"

namespace picket::agent {
namespace {

using State = PreflightRow::State;

class NoSink final : public RecordSink {
 public:
  void emit(const ProcessRecord&) override {}
  void emit(const ConnectionRecord&) override {}
  void emit(const LoginRecord&) override {}
  void emit(const SystemRecord&) override {}
  void emit(const HeartbeatRecord&) override {}
  void emit(const StatisticsRecord&) override {}
  void emit(const EventRecord&) override {}
};

std::string_view name_of(State state) {
  switch (state) {
    case State::works:
      return "works";
    case State::limited:
      return "limited";
    case State::missing:
      return "missing";
  }
  return "missing";
}

std::string first_line(const std::string& path) {
  const auto text = read_file(path, 1 << 16);
  return text ? text->substr(0, text->find('\n')) : std::string{};
}

PreflightRow kernel_row() {
  utsname names{};
  uname(&names);
  return {"kernel", "release", State::works, std::string(names.release) + " " + names.machine};
}

PreflightRow btf_row() {
  const bool there = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
  return {"kernel", "btf", there ? State::works : State::missing,
          there ? "/sys/kernel/btf/vmlinux" : "no kernel BTF: the ebpf tiers cannot load"};
}

// "none [integrity] confidentiality": the one in brackets rules.
PreflightRow lockdown_row() {
  const auto text = first_line("/sys/kernel/security/lockdown");
  const auto open = text.find('[');
  if (open == std::string::npos) return {"kernel", "lockdown", State::limited, "unknown (securityfs is not mounted)"};
  const auto mode = text.substr(open + 1, text.find(']') - open - 1);
  return {"kernel", "lockdown", mode == "confidentiality" ? State::limited : State::works, mode};
}

PreflightRow memlock_row() {
  rlimit limit{};
  getrlimit(RLIMIT_MEMLOCK, &limit);
  const std::string text =
      limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur / 1024) + " KiB";
  return {"kernel", "memlock", State::works, text + " (kernels from 5.11 charge maps to the memory cgroup instead)"};
}

PreflightRow cgroup_row() {
  const bool unified = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
  const bool hybrid = access("/sys/fs/cgroup/unified/cgroup.procs", F_OK) == 0;
  return {"kernel", "cgroup2", unified || hybrid ? State::works : State::limited,
          unified  ? "/sys/fs/cgroup"
          : hybrid ? "/sys/fs/cgroup/unified (hybrid)"
                   : "not mounted: UDP connects are not seen by the ebpf tier"};
}

PreflightRow capability_row() {
  struct Wanted {
    const char* name;
    unsigned bit;
  };
  static constexpr std::array<Wanted, 9> kWanted{{{"net_admin", 12},
                                                  {"net_raw", 13},
                                                  {"sys_admin", 21},
                                                  {"sys_ptrace", 19},
                                                  {"dac_read_search", 2},
                                                  {"audit_control", 30},
                                                  {"audit_read", 37},
                                                  {"perfmon", 38},
                                                  {"bpf", 39}}};
  const auto status = read_file("/proc/self/status", 1 << 16);
  std::uint64_t held = 0;
  if (const auto at = status ? status->find("\nCapEff:\t") : std::string::npos; at != std::string::npos) {
    std::from_chars(status->data() + at + 9, status->data() + status->size(), held, 16);
  }
  std::string missing;
  for (const auto& [name, bit] : kWanted) {
    if (!(held >> bit & 1)) missing += (missing.empty() ? "" : " ") + std::string(name);
  }
  const bool all = missing.empty();
  return {"privilege", "capabilities", all ? State::works : State::limited,
          all ? "all that the best tiers need" : "missing: " + missing};
}

/// A facility that is there when a descriptor of it can be had.
PreflightRow facility_row(const char* name, int fd, const char* gives) {
  if (fd < 0) return {"kernel", name, State::missing, describe(fail_errno("open").error())};
  close(fd);
  return {"kernel", name, State::works, gives};
}

PreflightRow fanotify_row() {
  return facility_row("fanotify",
                      fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_REPORT_DFID_NAME, O_RDONLY),
                      "with names of files");
}

PreflightRow inotify_row() {
  PreflightRow row = facility_row("inotify", inotify_init1(IN_CLOEXEC),
                                  "/proc/sys/fs/inotify/max_user_watches bounds the folders that can be watched");
  if (const auto limit = first_line("/proc/sys/fs/inotify/max_user_watches"); row.state == State::works) {
    row.detail = "folders that can be watched: " + (limit.empty() ? std::string("unknown") : limit);
  }
  return row;
}

PreflightRow uevent_row() {
  return facility_row("uevent", socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT),
                      "devices that come and go");
}

PreflightRow packet_row() {
  return facility_row("packet socket", socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0), "copies of packets");
}

PreflightRow user_row() {
  const bool root = geteuid() == 0;
  return {"privilege", "user", root ? State::works : State::limited,
          root ? "root"
               : "uid " + std::to_string(geteuid()) + ": the ebpf and audit tiers need root or the capabilities below"};
}

PreflightRow file_row(const char* name, const std::string& path) {
  const bool readable = access(path.c_str(), R_OK) == 0;
  const bool there = access(path.c_str(), F_OK) == 0;
  return {"files", name, readable ? State::works : State::missing,
          path + (readable ? ""
                  : there  ? ": not readable"
                           : ": does not exist")};
}

PreflightRow root_row() {
  struct statvfs status{};
  if (statvfs("/var/lib", &status) != 0) return {"files", "state", State::limited, "/var/lib does not exist"};
  const bool read_only = status.f_flag & ST_RDONLY;
  const auto free_mib = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize >> 20;
  return {"files", "state", read_only ? State::limited : State::works,
          read_only ? "/var/lib is read-only: keep the spool in memory"
                    : "/var/lib, " + std::to_string(free_mib) + " MiB free"};
}

void add_collector(const CollectorSpec& spec, const Environment& environment, std::vector<PreflightRow>& rows) {
  const std::string forced = environment.settings.choice(spec.name).tier;
  const auto wanted = [&](const Tier& tier) { return forced == "auto" || forced == tier.name; };
  CollectorSettings harmless = environment.settings;
  harmless.audit_enable = false;
  const Environment quiet{harmless, environment.clock, environment.sink};
  bool chosen = false;
  for (const Tier& tier : spec.tiers) {
    auto source = tier.open(quiet);
    // Looking must change nothing, so audit was not turned on; the agent itself would.
    const bool audit_off = !source && source.error().where == "agent.audit.disabled";
    if (audit_off && environment.settings.audit_enable) {
      rows.push_back({std::string(spec.name), std::string(tier.name), State::works,
                      "audit is off now; the agent turns it on (audit_enable)", !chosen && wanted(tier)});
      chosen |= rows.back().in_use;
      continue;
    }
    PreflightRow row{std::string(spec.name), std::string(tier.name)};
    row.state = !source ? State::missing : tier.sampled ? State::limited : State::works;
    row.detail = source ? std::string(tier.gives) : describe(source.error()) + "; needs " + std::string(tier.needs);
    row.in_use = source && !chosen && wanted(tier);
    chosen |= row.in_use;
    rows.push_back(std::move(row));
  }
}

std::string padded(std::string_view text, std::size_t width) {
  std::string out(text);
  out.resize(std::max(width, out.size()), ' ');
  return out;
}

}  // namespace

std::vector<PreflightRow> preflight(const CollectorSettings& settings, const Clock& clock) {
  std::vector<PreflightRow> rows{kernel_row(),
                                 btf_row(),
                                 lockdown_row(),
                                 memlock_row(),
                                 cgroup_row(),
                                 fanotify_row(),
                                 inotify_row(),
                                 uevent_row(),
                                 packet_row(),
                                 user_row(),
                                 capability_row(),
                                 file_row("btmp", settings.btmp),
                                 file_row("wtmp", settings.wtmp),
                                 file_row("utmp", settings.utmp),
                                 file_row("auth log", settings.auth_log),
                                 root_row()};
  NoSink sink;
  for (const CollectorSpec& spec : collector_table()) add_collector(spec, {settings, clock, sink}, rows);
  return rows;
}

std::string preflight_table(const std::vector<PreflightRow>& rows) {
  std::string out = padded("TOPIC", 17) + padded("WHAT", 18) + padded("STATE", 9) + "DETAIL\n";
  for (const PreflightRow& row : rows) {
    out += padded(row.topic, 17) + padded(row.name + (row.in_use ? " *" : ""), 18) + padded(name_of(row.state), 9) +
           row.detail + "\n";
  }
  out += "\n* is what the agent uses here.\n";
  for (const CollectorSpec& spec : collector_table()) {
    const auto used =
        std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.topic == spec.name && r.in_use; });
    if (used == rows.end()) {
      out += std::string(spec.name) + ": off, no tier works here.\n";
      continue;
    }
    out += std::string(spec.name) + ": " + used->name;
    if (used->state == State::limited) out += ", sampled: short-lived ones are missed";
    const auto better = std::find_if(rows.begin(), rows.end(), [&](const auto& r) { return r.topic == spec.name; });
    if (better != used) out += "; " + better->name + " does not work: " + better->detail;
    out += ".\n";
  }
  return out;
}

std::string preflight_json(const std::vector<PreflightRow>& rows) {
  JsonWriter json;
  json.begin_object().key("rows").begin_array();
  for (const PreflightRow& row : rows) {
    json.begin_object();
    json.key("topic").value(row.topic);
    json.key("name").value(row.name);
    json.key("state").value(name_of(row.state));
    json.key("detail").value(row.detail);
    json.key("inUse").value(row.in_use);
    json.end_object();
  }
  json.end_array().end_object();
  return json.take();
}

}  // namespace picket::agent
