// A hub on a loopback port with one device "dev1" and its module "mod1", and a client that speaks MQTT packets to it.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/encoding.h"
#include "base/core/random.h"
#include "fake_services.h"
#include "hub/memory_identity_store.h"
#include "hub/mqtt_head.h"
#include "hub/sas_token.h"
#include "hub_testing.h"
#include "memory_journal.h"
#include "mqtt/codec.h"
#include "net/certificate_authority.h"
#include "tls_client.h"

namespace picket::hub {

inline const Buffer kPrimary = [] {
  return Buffer(as_bytes("primary key of dev1").begin(), as_bytes("primary key of dev1").end());
}();
inline constexpr std::string_view kTwinResponses = "$iothub/twin/res/#";
inline constexpr std::string_view kDesired = "$iothub/twin/PATCH/properties/desired/#";
inline constexpr std::string_view kMethods = "$iothub/methods/POST/#";
inline constexpr std::string_view kDevicebound = "devices/dev1/messages/devicebound/#";

/// What a client says; defaults are right for dev1.
struct Hello {
  std::string client_id = "dev1";
  std::string user_name = "localhost/dev1/?api-version=2021-04-12&DeviceClientType=test%2F1.0";
  std::string token;  ///< Empty: the right one for client_id.
  std::uint16_t keep_alive_s = 60;
  bool clean = false;
  std::optional<mqtt::Will> will;
};

class HubTest : public testing::Test {
 protected:
  HubTest() {
    store_.put("hub1", "dev1", "",
               {.generation_id = "g1", .primary_key = kPrimary, .secondary_key = bytes_of("secondary")});
    store_.put("hub1", "dev1", "mod1", {.generation_id = "g2", .primary_key = bytes_of("module key")});
    store_.put("hub1", "dev2", "", {.generation_id = "g3", .primary_key = bytes_of("key of dev2")});
  }
  ~HubTest() override {
    stop();
    threads_.stop();
    std::filesystem::remove_all(folder_);
  }

  void start(const std::function<void(MqttHeadOptions&)>& change = {}) {
    if (!tls_) {
      const auto server = net::open_or_create_server_identity(folder_, {}, system_clock().now()).value();
      tls_ = net::TlsContext::create(
                 {.certificate_pem = server.certificate_pem, .private_key_pem = server.private_key_pem})
                 .value();
    }
    MqttHeadOptions options{.hubs = {.default_hub = "hub1"}};
    options.listener.address = "127.0.0.1";
    options.listener.port = 0;
    options.listener.accepts_burst = 1e6;
    if (change) change(options);
    directory_ = std::make_unique<Directory>(threads_, clock_, links_);
    head_ = MqttHead::open({.threads = threads_,
                            .tls = *tls_,
                            .identities = *identities_,
                            .journal = journal_,
                            .log = log_,
                            .clock = clock_,
                            .directory = *directory_,
                            .settings = &settings_,
                            .sessions = &sessions_,
                            .twins = twins_on_ ? &twins_ : nullptr,
                            .methods = &methods_,
                            .commands = &commands_,
                            .throttle = &throttle_,
                            .counters = &counters_,
                            .provisioning = provisioning_},
                           options)
                .value();
  }
  /// As the server does: the head first.
  void stop() {
    head_.reset();
    if (directory_) directory_->stop();
    directory_.reset();
  }
  void restart() {
    stop();
    start();
  }

