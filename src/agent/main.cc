// picket-agent: the command line.
#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <unistd.h>

#include "agent/config.h"
#include "agent/control.h"
#include "agent/preflight.h"
#include "agent/runtime.h"
#include "base/core/file.h"
#include "base/core/random.h"

extern char** environ;

namespace picket::agent {
namespace {

constexpr std::string_view kDefaultConfig = "/etc/picket-agent/agent.toml";

constexpr std::string_view kHelp = R"(picket-agent watches this device and reports to a Picket hub (or an IoT Hub).

  picket-agent run          watch and report until SIGTERM
  picket-agent preflight    what works on this device: kernel facilities, tiers of each collector
  picket-agent selftest     send a harmless event and wait until the server has raised its alert
  picket-agent status       what the running agent does: connection, collectors, spool, losses
  picket-agent settings     every setting with its default
  picket-agent version

First steps, on the machine of the server and then on the device:
  picket device add NAME
  picket device connection-string NAME            copy it to /etc/picket-agent/connection, chmod 600
  picket-agent run --connection-string-file /etc/picket-agent/connection --ca-file ca.crt
  picket-agent selftest                           end to end: device, hub, detection, alert

Options of run, selftest, status and preflight:
  --config FILE                   settings (default /etc/picket-agent/agent.toml, if it exists)
  --connection-string-file FILE   the device's identity and key; must be closed to others (0600)
  --ca-file FILE                  certificates (PEM) that the hub's must be signed by
  --data DIR                      spool and status socket (default /var/lib/picket-agent)
  --set KEY=VALUE                 any setting, e.g. --set collectors.process.tier=procfs
  --tier COLLECTOR=NAME           short for --set collectors.COLLECTOR.tier=NAME
  --json                          for programs (status, selftest, preflight)
  --timeout DURATION              selftest: how long to wait (default 30s)
  --stored                        selftest: wait only until the hub has stored the event (for other hubs than Picket's)

A setting is looked for on the command line, then in the environment (PICKET_SPOOL_BYTES_MAX for spool.bytes_max),
then in the file. Exit codes: 0 done, 1 failed, 2 wrong use, 3 hub or agent not reached, 4 refused by the hub.
)";

/// Straight to the descriptor: stdio costs 30 KB, and a line must not wait in a buffer.
void print(int to, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(to, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

int exit_with(Outcome outcome) { return static_cast<int>(outcome); }

int wrong_use(std::string_view what) {
  print(STDERR_FILENO, "picket-agent: " + std::string(what) + "\nTry: picket-agent --help\n");
  return exit_with(Outcome::usage);
}

/// The running agent answers at the time limit itself; this is for the way there and back.
constexpr Duration kAnswerGrace = Duration::seconds(5);

struct CommandLine {
  std::string command;
  std::string config_path{kDefaultConfig};
  bool config_required = false;
  bool json = false;
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
    if (argument == "--stored") {
      out.goal = SelfTestGoal::stored;
      continue;
    }
    std::optional<std::string_view> value;  // "--option value" or "--option=value"
    if (const auto equals = argument.find('='); equals != std::string_view::npos) {
      value = argument.substr(equals + 1);
      argument = argument.substr(0, equals);
    }
    const auto known = {"--config", "--connection-string-file", "--ca-file", "--data", "--set", "--tier", "--timeout"};
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

int status(const Config& config, bool json) {
  const auto answer = ask_agent(config.socket_path(), json ? "status" : "status table", Duration::seconds(5));
  if (answer) {
    print(STDOUT_FILENO, json ? *answer + "\n" : *answer);
    return exit_with(Outcome::done);
  }
  if (answer.error().code == Errc::denied) {
    print(STDERR_FILENO, "picket-agent: " + config.socket_path() + " belongs to another user; try as root\n");
    return exit_with(Outcome::denied);
  }
  print(STDERR_FILENO, "picket-agent: no running agent at " + config.socket_path() + " (" + describe(answer.error()) +
                           "); is --data right?\n");
  return exit_with(Outcome::unreachable);
}

int report_self_test(const SelfTestResult& result, bool json) {
  if (json) {
    print(STDOUT_FILENO, self_test_json(result) + "\n");
  } else if (result.outcome == Outcome::done) {
    const std::string event = "\n  event    " + result.event_id + "\n  message  " + result.message_id + "\n";
    print(STDOUT_FILENO, result.alert_id.empty()
                             ? "The hub has stored the test event." + event
                             : "The server has raised the alert of the test event." + event + "  alert    " +
                                   result.alert_id + "\nSee it on the server: picket alert show " + result.alert_id +
                                   "\n");
  } else {
    print(STDERR_FILENO, "picket-agent: the self test did not succeed: " + result.text + "\n");
  }
  return exit_with(result.outcome);
}

/// What the running agent answered.
SelfTestResult parse_self_test_json(std::string_view answer) {
  const auto field = [&](std::string_view key) -> std::string {
    const auto begin = answer.find("\"" + std::string(key) + "\":\"");
    if (begin == std::string::npos) return {};
    const auto from = begin + key.size() + 4;
    return std::string(answer.substr(from, answer.find('"', from) - from));
  };
  SelfTestResult out{.stored = answer.contains(R"("acknowledged":true)"), .alert_id = field("alertId")};
  out.event_id = field("eventId");
  out.message_id = field("messageId");
  out.text = field("text");
  constexpr std::string_view kCode = R"("exitCode":)";
  const auto code = answer.find(kCode);
  if (code != std::string_view::npos && code + kCode.size() < answer.size()) {
    out.outcome = static_cast<Outcome>(answer[code + kCode.size()] - '0');
  }
  return out;
}

int self_test(const Config& config, const CommandLine& command_line) {
  const std::string test_id = random_uuid();
  const std::string goal = command_line.goal == SelfTestGoal::alert ? "alert" : "stored";
  const auto seconds = std::max<std::int64_t>(1, (command_line.timeout.us + 999'999) / 1'000'000);
  const std::string request = "selftest " + test_id + " " + goal + " " + std::to_string(seconds);
  const auto answer = ask_agent(config.socket_path(), request, command_line.timeout + kAnswerGrace);
  if (answer) {
    const SelfTestResult result = parse_self_test_json(*answer);
    if (command_line.json) print(STDOUT_FILENO, *answer + "\n");
    return command_line.json ? exit_with(result.outcome) : report_self_test(result, false);
  }
  if (answer.error().code == Errc::truncated) {
    return report_self_test({.outcome = Outcome::failed, .text = "the running agent does not answer"},
                            command_line.json);
  }
  if (answer.error().code == Errc::denied) return status(config, false);
  if (!command_line.json) print(STDERR_FILENO, "no agent runs here; trying with a connection of its own\n");
  auto runtime = Runtime::create(config, system_clock(), {.collect = false, .log = {}});
  if (!runtime) return report_self_test({.text = runtime.error()}, command_line.json);
  return report_self_test((*runtime)->run_self_test(test_id, command_line.goal, command_line.timeout),
                          command_line.json);
}

int settings() {
  std::string out = "# All settings of agent.toml, with their defaults.\n";
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
  if (command != "run" && command != "status" && command != "selftest" && command != "preflight") {
    return wrong_use("unknown command '" + command + "'");
  }
  const auto config = read_config(*command_line);
  if (!config) return wrong_use(config.error());
  if (command == "run") return run(*config);
  if (command == "status") return status(*config, command_line->json);
  if (command == "selftest") return self_test(*config, *command_line);
  const auto rows = preflight(config->collectors, system_clock());
  print(STDOUT_FILENO, command_line->json ? preflight_json(rows) + "\n" : preflight_table(rows));
  return exit_with(Outcome::done);
}

}  // namespace
}  // namespace picket::agent

int main(int argc, char** argv) { return picket::agent::main_checked({argv + 1, argv + (argc > 0 ? argc : 1)}); }
