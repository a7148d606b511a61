#include "serve.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "base/server/config.h"
#include "base/server/log.h"
#include "server/server.h"
#include "table_retention.h"

namespace picket::cli {
namespace {

constexpr rlim_t kDescriptorsWanted = 24'000;

const std::vector<Setting> kSettings = {
    {"data", "/var/lib/picket", "data directory"},
    {"portal", "/usr/share/picket/portal", "folder with the built portal"},
    {"listen", "127.0.0.1", "address of all listeners; 0.0.0.0 lets devices in"},
    {"mqtt_port", "8883", "port of the device hub (MQTT over TLS)"},
    {"amqp_port", "5671", "port of the device hub (AMQP 1.0 over TLS)"},
    {"https_port", "443", "port of the device hub (HTTPS, WebSocket, service REST); SDKs know no other"},
    {"portal_port", "8443", "port of portal, REST API and metrics"},
    {"names", "", "further host names and addresses for the server certificate, with commas"},
    {"hub", "picket", "name of the hub that devices belong to"},
    {"alert_profile", "default", "severities: default or parity (as published for Defender for IoT)"},
    {"role", "all", "parts to run in this process; only all works without Kafka, ClickHouse and PostgreSQL"},
    {"retention_days", "30", "age in days after which events leave; 0 keeps them"},
    {"retention_gib", "64",
     "GiB of stored events after which the oldest leave (default: at most a third of the disk); 0: no limit"},
    {"table_retention", "",
     "retention of single tables, with commas: TABLE=DAYS or TABLE=DAYS+ARCHIVE (days as Parquet files after that)"},
    {"reserve_mib", "256",
     "MiB of free disk space below which the hub takes no more messages (default: at most a twentieth of the disk)"},
    {"geo_database", "", "file with places of addresses (GeoLite2-City.mmdb) for geo_info_from_ip_address()"},
};

std::unexpected<Failure> usage(std::string text) { return std::unexpected(Failure{Exit::usage, std::move(text)}); }

// Size of the file system that the data directory is on, or will be on.
std::uint64_t disk_bytes(std::string path) {
  struct statvfs disk{};
  while (::statvfs(path.c_str(), &disk) != 0) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos || slash == 0)
      return ::statvfs(slash == 0 ? "/" : ".", &disk) == 0 ? disk.f_blocks * disk.f_frsize : 0;
    path.resize(slash);
  }
  return disk.f_blocks * disk.f_frsize;
}

// The defaults are made for a server's disk. On a small one they would refuse every message, or fill it before the
// oldest events leave: a twentieth is kept free, and journal and events may have a third each. What an operator sets
// stands.
void fit_to_disk(const Config& config, server::Options& options) {
  const std::uint64_t disk = disk_bytes(options.data);
  if (disk == 0) return;
  if (config.source("reserve_mib") == "default") options.reserve_bytes = std::min(options.reserve_bytes, disk / 20);
  if (config.source("retention_gib") == "default")
    options.retention_bytes = std::min(options.retention_bytes, disk / 3);
}

