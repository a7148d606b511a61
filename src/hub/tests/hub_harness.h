// A hub on a loopback port with one device "dev1" and its module "mod1", and a client that speaks MQTT packets to it.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/core/encoding.h"
#include "base/core/random.h"
#include "hub/memory_identity_store.h"
#include "hub/mqtt_head.h"
#include "hub/sas_token.h"
#include "memory_journal.h"
#include "mqtt/codec.h"
#include "net/certificate_authority.h"
#include "tls_client.h"

namespace picket::hub {

/// Stands still until told to move; any thread.
class TestClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return kStart + Duration{passed_us_.load()}; }
  [[nodiscard]] Duration monotonic() const override { return Duration::seconds(1000) + Duration{passed_us_.load()}; }
  void advance(Duration by) { passed_us_ += by.us; }
  static constexpr Timestamp kStart{1'790'000'000'000'000};

 private:
  std::atomic<std::int64_t> passed_us_ = 0;
};

class TestLog final : public OperationsLog {
 public:
  void record(const HubEvent& event) override {
    const std::scoped_lock lock(mutex_);
    events_.push_back(event);
  }
  [[nodiscard]] std::vector<HubEvent> of(HubEventKind kind) const {
    const std::scoped_lock lock(mutex_);
    std::vector<HubEvent> out;
    for (const auto& event : events_) {
      if (event.kind == kind) out.push_back(event);
    }
    return out;
  }
  /// "kind:reason" in order.
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::scoped_lock lock(mutex_);
    std::vector<std::string> out;
    for (const auto& event : events_) out.push_back(std::string(to_string(event.kind)) + ":" + event.reason);
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<HubEvent> events_;
};

inline bool eventually(const std::function<bool()>& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

inline const Buffer kPrimary = [] {
  return Buffer(as_bytes("primary key of dev1").begin(), as_bytes("primary key of dev1").end());
}();
inline Buffer bytes_of(std::string_view text) { return {as_bytes(text).begin(), as_bytes(text).end()}; }

/// What a client says; defaults are right for dev1.
struct Hello {
  std::string client_id = "dev1";
  std::string user_name = "localhost/dev1/?api-version=2021-04-12&DeviceClientType=test%2F1.0";
  std::string token;  ///< Empty: the right one for client_id.
  std::uint16_t keep_alive_s = 60;
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
    head_.reset();
    threads_.stop();
    std::filesystem::remove_all(directory_);
  }

  void start(std::function<void(MqttHeadOptions&)> change = {}) {
    const auto server = net::open_or_create_server_identity(directory_, {}, system_clock().now()).value();
    tls_ =
        net::TlsContext::create({.certificate_pem = server.certificate_pem, .private_key_pem = server.private_key_pem})
            .value();
    MqttHeadOptions options{.hubs = {.default_hub = "hub1"}, .tick = Duration::milliseconds(5)};
    options.listener.address = "127.0.0.1";
    options.listener.port = 0;
    if (change) change(options);
    head_ = MqttHead::open({threads_, *tls_, store_, journal_, log_, clock_}, options).value();
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
    mqtt::Connect packet{
        .client_id = hello.client_id, .clean_session = false, .keep_alive_s = hello.keep_alive_s, .will = hello.will};
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
    EXPECT_EQ(answer_to(*client, hello), "20020000");
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

  std::string directory_ = testing::TempDir() + "/hub-" + random_uuid();
  TestClock clock_;
  TestLog log_;
  MemoryJournal journal_;
  MemoryIdentityStore store_;
  net::IoThreads threads_{2};
  std::unique_ptr<net::TlsContext> tls_;
  std::unique_ptr<MqttHead> head_;
};

}  // namespace picket::hub
