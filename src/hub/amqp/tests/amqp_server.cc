// The AMQP head with the services behind it, for SDK tests: real TLS, journal and state.
//   amqp_server DIRECTORY DEVICE=KEY … policy:NAME=KEY …      (keys: base64)
// Prints {"port":…,"ca":…} and then each durable record as one JSON line. Commands on standard input, one a line:
//   method DEVICE NAME PAYLOAD | desired DEVICE JSON | disconnect DEVICE
// Answers {"answer":…}. Ends when its standard input does.
#include <cstdio>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>

#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/json_writer.h"
#include "hub/amqp_head.h"
#include "hub/command_service.h"
#include "hub/event_stream.h"
#include "hub/memory_identity_store.h"
#include "hub/method_broker.h"
#include "hub/twins.h"
#include "net/certificate_authority.h"
#include "state/devices.h"

namespace picket::hub {
namespace {

void print_line(const std::string& line) {
  static std::mutex mutex;
  const std::scoped_lock lock(mutex);
  std::puts(line.c_str());
  std::fflush(stdout);
}

std::string to_json(const journal::RecordView& record) {
  JsonWriter json;
  json.begin_object().key("kind").value(record.kind == journal::RecordKind::message ? "message" : "hub_event");
  json.key("device").value(record.identity.device_id).key("module").value(record.identity.module_id);
  json.key("properties").begin_object();
  for (const auto& property : record.properties) json.key(property.name).value(property.value);
  json.end_object().key("size").value(record.body.size());
  json.key("body").value(as_text(record.body.first(std::min<std::size_t>(record.body.size(), 4096)))).end_object();
  return json.take();
}

void print_records(journal::Journal& journal, const std::stop_token& stop) {
  const auto reader = journal.reader({});
  if (!reader) return;
  while (!stop.stop_requested()) {
    if (!(*reader)->wait(Duration::milliseconds(50))) continue;
    const auto batch = (*reader)->read(1 << 20);
    if (!batch) return;
    for (const auto& record : batch->records) print_line(to_json(record));
  }
}

void answer(std::string_view text) {
  JsonWriter json;
  print_line(json.begin_object().key("answer").value(text).end_object().take());
}

/// DEVICE=KEY, DEVICE/MODULE=KEY or policy:NAME=KEY.
bool put_identity(std::string_view argument, MemoryIdentityStore& store, state::Devices& devices, HubSettings& hub) {
  const auto equals = argument.find('=');
  if (equals == std::string_view::npos) return false;
  auto name = std::string(argument.substr(0, equals));
  const auto key = from_base64(argument.substr(equals + 1));
  if (!key) return false;
  if (name.starts_with("policy:")) {
    hub.policies.push_back({name.substr(7), kAllRights, *key, {}});
    return true;
  }
  const auto slash = name.find('/');
  const auto device = name.substr(0, slash);
  if (slash != std::string::npos) {
    const auto module = devices.add_module("hub1", device, name.substr(slash + 1), {}, system_clock().now());
    if (module)
      store.put("hub1", device, module->module_id, {.generation_id = module->generation_id, .primary_key = *key});
    return module.has_value();
  }
  const auto made = devices.add("hub1", device, "default", {}, system_clock().now());
  if (made) store.put("hub1", device, "", {.generation_id = made->generation_id, .primary_key = *key});
  return made.has_value();
}

struct Server {
  MemoryIdentityStore store;
  HubSettingsStore settings;
  net::IoThreads threads{2};
  Directory directory{threads, system_clock(), {}};
  std::unique_ptr<CommandService> commands;
  std::unique_ptr<MethodBroker> methods;
  std::unique_ptr<Twins> twins;

  void obey(const std::string& line) {
    std::istringstream in(line);
    std::string verb, device, rest;
    in >> verb >> device;
    const IdentityKey key{"hub1", device, ""};
    if (verb == "method") {
      std::string name;
      in >> name >> std::ws;
      std::getline(in, rest);
      methods->invoke(key, {.name = name, .payload = rest}, "test", [](HubResult<MethodReply> reply) {
        answer(reply ? std::to_string(reply->status) + " " + reply->payload : std::to_string(reply.error().code));
      });
    } else if (verb == "desired") {
      std::getline(in >> std::ws, rest);
      twins->patch(key, R"({"properties":{"desired":)" + rest + "}}", "", {},
                   [](HubResult<std::string> twin) { answer(twin ? *twin : std::to_string(twin.error().code)); });
    } else if (verb == "disconnect") {
      directory.revoke(key);
    }
  }
};

int run(int argc, char** argv) {
  const std::string folder = argv[1];
  const auto identity = net::open_or_create_server_identity(folder + "/secrets", {}, system_clock().now());
  if (!identity) return std::fprintf(stderr, "%s\n", describe(identity.error()).c_str()), 1;
  const auto tls = net::TlsContext::create(
      {.certificate_pem = identity->certificate_pem, .private_key_pem = identity->private_key_pem});
  auto opened = journal::open_embedded({.directory = folder + "/journal", .reserve_bytes = 1 << 20});
  const auto database = state::Database::open(folder + "/state.db");
  if (!tls || !opened || !database) return 1;
  Server server;
  state::Devices devices(**database);
  HubSettings hub{.name = "hub1"};
  for (int i = 2; i < argc; ++i) {
    if (!put_identity(argv[i], server.store, devices, hub)) return std::fprintf(stderr, "%s\n", argv[i]), 2;
  }
  server.settings.put(hub);
  server.commands = make_commands(**database, server.directory, system_clock());
  server.methods = make_methods(server.directory, system_clock());
  server.twins = std::make_unique<Twins>(**database, system_clock());
  server.twins->on_changed([&](const TwinChanged& change) {
    if (change.desired_patch) {
      server.directory.notify(change.identity, DesiredPatch{change.desired_patch, change.desired_version}, {});
    }
  });
  const auto events = make_event_stream(*opened->journal, plain_event_view());
  JournalOperationsLog log(*opened->journal);
  AmqpHeadOptions options{.hubs = {.default_hub = "hub1", .hub_of_host = {}}};
  options.listener.address = "127.0.0.1";
  options.listener.port = 0;
  AmqpHeadNeeds needs{.threads = server.threads,
                      .tls = **tls,
                      .identities = server.store,
                      .journal = *opened->journal,
                      .log = log,
                      .clock = system_clock(),
                      .directory = server.directory};
  needs.settings = &server.settings;
  needs.commands = server.commands.get();
  needs.methods = server.methods.get();
  needs.twins = server.twins.get();
  needs.events = events.get();
  const auto head = AmqpHead::open(needs, options);
  if (!head) return std::fprintf(stderr, "%s\n", describe(head.error()).c_str()), 1;
  JsonWriter json;
  json.begin_object().key("port").value(static_cast<unsigned>((*head)->port()));
  print_line(json.key("ca").value(identity->ca_certificate_pem).end_object().take());
  std::jthread printer([&](const std::stop_token& stop) { print_records(*opened->journal, stop); });
  std::jthread due([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      server.commands->run_due();
      server.methods->run_due();
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
    }
  });
  for (std::string line; std::getline(std::cin, line);) server.obey(line);
  (*head)->stop();
  server.methods->stop();
  server.directory.stop();
  opened->journal->flush();
  return 0;
}

}  // namespace
}  // namespace picket::hub

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: amqp_server DIRECTORY [DEVICE=KEY] [policy:NAME=KEY]\n");
    return 2;
  }
  return picket::hub::run(argc, argv);
}
