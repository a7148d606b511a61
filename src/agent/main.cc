// picket-agent: the command line.
#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <malloc.h>
#include <unistd.h>

#include "agent/config.h"
#include "agent/control.h"
#include "agent/migrate.h"
#include "agent/preflight.h"
#include "agent/runtime.h"
#include "base/core/file.h"
#ifdef PICKET_HAS_BASELINE
#include "baseline/command.h"
#endif
#include "client_commands.h"
#include "response/isolation.h"

extern char** environ;

namespace picket::agent {
namespace {

constexpr std::string_view kDefaultConfig = "/etc/picket-agent/agent.toml";

constexpr std::string_view kHelp = R"(picket-agent watches this device and reports to a Picket hub (or an IoT Hub).

  picket-agent run          watch and report until SIGTERM
  picket-agent preflight    what works on this device: kernel facilities, tiers of each collector
  picket-agent selftest     send a harmless event and wait until the server has raised its alert
  picket-agent status       what the running agent does: connection, collectors, spool, losses
  picket-agent baseline     check the configuration now: this device, or an unpacked firmware image (--root DIR)
  picket-agent events       the last events that the running agent made; --follow: and all that come, until Ctrl-C
  picket-agent release      end an isolation that a response command began (as root on the device)
  picket-agent dump         everything for whoever helps: status, settings in force, warnings; no secrets
  picket-agent migrate      take over a retired Defender for IoT agent: says what it would do; --apply does it
  picket-agent settings     every setting with its default
  picket-agent version

First steps, on the machine of the server and then on the device:
  picket device add NAME
  picket device connection-string NAME            copy it to /etc/picket-agent/connection, chmod 600
  picket-agent run --connection-string-file /etc/picket-agent/connection --ca-file ca.crt
  picket-agent selftest                           end to end: device, hub, detection, alert

Options of run, selftest, status, events, dump and preflight:
  --config FILE                   settings (default /etc/picket-agent/agent.toml, if it exists)
  --connection-string-file FILE   the device's identity and key; must be closed to others (0600)
  --ca-file FILE                  certificates (PEM) that the hub's must be signed by
  --data DIR                      spool and status socket (default /var/lib/picket-agent)
  --set KEY=VALUE                 any setting, e.g. --set collectors.process.tier=procfs
  --tier COLLECTOR=NAME           short for --set collectors.COLLECTOR.tier=NAME
  --json                          for programs (status, selftest, preflight, events, dump)
  --timeout DURATION              selftest: how long to wait (default 30s)
  --stored                        selftest: wait only until the hub has stored the event (for other hubs than Picket's)

Options of baseline:
  --root DIR                      an image's files instead of this device
  --content FILE                  rules (default /usr/share/picket-agent/baseline.bin)
  --check ID                      one rule only, by its id or its number in the benchmark
  --format text|json              exit code 1: some rule failed. For level and profile: --set collectors.baseline.level=2

Options of migrate:
  --from DIR                      root of the device's files, or the folder of the old agent's (default /)
  --to DIR                        where the new settings go (default /etc/picket-agent)
  --apply                         write them; nothing of the old agent is changed or deleted

A setting is looked for on the command line, then in the environment (PICKET_SPOOL_BYTES_MAX for spool.bytes_max),
then in the file. Exit codes: 0 done, 1 failed, 2 wrong use, 3 hub or agent not reached, 4 refused by the hub.
)";

int wrong_use(std::string_view what) {
  print(STDERR_FILENO, "picket-agent: " + std::string(what) + "\nTry: picket-agent --help\n");
  return exit_with(Outcome::usage);
}

struct CommandLine {
  std::string command;
  std::string config_path{kDefaultConfig};
  bool config_required = false;
  bool json = false;
  bool follow = false;
  bool apply = false;
  std::string check;
  std::string from = "/", to = "/etc/picket-agent";
  SelfTestGoal goal = SelfTestGoal::alert;
  Duration timeout = Duration::seconds(30);
  std::vector<std::pair<std::string, std::string>> settings;
};

/// Splits "a=b". The error is a text for people.
Checked<std::pair<std::string, std::string>> split_setting(std::string_view text, std::string_view option) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return std::unexpected(std::string(option) + " needs NAME=VALUE, not '" + std::string(text) + "'");
  }
  return std::pair(std::string(text.substr(0, equals)), std::string(text.substr(equals + 1)));
}

