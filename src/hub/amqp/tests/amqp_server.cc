// The AMQP head alone, for SDK tests: real TLS, real journal, identities from the command line.
//   amqp_server DIRECTORY [--quiet] DEVICE=KEY DEVICE/MODULE=KEY ...      (keys: base64)
// Prints {"port":…,"ca":…} and then each durable record as one JSON line (--quiet: not). Ends when its standard input
// does.
#include <cstdio>
#include <string>
#include <thread>

#include <unistd.h>

#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/json_writer.h"
#include "hub/amqp_head.h"
#include "hub/memory_identity_store.h"
#include "net/certificate_authority.h"

namespace picket::hub {
namespace {

void print_line(const std::string& line) {
  std::puts(line.c_str());
  std::fflush(stdout);
}

bool put_identity(MemoryIdentityStore& store, std::string_view argument) {
  const auto equals = argument.find('=');
  if (equals == std::string_view::npos) return false;
  const auto name = argument.substr(0, equals);
  const auto key = from_base64(argument.substr(equals + 1));
  if (!key) return false;
  const auto slash = name.find('/');
  store.put("hub1", name.substr(0, slash), slash == std::string_view::npos ? "" : name.substr(slash + 1),
            {.generation_id = "1", .primary_key = *key});
  return true;
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

int run(int argc, char** argv) {
  const std::string folder = argv[1];
  MemoryIdentityStore store;
  const bool quiet = argc > 2 && std::string_view(argv[2]) == "--quiet";
  for (int i = quiet ? 3 : 2; i < argc; ++i) {
    if (!put_identity(store, argv[i])) return 2;
  }
  const auto identity = net::open_or_create_server_identity(folder + "/secrets", {}, system_clock().now());
  if (!identity) return std::fprintf(stderr, "%s\n", describe(identity.error()).c_str()), 1;
  const auto tls = net::TlsContext::create(
      {.certificate_pem = identity->certificate_pem, .private_key_pem = identity->private_key_pem});
  auto opened = journal::open_embedded({.directory = folder + "/journal", .reserve_bytes = 1 << 20});
  if (!tls || !opened) return 1;
  net::IoThreads threads(2);
  JournalOperationsLog log(*opened->journal);
  AmqpHeadOptions options{.hubs = {.default_hub = "hub1"}};
  options.listener.address = "127.0.0.1";
  options.listener.port = 0;
  Directory directory(threads, system_clock(), {});
  const auto head = AmqpHead::open({threads, **tls, store, *opened->journal, log, system_clock(), directory}, options);
  if (!head) return std::fprintf(stderr, "%s\n", describe(head.error()).c_str()), 1;
  JsonWriter json;
  json.begin_object()
      .key("port")
      .value(static_cast<unsigned>((*head)->port()))
      .key("ca")
      .value(identity->ca_certificate_pem);
  print_line(json.end_object().take());
  std::jthread printer([&](const std::stop_token& stop) {
    if (!quiet) print_records(*opened->journal, stop);
  });
  char end = 0;
  while (::read(STDIN_FILENO, &end, 1) > 0) {
  }
  (*head)->stop();
  directory.stop();
  opened->journal->flush();
  return 0;
}

}  // namespace
}  // namespace picket::hub

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: amqp_server DIRECTORY [--quiet] [DEVICE=KEY] [DEVICE/MODULE=KEY]\n");
    return 2;
  }
  return picket::hub::run(argc, argv);
}
