// A hub alone, for ./bench hub: real TLS, real journal, identities from the command line.
//   hub_server DIRECTORY [--quiet] [--plain] [--clock-rate R] [--devices N=KEY] [DEVICE=KEY] [DEVICE/MODULE=KEY] ...
// Keys: base64; --devices makes dev0, dev1, … with one key. --plain: also a port without TLS. --clock-rate: once a byte
// has come on standard input the hub's clock runs R times as fast as the system's. Prints {"port":…,"plain_port":…,"ca":…}
// and then each durable record as one JSON line (--quiet: not). Ends when its standard input does.
#include <atomic>
#include <charconv>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <thread>

#include <unistd.h>

#include "base/core/encoding.h"
#include "base/core/file.h"
#include "base/core/json_writer.h"
#include "hub/memory_identity_store.h"
#include "hub/mqtt_head.h"
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

bool put_devices(MemoryIdentityStore& store, std::string_view argument) {
  const auto equals = argument.find('=');
  unsigned count = 0;
  if (std::from_chars(argument.data(), argument.data() + argument.size(), count).ec != std::errc{}) return false;
  for (unsigned i = 0; i < count; ++i) {
    if (!put_identity(store, "dev" + std::to_string(i) + std::string(argument.substr(equals)))) return false;
  }
  return equals != std::string_view::npos;
}

/// The system's clock; from start() on it runs `rate` times as fast.
class FastClock final : public Clock {
 public:
  explicit FastClock(int rate) : rate_(rate) {}
  [[nodiscard]] Timestamp now() const override { return system_clock().now() + gained(); }
  [[nodiscard]] Duration monotonic() const override { return system_clock().monotonic() + gained(); }
  void start() { begin_us_ = system_clock().monotonic().us; }

 private:
  [[nodiscard]] Duration gained() const {
    const std::int64_t begin_us = begin_us_;
    return {begin_us == 0 ? 0 : (system_clock().monotonic().us - begin_us) * (rate_ - 1)};
  }

  int rate_;
  std::atomic<std::int64_t> begin_us_ = 0;
};

/// Sessions and twins of this run: what a connection holds of them is the head's, where they are stored is not
/// measured.
class MemorySessions final : public Sessions {
 public:
  [[nodiscard]] Result<std::uint32_t> load(const Identity& identity) const override {
    const std::scoped_lock lock(mutex_);
    const auto found = masks_.find(identity);
    return found == masks_.end() ? 0 : found->second;
  }
  void store(const Identity& identity, std::uint32_t mask, Done<> done) override {
    {
      const std::scoped_lock lock(mutex_);
      masks_[identity] = mask;
    }
    done({});
  }

 private:
  mutable std::mutex mutex_;
  std::map<Identity, std::uint32_t> masks_;
};

class MemoryTwins final : public DeviceTwins {
 public:
  void read(const Identity&, Done<std::string> done) override {
    done(R"({"desired":{"$version":1},"reported":{"$version":1}})");
  }
  void report(const Identity&, std::string, Done<std::uint64_t> done) override { done(2); }
};

struct Arguments {
  std::string directory;
  bool quiet = false;
  bool plain = false;
  int clock_rate = 1;
  MemoryIdentityStore identities;
};

bool read_arguments(int argc, char** argv, Arguments& out) {
  out.directory = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--quiet") {
      out.quiet = true;
    } else if (argument == "--plain") {
      out.plain = true;
    } else if (argument == "--clock-rate" && i + 1 < argc) {
      out.clock_rate = std::max(1, std::atoi(argv[++i]));
    } else if (argument == "--devices" && i + 1 < argc) {
      if (!put_devices(out.identities, argv[++i])) return false;
    } else if (!put_identity(out.identities, argument)) {
      return false;
    }
  }
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
  Arguments arguments;
  if (!read_arguments(argc, argv, arguments)) return 2;
  const std::string& directory = arguments.directory;
  FastClock clock(arguments.clock_rate);
  const auto identity = net::open_or_create_server_identity(directory + "/secrets", {}, system_clock().now());
  if (!identity) return std::fprintf(stderr, "%s\n", describe(identity.error()).c_str()), 1;
  const auto tls = net::TlsContext::create(
      {.certificate_pem = identity->certificate_pem, .private_key_pem = identity->private_key_pem});
  auto opened = journal::open_embedded(
      {.directory = directory + "/journal", .gather_delay = Duration::milliseconds(4)});
  if (!tls || !opened) return 1;
  net::IoThreads threads(0);
  JournalOperationsLog log(*opened->journal);
  Directory links(threads, clock, {});
  MemorySessions sessions;
  MemoryTwins twins;
  MqttHeadOptions options{.hubs = {.default_hub = "hub1"}};
  options.listener.address = "127.0.0.1";
  options.listener.port = 0;
  const auto head = MqttHead::open({.threads = threads,
                                    .tls = **tls,
                                    .identities = arguments.identities,
                                    .journal = *opened->journal,
                                    .log = log,
                                    .clock = clock,
                                    .directory = links,
                                    .sessions = &sessions,
                                    .twins = &twins},
                                   options);
  if (!head) return std::fprintf(stderr, "%s\n", describe(head.error()).c_str()), 1;
  std::unique_ptr<net::Listener> plain;
  if (arguments.plain) {
    auto listener = net::Listener::open(threads, options.listener, nullptr, [&](net::Connection connection) {
      return (*head)->serve(std::move(connection));
    });
    if (!listener) return 1;
    plain = std::move(*listener);
  }
  JsonWriter json;
  json.begin_object()
      .key("port")
      .value(static_cast<unsigned>((*head)->port()))
      .key("plain_port")
      .value(plain ? static_cast<unsigned>(plain->port()) : 0U)
      .key("ca")
      .value(identity->ca_certificate_pem);
  print_line(json.end_object().take());
  std::jthread printer([&](const std::stop_token& stop) {
    if (!arguments.quiet) print_records(*opened->journal, stop);
  });
  char end = 0;
  while (::read(STDIN_FILENO, &end, 1) > 0) clock.start();
  if (plain) plain->stop();
  (*head)->stop();
  opened->journal->flush();
  return 0;
}

}  // namespace
}  // namespace picket::hub

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr,
                 "usage: hub_server DIRECTORY [--quiet] [--plain] [--clock-rate R] [--devices N=KEY] [DEVICE=KEY] "
                 "[DEVICE/MODULE=KEY]\n");
    return 2;
  }
  return picket::hub::run(argc, argv);
}
