#include <cstdio>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "commands.h"
#include "listing.h"
#include "output.h"

namespace picket::cli {
namespace {

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

void print_list(const boost::json::value& alert, const char* title, const char* name) {
  const auto& items = items_of(alert, name);
  if (items.empty()) return;
  print(fmt::format("{}\n", title));
  for (const auto& item : items) print(fmt::format("  - {}\n", printable(cell(item))));
}

void print_evidence(const boost::json::value& alert) {
  const auto& items = items_of(alert, "evidence");
  if (items.empty()) return;
  print("Evidence\n");
  for (const auto& item : items) {
    print(fmt::format("  {}  {}  {}\n", member(item, "timeGenerated"), printable(member(item, "rawEventName")),
                      printable(member(item, "rawEventId"))));
    const std::string details = member(item, "eventDetails");
    if (!details.empty()) print(fmt::format("    {}\n", printable(details)));
  }
}

}  // namespace

Outcome<void> alert_list(const Client& client, const AlertListOptions& options, bool json) {
  RequestPath path("/alerts");
  path.with("limit", options.limit)
      .with("status", options.status)
      .with("severity", options.severity)
      .with("device", options.device)
      .with("type", options.type)
      .with("since", options.since)
      .with("incident", options.incident)
      .with("owner", options.owner);
  const Listing listing{.nothing = "No alert matches.",
                        .header = {"START", "SEVERITY", "STATUS", "DEVICE", "TYPE", "NAME", "ID"},
                        .cell_width_max = 44,
                        .row = [](const boost::json::value& alert) -> std::vector<std::string> {
                          return {member(alert, "startTime"), member(alert, "severity"),  member(alert, "status"),
                                  member(alert, "deviceId"),  member(alert, "alertType"), member(alert, "displayName"),
                                  member(alert, "id")};
                        }};
  return print_page(client.get(path.text()), json, listing);
}

Outcome<void> alert_show(const Client& client, const std::string& id, bool json) {
  const auto alert = parse(client.get("/alerts/" + percent_encode(id)));
  if (!alert) return std::unexpected(alert.error());
  if (json) {
    print(pretty(*alert));
    return {};
  }
  const std::pair<const char*, const char*> lines[] = {
      {"Alert", "displayName"},       {"Type", "alertType"}, {"Severity", "severity"},
      {"Status", "status"},           {"Owner", "owner"},    {"Verdict", "classification"},
      {"Suppressed", "suppressedBy"}, {"Count", "count"},    {"Device", "deviceId"},
      {"Start", "startTime"},         {"End", "endTime"},    {"Id", "id"}};
  for (const auto& [label, name] : lines) {
    const std::string value = member(*alert, name);
    if (!value.empty()) print(fmt::format("{:<10} {}\n", label, printable(value)));
  }
  for (const auto& incident : items_of(*alert, "incidents")) {
    print(fmt::format("Incident   {} {} ({})\n", member(incident, "number"), printable(member(incident, "title")),
                      member(incident, "status")));
  }
  print(fmt::format("\n{}\n\n", printable(member(*alert, "description"))));
  print_list(*alert, "ATT&CK tactics", "tactics");
  print_list(*alert, "ATT&CK techniques", "techniques");
  print_list(*alert, "Before ATT&CK v19", "techniqueAliases");
  if (const auto* properties = alert->as_object().if_contains("extendedProperties"); properties != nullptr) {
    if (const auto* fields = properties->if_object(); fields != nullptr && !fields->empty()) {
      print("Properties\n");
      for (const auto& [key, value] : *fields) {
        print(fmt::format("  {:<24} {}\n", printable(key), printable(cell(value))));
      }
    }
  }
  print_evidence(*alert);
  print_list(*alert, "What to do", "remediationSteps");
  return {};
}

Outcome<void> alert_triage(const Client& client, const std::string& id, const AlertTriageOptions& options) {
  boost::json::object body;
  const std::pair<const char*, const std::string*> members[] = {{"status", &options.status},
                                                                {"owner", &options.owner},
                                                                {"classification", &options.classification},
                                                                {"classificationReason", &options.reason},
                                                                {"comment", &options.comment}};
  for (const auto& [name, value] : members) {
    if (!value->empty()) body[name] = *value;
  }
  const auto alert = parse(client.patch("/alerts/" + percent_encode(id), boost::json::serialize(body)));
  if (!alert) return std::unexpected(alert.error());
  print(fmt::format("{} is {} now.\n", printable(member(*alert, "displayName")), member(*alert, "status")));
  return {};
}

}  // namespace picket::cli
