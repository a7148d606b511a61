#include "incident_commands.h"

#include <cstdio>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "listing.h"
#include "output.h"

namespace picket::cli {
namespace {

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string list_of(const boost::json::value& object, const char* name) {
  std::string out;
  for (const auto& item : items_of(object, name)) out += (out.empty() ? "" : ", ") + cell(item);
  return out;
}

void print_entry(const boost::json::value& entry) {
  std::string what = member(entry, "kind");
  if (what == "alert") {
    what = fmt::format("{} [{}] on {}", member(entry, "displayName"), member(entry, "severity"),
                       member(entry, "deviceId"));
  } else {
    what += " by " + member(entry, "user") + ": " + member(entry, "status");
    if (const auto comment = member(entry, "comment"); !comment.empty()) what += ", " + comment;
  }
  print(fmt::format("  {}  {}\n", member(entry, "time"), printable(what)));
}

/// "name=value" in two; without '=' the whole is the value.
std::pair<std::string, std::string> split(const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos) return {"", text};
  return {text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace

Outcome<void> incident_list(const Client& client, const IncidentListOptions& options, bool json) {
  RequestPath path("/incidents");
  path.with("limit", options.limit)
      .with("status", options.status)
      .with("severity", options.severity)
      .with("device", options.device)
      .with("owner", options.owner)
      .with("since", options.since)
      .when(options.merged, "merged");
  const Listing listing{.nothing = "No incident matches.",
                        .header = {"NUMBER", "LAST ACTIVITY", "SEVERITY", "STATUS", "OWNER", "ALERTS", "TITLE"},
                        .cell_width_max = 70,
                        .row = [](const boost::json::value& one) -> std::vector<std::string> {
                          return {member(one, "number"), member(one, "endTime"), member(one, "severity"),
                                  member(one, "status"), member(one, "owner"),   member(one, "alertCount"),
                                  member(one, "title")};
                        }};
  return print_page(client.get(path.text()), json, listing);
}

Outcome<void> incident_show(const Client& client, const std::string& id, bool json) {
  const auto incident = parse(client.get("/incidents/" + percent_encode(id)));
  if (!incident) return std::unexpected(incident.error());
  if (json) {
    print(pretty(*incident));
    return {};
  }
  const std::pair<const char*, const char*> lines[] = {
      {"Incident", "number"}, {"Title", "title"},  {"Severity", "severity"},
      {"Status", "status"},   {"Owner", "owner"},  {"Verdict", "classification"},
      {"First", "startTime"}, {"Last", "endTime"}, {"Id", "id"}};
  for (const auto& [label, name] : lines) print(fmt::format("{:<10} {}\n", label, printable(member(*incident, name))));
  print(fmt::format("{:<10} {}\n{:<10} {}\n", "Devices", printable(list_of(*incident, "devices")), "Tactics",
                    printable(list_of(*incident, "tactics"))));
  print(fmt::format("\n{}\n\nTimeline\n", printable(member(*incident, "description"))));
  for (const auto& entry : items_of(*incident, "timeline")) print_entry(entry);
  return {};
}

Outcome<void> incident_triage(const Client& client, const std::string& id, const DecisionOptions& decision) {
  boost::json::object body;
  const std::pair<const char*, const std::string*> members[] = {{"status", &decision.status},
                                                                {"owner", &decision.owner},
                                                                {"classification", &decision.classification},
                                                                {"classificationReason", &decision.reason},
                                                                {"comment", &decision.comment},
                                                                {"alertStatus", &decision.alert_status}};
  for (const auto& [name, value] : members) {
    if (!value->empty()) body[name] = *value;
  }
  const auto incident = parse(client.patch("/incidents/" + percent_encode(id), boost::json::serialize(body)));
  if (!incident) return std::unexpected(incident.error());
  print(fmt::format("Incident {} is {} now.\n", member(*incident, "number"), member(*incident, "status")));
  return {};
}

Outcome<void> show_events(const Client& client, const std::string& kind, const std::string& id, bool json) {
  const auto answer = parse(client.get("/" + kind + "/" + percent_encode(id) + "/events"));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(*answer));
    return {};
  }
  for (const auto& row : items_of(*answer)) {
    print(fmt::format("{}  {}  {}  {}\n", member(row, "TimeGenerated"), printable(member(row, "DeviceId")),
                      printable(member(row, "RawEventName") + member(row, "Kind")),
                      printable(member(row, "IoTRawEventId"))));
    print(fmt::format("    {}\n", printable(member(row, "EventDetails") + member(row, "Details"))));
  }
  if (const auto missing = items_of(*answer, "missing").size(); missing > 0) {
    print(fmt::format("{} more are not stored any more.\n", missing));
  }
  print(fmt::format("picket query '{}'\n", printable(member(*answer, "query"))));
  return {};
}

Outcome<void> alert_groups(const Client& client, const GroupOptions& options, bool json) {
  RequestPath path("/alert-groups");
  path.with("limit", options.limit)
      .with("type", options.type)
      .with("device", options.device)
      .with("since", options.since)
      .with("by", options.by_device ? "device" : "")
      .when(options.open, "open");
  const Listing listing{
      .nothing = "No alert matches.",
      .header = {"DATE", "SEVERITY", "NAME", "DEVICE", "ALERTS", "OPEN", "COUNT", "TYPE"},
      .cell_width_max = 44,
      .row = [](const boost::json::value& one) -> std::vector<std::string> {
        std::string device = member(one, "deviceId");
        if (device.empty()) device = member(one, "devices") + " devices";
        return {member(one, "date"),   member(one, "severity"), member(one, "displayName"), device,
                member(one, "alerts"), member(one, "open"),     member(one, "count"),       member(one, "alertType")};
      }};
  return print_page(client.get(path.text()), json, listing);
}

Outcome<void> alert_group_triage(const Client& client, const std::string& type, const std::string& date,
                                 const std::string& status, const std::string& comment) {
  boost::json::object body{{"alertType", type}, {"date", date}, {"status", status}};
  if (!comment.empty()) body["comment"] = comment;
  const auto done = client.post("/alert-groups/triage", boost::json::serialize(body));
  if (!done) return std::unexpected(done.error());
  print(fmt::format("Alerts of {} of {} are {} now.\n", printable(type), printable(date), status));
  return {};
}

Outcome<void> alert_undo(const Client& client, const std::string& id) {
  const auto alert = parse(client.post("/alerts/" + percent_encode(id) + "/undo", "{}"));
  if (!alert) return std::unexpected(alert.error());
  print(fmt::format("{} is {} again.\n", printable(member(*alert, "displayName")), member(*alert, "status")));
  return {};
}

Outcome<void> suppression_list(const Client& client, bool json) {
  const Listing listing{.nothing = "Nothing is suppressed.",
                        .header = {"ID", "HITS", "LAST HIT", "EXPIRES", "ON", "MATCH", "REASON"},
                        .cell_width_max = 60,
                        .row = [](const boost::json::value& one) -> std::vector<std::string> {
                          const bool on = member(one, "enabled") == "true" && member(one, "expired") != "true";
                          return {member(one, "id"),      member(one, "hits"), member(one, "lastHit"),
                                  member(one, "expires"), on ? "yes" : "no",   member(one, "match"),
                                  member(one, "reason")};
                        }};
  return print_page(client.get("/suppressions"), json, listing);
}

Outcome<void> suppression_set(const Client& client, const SuppressionOptions& options) {
  boost::json::object match;
  const std::pair<const char*, const std::string*> members[] = {
      {"device", &options.device}, {"group", &options.group}, {"type", &options.type}, {"rule", &options.rule}};
  for (const auto& [name, value] : members) {
    if (!value->empty()) match[name] = *value;
  }
  if (!options.entity.empty()) {
    const auto [type, value] = split(options.entity);
    boost::json::object entity{{"value", value}};
    if (!type.empty()) entity["type"] = type;
    match["entity"] = entity;
  }
  if (!options.field.empty()) {
    const auto [name, value] = split(options.field);
    if (name.empty())
      return std::unexpected(Failure{Exit::usage, "--field is NAME=VALUE, e.g. CommandLine='/opt/backup *'"});
    match["field"] = {{"name", name}, {"value", value}};
  }
  boost::json::object body{
      {"name", options.name}, {"reason", options.reason}, {"match", match}, {"enabled", !options.disabled}};
  if (!options.expires.empty()) body["expires"] = options.expires;
  const auto done = client.put("/suppressions/" + percent_encode(options.id), boost::json::serialize(body));
  if (!done) return std::unexpected(done.error());
  print(fmt::format("Suppression {} is in force{}.\n", printable(options.id),
                    options.disabled ? " once it is enabled" : ""));
  return {};
}

Outcome<void> suppression_remove(const Client& client, const std::string& id) {
  const auto done = client.remove("/suppressions/" + percent_encode(id));
  if (!done) return std::unexpected(done.error());
  print(fmt::format("Suppression {} is gone; what it dismissed stays dismissed.\n", printable(id)));
  return {};
}

}  // namespace picket::cli
