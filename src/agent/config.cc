#include "agent/config.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <deque>
#include <limits>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/toml.h"
#include "base/core/file.h"

namespace picket::agent {
namespace {

/// Sets one field from text. Empty: done; else what would be right.
using Set = std::string (*)(Config&, const std::string&);

struct Setting {
  SettingInfo info;
  Set set;
};

template <class Number>
std::string set_number(Number& target, const std::string& text, std::uint64_t low, std::uint64_t high) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    return "must be a number from " + std::to_string(low) + " to " + std::to_string(high);
  }
  target = static_cast<Number>(value);
  return {};
}

template <class Number>
std::string set_bytes(Number& target, const std::string& text, std::size_t low, std::size_t high) {
  const auto value = parse_bytes(text);
  if (!value) return value.error();
  if (*value < low || *value > high) {
    return "must be from " + std::to_string(low) + " to " + std::to_string(high) + " bytes";
  }
  target = static_cast<Number>(*value);
  return {};
}

/// Publishes the bounds in the units of the help.
std::string set_duration(Duration& target, const std::string& text, Duration low, Duration high) {
  const auto value = parse_duration(text);
  if (!value) return value.error();
  if (*value < low || *value > high) {
    return "must be from " + std::to_string(low.whole_ms()) + " ms to " + std::to_string(high.whole_ms()) + " ms";
  }
  target = *value;
  return {};
}

std::string set_bool(bool& target, const std::string& text) {
  if (text != "true" && text != "false") return "must be true or false";
  target = text == "true";
  return {};
}

std::string set_text(std::string& target, const std::string& text) {
  if (text.empty()) return "must not be empty";
  target = text;
  return {};
}

std::string set_priority(Priority& target, const std::string& text) {
  const auto priority = parse_priority(text);
  if (!priority || *priority == Priority::urgent) return "must be low, medium or high";
  target = *priority;
  return {};
}

std::string set_ring(std::uint32_t& target, const std::string& text) {
  std::size_t bytes = 0;
  if (auto problem = set_bytes(bytes, text, 4 << 10, 16 << 20); !problem.empty()) return problem;
  if ((bytes & (bytes - 1)) != 0) return "must be a power of two";
  target = static_cast<std::uint32_t>(bytes);
  return {};
}

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
    {{"uplink.gather", "duration", "75ms", "how long an urgent event waits for others to share its message"},
     [](Config& c, const std::string& v) { return set_duration(c.outbox.gather_urgent, v, {}, kSecond * 10); }},

    {{"hardening.capabilities", "true or false", "true", "as root: keep only what collectors and response need"},
     [](Config& c, const std::string& v) { return set_bool(c.hardening.capabilities, v); }},
    {{"hardening.filesystem", "true or false", "true", "let nothing be written but data_dir (Landlock)"},
     [](Config& c, const std::string& v) { return set_bool(c.hardening.filesystem, v); }},
    {{"hardening.system_calls", "true or false", "true", "refuse system calls that the agent has no use for (seccomp)"},
     [](Config& c, const std::string& v) { return set_bool(c.hardening.system_calls, v); }},

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
    {{"collectors.login.audit_enable", "true or false", "true", "may turn on the kernel's audit"},
     [](Config& c, const std::string& v) { return set_bool(c.collectors.audit_enable, v); }},
    {{"collectors.peripheral.poll_every", "duration", "5s", "sysfs tier: time between looks"},
     [](Config& c, const std::string& v) {
       return set_duration(c.collectors.peripheral_poll_every, v, kMs * 100, Duration::hours(1));
     }},
    {{"collectors.statistics.every", "duration", "5m", "time between each collector's account"},
     [](Config& c, const std::string& v) { return set_duration(c.collectors.statistics_every, v, kSecond, kDay); }},
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
     [](CollectorChoice& c, const std::string& v) { return set_priority(c.priority.emplace(), v); }},
    {{"every", "duration", "", "time between snapshots, the first at start; empty: the collector's own"},
     [](CollectorChoice& c, const std::string& v) { return set_duration(c.every.emplace(), v, kSecond, kDay * 30); }},
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

