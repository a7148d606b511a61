#include "posture_commands.h"

#include <chrono>
#include <cstdio>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "base/core/time.h"
#include "output.h"

namespace picket::cli {
namespace {

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string score_text(const boost::json::value& item) {
  const auto* object = item.if_object();
  const auto* score = object == nullptr ? nullptr : object->if_contains("score");
  return score == nullptr || !score->is_number() ? "" : fmt::format("{:.0f}", score->to_number<double>());
}

const boost::json::value& part(const boost::json::value& item, std::string_view name) {
  static const boost::json::value kNothing;
  const auto* object = item.if_object();
  const auto* found = object == nullptr ? nullptr : object->if_contains(name);
  return found == nullptr ? kNothing : *found;
}

Table device_table() { return Table({"SCORE", "DEVICE", "GROUP", "HIGH", "MEDIUM", "LOW", "EXEMPT"}, 40); }

void add_device(Table& table, const boost::json::value& item) {
  const auto& active = part(item, "active");
  table.add({score_text(item), member(item, "deviceId"), member(item, "group"), member(active, "High"),
             member(active, "Medium"), member(active, "Low"), member(item, "exempt")});
}

void print_active(const boost::json::value& answer) {
  const auto& active = part(answer, "active");
  print(fmt::format("Active        {} high, {} medium, {} low, {} informational; {} exempt\n", member(active, "High"),
                    member(active, "Medium"), member(active, "Low"), member(active, "Informational"),
                    member(answer, "exempt")));
  print(fmt::format("Formula       {}\n", member(answer, "formula")));
}

/// The last week, and of what is older each day on which the score was another one.
void print_trend(const boost::json::value& answer) {
  constexpr std::size_t kWeek = 7;
  const auto& trend = items_of(answer, "trend");
  std::string before;
  for (std::size_t i = 0; i < trend.size(); ++i) {
    const std::string score = score_text(trend[i]);
    const bool other = score != before;
    before = score;
    if (!other && i + kWeek < trend.size()) continue;
    print(fmt::format("  {}  {:>3}\n", member(trend[i], "day").substr(0, 10), score));
  }
}

}  // namespace

Outcome<void> posture_device(const Client& client, const std::string& device, bool json) {
  const auto answer = parse(client.get("/posture/devices/" + percent_encode(device)));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(*answer));
    return {};
  }
  const std::string group = member(*answer, "group");
  print(fmt::format("Secure score  {} of 100, device {}{}\n", score_text(*answer),
                    printable(member(*answer, "deviceId")), group.empty() ? "" : " of group " + printable(group)));
  print_active(*answer);
  print_trend(*answer);
  return {};
}

Outcome<void> posture_show(const Client& client, const std::string& group, bool json) {
  const auto answer = parse(client.get("/posture" + (group.empty() ? "" : "?group=" + percent_encode(group))));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(*answer));
    return {};
  }
  const std::string devices = member(*answer, "devices");
  print(fmt::format("Secure score  {} of 100, {} {}{}\n", score_text(*answer), devices,
                    devices == "1" ? "device" : "devices", group.empty() ? "" : " of group " + printable(group)));
  print_active(*answer);
  print_trend(*answer);
  if (items_of(*answer, "worst").empty()) return {};
  Table table = device_table();
  for (const auto& item : items_of(*answer, "worst")) add_device(table, item);
  print("\n" + table.text());
  return {};
}

Outcome<void> posture_devices(const Client& client, const std::string& group, std::uint32_t limit, bool json) {
  const std::string filter = group.empty() ? "" : "&group=" + percent_encode(group);
  const auto answer = parse(client.get(fmt::format("/posture/devices?limit={}{}", limit, filter)));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(items_of(*answer)));
    return {};
  }
  Table table = device_table();
  for (const auto& item : items_of(*answer)) add_device(table, item);
  print(items_of(*answer).empty() ? "No device.\n" : table.text());
  return {};
}