Outcome<server::Options> options_from(const Config& config) {
  server::Options out;
  out.data = config.text("data");
  out.portal = config.text("portal");
  out.address = config.text("listen");
  out.hub = config.text("hub");
  out.version = PICKET_VERSION;
  const auto mqtt = config.number("mqtt_port", 0, 65'535);
  const auto amqp = config.number("amqp_port", 0, 65'535);
  const auto https = config.number("https_port", 0, 65'535);
  const auto portal = config.number("portal_port", 0, 65'535);
  const auto days = config.number("retention_days", 0, 36'500);
  const auto gib = config.number("retention_gib", 0, 1 << 20);
  const auto reserve = config.number("reserve_mib", 0, 1 << 20);
  const auto names = config.list("names");
  const auto tables = config.list("table_retention");
  for (const auto* number : {&mqtt, &amqp, &https, &portal, &days, &gib, &reserve}) {
    if (!*number) return usage(number->error().text);
  }
  if (!names) return usage(names.error().text);
  if (!tables) return usage(tables.error().text);
  const auto table_retention = parse_table_retention(*tables);
  if (!table_retention) return usage(fmt::format("{}: {}", config.source("table_retention"), table_retention.error()));
  out.mqtt_port = static_cast<std::uint16_t>(*mqtt);
  out.amqp_port = static_cast<std::uint16_t>(*amqp);
  out.https_port = static_cast<std::uint16_t>(*https);
  out.portal_port = static_cast<std::uint16_t>(*portal);
  out.retention_age = Duration::days(*days);
  out.retention_bytes = static_cast<std::uint64_t>(*gib) << 30;
  out.reserve_bytes = static_cast<std::uint64_t>(*reserve) << 20;
  out.names = *names;
  out.geo_database = config.text("geo_database");
  out.table_retention = *table_retention;
  fit_to_disk(config, out);
  const std::string& profile = config.text("alert_profile");
  if (profile != "default" && profile != "parity") {
    return usage(fmt::format("{}: alert_profile is '{}', but must be default or parity", config.source("alert_profile"),
                             profile));
  }
  out.parity_profile = profile == "parity";
  if (config.text("role") != "all") {
    return usage(
        fmt::format("{}: role '{}' needs Kafka, ClickHouse and PostgreSQL instead of the embedded engines; this "
                    "version runs role all only",
                    config.source("role"), config.text("role")));
  }
  return out;
}

// A descriptor a device: the usual soft limit of 1,024 would end far below the hub's own bound.
void allow_descriptors() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < kDescriptorsWanted) {
    log::warning("server", "at most {} open files are allowed; {} serve 20,000 devices (ulimit -n)", limit.rlim_cur,
                 kDescriptorsWanted);
  }
}

/// What to do about the failures that a first start meets; empty: the failure says it.
std::string_view advice_on(const Error& error) {
  if (error.where == "api.portal")
    return " (--portal names the folder of the built portal; --portal '' runs without it)";
  if (error.os_error == EADDRINUSE) return " (another program listens there; --help names the options of the ports)";
  if (error.os_error == EACCES && error.where == "net.listener.bind")
    return " (below 1024 it takes root or CAP_NET_BIND_SERVICE; --help names the options of the ports)";
  return "";
}

Outcome<void> serve(const std::string& file, const std::map<std::string, std::string>& flags) {
  const auto config = Config::load(kSettings, file, flags, [](const char* name) { return std::getenv(name); });
  if (!config) return usage(config.error().text);
  const auto options = options_from(*config);
  if (!options) return std::unexpected(options.error());

  // Blocked before any thread is made, so that only the wait below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  allow_descriptors();
  std::string detail;
  const auto server = server::start(*options, detail);
  if (!server) {
    const std::string reason = fmt::format("{}{}", describe(server.error()), advice_on(server.error()));
    return std::unexpected(Failure{Exit::failed, detail.empty() ? reason : fmt::format("{}: {}", detail, reason)});
  }
  int received = 0;
  sigwait(&signals, &received);
  log::info("server", "stopping");
  (*server)->stop();
  return {};
}

}  // namespace

void add_serve(CLI::App& app, const std::function<void(std::function<Outcome<void>()>)>& chosen) {
  auto* command = app.add_subcommand("serve", "run the server until SIGINT or SIGTERM");
  static std::string file;
  static std::map<std::string, std::string> flags;
  command->add_option("--config", file, "TOML file with the settings below")->check(CLI::ExistingFile);
  for (const Setting& setting : kSettings) {
    std::string flag = "--" + std::string(setting.key);
    for (char& c : flag) c = c == '_' ? '-' : c;
    const std::string key(setting.key);
    command
        ->add_option_function<std::string>(
            flag, [key](const std::string& value) { flags[key] = value; }, std::string(setting.help))
        ->default_str(std::string(setting.default_value));
  }
  command->footer("A setting is taken from the first of: flag, PICKET_* variable, --config file, default.");
  command->callback([chosen] { chosen([] { return serve(file, flags); }); });
}

}  // namespace picket::cli