  std::string token(std::string_view device, std::string_view module, std::string_view key,
                    Duration lifetime = Duration::hours(1)) const {
    return make_sas_token("localhost", device, module, as_bytes(key), clock_.now() + lifetime);
  }
  Buffer connect_packet(const Hello& hello) const {
    const auto slash = hello.client_id.find('/');
    const auto device = hello.client_id.substr(0, slash);
    const auto key = device == "dev2"             ? "key of dev2"
                     : slash == std::string::npos ? "primary key of dev1"
                                                  : "module key";
    const auto password = !hello.token.empty()
                              ? hello.token
                              : token(device, slash == std::string::npos ? "" : hello.client_id.substr(slash + 1), key);
    mqtt::Connect packet{.client_id = hello.client_id,
                         .clean_session = hello.clean,
                         .keep_alive_s = hello.keep_alive_s,
                         .will = hello.will};
    packet.user_name = hello.user_name;
    packet.password = mqtt::Payload{as_bytes(password)};
    return encoded(packet);
  }
  static Buffer encoded(const mqtt::Packet& packet) {
    Buffer out;
    mqtt::encode(packet, out, {.literal_wildcards = true}).value();
    return out;
  }
  static Buffer publish_packet(std::uint16_t id, std::string_view body, std::string_view bag = "",
                               std::string_view prefix = "devices/dev1/messages/events/") {
    const auto topic = std::string(prefix) + std::string(bag);
    return encoded(mqtt::Publish{.topic = topic,
                                 .payload = {as_bytes(body)},
                                 .qos = id == 0 ? mqtt::QoS::at_most_once : mqtt::QoS::at_least_once,
                                 .packet_id = id});
  }
  std::unique_ptr<net::TestClient> open_client() { return net::TestClient::connect(head_->port()); }
  static std::string receive(net::TestClient& client, std::size_t n) {
    const auto bytes = client.receive(n);
    return bytes ? to_hex(*bytes) : "closed";
  }
  /// The answer to CONNECT, in hex.
  std::string answer_to(net::TestClient& client, const Hello& hello) {
    client.send(connect_packet(hello));
    return receive(client, 4);
  }
  /// A connected client.
  std::unique_ptr<net::TestClient> connect(const Hello& hello = {}) {
    auto client = open_client();
    EXPECT_THAT(answer_to(*client, hello), testing::AnyOf("20020000", "20020100"));
    return client;
  }
  static Hello module_hello() {
    return {.client_id = "dev1/mod1", .user_name = "localhost/dev1/mod1/?api-version=2021-04-12"};
  }
  static std::string puback(std::uint16_t id) { return to_hex(encoded(mqtt::Puback{id})); }
  std::uint64_t disconnects(DisconnectReason reason) {
    return head_->stats().disconnects[static_cast<std::size_t>(reason)];
  }
  /// The connection ends, and for this reason.
  void expect_end(net::TestClient& client, DisconnectReason reason) {
    EXPECT_TRUE(client.closed_by_peer());
    EXPECT_TRUE(eventually([&] { return disconnects(reason) == 1; })) << to_string(reason);
  }

  /// SUBSCRIBE of one filter, and its answer in hex: "9003" + id + code.
  std::string subscribe(net::TestClient& client, std::string_view filter, mqtt::QoS qos = mqtt::QoS::at_most_once) {
    client.send(encoded(mqtt::Subscribe{7, {{filter, qos}}}));
    return receive(client, 5);
  }
  /// A packet from the hub; the views live as long as the result.
  struct Received {
    Buffer bytes;
    mqtt::Packet packet;
    [[nodiscard]] const mqtt::Publish& publish() const { return std::get<mqtt::Publish>(packet); }
    [[nodiscard]] std::string text() const {
      const auto& p = publish();
      return std::string(p.topic) + " " + std::string(as_text(p.payload.bytes));
    }
  };
  static std::unique_ptr<Received> next(net::TestClient& client) {
    auto out = std::make_unique<Received>();
    while (true) {
      const auto more = client.receive(1);
      if (!more) return nullptr;
      append(out->bytes, *more);
      Cursor in{out->bytes};
      const auto packet = mqtt::decode(in, {.literal_wildcards = true}, mqtt::Role::client);
      if (!packet) return nullptr;
      if (*packet) {
        out->packet = **packet;
        return out;
      }
    }
  }
  /// Topic and body of the next PUBLISH.
  static std::string next_text(net::TestClient& client) {
    const auto received = next(client);
    return received && std::holds_alternative<mqtt::Publish>(received->packet) ? received->text() : "nothing";
  }
  /// Nothing was sent to this client before now.
  static void expect_silence(net::TestClient& client) {
    client.send(encoded(mqtt::Pingreq{}));
    EXPECT_EQ(receive(client, 2), "d000");
  }
  static DesiredPatch desired(std::string patch, std::uint64_t version) {
    return {std::make_shared<const std::string>(std::move(patch)), version};
  }
  /// True: the identity's connection took it.
  bool notify(const IdentityKey& key, Notification notification) {
    std::promise<bool> taken;
    directory_->notify(key, std::move(notification), [&](bool yes) { taken.set_value(yes); });
    return taken.get_future().get();
  }
  static mqtt::Publish request(std::string_view topic, std::string_view body = " ") {
    return {.topic = topic, .payload = {as_bytes(body)}};
  }

  std::string folder_ = testing::TempDir() + "/hub-" + random_uuid();
  TestClock clock_;
  TestLog log_;
  MemoryJournal journal_;
  MemoryIdentityStore store_;
  const IdentityStore* identities_ = &store_;
  HubSettingsStore settings_;
  Throttle throttle_;
  OperationCounters counters_{log_};
  FakeSessions sessions_;
  FakeTwins twins_;
  FakeMethods methods_;
  FakeCommands commands_;
  Provisioning* provisioning_ = nullptr;
  bool twins_on_ = true;
  DirectoryOptions links_{.tick = Duration::milliseconds(5)};
  net::IoThreads threads_{2};
  std::unique_ptr<net::TlsContext> tls_;
  std::unique_ptr<Directory> directory_;
  std::unique_ptr<MqttHead> head_;
};

}  // namespace picket::hub