/// Empty: done.
std::string apply(Config& config, std::string_view key, const std::string& value) {
  std::string_view collector;
  const ChoiceSetting* const choice = find_choice(key, collector);
  const auto found = std::ranges::find(kInfos, key, &SettingInfo::key);
  if (choice == nullptr && found == kInfos.end()) return unknown_setting(key);
  const std::string problem = choice != nullptr ? choice->set(config.collectors.choose(collector), value)
                                                : kSettings[found - kInfos.begin()].set(config, value);
  if (problem.empty()) return {};
  const bool secret = key == "connection_string";
  return std::string(key) + (secret ? ": " : " = '" + value.substr(0, 100) + "': ") + problem;
}

std::string to_text(const TomlValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* boolean = std::get_if<bool>(&value)) return *boolean ? "true" : "false";
  return {};
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

std::string environment_name(std::string_view key) {
  std::string out = "PICKET_";
  for (const char c : key) {
    out.push_back(c == '.' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
  }
  return out;
}

Checked<Config> load_config(const ConfigSources& sources) {
  Config config;
  if (sources.file_text) {
    const auto entries = parse_toml(*sources.file_text);
    if (!entries) {
      return std::unexpected(sources.file_path + ":" + std::to_string(entries.error().line) + ": " +
                             entries.error().text);
    }
    for (const TomlEntry& entry : *entries) {
      const std::string where = sources.file_path + ":" + std::to_string(entry.line) + ": ";
      if (std::holds_alternative<std::vector<std::string>>(entry.value)) {
        return std::unexpected(where + entry.key + ": a single value is expected, not a list");
      }
      if (auto problem = apply(config, entry.key, to_text(entry.value)); !problem.empty()) {
        return std::unexpected(where + problem);
      }
    }
  }
  for (const SettingInfo& info : kInfos) {
    const std::string name = environment_name(info.key);
    const auto found = sources.environment.find(name);
    if (found == sources.environment.end()) continue;
    if (auto problem = apply(config, info.key, found->second); !problem.empty()) {
      return std::unexpected("environment variable " + name + ": " + problem);
    }
  }
  for (const auto& [key, value] : sources.settings) {
    if (auto problem = apply(config, key, value); !problem.empty()) {
      return std::unexpected("command line: " + problem);
    }
  }
  return config;
}

Checked<ConnectionString> resolve_connection_string(const Config& config) {
  if (!config.connection_string.empty()) return parse_connection_string(config.connection_string);
  const std::string& path = config.connection_string_file;
  if (path.empty()) {
    return std::unexpected(
        std::string("no connection string: set connection_string_file (or connection_string) in the settings, or "
                    "PICKET_CONNECTION_STRING; get one with: picket device connection-string DEVICE"));
  }
  const auto file = open_file(path, O_RDONLY);
  if (!file) return std::unexpected(path + ": cannot be read (" + describe(file.error()) + ")");
  struct stat info{};
  if (::fstat(file->get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::unexpected(path + ": is no file");
  if ((info.st_mode & 077) != 0) {
    return std::unexpected(path + ": holds a secret but others may read it; run: chmod 600 " + path);
  }
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return std::unexpected(path + ": belongs to another user (uid " + std::to_string(info.st_uid) + "); run: chown " +
                           std::to_string(::geteuid()) + " " + path);
  }
  const auto text = read_file(path, 4'096);
  if (!text) return std::unexpected(path + ": " + describe(text.error()));
  auto parsed = parse_connection_string(*text);
  if (!parsed) return std::unexpected(path + ": " + parsed.error());
  return parsed;
}

Checked<Duration> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    Duration length;
  };
  constexpr Unit kUnits[] = {
      {"ms", kMs}, {"s", kSecond}, {"m", Duration::minutes(1)}, {"h", Duration::hours(1)}, {"d", kDay}};
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  for (const Unit& each : kUnits) {
    if (error != std::errc() || number < 0 || unit != each.name) continue;
    if (number > std::numeric_limits<std::int64_t>::max() / each.length.us) break;
    return each.length * number;
  }
  return std::unexpected(std::string("must be a whole number with a unit: 75ms, 30s, 30m, 2h or 7d"));
}

Checked<std::size_t> parse_bytes(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const unsigned shift = unit == "KiB" ? 10 : unit == "MiB" ? 20 : 0;
  if (error != std::errc() || (shift == 0 && !unit.empty()) ||
      number > std::numeric_limits<std::size_t>::max() >> shift) {
    return std::unexpected(std::string("must be a number of bytes, also with KiB or MiB: 65536, 64KiB, 8MiB"));
  }
  return number << shift;
}

}  // namespace picket::agent
