#include <cstdio>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "commands.h"
#include "listing.h"
#include "output.h"
#include "response_commands.h"

namespace picket::cli {
namespace {

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string open_alerts(const boost::json::value& device) {
  const auto* counts = device.as_object().if_contains("openAlerts");
  if (counts == nullptr || !counts->is_object()) return "";
  std::string out;
  for (const char* severity : {"High", "Medium", "Low", "Informational"}) {
    const std::string count = member(*counts, severity);
    if (!count.empty() && count != "0") out += fmt::format("{}{} {}", out.empty() ? "" : ", ", count, severity);
  }
  return out.empty() ? "none" : out;
}

std::string object_lines(const boost::json::value& device, const char* name) {
  const auto* object = device.as_object().if_contains(name);
  if (object == nullptr || !object->is_object() || object->get_object().empty()) return "  (not reported yet)\n";
  std::string out;
  for (const auto& [key, value] : object->get_object()) {
    out += fmt::format("  {:<24} {}\n", printable(key), printable(cell(value)));
  }
  return out;
}

}  // namespace

Outcome<void> device_add(const Client& client, const std::string& id, const std::string& group,
                         const DeviceProof& proof, bool json) {
  boost::json::object body{{"deviceId", id}};
  if (!proof.x509_thumbprint.empty()) body["primaryThumbprint"] = proof.x509_thumbprint;
  if (proof.ca) body["authentication"] = "certificateAuthority";
  if (!group.empty()) body["group"] = group;
  const auto answer = parse(client.post("/devices", boost::json::serialize(body)));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(*answer));
    return {};
  }
  print(
      fmt::format("Added {}. Its agent connects with:\n\n  {}\n", printable(id), member(*answer, "connectionString")));
  print(response_key_note(member(*answer, "responsePublicKey")));
  return {};
}

Outcome<void> device_list(const Client& client, const std::string& text, std::uint32_t limit, bool json) {
  RequestPath path("/devices");
  path.with("sort", "deviceId").with("limit", limit).with("q", text);
  const Listing listing{
      .nothing = text.empty() ? "No device yet. Add one with: picket device add ID" : "No device matches.",
      .header = {"DEVICE", "STATUS", "CONNECTION", "REPORTING", "LAST ACTIVITY", "OPEN ALERTS", "OS"},
      .cell_width_max = 48,
      .row = [](const boost::json::value& device) -> std::vector<std::string> {
        return {member(device, "deviceId"),  member(device, "status"),       member(device, "connectionState"),
                member(device, "reporting"), member(device, "lastActivity"), open_alerts(device),
                member(device, "os")};
      },
      .more = "see --limit and --search"};
  return print_page(client.get(path.text()), json, listing);
}

Outcome<void> device_show(const Client& client, const std::string& id, bool json) {
  const auto device = parse(client.get("/devices/" + percent_encode(id)));
  if (!device) return std::unexpected(device.error());
  if (json) {
    print(pretty(*device));
    return {};
  }
  const std::pair<const char*, const char*> lines[] = {
      {"Device", "deviceId"},    {"Generation", "generationId"},    {"Status", "status"},
      {"Group", "group"},        {"Connection", "connectionState"}, {"Reporting", "reporting"},
      {"Created", "created"},    {"Last activity", "lastActivity"}, {"Agent", "agentVersion"},
      {"Operating system", "os"}};
  for (const auto& [label, name] : lines) print(fmt::format("{:<18} {}\n", label, printable(member(*device, name))));
  print(fmt::format("{:<18} {}\nCoverage\n{}Modules\n", "Open alerts", open_alerts(*device),
                    object_lines(*device, "coverage")));
  for (const auto& module : items_of(*device, "modules")) {
    print(fmt::format("  {:<24} {}\n", printable(member(module, "moduleId")), member(module, "connectionState")));
  }
  return {};
}

Outcome<void> device_connection_string(const Client& client, const std::string& id, const std::string& module,
                                       bool json) {
  const std::string query = module.empty() ? "" : "?module=" + percent_encode(module);
  const auto answer = parse(client.get("/devices/" + percent_encode(id) + "/connection-string" + query));
  if (!answer) return std::unexpected(answer.error());
  print(json ? pretty(*answer) : member(*answer, "connectionString") + "\n");
  return {};
}

Outcome<void> device_remove(const Client& client, const std::string& id) {
  const auto answer = client.remove("/devices/" + percent_encode(id));
  if (!answer) return std::unexpected(answer.error());
  print(fmt::format("Removed {}. Its events and alerts stay.\n", printable(id)));
  return {};
}

}  // namespace picket::cli
