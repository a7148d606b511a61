// The one table of settings: help, bounds and errors come from it.
#include <algorithm>
#include <array>
#include <deque>

#include "agent/config.h"
#include "setting_value.h"

namespace picket::agent {
namespace {

/// Sets one field from text. Empty: done; else what would be right.
using Set = std::string (*)(Config&, const std::string&);

struct Setting {
  SettingInfo info;
  Set set;
};

std::string set_window(Config& config, Priority priority, const std::string& text) {
  return set_duration(config.aggregate.window[static_cast<std::size_t>(priority)], text, Duration::seconds(1),
                      Duration::days(7));
}

constexpr Duration kMs = Duration::milliseconds(1), kSecond = Duration::seconds(1), kDay = Duration::days(1);

// Plain functions: a lambda of this signature each, no captures.
constexpr Setting kSettings[] = {
    {{"connection_string", "text", "", "HostName=…;DeviceId=…;SharedAccessKey=…, as the hub gave it"},
     [](Config& c, const std::string& v) { return set_text(c.connection_string, v); }},
    {{"connection_string_file", "path", "", "file with the connection string, mode 0600; better than the text above"},
     [](Config& c, const std::string& v) { return set_text(c.connection_string_file, v); }},
    {{"ca_file", "path", "", "PEM file of the certificates that the hub's must be signed by"},
     [](Config& c, const std::string& v) { return set_text(c.ca_file, v); }},
    {{"certificate_file", "path", "", "PEM file of this device's own certificate (and its chain), for x509=true"},
     [](Config& c, const std::string& v) { return set_text(c.certificate_file, v); }},
    {{"key_file", "path or name", "", "its private key: a PEM file, 0600; OpenSSL build: pkcs11:… or handle:0x… too"},
     [](Config& c, const std::string& v) { return set_text(c.key_file, v); }},
    {{"data_dir", "path", "/var/lib/picket-agent", "spool, installation id and status socket"},
     [](Config& c, const std::string& v) { return set_text(c.data_dir, v); }},
    {{"status_socket", "path", "DATA_DIR/agent.sock", "where status and selftest reach the running agent"},
     [](Config& c, const std::string& v) { return set_text(c.status_socket, v); }},

    {{"spool.mode", "disk or memory", "disk", "memory: for read-only flash; a restart loses what was not sent"},
     [](Config& c, const std::string& v) {
       if (v != "disk" && v != "memory") return std::string("must be disk or memory");
       c.spool_in_memory = v == "memory";
       return std::string();
     }},
    {{"spool.bytes_max", "bytes", "8MiB", "limit on disk; the oldest of the lowest priority goes first"},
     [](Config& c, const std::string& v) { return set_bytes(c.spool_bytes_max, v, 64 << 10, std::size_t{1} << 30); }},
    {{"spool.memory_max", "bytes", "256KiB", "limit in memory, when the disk is full or not to be used"},
     [](Config& c, const std::string& v) { return set_bytes(c.spool_memory_max, v, 64 << 10, 64 << 20); }},
    {{"spool.age_max", "duration", "7d", "older messages are dropped and counted"},
     [](Config& c, const std::string& v) {
       return set_duration(c.spool_age_max, v, Duration::minutes(1), kDay * 365);
     }},
    {{"spool.sync_every", "duration", "30s", "how much a power loss may cost; kill -9 costs nothing"},
     [](Config& c, const std::string& v) { return set_duration(c.spool_sync_every, v, kSecond, kDay); }},

    {{"uplink.keep_alive", "seconds", "240", "MQTT keep-alive, 1 to 1177"},
     [](Config& c, const std::string& v) { return set_number(c.uplink.keep_alive_s, v, 1, 1177); }},
    {{"uplink.window", "count", "16", "messages on their way without acknowledgement, 1 to 32"},
     [](Config& c, const std::string& v) { return set_number(c.uplink.window, v, 1, 32); }},
    {{"uplink.token_lifetime", "duration", "1h", "of the access token; renewed by a new connection before it ends"},
     [](Config& c, const std::string& v) {
       return set_duration(c.uplink.token_lifetime, v, Duration::seconds(10), kDay * 365);
     }},
    {{"uplink.connect_timeout", "duration", "30s", "for name, TCP, TLS and MQTT together"},
     [](Config& c, const std::string& v) { return set_duration(c.uplink.connect_timeout, v, kSecond, kSecond * 600); }},
    {{"uplink.compress", "true or false", "true", "gzip messages that become smaller by it"},
     [](Config& c, const std::string& v) { return set_bool(c.uplink.compress, v); }},
    {{"uplink.transport", "auto, mqtt or websocket", "auto", "auto: by WebSocket where MQTT's port cannot be reached"},
     [](Config& c, const std::string& v) { return set_transport(c.uplink.transport, v); }},
    {{"uplink.websocket_port", "number", "443", "of the hub's WebSocket"},
     [](Config& c, const std::string& v) { return set_number(c.uplink.websocket_port, v, 1, 65'535); }},
    {{"uplink.proxy", "text", "", "http://[user:password@]host:port or host,port[,user,password]; an HTTP proxy"},
     [](Config& c, const std::string& v) { return set_proxy(c.uplink.proxy, v); }},
    {{"uplink.gateway", "host:port", "", "what is connected to in place of the hub, as GatewayHostName"},
     [](Config& c, const std::string& v) { return set_host_port(c.uplink.gateway.emplace(), v); }},
    {{"uplink.gather", "duration", "75ms", "how long an urgent event waits for others to share its message"},
     [](Config& c, const std::string& v) { return set_duration(c.outbox.gather_urgent, v, {}, kSecond * 10); }},

    {{"provisioning.id_scope", "text", "", "0ne…: ask the provisioning service, in place of a connection string"},
     [](Config& c, const std::string& v) { return set_text(c.provisioning.id_scope, v); }},
    {{"provisioning.registration_id", "text", "", "this device's name there; with X.509 the certificate's common name"},
     [](Config& c, const std::string& v) { return set_text(c.provisioning.registration_id, v); }},
    {{"provisioning.key_file", "path", "", "file (0600) with this device's symmetric key, base64; empty: X.509"},
     [](Config& c, const std::string& v) { return set_text(c.provisioning.key_file, v); }},
    {{"provisioning.group_key_file", "path", "", "file (0600) with the enrolment group's key; the device's is derived"},
     [](Config& c, const std::string& v) { return set_text(c.provisioning.group_key_file, v); }},
    {{"provisioning.endpoint", "host:port", "global.azure-devices-provisioning.net", "the service; Picket's: its hub"},
     [](Config& c, const std::string& v) { return set_host_port(c.provisioning.endpoint, v); }},
    {{"provisioning.module", "text", "DefenderIotMicroAgent",
      "module to be at the assigned hub; none: the device itself"},
     [](Config& c, const std::string& v) {
       c.provisioning.module_id = v == "none" ? std::string() : v;
       return v.empty() || v.size() > kIdBytesMax ? std::string("must be a module id, or none") : std::string();
     }},

    {{"hardening.capabilities", "true or false", "true", "as root: keep only what collectors and response need"},
     [](Config& c, const std::string& v) { return set_bool(c.hardening.capabilities, v); }},
    {{"hardening.filesystem", "true or false", "true", "let nothing be written but data_dir"},
     [](Config& c, const std::string& v) { return set_bool(c.hardening.filesystem, v); }},
    {{"hardening.system_calls", "true or false", "true", "refuse system calls that the agent has no use for (seccomp)"},
     [](Config& c, const std::string& v) { return set_bool(c.hardening.system_calls, v); }},

    {{"response.key_file", "path", "",
      "PEM of the hub's response key (picket response key); empty: no command is taken"},
     [](Config& c, const std::string& v) { return set_text(c.response.key_file, v); }},
    {{"response.isolate", "true or false", "false", "signed commands may cut the device off from all but its hub"},
     [](Config& c, const std::string& v) { return set_bool(c.response.isolate, v); }},
    {{"response.process", "true or false", "false", "signed commands may kill, suspend and resume processes"},
     [](Config& c, const std::string& v) { return set_bool(c.response.process, v); }},
    {{"response.block", "true or false", "false", "signed commands may keep programs from starting, by their SHA-256"},
     [](Config& c, const std::string& v) { return set_bool(c.response.block, v); }},
    {{"response.collect", "true or false", "false", "signed commands may read files"},
     [](Config& c, const std::string& v) { return set_bool(c.response.collect, v); }},
    {{"response.scan", "true or false", "false", "signed commands may start a collector's snapshot"},
     [](Config& c, const std::string& v) { return set_bool(c.response.scan, v); }},
    {{"response.collect_max", "bytes", "1MiB", "largest file that a command may read"},
     [](Config& c, const std::string& v) { return set_bytes(c.response.collect_bytes_max, v, 1, 8 << 20); }},
    {{"response.block_max", "bytes", "16MiB", "larger programs are not hashed, so they start; that is an event"},
     [](Config& c, const std::string& v) { return set_bytes(c.response.block_bytes_max, v, 4 << 10, 256 << 20); }},
    {{"response.block_paths", "list", "", "mount points whose programs can be blocked; empty: all file systems"},
     [](Config& c, const std::string& v) { return set_list(c.response.block_paths, v); }},

    {{"profile", "prompt or parity", "prompt", "parity: nothing leaves before its interval ends, as the old agent did"},
     [](Config& c, const std::string& v) {
       if (v != "prompt" && v != "parity") return std::string("must be prompt or parity");
       c.aggregate.first_at_once = v == "prompt";
       return std::string();
     }},
    {{"intervals.high", "duration", "30m", "how often repeats of priority high are reported"},
     [](Config& c, const std::string& v) { return set_window(c, Priority::high, v); }},
    {{"intervals.medium", "duration", "2h", "the same for medium"},
     [](Config& c, const std::string& v) { return set_window(c, Priority::medium, v); }},
    {{"intervals.low", "duration", "24h", "the same for low"},
     [](Config& c, const std::string& v) { return set_window(c, Priority::low, v); }},
    {{"aggregate.entries_max", "count", "1024", "different processes, and different connections, that are counted"},
     [](Config& c, const std::string& v) { return set_number(c.aggregate.entries_max, v, 16, 65'536); }},
    {{"aggregate.bytes_max", "bytes", "512KiB", "memory of each of these tables"},
     [](Config& c, const std::string& v) { return set_bytes(c.aggregate.bytes_max, v, 64 << 10, 256 << 20); }},

    {{"collectors.process.ring_bytes", "bytes", "256KiB", "kernel buffer of the ebpf tier; a power of two"},
     [](Config& c, const std::string& v) { return set_ring(c.collectors.process_ring_bytes, v); }},
    {{"collectors.process.fork_exit", "true or false", "false", "also report forks and exits"},
     [](Config& c, const std::string& v) { return set_bool(c.collectors.process_fork_exit, v); }},
    {{"collectors.process.poll_min", "duration", "100ms", "procfs tier: shortest time between looks"},
     [](Config& c, const std::string& v) {
       return set_duration(c.collectors.procfs_poll_min, v, kMs * 10, Duration::minutes(1));
     }},
    {{"collectors.process.poll_max", "duration", "1s", "procfs tier: longest time between looks"},
     [](Config& c, const std::string& v) {
       return set_duration(c.collectors.procfs_poll_max, v, kMs * 10, Duration::minutes(1));
     }},
    {{"collectors.network.ring_bytes", "bytes", "128KiB", "kernel buffer of the ebpf tier; a power of two"},
     [](Config& c, const std::string& v) { return set_ring(c.collectors.network_ring_bytes, v); }},
    {{"collectors.network.dump_every", "duration", "5s", "other tiers: time between looks at all sockets"},
     [](Config& c, const std::string& v) {
       return set_duration(c.collectors.socket_dump_every, v, kMs * 100, Duration::minutes(10));
     }},
    {{"collectors.network.devices", "list", "", "interfaces to report; empty: all, also those that come later"},
     [](Config& c, const std::string& v) { return set_list(c.collectors.network_devices, v); }},
    {{"collectors.network.conntrack_accounting", "true or false", "false",
      "conntrack tier: may make the kernel count bytes"},
     [](Config& c, const std::string& v) { return set_bool(c.collectors.conntrack_accounting, v); }},
    {{"collectors.login.audit_enable", "true or false", "true", "may turn on the kernel's audit"},
     [](Config& c, const std::string& v) { return set_bool(c.collectors.audit_enable, v); }},
    {{"collectors.login.pam_log", "path", "/var/log/picket-pam.log", "tier pam-log: what a line in PAM's settings writes"},
     [](Config& c, const std::string& v) { return set_any_text(c.collectors.pam_log, v); }},
    {{"collectors.peripheral.poll_every", "duration", "5s", "sysfs tier: time between looks"},
     [](Config& c, const std::string& v) {
       return set_duration(c.collectors.peripheral_poll_every, v, kMs * 100, Duration::hours(1));
     }},
    {{"collectors.dns.timeout", "duration", "5s", "a look-up without an answer is reported after this"},
     [](Config& c, const std::string& v) {
       return set_duration(c.collectors.dns_timeout, v, kMs * 100, Duration::minutes(1));
     }},
    {{"collectors.file_system.paths", "list", "",
      "files and folders to watch; empty: what an intruder changes to stay"},
     [](Config& c, const std::string& v) { return set_list(c.collectors.file_system_paths, v); }},
    {{"collectors.file_system.recursive", "true or false", "true", "watch the folders below them too"},
     [](Config& c, const std::string& v) { return set_bool(c.collectors.file_system_recursive, v); }},
    {{"collectors.file_system.hash_max", "bytes", "64KiB",
      "files up to this size are hashed when they change; 0: none"},
     [](Config& c, const std::string& v) { return set_bytes(c.collectors.file_system_hash_max, v, 0, 1 << 20); }},
    {{"collectors.file_system.scan_every", "duration", "1m", "scan tier: time between looks"},
     [](Config& c, const std::string& v) {
       return set_duration(c.collectors.file_system_scan_every, v, kMs * 100, kDay);
     }},
    {{"collectors.system.hardware_vendor", "text", "", "vendor of the hardware, instead of what the device says"},
     [](Config& c, const std::string& v) { return set_any_text(c.collectors.system_hardware_vendor, v); }},
    {{"collectors.system.hardware_model", "text", "", "model of the hardware, instead of what the device says"},
     [](Config& c, const std::string& v) { return set_any_text(c.collectors.system_hardware_model, v); }},
    {{"collectors.system.hardware_serial", "text", "",
      "serial number of the hardware, instead of what the device says"},
     [](Config& c, const std::string& v) { return set_any_text(c.collectors.system_hardware_serial, v); }},
    {{"collectors.system.firmware_vendor", "text", "", "vendor of the firmware, instead of what the device says"},
     [](Config& c, const std::string& v) { return set_any_text(c.collectors.system_firmware_vendor, v); }},
    {{"collectors.system.firmware_version", "text", "", "version of the firmware, instead of what the device says"},
     [](Config& c, const std::string& v) { return set_any_text(c.collectors.system_firmware_version, v); }},
    {{"collectors.baseline.groups_disabled", "list", "", "groups of checks that are not made"},
     [](Config& c, const std::string& v) { return set_list(c.collectors.baseline_groups_disabled, v); }},
    {{"collectors.baseline.checks_disabled", "list", "", "checks, by number, that are not made"},
     [](Config& c, const std::string& v) { return set_list(c.collectors.baseline_checks_disabled, v); }},
    {{"collectors.baseline.content", "path", "/usr/share/picket-agent/baseline.bin", "rules to check"},
     [](Config& c, const std::string& v) { return set_text(c.collectors.baseline_content, v); }},
    {{"collectors.baseline.custom", "true or false", "true", "whether your own rules are checked, once there are some"},
     [](Config& c, const std::string& v) { return set_bool(c.collectors.baseline_custom, v); }},
    {{"collectors.baseline.custom_content", "path", "", "a file of your own rules, checked too"},
     [](Config& c, const std::string& v) { return set_any_text(c.collectors.baseline_custom_content, v); }},
    {{"collectors.baseline.custom_sha256", "text", "", "the SHA-256 it must have"},
     [](Config& c, const std::string& v) { return set_any_text(c.collectors.baseline_custom_sha256, v); }},
    {{"collectors.baseline.level", "count", "1", "1: what every device can have; 2: the stricter rules too"},
     [](Config& c, const std::string& v) { return set_number(c.collectors.baseline_level, v, 1, 2); }},
    {{"collectors.baseline.profile", "server or embedded", "server", "for which kind of device rules are meant"},
     [](Config& c, const std::string& v) {
       if (v != "server" && v != "embedded") return std::string("must be server or embedded");
       c.collectors.baseline_embedded = v == "embedded";
       return std::string();
     }},

    {{"policy.twin", "true or false", "true", "whether the module twin may change settings at all"},
     [](Config& c, const std::string& v) { return set_bool(c.policy.twin, v); }},
    {{"policy.twin_locked", "list", "", "settings, or all below a name, that the twin may not change"},
     [](Config& c, const std::string& v) { return set_list(c.policy.twin_locked, v); }},
    {{"policy.twin_may_disable", "list", "*", "collectors that the twin may turn off; *: all"},
     [](Config& c, const std::string& v) { return set_list(c.policy.twin_may_disable, v); }},
    {{"policy.twin_interval_max", "duration", "30d", "longest interval, and time between snapshots, by the twin"},
     [](Config& c, const std::string& v) { return set_duration(c.policy.twin_interval_max, v, kSecond, kDay * 30); }},
    {{"policy.twin_bytes_max", "bytes", "64MiB", "largest size that the twin may give to a buffer, table or the spool"},
     [](Config& c, const std::string& v) { return set_bytes(c.policy.twin_bytes_max, v, 4 << 10, 1 << 30); }},
    {{"collectors.root", "path", "",
      "look at the files of a firmware image below this folder: users, packages, system"},
     [](Config& c, const std::string& v) { return set_text(c.collectors.root, v); }},
};

/// What every collector has: collectors.NAME.KEY.
struct ChoiceSetting {
  SettingInfo info;
  std::string (*set)(CollectorChoice&, const std::string&);
};
constexpr ChoiceSetting kChoiceSettings[] = {
    {{"enabled", "true or false", "true", "whether the collector runs"},
     [](CollectorChoice& c, const std::string& v) { return set_bool(c.enabled, v); }},
    {{"tier", "name", "auto", "force one way of looking; preflight lists them"},
     [](CollectorChoice& c, const std::string& v) { return set_text(c.tier, v); }},
    {{"priority", "low, medium or high", "", "of repeats and snapshots; empty: the collector's own"},
     [](CollectorChoice& c, const std::string& v) {
       Priority priority{};
       auto problem = set_priority(priority, v);
       if (problem.empty()) c.priority = priority;
       return problem;
     }},
    {{"every", "duration", "", "time between snapshots, the first at start; empty: the collector's own"},
     [](CollectorChoice& c, const std::string& v) {
       Duration every;
       auto problem = set_duration(every, v, kSecond, kDay * 30);
       if (problem.empty()) c.every = every;
       return problem;
     }},
    {{"cache", "count", "", "different happenings that are counted; empty: aggregate.entries_max"},
     [](CollectorChoice& c, const std::string& v) {
       std::uint32_t entries = 0;
       auto problem = set_number(entries, v, 1, 65'536);
       if (problem.empty()) c.cache = entries;
       return problem;
     }},
};
constexpr std::string_view kCollectors[] = {
#define PICKET_COLLECTOR(name) #name,
#include "agent/collector_list.inc"
#undef PICKET_COLLECTOR
};

/// The row of "collectors.NAME.KEY", and NAME; nullptr: no such collector or key.
const ChoiceSetting* find_choice(std::string_view key, std::string_view& collector) {
  constexpr std::string_view kPrefix = "collectors.";
  if (!key.starts_with(kPrefix)) return nullptr;
  const auto dot = key.find('.', kPrefix.size());
  if (dot == std::string_view::npos) return nullptr;
  collector = key.substr(kPrefix.size(), dot - kPrefix.size());
  if (std::ranges::find(kCollectors, collector) == std::end(kCollectors)) return nullptr;
  const auto found = std::ranges::find_if(
      kChoiceSettings, [&](const ChoiceSetting& each) { return each.info.key == key.substr(dot + 1); });
  return found == std::end(kChoiceSettings) ? nullptr : found;
}

constexpr auto kInfos = [] {
  std::array<SettingInfo, std::size(kSettings)> out{};
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = kSettings[i].info;
  return out;
}();

/// Levenshtein distance; both texts are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j < row.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

std::string unknown_setting(std::string_view key) {
  std::string_view nearest;
  std::size_t best = 5;  // farther is no typing error
  for (const SettingInfo& info : setting_table()) {
    if (const std::size_t far = distance(key.substr(0, 64), info.key); far < best) {
      best = far;
      nearest = info.key;
    }
  }
  std::string out = "unknown setting '" + std::string(key.substr(0, 64)) + "'";
  if (!nearest.empty()) return out + "; did you mean " + std::string(nearest) + "?";
  return out + "; 'picket-agent settings' lists all";
}

}  // namespace

std::span<const SettingInfo> setting_table() {
  static const std::vector<SettingInfo> table = [] {
    static std::deque<std::string> keys;
    std::vector<SettingInfo> out(kInfos.begin(), kInfos.end());
    for (const std::string_view collector : kCollectors) {
      for (const ChoiceSetting& choice : kChoiceSettings) {
        keys.push_back("collectors." + std::string(collector) + "." + std::string(choice.info.key));
        out.push_back({keys.back(), choice.info.form, choice.info.default_text, choice.info.help});
      }
    }
    return out;
  }();
  return table;
}

std::string setting_default(std::string_view key) {
  for (const SettingInfo& info : setting_table()) {
    if (info.key == key) return std::string(info.default_text);
  }
  return {};
}

bool is_secret_setting(std::string_view key) {
  return key == "connection_string" || key == "uplink.proxy" || key.ends_with("_key") || key.ends_with("_pin");
}

std::string change_setting(Config& config, std::string_view key, const std::string& value, SettingSource source) {
  std::string_view collector;
  const ChoiceSetting* const choice = find_choice(key, collector);
  const auto found = std::ranges::find(kInfos, key, &SettingInfo::key);
  if (choice == nullptr && found == kInfos.end()) return unknown_setting(key);
  const std::string problem = choice != nullptr ? choice->set(config.collectors.choose(collector), value)
                                                : kSettings[found - kInfos.begin()].set(config, value);
  if (problem.empty()) {
    config.chosen.insert_or_assign(std::string(key), SettingValue{value, source});
    return {};
  }
  return std::string(key) + (is_secret_setting(key) ? ": " : " = '" + value.substr(0, 100) + "': ") + problem;
}

}  // namespace picket::agent