Outcome<void> posture_exemptions(const Client& client, bool json) {
  const auto answer = parse(client.get("/exemptions"));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(items_of(*answer)));
    return {};
  }
  if (items_of(*answer).empty()) {
    print("Nothing is exempt.\n");
    return {};
  }
  Table table({"RECOMMENDATION", "DEVICE", "GROUP", "UNTIL", "BY", "REASON", "ID"}, 60);
  for (const auto& item : items_of(*answer)) {
    const std::string until = member(item, "until");
    const bool expired = member(item, "expired") == "true";
    table.add({member(item, "type"), member(item, "deviceId"), member(item, "group"),
               until.empty() ? "for good" : until + (expired ? " (expired)" : ""), member(item, "user"),
               member(item, "reason"), member(item, "id")});
  }
  print(table.text());
  return {};
}

Outcome<void> posture_exempt(const Client& client, const ExemptionOptions& options) {
  boost::json::object body{{"type", options.type}, {"reason", options.reason}};
  if (!options.device.empty()) body["deviceId"] = options.device;
  if (!options.group.empty()) body["group"] = options.group;
  if (options.days > 0) {
    body["until"] = format_rfc3339(system_clock().now() + Duration::days(options.days));
  }
  const auto made = parse(client.post("/exemptions", boost::json::serialize(body)));
  if (!made) return std::unexpected(made.error());
  const std::string until = member(*made, "until");
  print(fmt::format("{} is exempt{}. Take it back with `picket posture restore {}`.\n", printable(options.type),
                    until.empty() ? " for good" : " until " + until, member(*made, "id")));
  return {};
}

Outcome<void> posture_restore(const Client& client, const std::string& id) {
  const auto done = client.remove("/exemptions/" + percent_encode(id));
  if (!done) return std::unexpected(done.error());
  print(fmt::format("{} is taken back.\n", printable(id)));
  return {};
}

void add_posture(CLI::App& app, const OnClient& on_client, const bool& json) {
  static std::string group, device, id;
  static std::uint32_t limit = 100;
  static ExemptionOptions options;
  auto* posture = app.add_subcommand("posture", "secure score of devices, and exemptions from recommendations");
  posture->require_subcommand(1);
  const auto command = [&](const char* name, const char* help) { return posture->add_subcommand(name, help); };
  auto* show = command("show", "score, trend, formula and the worst devices");
  auto* of_group = show->add_option("--group", group, "only devices of this security group");
  show->add_option("--device", device, "one device")->excludes(of_group);
  on_client(show, [&](const Client& client) {
    return device.empty() ? posture_show(client, group, json) : posture_device(client, device, json);
  });
  auto* devices = command("devices", "score of each device, the worst first");
  devices->add_option("--group", group, "only devices of this security group");
  devices->add_option("--limit", limit, "rows at most")->check(CLI::Range(1, 500))->capture_default_str();
  on_client(devices, [&](const Client& client) { return posture_devices(client, group, limit, json); });
  on_client(command("exemptions", "what is exempt, for whom, why and until when"),
            [&](const Client& client) { return posture_exemptions(client, json); });
  auto* exempt = command("exempt", "live with a recommendation: it no longer counts");
  exempt->add_option("TYPE", options.type, "e.g. IoT_OpenPorts or IoT_CISBenchmarks_PKT-FS-001")->required();
  exempt->add_option("--reason", options.reason, "why; stands in the audit log")->required();
  exempt->add_option("--device", options.device, "only for this device");
  exempt->add_option("--group", options.group, "only for devices of this security group");
  exempt->add_option("--days", options.days, "so long; without it for good")->check(CLI::Range(1, 3650));
  on_client(exempt, [](const Client& client) { return posture_exempt(client, options); });
  auto* restore = command("restore", "take an exemption back");
  restore->add_option("ID", id, "as `posture exemptions` shows it")->required();
  on_client(restore, [](const Client& client) { return posture_restore(client, id); });
}

}  // namespace picket::cli
