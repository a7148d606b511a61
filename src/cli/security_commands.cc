#include "security_commands.h"

#include <cstdio>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/encoding.h"
#include "listing.h"
#include "output.h"
#include "response_commands.h"

namespace picket::cli {
namespace {

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

std::string module_query(const std::string& module) {
  return module.empty() ? "" : "?module=" + percent_encode(module);
}

Outcome<boost::json::value> json_argument(const std::string& text, std::string_view what) {
  boost::system::error_code failed;
  auto value = boost::json::parse(text, failed);
  if (failed) {
    return std::unexpected(Failure{Exit::usage, fmt::format("{} is not JSON: {}", what, failed.message())});
  }
  return value;
}

}  // namespace

Outcome<void> recommendation_list(const Client& client, const RecommendationOptions& options, bool json) {
  RequestPath path("/recommendations");
  path.with("limit", options.limit)
      .with("state", options.state == "all" ? "" : options.state)
      .with("device", options.device)
      .with("type", options.type);
  const Listing listing{.nothing = "Nothing to recommend now.",
                        .header = {"SEVERITY", "STATE", "RECOMMENDATION", "DEVICE", "SINCE", "TYPE"},
                        .cell_width_max = 60,
                        .row = [](const boost::json::value& item) -> std::vector<std::string> {
                          const std::string device = member(item, "deviceId");
                          return {member(item, "severity"),       member(item, "state"),
                                  member(item, "displayName"),    device.empty() ? "(hub)" : device,
                                  member(item, "firstEvaluated"), member(item, "type")};
                        }};
  return print_page(client.get(path.text()), json, listing);
}

Outcome<void> recommendation_types(const Client& client, bool json) {
  const auto answer = parse(client.get("/recommendation-types"));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(items_of(*answer)));
    return {};
  }
  Table table({"TYPE", "SEVERITY", "ENABLED", "DEVICES", "NAME"}, 70);
  for (const auto& item : items_of(*answer)) {
    table.add({member(item, "type"), member(item, "severity"), member(item, "enabled"), member(item, "active"),
               member(item, "displayName")});
  }
  print(table.text());
  return {};
}

Outcome<void> recommendation_switch(const Client& client, const std::string& type, bool enabled) {
  const auto answer = client.patch("/recommendation-types/" + percent_encode(type),
                                   boost::json::serialize(boost::json::object{{"enabled", enabled}}));
  if (!answer) return std::unexpected(answer.error());
  print(fmt::format("{} is {}.\n", printable(type), enabled ? "on" : "off"));
  return {};
}

Outcome<void> device_twin(const Client& client, const std::string& id, const std::string& module,
                          const std::string& patch) {
  const std::string path = "/devices/" + percent_encode(id) + "/twin" + module_query(module);
  if (!patch.empty()) {
    if (const auto checked = json_argument(patch, "--patch"); !checked) return std::unexpected(checked.error());
  }
  const auto twin = parse(patch.empty() ? client.get(path) : client.patch(path, patch));
  if (!twin) return std::unexpected(twin.error());
  print(pretty(*twin));
  return {};
}

Outcome<void> device_method(const Client& client, const std::string& id, const std::string& module,
                            const std::string& name, const std::string& payload, std::uint32_t timeout_s) {
  boost::json::object body{{"methodName", name}, {"responseTimeoutInSeconds", timeout_s}};
  if (!payload.empty()) {
    auto value = json_argument(payload, "--payload");
    if (!value) return std::unexpected(value.error());
    body["payload"] = *std::move(value);
  }
  const auto answer = parse(
      client.post("/devices/" + percent_encode(id) + "/methods" + module_query(module), boost::json::serialize(body)));
  if (!answer) return std::unexpected(answer.error());
  print(pretty(*answer));
  return {};
}

Outcome<void> device_send(const Client& client, const std::string& id, const std::string& text) {
  const auto answer = client.post("/devices/" + percent_encode(id) + "/messages",
                                  boost::json::serialize(boost::json::object{{"body", text}}));
  if (!answer) return std::unexpected(answer.error());
  print(fmt::format("Stored for {}; it gets the message when it asks for messages.\n", printable(id)));
  return {};
}

Outcome<void> provisioning_show(const Client& client, bool json) {
  const auto answer = parse(client.get("/provisioning"));
  if (!answer) return std::unexpected(answer.error());
  if (json) {
    print(pretty(*answer));
    return {};
  }
  print(fmt::format("Id scope  {}\nHost      {}\n", member(*answer, "idScope"), member(*answer, "host")));
  print(
      "Enrolments are made by the provisioning service API with a policy that may write the registry\n"
      "(picket hub policy show HUB iothubowner).\n");
  print(response_key_note(member(*answer, "responsePublicKey")));
  return {};
}

void add_security(CLI::App& app, CLI::App& device, const OnClient& on_client, const bool& json) {
  static RecommendationOptions options;
  static std::string type, id, module, patch, name, payload, text;
  static std::uint32_t timeout_s = 30;
  auto* recommendation = app.add_subcommand("recommendation", "what to do before something happens");
  recommendation->require_subcommand(1);
  auto* list = recommendation->add_subcommand("list", "list recommendations");
  list->add_option("--state", options.state, "Active, Resolved or all")
      ->check(CLI::IsMember({"Active", "Resolved", "all"}, CLI::ignore_case))
      ->capture_default_str();
  list->add_option("--device", options.device, "only this device");
  list->add_option("--type", options.type, "only this type");
  list->add_option("--limit", options.limit, "rows at most")->check(CLI::Range(1, 500))->capture_default_str();
  on_client(list, [&](const Client& client) { return recommendation_list(client, options, json); });
  on_client(recommendation->add_subcommand("types", "every type, and how many devices it is about"),
            [&](const Client& client) { return recommendation_types(client, json); });
  for (const bool enabled : {true, false}) {
    auto* command = recommendation->add_subcommand(enabled ? "enable" : "disable",
                                                   enabled ? "switch a type on" : "switch a type off");
    command->add_option("TYPE", type, "e.g. IoT_SharedCredentials")->required();
    on_client(command, [enabled](const Client& client) { return recommendation_switch(client, type, enabled); });
  }

  auto* provisioning = app.add_subcommand("provisioning", "where devices register by themselves");
  provisioning->require_subcommand(1);
  on_client(provisioning->add_subcommand("show", "id scope and host of the provisioning service"),
            [&](const Client& client) { return provisioning_show(client, json); });

  const auto of_device = [&](const char* word, const char* help, bool modules) {
    auto* command = device.add_subcommand(word, help);
    command->add_option("ID", id, "device id")->required();
    if (modules) command->add_option("--module", module, "a module of the device");
    return command;
  };
  auto* twin = of_device("twin", "print the twin, or change it", true);
  twin->add_option("--patch", patch, "JSON to merge, e.g. '{\"tags\":{\"site\":\"north\"}}'");
  on_client(twin, [](const Client& client) { return device_twin(client, id, module, patch); });
  auto* method = of_device("method", "call a direct method and print the answer", true);
  method->add_option("NAME", name, "name of the method")->required();
  method->add_option("--payload", payload, "JSON for the device");
  method->add_option("--timeout", timeout_s, "seconds to wait for the answer")
      ->check(CLI::Range(5, 300))
      ->capture_default_str();
  on_client(method, [](const Client& client) { return device_method(client, id, module, name, payload, timeout_s); });
  auto* send = of_device("send", "put a message into the device's queue", false);
  send->add_option("TEXT", text, "body of the message")->required();
  on_client(send, [](const Client& client) { return device_send(client, id, text); });
}

}  // namespace picket::cli