Checked<CommandLine> parse(const std::vector<std::string_view>& arguments) {
  CommandLine out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view argument = arguments[i];
    if (!argument.starts_with("--")) {
      if (!out.command.empty()) return std::unexpected("unexpected argument '" + std::string(argument) + "'");
      out.command = argument;
      continue;
    }
    if (argument == "--json") {
      out.json = true;
      continue;
    }
    if (argument == "--follow") {
      out.follow = true;
      continue;
    }
    if (argument == "--apply" || argument == "--dry-run") {
      out.apply = argument == "--apply";
      continue;
    }
    if (argument == "--stored") {
      out.goal = SelfTestGoal::stored;
      continue;
    }
    std::optional<std::string_view> value;  // "--option value" or "--option=value"
    if (const auto equals = argument.find('='); equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
      argument = argument.substr(0, equals);
    }
    const auto known = {
        "--config", "--connection-string-file", "--ca-file", "--data", "--set", "--tier", "--timeout", "--from",
        "--to", "--root", "--content", "--check", "--format"};
    if (std::find(known.begin(), known.end(), argument) == known.end()) {
      return std::unexpected("unknown option '" + std::string(argument) + "'");
    }
    if (!value) {
      if (i + 1 == arguments.size()) return std::unexpected(std::string(argument) + " needs a value");
      value = arguments[++i];
    }
    if (argument == "--config") {
      out.config_path = *value;
      out.config_required = true;
    } else if (argument == "--connection-string-file") {
      out.settings.emplace_back("connection_string_file", *value);
    } else if (argument == "--ca-file") {
      out.settings.emplace_back("ca_file", *value);
    } else if (argument == "--data") {
      out.settings.emplace_back("data_dir", *value);
    } else if (argument == "--root") {
      out.settings.emplace_back("collectors.root", *value);
    } else if (argument == "--content") {
      out.settings.emplace_back("collectors.baseline.content", *value);
    } else if (argument == "--check") {
      out.check = *value;
    } else if (argument == "--format") {
      if (*value != "text" && *value != "json") return std::unexpected("--format must be text or json");
      out.json = *value == "json";
    } else if (argument == "--from") {
      out.from = *value;
    } else if (argument == "--to") {
      out.to = *value;
    } else if (argument == "--timeout") {
      const auto timeout = parse_duration(*value);
      if (!timeout) return std::unexpected("--timeout " + timeout.error());
      out.timeout = *timeout;
    } else {
      auto setting = split_setting(*value, argument);
      if (!setting) return std::unexpected(setting.error());
      if (argument == "--tier") setting->first = "collectors." + setting->first + ".tier";
      out.settings.push_back(*std::move(setting));
    }
  }
  return out;
}

Checked<Config> read_config(const CommandLine& command_line) {
  ConfigSources sources{.file_path = command_line.config_path, .settings = command_line.settings};
  auto text = read_file(command_line.config_path, 64 << 10);
  if (text) {
    sources.file_text = *std::move(text);
  } else if (command_line.config_required || text.error().code != Errc::not_found) {
    return std::unexpected(command_line.config_path + ": " + describe(text.error()));
  }
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string_view entry = *each;
    const auto equals = entry.find('=');
    if (!entry.starts_with("PICKET_") || equals == std::string_view::npos) continue;
    sources.environment.emplace(entry.substr(0, equals), entry.substr(equals + 1));
  }
  auto config = load_config(sources);
  if (!config) return config;
  // Names of tiers are known to the collectors, not to the settings.
  for (const CollectorSpec& spec : collector_table()) {
    const std::string forced = config->collectors.choice(spec.name).tier;
    bool known = forced == "auto";
    std::string names = "auto";
    for (const Tier& tier : spec.tiers) {
      known = known || forced == tier.name;
      names.append(", ").append(tier.name);
    }
    if (!known) {
      return std::unexpected("collectors." + std::string(spec.name) + ".tier = '" + forced + "': must be one of " +
                             names);
    }
  }
  return config;
}

void log_line(std::string_view line) {
  print(STDERR_FILENO, format_rfc3339(system_clock().now()) + " " + std::string(line) + "\n");
}

int run(const Config& config) {
  auto runtime = Runtime::create(config, system_clock(), {.collect = true, .log = log_line});
  if (!runtime) {
    print(STDERR_FILENO, "picket-agent: " + runtime.error() + "\n");
    return exit_with(Outcome::failed);
  }
  return exit_with((*runtime)->run());
}

/// Also without a running agent: whoever stands before a device that is cut off must be able to end it.
int release(const Config& config) {
  const auto answer = ask_agent(config.socket_path(), "release", Duration::seconds(5));
  const ActionResult alone = answer ? ActionResult{} : release_isolation(config.data_dir);
  const bool done = answer ? answer->starts_with("released") : alone.status == 200;
  print(done ? STDOUT_FILENO : STDERR_FILENO, answer ? *answer : alone.message + "\n");
  return exit_with(done ? Outcome::done : Outcome::failed);
}

int baseline([[maybe_unused]] const Config& config, [[maybe_unused]] std::string_view only,
             [[maybe_unused]] bool json) {
#ifdef PICKET_HAS_BASELINE
  const BaselineReport report = check_baseline(config.collectors, only, json);
  print(STDOUT_FILENO, report.text);
  if (!report.problem.empty()) print(STDERR_FILENO, "picket-agent: " + report.problem + "\n");
  return exit_with(report.failed || !report.problem.empty() ? Outcome::failed : Outcome::done);
#else
  return wrong_use("this build has no baseline");
#endif
}

