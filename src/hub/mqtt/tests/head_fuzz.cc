// The whole of a connection: codec, session, head, with services that answer at once, over a stream in memory.
// Claims: whatever a client sends, what it receives is MQTT of a server; nothing is stored or asked under another
// identity than the proven one; without the right credentials nothing is stored at all; and the connection ends. Input:
// first byte: bit 0, a right CONNECT goes before; then how the bytes are cut into reads. The rest is what is sent.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <future>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "base/core/random.h"
#include "fake_services.h"
#include "hub/memory_identity_store.h"
#include "hub/mqtt_head.h"
#include "hub/sas_token.h"
#include "hub_testing.h"
#include "memory_journal.h"
#include "mqtt/codec.h"
#include "net/certificate_authority.h"

namespace {

using namespace picket;
using namespace picket::hub;

constexpr mqtt::Limits kAllLimits{.literal_wildcards = true};

/// Gives the input piece by piece and then the end; keeps what was written.
class MemoryStream final : public net::Stream {
 public:
  MemoryStream(net::asio::any_io_executor executor, Buffer input, std::size_t piece, Buffer& written)
      : executor_(std::move(executor)), input_(std::move(input)), piece_(piece), written_(written) {}
  net::asio::awaitable<Result<std::size_t>> read_some(std::span<std::byte> into) override {
    if (closed_ || at_ == input_.size()) co_return fail(Errc::unavailable, "net.stream.end");
    const auto n = std::min({into.size(), piece_, input_.size() - at_});
    std::copy_n(input_.begin() + static_cast<std::ptrdiff_t>(at_), n, into.begin());
    at_ += n;
    co_return n;
  }
  net::asio::awaitable<Result<>> wait_readable() override {
    if (closed_ || at_ == input_.size()) co_return fail(Errc::unavailable, "net.stream.end");
    co_return Result<>{};
  }
  net::asio::awaitable<Result<>> write(Bytes bytes) override {
    append(written_, bytes);
    co_return Result<>{};
  }
  void shutdown() override {}
  void close() override { closed_ = true; }
  [[nodiscard]] const net::Endpoint& peer() const override { return peer_; }
  [[nodiscard]] const net::TlsFacts* tls() const override { return nullptr; }
  net::asio::any_io_executor executor() override { return executor_; }

 private:
  net::asio::any_io_executor executor_;
  Buffer input_;
  std::size_t piece_;
  Buffer& written_;
  net::Endpoint peer_{"192.0.2.1", 1};
  std::size_t at_ = 0;
  bool closed_ = false;
};

struct World {
  World() {
    const auto folder = std::filesystem::temp_directory_path() / ("head-fuzz-" + random_uuid());
    const auto server = net::open_or_create_server_identity(folder.string(), {}, system_clock().now()).value();
    std::filesystem::remove_all(folder);
    tls =
        net::TlsContext::create({.certificate_pem = server.certificate_pem, .private_key_pem = server.private_key_pem})
            .value();
    store.put("hub1", "dev1", "", {.generation_id = "g1", .primary_key = bytes_of("key")});
    MqttHeadOptions options{.hubs = {.default_hub = "hub1"}};
    options.listener.address = "127.0.0.1";
    options.listener.port = 0;
    head = MqttHead::open({.threads = threads,
                           .tls = *tls,
                           .identities = store,
                           .journal = journal,
                           .log = log,
                           .clock = clock,
                           .directory = directory,
                           .sessions = &sessions,
                           .twins = &twins,
                           .methods = &methods,
                           .commands = &commands},
                          options)
               .value();
    const auto token = make_sas_token("h", "dev1", "", as_bytes("key"), clock.now() + Duration::hours(1));
    mqtt::Connect connect{.client_id = "dev1", .clean_session = false, .keep_alive_s = 60};
    connect.user_name = "h/dev1/?api-version=2021-04-12";
    connect.password = mqtt::Payload{as_bytes(token)};
    mqtt::encode(connect, hello).value();
  }
  TestClock clock;
  TestLog log;
  MemoryJournal journal;
  MemoryIdentityStore store;
  FakeSessions sessions;
  FakeTwins twins;
  FakeMethods methods;
  FakeCommands commands;
  net::IoThreads threads{1};
  std::unique_ptr<net::TlsContext> tls;
  Directory directory{threads, clock, {.connects_per_second = 1e9, .connects_burst = 1e9}};
  std::unique_ptr<MqttHead> head;
  Buffer hello;
};

void require(bool claim) {
  if (!claim) std::abort();
}

/// Every byte belongs to a packet that a client understands; the last one may be cut by the end.
void require_server_packets(const Buffer& written) {
  Cursor in{Bytes(written)};
  while (!in.empty()) {
    const auto packet = mqtt::decode(in, kAllLimits, mqtt::Role::client);
    if (!packet)
      return require(as_text(Bytes(written).last(in.remaining())) == std::string_view("\x20\x03\x00\x84\x00", 5));
    require(packet->has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static World& world = *new World();  // threads live as long as the process
  if (size < 1 || size > 64 * 1024) return 0;
  const bool proven = (data[0] & 1U) != 0;
  Buffer input = proven ? world.hello : Buffer();
  append(input, std::as_bytes(std::span(data + 1, size - 1)));
  const auto before = world.journal.messages().size();
  Buffer written;
  auto stream = std::make_unique<MemoryStream>(world.threads.executor(0), std::move(input),
                                               std::size_t{1} + (data[0] >> 1) * 8, written);
  net::asio::co_spawn(world.threads.executor(0), world.head->serve({net::Admission(), std::move(stream)}),
                      net::asio::use_future)
      .get();
  require_server_packets(written);
  const auto messages = world.journal.messages();
  require(proven || messages.size() == before);
  for (auto i = before; i < messages.size(); ++i) require(messages[i].identity == Identity{"hub1", "dev1", "", "g1"});
  for (const auto& [identity, patch] : world.twins.reports()) require(identity.device_id == "dev1");
  for (const auto& answer : world.methods.answers()) require(answer.from == IdentityKey{"hub1", "dev1", ""});
  require(world.sessions.count() <= 1);
  world.journal.forget();
  world.log.forget();
  world.twins.forget();
  world.methods.forget();
  world.commands.forget();
  return 0;
}
