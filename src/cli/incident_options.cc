// Words and options of the commands about incidents and suppression rules.
#include <CLI/CLI.hpp>

#include "incident_commands.h"

namespace picket::cli {
namespace {

void add_decision(CLI::App* command, DecisionOptions& decision, const char* statuses) {
  command->add_option("--status", decision.status, statuses);
  command->add_option("--owner", decision.owner, "who looks after it");
  command->add_option("--classification", decision.classification,
                      "Undetermined, TruePositive, BenignPositive or FalsePositive");
  command->add_option("--reason", decision.reason,
                      "SuspiciousActivity, SuspiciousButExpected, IncorrectAlertLogic or InaccurateData");
  command->add_option("--comment", decision.comment, "why");
}

void add_incident(CLI::App& app, const OnClient& on_client, const bool& json) {
  auto* incident = app.add_subcommand("incident", "alerts that belong together: one attack on a device, a campaign");
  incident->require_subcommand(1);
  static IncidentListOptions options;
  static DecisionOptions decision;
  static std::string id;

  auto* list = incident->add_subcommand("list", "list incidents, newest first");
  list->add_option("--status", options.status, "New, Active, Closed; several with commas")->delimiter(',');
  list->add_option("--severity", options.severity, "High, Medium, Low; several with commas")->delimiter(',');
  list->add_option("--device", options.device, "with an alert of this device");
  list->add_option("--owner", options.owner, "of this person");
  list->add_option("--since", options.since, "active at or after this time, e.g. 2026-11-21T09:00:00Z");
  list->add_flag("--merged", options.merged, "those that are wholly part of another one, too");
  list->add_option("--limit", options.limit, "rows at most")->check(CLI::Range(1, 500))->capture_default_str();
  on_client(list, [&](const Client& client) { return incident_list(client, options, json); });

  auto* show = incident->add_subcommand("show", "show one incident with its timeline");
  show->add_option("ID", id, "number or id, from: picket incident list")->required();
  on_client(show, [&](const Client& client) { return incident_show(client, id, json); });

  auto* events = incident->add_subcommand("events", "show the raw events behind all of its alerts");
  events->add_option("ID", id, "number or id")->required();
  on_client(events, [&](const Client& client) { return show_events(client, "incidents", id, json); });

  auto* triage = incident->add_subcommand("triage", "change status, owner or classification");
  triage->add_option("ID", id, "number or id")->required();
  add_decision(triage, decision, "New, Active or Closed");
  triage->add_option("--alerts", decision.alert_status, "its open alerts too: Active, Resolved or Dismissed");
  on_client(triage, [&](const Client& client) { return incident_triage(client, id, decision); });
}

void add_groups(CLI::App& alert, const OnClient& on_client, const bool& json) {
  static GroupOptions options;
  static std::string id, type, date, comment, status = "Dismissed";

  auto* groups = alert.add_subcommand("groups", "alerts by name and day, with counts");
  groups->add_option("--type", options.type, "only this AlertType");
  groups->add_option("--device", options.device, "only this device");
  groups->add_option("--since", options.since, "days that begin at or after this time");
  groups->add_flag("--by-device", options.by_device, "one line a device");
  groups->add_flag("--open", options.open, "only groups with an open alert");
  groups->add_option("--limit", options.limit, "rows at most")->check(CLI::Range(1, 500))->capture_default_str();
  on_client(groups, [&](const Client& client) { return alert_groups(client, options, json); });

  auto* dismiss =
      alert.add_subcommand("dismiss", "dismiss all alerts of one name of one day, and those that still come");
  dismiss->add_option("TYPE", type, "AlertType, e.g. IoT_FailedLocalLogin")->required();
  dismiss->add_option("DATE", date, "the day (UTC), e.g. 2026-11-22")->required();
  dismiss->add_option("--status", status, "New takes it back")->capture_default_str();
  dismiss->add_option("--comment", comment, "why");
  on_client(dismiss, [&](const Client& client) { return alert_group_triage(client, type, date, status, comment); });

  auto* undo = alert.add_subcommand("undo", "take back the last change of an alert's status");
  undo->add_option("ID", id, "alert id")->required();
  on_client(undo, [&](const Client& client) { return alert_undo(client, id); });

  auto* events = alert.add_subcommand("events", "show the raw events behind an alert");
  events->add_option("ID", id, "alert id")->required();
  on_client(events, [&](const Client& client) { return show_events(client, "alerts", id, json); });
}

void add_suppressions(CLI::App& app, const OnClient& on_client, const bool& json) {
  auto* suppression = app.add_subcommand("suppression", "rules that dismiss what is known, as it comes");
  suppression->require_subcommand(1);
  static SuppressionOptions options;

  auto* list = suppression->add_subcommand("list", "list the rules with their hits");
  on_client(list, [&](const Client& client) { return suppression_list(client, json); });

  auto* set = suppression->add_subcommand("set", "add a rule, or replace it; all that is named must match");
  set->add_option("ID", options.id, "a name of your own")->required();
  set->add_option("--reason", options.reason, "why this is known")->required();
  set->add_option("--name", options.name, "a title");
  set->add_option("--device", options.device, "device id; * and ? stand for any text and any byte");
  set->add_option("--group", options.group, "device security group");
  set->add_option("--type", options.type, "AlertType");
  set->add_option("--rule", options.rule, "rule of the alert, as `picket alert show` names it");
  set->add_option("--entity", options.entity, "TYPE=VALUE or VALUE, e.g. ip=192.0.2.*, account=backup");
  set->add_option("--field", options.field, "NAME=VALUE of the properties, e.g. CommandLine='/opt/backup *'");
  set->add_option("--expires", options.expires, "ends at this time, e.g. 2026-12-31T00:00:00Z");
  set->add_flag("--disabled", options.disabled, "kept, but matches nothing");
  on_client(set, [&](const Client& client) { return suppression_set(client, options); });

  auto* remove = suppression->add_subcommand("remove", "remove a rule");
  remove->add_option("ID", options.id, "its name")->required();
  on_client(remove, [&](const Client& client) { return suppression_remove(client, options.id); });
}

}  // namespace

void add_incidents(CLI::App& app, CLI::App& alert, const OnClient& on_client, const bool& json) {
  add_incident(app, on_client, json);
  add_groups(alert, on_client, json);
  add_suppressions(app, on_client, json);
}

}  // namespace picket::cli
