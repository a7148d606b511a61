#include "response_commands.h"

#include <cctype>
#include <cstdio>
#include <map>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

#include "answers.h"
#include "base/core/crypto.h"
#include "base/core/encoding.h"
#include "base/core/file.h"
#include "output.h"

namespace picket::cli {
namespace {

void print(const std::string& text) { std::fputs(text.c_str(), stdout); }

struct Order {
  std::string device, module = "DefenderIotMicroAgent";
  bool no_module = false;
  std::uint32_t expires_s = 300;
  // Of single actions.
  std::uint64_t isolate_s = 3600, pid = 0, start_ticks = 0;
  std::vector<std::string> allow;
  std::string hash, path, collector;
};

Failure refused(std::int64_t status, const std::string& text) {
  const Exit exit = status == 401 || status == 403 ? Exit::denied : Exit::failed;
  return {exit, fmt::format("the device answers {}: {}", status, text)};
}

Outcome<void> respond(const Client& client, const Order& order, const std::string& action,
                      const boost::json::object& arguments, bool json) {
  boost::json::object body{{"action", action},
                           {"arguments", arguments},
                           {"expiresInSeconds", order.expires_s},
                           {"module", order.no_module ? "" : order.module}};
  const auto answer =
      parse(client.post("/devices/" + percent_encode(order.device) + "/response", boost::json::serialize(body)));
  if (!answer) return std::unexpected(answer.error());
  const auto* status = answer->as_object().if_contains("status");
  const std::int64_t code = status != nullptr && status->is_int64() ? status->get_int64() : 0;
  const auto* payload = answer->as_object().if_contains("payload");
  const boost::json::value said = payload != nullptr && payload->is_object() ? *payload : boost::json::object();
  if (json) print(pretty(*answer));
  if (code != 200) return std::unexpected(refused(code, member(said, "error")));
  if (!json) {
    print(fmt::format("{}: {}\nCommand {}\n", printable(order.device), printable(member(said, "message")),
                      member(*answer, "id")));
  }
  return {};
}

Outcome<void> show_key(const Client& client, bool json) {
  const auto answer = parse(client.get("/response/key"));
  if (!answer) return std::unexpected(answer.error());
  print(json ? pretty(*answer) : member(*answer, "publicKey"));
  return {};
}

/// The parts of a collected file, put together and checked.
Outcome<void> save_file(const Client& client, const std::string& device, const std::string& id,
                        const std::string& out) {
  for (const char c : id) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-') {
      return std::unexpected(Failure{Exit::usage, "a command id has letters, digits and - only"});
    }
  }
  const std::string kql = fmt::format(
      "SecurityIoTRawEvent | where RawEventName == 'CollectedFile' | extend d = parse_json(EventDetails)"
      " | where tostring(d.CommandId) == '{}' and DeviceId == {} | project Chunk = toint(d.Chunk), Chunks = "
      "toint(d.Chunks), Content = tostring(d.Content), Sha256 = tostring(d.Sha256)",
      id, boost::json::serialize(boost::json::value(device)));
  const auto answer =
      parse(client.post("/query", boost::json::serialize(boost::json::object{{"query", kql}, {"max_rows", 10'000}})));
  if (!answer) return std::unexpected(answer.error());
  std::map<std::int64_t, std::string> parts;
  std::int64_t count = 0;
  std::string hash;
  for (const auto& row : items_of(*answer, "rows")) {
    const auto& cells = row.as_array();
    if (cells.size() != 4 || !cells[0].is_int64() || !cells[1].is_int64()) continue;
    const auto bytes = from_base64(std::string(cells[2].as_string()));
    if (!bytes) continue;
    parts[cells[0].as_int64()] = std::string(as_text(*bytes));
    count = cells[1].as_int64();
    hash = std::string(cells[3].as_string());
  }
  if (count == 0 || static_cast<std::int64_t>(parts.size()) != count) {
    return std::unexpected(
        Failure{Exit::failed, fmt::format("{} of {} parts have come; try again in a moment", parts.size(),
                                          count == 0 ? std::string("unknown") : std::to_string(count))});
  }
  std::string whole;
  for (const auto& [number, part] : parts) whole += part;
  if (to_hex(sha256(as_bytes(whole))) != hash) {
    return std::unexpected(Failure{Exit::failed, "the parts do not have the hash that the device took"});
  }
  if (const auto done = replace_file(out, as_bytes(whole)); !done) {
    return std::unexpected(Failure{Exit::failed, out + ": " + describe(done.error())});
  }
  print(fmt::format("{}: {} bytes, SHA-256 {}\n", out, whole.size(), hash));
  return {};
}

}  // namespace

std::string response_key_note(const std::string& public_key_pem) {
  if (public_key_pem.empty()) return "";
  return "\nTo take signed commands (picket respond), the device pins this key: response.key_file of its agent.\n\n" +
         public_key_pem;
}

void add_response(CLI::App& app, const OnResponseClient& on_client, bool& json) {
  static Order order;
  auto* respond_app = app.add_subcommand("respond", "have a device's agent do something, by a signed command");
  respond_app->require_subcommand(1);
  respond_app->add_option("DEVICE", order.device, "device id")->required();
  respond_app->add_option("--module", order.module, "module that the agent is connected as")->capture_default_str();
  respond_app->add_flag("--device-itself", order.no_module, "the agent is connected as the device itself");
  respond_app->add_option("--expires", order.expires_s, "seconds for which the command is valid")
      ->check(CLI::Range(1, 3600))
      ->capture_default_str();
  respond_app->footer(
      "The device obeys only what its own settings allow (response.* of the agent), and only this server's key.\n"
      "Exit codes: 0 done, 1 failed or not online, 3 server unreachable, 4 refused by the device or the server.");
  using Fill = std::function<boost::json::object()>;
  const auto add = [&](const char* name, const char* help, Fill fill) {
    auto* command = respond_app->add_subcommand(name, help);
    on_client(command, [name = std::string(name), fill = std::move(fill), &json](const Client& client) {
      return respond(client, order, name, fill(), json);
    });
    return command;
  };
  auto* isolate = add("isolate", "cut it off from everything but this hub, its name servers and DHCP", [] {
    boost::json::object arguments{{"durationSeconds", order.isolate_s}};
    if (!order.allow.empty()) arguments["allow"] = boost::json::value_from(order.allow);
    return arguments;
  });
  isolate->add_option("--for", order.isolate_s, "how long: 3600, 30m, 1h, 7d")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, std::uint64_t>{{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}}))
      ->check(CLI::Range(1, 604'800));
  isolate->add_option("--allow", order.allow, "address or network (CIDR) that it may still talk to; repeatable");
  add("release", "end its isolation", [] { return boost::json::object(); });
  for (const auto& [name, help] : {std::pair{"kill", "end a process"},
                                   {"suspend", "stop a process, it can be resumed"},
                                   {"resume", "let a suspended process go on"}}) {
    auto* command = add(name, help, [] {
      boost::json::object arguments{{"pid", order.pid}};
      if (order.start_ticks != 0) arguments["startTicks"] = order.start_ticks;
      return arguments;
    });
    command->add_option("PID", order.pid, "its number on the device")->required();
    command->add_option("--start-ticks", order.start_ticks, "field 22 of /proc/PID/stat: only if it is still that one");
  }
  for (const auto& [name, help] :
       {std::pair{"block", "keep programs of this content from starting"}, {"unblock", "let them start again"}}) {
    add(name, help, [] { return boost::json::object{{"sha256", order.hash}}; })
        ->add_option("SHA256", order.hash, "of the program, hex")
        ->required();
  }
  add("collect", "read a file; then: picket response file DEVICE COMMAND -o OUT",
      [] { return boost::json::object{{"path", order.path}}; })
      ->add_option("PATH", order.path, "absolute, without links")
      ->required();
  add("scan", "take a collector's snapshot now", [] { return boost::json::object{{"collector", order.collector}}; })
      ->add_option("COLLECTOR", order.collector, "e.g. baseline, listening_ports")
      ->required();
  add("rotate-key", "make it pin the next key (secrets/response-next.key)", [] { return boost::json::object(); });

  auto* response = app.add_subcommand("response", "the key of signed commands, and what they brought");
  response->require_subcommand(1);
  on_client(response->add_subcommand("key", "print the public key: pin it on devices as response.key_file"),
            [&json](const Client& client) { return show_key(client, json); });
  static std::string device, id, out;
  auto* file = response->add_subcommand("file", "put a collected file together and check its hash");
  file->add_option("DEVICE", device, "device id")->required();
  file->add_option("COMMAND", id, "id that collect printed")->required();
  file->add_option("-o,--output", out, "where to write it")->required();
  on_client(file, [](const Client& client) { return save_file(client, device, id, out); });
}

}  // namespace picket::cli
