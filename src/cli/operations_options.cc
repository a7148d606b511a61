// The command-line options of operations_commands.h.
#include <CLI/CLI.hpp>

#include "intelligence_commands.h"
#include "operations_commands.h"

namespace picket::cli {
namespace {

// What options are read into; one program run reads them once.
struct Words {
  std::string hub, name, file, table = "country";
  std::vector<std::string> categories = {"allLogs"};
  DiagnosticExport wanted;
  Revocation revocation;
};
Words& words() {
  static Words all;
  return all;
}

CLI::App* of_hub(CLI::App* parent, const char* name, const char* help) {
  auto* command = parent->add_subcommand(name, help);
  command->add_option("HUB", words().hub, "name of the hub")->required();
  return command;
}
CLI::App* named(CLI::App* command, const char* help) {
  command->add_option("NAME", words().name, help)->required();
  return command;
}
CLI::App* with_file(CLI::App* command, const char* help) {
  command->add_option("FILE", words().file, help)->required();
  return command;
}
CLI::App* group(CLI::App* parent, const char* name, const char* help) {
  auto* out = parent->add_subcommand(name, help);
  out->require_subcommand(1);
  return out;
}

void add_diagnostics(CLI::App* hub, const OnClient& on_client, const bool& json) {
  auto& w = words();
  auto* diagnostics = group(hub, "diagnostics", "operations log in the form of IoT Hub's resource logs");
  auto* out = of_hub(diagnostics, "export", "print the newest records, one JSON object a line");
  out->add_option("--category", w.wanted.category, "only this one, e.g. Connections");
  out->add_option("--timespan", w.wanted.timespan, "ISO 8601 duration back from now, or FROM/TO")
      ->capture_default_str();
  out->add_option("--limit", w.wanted.limit, "records at most")->check(CLI::Range(1, 10'000))->capture_default_str();
  on_client(out, [&](const Client& client) { return diagnostics_export(client, w.hub, w.wanted); });
  on_client(of_hub(diagnostics, "list", "list diagnostic settings"),
            [&](const Client& client) { return diagnostics_list(client, w.hub, json); });
  auto* set = named(of_hub(diagnostics, "set", "send categories to hourly files of the server's data directory"),
                    "name of the setting");
  set->add_option("--category", w.categories, "e.g. Connections; may be given again; allLogs: all of them");
  on_client(set, [&](const Client& client) { return diagnostics_set(client, w.hub, w.name, w.categories); });
  on_client(named(of_hub(diagnostics, "remove", "remove a diagnostic setting"), "name of the setting"),
            [&](const Client& client) { return diagnostics_remove(client, w.hub, w.name); });
}

void add_revocations(CLI::App* certificate, const OnClient& on_client, const bool& json) {
  auto& w = words();
  auto* revoke = of_hub(certificate, "revoke", "a certificate proves nothing any more; its connections end");
  auto* which = revoke->add_option_group("which", "one of");
  which->add_option("--authority", w.revocation.authority, "name of a CA of the hub: with all that it signed");
  which->add_option("--thumbprint", w.revocation.thumbprint, "SHA-1 or SHA-256 of a certificate");
  which->add_option("--file", w.revocation.file, "the certificate itself, PEM");
  which->require_option(1);
  revoke->add_option("--name", w.revocation.name, "what to call it");
  revoke->add_option("--reason", w.revocation.reason, "one line");
  on_client(revoke, [&](const Client& client) { return certificate_revoke(client, w.hub, w.revocation); });
  on_client(of_hub(certificate, "revoked", "list revoked certificates"),
            [&](const Client& client) { return certificate_revoked(client, w.hub, json); });
  on_client(named(of_hub(certificate, "restore", "take a revocation back"), "the thumbprint"),
            [&](const Client& client) { return certificate_restore(client, w.hub, w.name); });
}

void add_routing(CLI::App* hub, const OnClient& on_client, const bool& json) {
  auto& w = words();
  auto* routing_group = group(hub, "routing", "routes, endpoints and enrichments of messages");
  on_client(of_hub(routing_group, "show", "print the document"),
            [&](const Client& client) { return routing(client, w.hub, {}); });
  on_client(with_file(of_hub(routing_group, "set", "replace the document"), "JSON; - reads it from standard input"),
            [&](const Client& client) { return routing(client, w.hub, w.file); });
  on_client(with_file(of_hub(routing_group, "test", "which routes a message would take"), "the message as JSON"),
            [&](const Client& client) { return routing_test(client, w.hub, w.file); });
  on_client(of_hub(routing_group, "list", "list routes"),
            [&](const Client& client) { return route_list(client, w.hub, json); });
  on_client(with_file(of_hub(routing_group, "set-route", "make or replace one route"), "the route as JSON"),
            [&](const Client& client) { return route_set(client, w.hub, w.file); });
  on_client(named(of_hub(routing_group, "remove-route", "remove one route"), "name of the route"),
            [&](const Client& client) { return route_remove(client, w.hub, w.name); });
}

void add_groups(CLI::App& app, const OnClient& on_client, const bool& json) {
  auto& w = words();
  auto* groups = group(&app, "security-group", "device security groups and their custom alert rules");
  on_client(groups->add_subcommand("list", "list groups that were set"),
            [&](const Client& client) { return group_list(client, json); });
  on_client(named(groups->add_subcommand("show", "print a group with all its rules"), "name of the group"),
            [&](const Client& client) { return group_show(client, w.name); });
  on_client(with_file(named(groups->add_subcommand("set", "make or replace a group"), "name of the group"),
                      "JSON with the rules; - reads it from standard input"),
            [&](const Client& client) { return group_set(client, w.name, w.file); });
  on_client(
      named(groups->add_subcommand("remove", "remove a group; its devices have no rules then"), "name of the group"),
      [&](const Client& client) { return group_remove(client, w.name); });
}

}  // namespace

void add_operations(CLI::App& app, const OnClient& on_client, const bool& json) {
  auto& w = words();
  auto* hub = app.get_subcommand("hub");
  add_diagnostics(hub, on_client, json);
  add_revocations(hub->get_subcommand("certificate"), on_client, json);
  add_routing(hub, on_client, json);
  add_groups(app, on_client, json);
  auto* intelligence = group(&app, "intelligence", "threat intelligence, and tables that detections go by");
  auto* import = intelligence->add_subcommand("import", "put a table in force, whole or not at all");
  import->add_option("TABLE", w.table, "country: lines of network,country,asn")->required();
  with_file(import, "CSV; - reads it from standard input");
  on_client(import, [&](const Client& client) { return intelligence_import(client, w.table, w.file); });
  on_client(intelligence->add_subcommand("list", "what is in force"),
            [&](const Client& client) { return intelligence_list(client, json); });
  add_intelligence(*intelligence, on_client, json);
}

}  // namespace picket::cli
