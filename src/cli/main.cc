// picket: the server (`picket serve`) and the client of its REST API (everything else).
#include <cstdio>
#include <functional>

#include <CLI/CLI.hpp>

#include "backup_commands.h"
#include "command_line.h"
#include "commands.h"
#include "hub_options.h"
#include "incident_commands.h"
#include "journal_commands.h"
#include "operations_commands.h"
#include "output.h"
#include "posture_commands.h"
#include "response_commands.h"
#include "rule_commands.h"
#include "security_commands.h"
#include "serve.h"
#include "vulnerability_commands.h"
#include "workbook_commands.h"
#include "workspace_commands.h"

namespace {

using picket::cli::Client;
using picket::cli::Exit;
using picket::cli::Failure;
using picket::cli::Outcome;

// What the chosen subcommand will do once all options were read.
struct Program {
  std::map<std::string, std::string> endpoint_flags;
  bool json = false;
  std::function<Outcome<void>()> run;
};

void on_client(CLI::App* command, Program& program, std::function<Outcome<void>(const Client&)> body) {
  command->add_flag("--json", program.json, "print JSON instead of a table");
  command->callback([&program, body = std::move(body)] {
    program.run = [&program, body]() -> Outcome<void> {
      auto endpoint = picket::cli::find_endpoint(program.endpoint_flags);
      if (!endpoint) return std::unexpected(endpoint.error());
      return body(Client(*std::move(endpoint)));
    };
  });
}

CLI::App* add_device(CLI::App& app, Program& program) {
  auto* device = app.add_subcommand("device", "devices and their keys");
  device->require_subcommand(1);
  static std::string id, group, module, search;
  static picket::cli::DeviceProof proof;
  static std::uint32_t limit = 100;

  auto* add = device->add_subcommand("add", "add a device and print the connection string for its agent");
  add->add_option("ID", id, "device id: letters, digits and - : . + % _ # * ? ! ( ) , = @ $ '")->required();
  add->add_option("--group", group, "device security group");
  auto* thumbprint = add->add_option("--x509-thumbprint", proof.x509_thumbprint,
                                     "proves itself with the certificate of this SHA-1 or SHA-256 thumbprint (hex)");
  add->add_flag("--ca", proof.ca, "proves itself with a certificate signed by a CA of the hub, common name = ID")
      ->excludes(thumbprint);
  on_client(add, program, [&](const Client& client) { return device_add(client, id, group, proof, program.json); });

  auto* list = device->add_subcommand("list", "list devices");
  list->add_option("--search", search, "part of id, group or operating system");
  list->add_option("--limit", limit, "rows at most")->check(CLI::Range(1, 500))->capture_default_str();
  on_client(list, program, [&](const Client& client) { return device_list(client, search, limit, program.json); });

  auto* show = device->add_subcommand("show", "show one device");
  show->add_option("ID", id, "device id")->required();
  on_client(show, program, [&](const Client& client) { return device_show(client, id, program.json); });

  auto* connection = device->add_subcommand("connection-string",
                                            "print the connection string (a secret; recorded in the audit record)");
  connection->add_option("ID", id, "device id")->required();
  connection->add_option("--module", module, "the string of this module, e.g. DefenderIotMicroAgent for the agent");
  on_client(connection, program,
            [&](const Client& client) { return device_connection_string(client, id, module, program.json); });

  auto* remove = device->add_subcommand("remove", "remove a device's identity; its events and alerts stay");
  remove->add_option("ID", id, "device id")->required();
  on_client(remove, program, [&](const Client& client) { return device_remove(client, id); });
  return device;
}

CLI::App* add_alert(CLI::App& app, Program& program) {
  auto* alert = app.add_subcommand("alert", "alerts and their triage");
  alert->require_subcommand(1);
  static picket::cli::AlertListOptions options;
  static picket::cli::AlertTriageOptions decision;
  static std::string id;

  auto* list = alert->add_subcommand("list", "list alerts, newest first");
  list->add_option("--status", options.status, "New, Active, Resolved, Dismissed; several with commas")->delimiter(',');
  list->add_option("--severity", options.severity, "High, Medium, Low, Informational; several with commas")
      ->delimiter(',');
  list->add_option("--device", options.device, "only this device");
  list->add_option("--type", options.type, "only this AlertType, e.g. IoT_ReverseShell");
  list->add_option("--since", options.since, "only alerts that start at or after this time, e.g. 2026-11-21T09:00:00Z");
  list->add_option("--incident", options.incident, "only alerts of this incident (id)");
  list->add_option("--owner", options.owner, "only alerts of this person");
  list->add_option("--limit", options.limit, "rows at most")->check(CLI::Range(1, 500))->capture_default_str();
  on_client(list, program, [&](const Client& client) { return alert_list(client, options, program.json); });

  auto* show = alert->add_subcommand("show", "show one alert with evidence and what to do");
  show->add_option("ID", id, "alert id, from: picket alert list")->required();
  on_client(show, program, [&](const Client& client) { return alert_show(client, id, program.json); });

  auto* triage = alert->add_subcommand("triage", "change an alert's status, owner or classification");
  triage->add_option("ID", id, "alert id")->required();
  triage->add_option("--status", decision.status, "New, Active, Resolved or Dismissed");
  triage->add_option("--owner", decision.owner, "who looks after it");
  triage->add_option("--classification", decision.classification,
                     "Undetermined, TruePositive, BenignPositive or FalsePositive");
  triage->add_option("--reason", decision.reason,
                     "SuspiciousActivity, SuspiciousButExpected, IncorrectAlertLogic or InaccurateData");
  triage->add_option("--comment", decision.comment, "why");
  on_client(triage, program, [&](const Client& client) { return alert_triage(client, id, decision); });
  return alert;
}

void add_query(CLI::App& app, Program& program) {
  static picket::cli::QueryOptions options;
  auto* query = app.add_subcommand("query", "run a KQL query over the workspace");
  query->add_option("QUERY", options.text, "KQL text; - reads it from standard input")->required();
  query->add_option("--timespan", options.timespan, "ISO 8601 duration back from now, e.g. PT1H");
  query->add_option("--max-rows", options.max_rows, "rows at most")
      ->check(CLI::Range(1, 500'000))
      ->capture_default_str();
  query->add_option("--cell-width", options.cell_width, "characters of a cell at most, 0 for all")
      ->capture_default_str();
  query->add_option("--timeout", options.timeout_s, "seconds at most")
      ->check(CLI::Range(1, 600))
      ->capture_default_str();
  query->add_option("--format", options.format, "a file in place of a table: csv or parquet")
      ->check(CLI::IsMember({"csv", "parquet"}));
  query->add_option("--output", options.output, "where the file goes; standard output otherwise");
  query->footer(
      "Examples:\n"
      "  picket query 'SecurityIoTRawEvent | summarize count() by RawEventName'\n"
      "  picket query 'SecurityIoTRawEvent | where RawEventName == \"Login\" | take 10' --json\n");
  on_client(query, program, [&](const Client& client) { return picket::cli::query(client, options, program.json); });
}

void add_journal(CLI::App& app, Program& program) {
  auto* journal = app.add_subcommand("journal", "journals of a stopped server: check them, go on behind damage");
  journal->require_subcommand(1);
  static std::string data = "/var/lib/picket";
  using picket::cli::OnDamage;
  const auto add = [&](const char* name, const char* help, OnDamage on_damage) {
    auto* command = journal->add_subcommand(name, help);
    command->add_option("--data", data, "data directory of the server")->capture_default_str();
    command->callback(
        [&program, on_damage] { program.run = [on_damage] { return picket::cli::check_journals(data, on_damage); }; });
  };
  add("check", "read everything and name the first damaged place", OnDamage::report);
  add("accept-loss", "give up the records in damaged places, so that the server goes on behind them", OnDamage::accept);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Picket: security for IoT and OT fleets.\n\nStart the server with `picket serve`; every other command asks a "
      "running server over its REST API."};
  app.name("picket");
  app.set_version_flag("--version", std::string("picket ") + PICKET_VERSION);
  app.require_subcommand(1);
  Program program;
  const auto endpoint_flag = [&](const char* flag, const char* key, const char* help) {
    app.add_option_function<std::string>(
        flag, [&program, key](const std::string& value) { program.endpoint_flags[key] = value; }, help);
  };
  endpoint_flag("--server", "server", "address of the server (PICKET_SERVER; default https://localhost:8443)");
  endpoint_flag("--token-file", "token_file", "file with the API token (PICKET_TOKEN_FILE)");
  endpoint_flag("--ca-file", "ca_file", "certificate of the installation's CA (PICKET_CA_FILE)");

  const auto with_client = [&program](CLI::App* command, std::function<Outcome<void>(const Client&)> body) {
    on_client(command, program, std::move(body));
  };
  const auto local = [&program](CLI::App* command, std::function<Outcome<void>()> body) {
    command->callback([&program, body = std::move(body)] { program.run = body; });
  };
  const auto run = [&program](std::function<Outcome<void>()> body) { program.run = std::move(body); };
  picket::cli::add_serve(app, run);
  picket::cli::add_backup(app, run);
  auto* device = add_device(app, program);
  picket::cli::add_security(app, *device, with_client, program.json);
  picket::cli::add_hub(app, with_client, program.json);
  picket::cli::add_operations(app, with_client, program.json);
  picket::cli::add_response(app, with_client, program.json);
  picket::cli::add_posture(app, with_client, program.json);
  picket::cli::add_rules(app, with_client, local, program.json);
  auto* alert = add_alert(app, program);
  picket::cli::add_incidents(app, *alert, with_client, program.json);
  add_query(app, program);
  picket::cli::add_workspace(app, with_client, program.json);
  picket::cli::add_workbooks(app, with_client, program.json);
  add_journal(app, program);
  picket::cli::add_sbom(app, with_client, local, program.json);
  picket::cli::add_vulnerabilities(app, with_client, local, program.json);
  on_client(app.add_subcommand("status", "version and counters of the server"), program,
            [&](const Client& client) { return status(client, program.json); });
  picket::cli::give_manners(app);
  // Last: commands would take it over.
  app.footer(
      "First steps:\n  picket device add press-17\n  picket query 'SecurityIoTRawEvent | take 10'\n  picket alert "
      "list\n\n"
      "Exit codes: 0 ok, 1 failed, 2 usage, 3 server unreachable, 4 denied.");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? static_cast<int>(Exit::ok) : static_cast<int>(Exit::usage);
  }
  const Outcome<void> done = program.run();
  if (done) return static_cast<int>(Exit::ok);
  // An answer may quote what devices sent.
  std::fprintf(stderr, "picket: %s\n", picket::cli::printable_lines(done.error().text).c_str());
  return static_cast<int>(done.error().exit);
}
