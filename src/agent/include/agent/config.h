// Settings of the agent: flag > PICKET_* > file > default (decisions: configuration).
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "agent/aggregate.h"
#include "agent/collector.h"
#include "agent/connection_string.h"
#include "agent/hardening.h"
#include "agent/outbox.h"
#include "agent/priority.h"
#include "agent/proxy.h"
#include "agent/response_settings.h"

namespace picket::agent {

/// How MQTT reaches the hub. `automatic`: on its own port, and by WebSocket where that cannot be reached.
enum class UplinkTransport : std::uint8_t { automatic, mqtt, websocket };

struct UplinkSettings {
  std::uint16_t keep_alive_s = 240;
  std::size_t window = 16;
  Duration token_lifetime = Duration::hours(1);
  Duration connect_timeout = Duration::seconds(30);
  bool compress = true;
  UplinkTransport transport = UplinkTransport::automatic;
  std::uint16_t websocket_port = 443;
  std::optional<Proxy> proxy;       ///< Its credentials are secret.
  std::optional<HostPort> gateway;  ///< Connected to in place of the hub, as GatewayHostName.
};

/// How to learn the identity where there is no connection string.
struct ProvisioningSettings {
  std::string id_scope;  ///< Empty: not used.
  std::string registration_id;
  std::string key_file;        ///< Of the device's own symmetric key.
  std::string group_key_file;  ///< Of the enrolment group's; the device's is derived.
  HostPort endpoint{.host = "global.azure-devices-provisioning.net"};
  std::string module_id{"DefenderIotMicroAgent"};
};

/// What the module twin may not do, whatever it says. Only local sources can set these.
struct PolicySettings {
  bool twin = true;
  std::vector<std::string> twin_locked;            ///< Settings, or names above them.
  std::vector<std::string> twin_may_disable{"*"};  ///< Collectors; "*": all.
  Duration twin_interval_max = Duration::days(30);
  std::size_t twin_bytes_max = 64U << 20;
};

/// Who chose a value. Later ones win; the policy caps the twin.
enum class SettingSource : std::uint8_t { standard, file, environment, command_line, twin };
std::string_view to_string(SettingSource source);
struct SettingValue {
  std::string text;
  SettingSource source = SettingSource::standard;
  friend bool operator==(const SettingValue&, const SettingValue&) = default;
};

/// Everything that `run` needs; made by load_config(). A module twin makes a changed copy (twin_settings.h).
struct Config {
  std::string connection_string;  ///< As text; secret.
  std::string connection_string_file;
  std::string ca_file;
  std::string certificate_file;
  std::string key_file;  ///< A path, or a key's name (tls.h).
  std::string data_dir = "/var/lib/picket-agent";
  std::string status_socket;  ///< Empty: data_dir/agent.sock
  bool spool_in_memory = false;
  std::size_t spool_bytes_max = 8U << 20;
  std::size_t spool_memory_max = 256 << 10;
  Duration spool_age_max = Duration::days(7);
  Duration spool_sync_every = Duration::seconds(30);
  UplinkSettings uplink;
  ProvisioningSettings provisioning;
  OutboxOptions outbox;
  AggregateOptions aggregate;
  CollectorSettings collectors;
  HardeningSettings hardening;
  PolicySettings policy;
  ResponseSettings response;
  std::map<std::string, SettingValue, std::less<>> chosen;  ///< By key, what was set by any source.

  [[nodiscard]] std::string socket_path() const {
    return status_socket.empty() ? data_dir + "/agent.sock" : status_socket;
  }
};

/// One row of the table of settings; the help is made from it.
struct SettingInfo {
  std::string_view key;
  std::string_view form;  ///< "text", "duration", "bytes", "true or false", ...
  std::string_view default_text;
  std::string_view help;
};
std::span<const SettingInfo> setting_table();
/// As in the table; empty for an unknown key too.
std::string setting_default(std::string_view key);
/// Its value is never shown.
bool is_secret_setting(std::string_view key);
/// Sets one setting from text and notes the source. Empty: done; else a text for people (without the value of a
/// secret), and nothing has changed.
std::string change_setting(Config& config, std::string_view key, const std::string& value, SettingSource source);

/// "PICKET_SPOOL_BYTES_MAX" for "spool.bytes_max".
std::string environment_name(std::string_view key);

struct ConfigSources {
  std::string file_path;  ///< For messages.
  std::optional<std::string> file_text;
  std::map<std::string, std::string> environment;             ///< Only PICKET_* variables.
  std::vector<std::pair<std::string, std::string>> settings;  ///< From flags: key and value as text.
};

/// Later sources win. Errors name the file and line, variable or flag, the key, and what would be right. An unknown key
/// is an error with the nearest known one.
Checked<Config> load_config(const ConfigSources& sources);

/// The connection string of `config`: its text, or its file's content. The file must belong to this user or root and be
/// closed to others (0600 or stricter).
Checked<ConnectionString> resolve_connection_string(const Config& config);

/// "75ms", "30s", "30m", "2h", "7d": a whole number and a unit.
Checked<Duration> parse_duration(std::string_view text);
/// "65536", "64KiB", "8MiB".
Checked<std::size_t> parse_bytes(std::string_view text);

}  // namespace picket::agent