int settings() {
  std::string out =
      "# All settings of agent.toml, with their defaults.\n"
      "# [collectors…], [intervals], [aggregate], profile, spool.age_max, spool.bytes_max and uplink.gather can also "
      "come\n"
      "# from the module twin: Picket_ and the key with _ for '.', or the names that Defender for IoT published.\n";
  std::string table;
  for (const SettingInfo& info : setting_table()) {
    const auto dot = info.key.rfind('.');
    const std::string_view of = dot == std::string_view::npos ? std::string_view{} : info.key.substr(0, dot);
    if (of != table) {
      table = of;
      out += "\n[" + table + "]\n";
    }
    const std::string_view name = dot == std::string_view::npos ? info.key : info.key.substr(dot + 1);
    const bool bare = info.form == "true or false" || info.form == "count" || info.form == "seconds";
    const std::string value = bare ? std::string(info.default_text) : "\"" + std::string(info.default_text) + "\"";
    out += "# " + std::string(name) + " = " + value + "  # " + std::string(info.form) + ": " + std::string(info.help) +
           "\n";
  }
  print(STDOUT_FILENO, out);
  return exit_with(Outcome::done);
}

int migrate(const CommandLine& command_line) {
  const Migration plan = plan_migration(command_line.from, command_line.to);
  std::string out;
  for (const MigrationLine& line : plan.lines) {
    out += std::string(line.taken ? "took    " : "not     ") + line.what + ": " + line.text + "\n";
  }
  if (!plan.found) {
    print(STDERR_FILENO, "picket-agent: no retired agent below " + command_line.from +
                             "; is it installed elsewhere? Name its folder with --from\n");
    return exit_with(Outcome::failed);
  }
  out += "\n";
  for (const MigrationFile& file : plan.files)
    out += std::string(command_line.apply ? "write   " : "would write   ") + file.path + "\n";
  print(STDOUT_FILENO, out);
  if (!plan.problem.empty()) {
    print(STDERR_FILENO, "picket-agent: " + plan.problem + "\n");
    return exit_with(Outcome::failed);
  }
  if (!command_line.apply) {
    print(STDOUT_FILENO, "nothing is written; do it with: picket-agent migrate --apply\n");
    return exit_with(Outcome::done);
  }
  if (const auto problem = apply_migration(plan); !problem.empty()) {
    print(STDERR_FILENO, "picket-agent: " + problem + "\n");
    return exit_with(Outcome::failed);
  }
  print(STDOUT_FILENO,
        "done; the old agent's files are as they were. Stop the old service, then start picket-agent run\n");
  return exit_with(Outcome::done);
}

int main_checked(const std::vector<std::string_view>& arguments) {
  for (const std::string_view argument : arguments) {
    if (argument == "--help" || argument == "-h" || argument == "help") {
      print(STDOUT_FILENO, kHelp);
      return exit_with(Outcome::done);
    }
  }
  const auto command_line = parse(arguments);
  if (!command_line) return wrong_use(command_line.error());
  const std::string& command = command_line->command;
  if (command == "version") {
    print(STDOUT_FILENO, "picket-agent " PICKET_VERSION "\n");
    return exit_with(Outcome::done);
  }
  if (command == "settings") return settings();
  if (command.empty()) {
    print(STDERR_FILENO, kHelp);
    return exit_with(Outcome::usage);
  }
  const auto commands = {"run", "status", "selftest", "preflight", "events", "dump", "migrate", "release", "baseline"};
  if (std::ranges::find(commands, command) == commands.end()) {
    return wrong_use("unknown command '" + command + "'");
  }
  if (command == "migrate") return migrate(*command_line);
  const auto config = read_config(*command_line);
  if (!config) return wrong_use(config.error());
  if (command == "run") return run(*config);
  if (command == "baseline") return baseline(*config, command_line->check, command_line->json);
  if (command == "release") return release(*config);
  if (command == "status") return show_status(*config, command_line->json);
  if (command == "events") return show_events(*config, command_line->follow, command_line->json);
  if (command == "dump") return show_dump(*config, command_line->json);
  if (command == "selftest") return self_test(*config, command_line->goal, command_line->timeout, command_line->json);
  const auto rows = preflight(config->collectors, system_clock());
  print(STDOUT_FILENO, command_line->json ? preflight_json(rows) + "\n" : preflight_table(rows));
  return exit_with(Outcome::done);
}

}  // namespace
}  // namespace picket::agent

int main(int argc, char** argv) {
  // Large blocks go back to the kernel when they are freed; glibc would keep them after the first one.
  constexpr int kLargeBytes = 64 << 10;
  ::mallopt(M_MMAP_THRESHOLD, kLargeBytes);
  ::mallopt(M_TRIM_THRESHOLD, kLargeBytes);
  return picket::agent::main_checked({argv + 1, argv + (argc > 0 ? argc : 1)});
}
