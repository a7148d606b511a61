// A connection's core and a Proton client, joined in memory. Hub "hub1" with devices d (module m), e, off; policies
// service (ServiceConnect) and registry (none of it).
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <proton/disposition.h>

#include "base/core/encoding.h"
#include "fakes.h"
#include "hub/hub_settings.h"
#include "hub/memory_identity_store.h"
#include "hub_authenticator.h"
#include "proton_client.h"

namespace picket::hub::amqp {

inline constexpr std::string_view kTelemetryOfD = "/devices/d/messages/events";

class AmqpTest : public testing::Test {
 protected:
  AmqpTest() {
    const auto key = [](std::string_view text) { return Buffer(as_bytes(text).begin(), as_bytes(text).end()); };
    store_.put("hub1", "d", "",
               {.generation_id = "g1", .primary_key = key("key of d"), .secondary_key = key("second")});
    store_.put("hub1", "d", "m", {.generation_id = "g2", .primary_key = key("key of m")});
    store_.put("hub1", "e", "", {.generation_id = "g3", .primary_key = key("key of e")});
    store_.put("hub1", "off", "", {.generation_id = "g4", .enabled = false, .primary_key = key("key of off")});
    HubSettings settings{.name = "hub1"};
    settings.policies = {{"service", kServiceConnect, key("key of service"), {}},
                         {"registry", kRegistryRead, key("key of registry"), {}},
                         {"device", kDeviceConnect, key("key of device"), {}}};
    settings_.put(std::move(settings));
  }
  ~AmqpTest() override { core_.reset(); }

  void start(const ClientSasl& sasl = {}) {
    core_ = std::make_unique<Connection>(rim_, authenticator_, services_, limits_);
    client_ = std::make_unique<ProtonClient>(sasl);
    client_->tick(rim_.monotonic());
    pump();
    client_->tick(rim_.monotonic());
  }
  /// Moves bytes and answers until nothing more happens. Places are given at once unless `hold_places_`.
  void pump() {
    for (bool moved = true; moved;) {
      moved = false;
      const auto from_client = client_->output();
      if (!from_client.empty()) core_->input(from_client), moved = true;
      while (!hold_places_ && given_ < rim_.claims.size()) core_->granted(rim_.claims[given_++].first), moved = true;
      while (!hold_journal_ && !rim_.works.empty()) {
        const auto work = rim_.works.front();
        rim_.works.pop_front();
        core_->stored(work, true);
        moved = true;
      }
      while (!rim_.posted.empty()) {
        auto work = std::move(rim_.posted.front());
        rim_.posted.pop_front();
        work();
        moved = true;
      }
      Buffer to_client;
      if (core_->take_output(to_client, 1 << 20)) client_->input(to_client), moved = true;
    }
  }
  /// Time passes, in steps of a minute at most; the client keeps itself alive unless told not to.
  void advance(Duration by, bool keep_alive = true) {
    while (by > Duration{}) {
      const auto step = std::min(by, Duration::minutes(1));
      by = by - step;
      rim_.time = rim_.time + step;
      if (keep_alive) client_->tick(rim_.monotonic());
      pump();
      core_->tick();
      pump();
    }
  }

  std::string token(std::string_view device, std::string_view key, std::string_view module = "",
                    Duration lifetime = Duration::hours(1)) const {
    return make_sas_token("localhost", device, module, as_bytes(key), rim_.time + lifetime);
  }
  std::string policy_token(std::string_view policy, std::string_view key) const {
    return make_policy_token("localhost", policy, as_bytes(key), rim_.time + Duration::hours(1));
  }
  static std::string resource(std::string_view device, std::string_view module = "") {
    return percent_encode("localhost" + identity_path(device, module));
  }
  /// The status of the answer; 0: none came.
  std::int64_t put_token(const std::string& name, const std::string& text) {
    if (cbs_out_ == nullptr) {
      cbs_out_ = client_->sender("$cbs");
      cbs_in_ = client_->receiver("$cbs", 100);
      pump();
    }
    Message request{.message_id = "put " + std::to_string(++puts_), .to = "$cbs", .reply_to = "cbs"};
    request.application = {{"operation", "put-token"}, {"type", "servicebus.windows.net:sastoken"}, {"name", name}};
    request.value = Value(text);
    client_->send(cbs_out_, request);
    pump();
    return cbs_answer();
  }
  std::int64_t cbs_answer() {
    for (auto& received : cbs_in_->received) {
      if (to_text(received.message.correlation_id) != "put " + std::to_string(puts_)) continue;
      return find(received.message.application, "status-code")->integer().value_or(0);
    }
    return 0;
  }
  /// Connected as d.
  void start_as_d() {
    start();
    ASSERT_EQ(put_token(resource("d"), token("d", "key of d")), 200);
  }
  void start_as_service() {
    start();
    ASSERT_EQ(put_token("localhost", policy_token("service", "key of service")), 200);
  }
  ClientLink* sender(std::string_view address, const Map& properties = {}) {
    auto* const link = client_->sender(std::string(address), properties);
    pump();
    return link;
  }
  ClientLink* receiver(std::string_view address, int credit = 10, const Map& properties = {}, const Map& filter = {}) {
    auto* const link = client_->receiver(std::string(address), credit, properties, filter);
    pump();
    return link;
  }
  std::string send(ClientLink* link, const Message& message) {
    auto* const sending = client_->send(link, message);
    pump();
    return sending->outcome;
  }
  static Message text_message(std::string_view text) {
    Message out;
    out.data.assign(as_bytes(text).begin(), as_bytes(text).end());
    return out;
  }
  static std::string text_of(const Message& message) { return std::string(as_text(message.body())); }

  FakeRim rim_;
  FakeCommands commands_;
  FakeMethods methods_;
  FakeTwins twins_;
  FakeEvents events_;
  MemoryIdentityStore store_;
  HubSettingsStore settings_;
  HubAuthenticator authenticator_{{.default_hub = "hub1", .hub_of_host = {}}, store_, &settings_};
  Services services_{
      .commands = &commands_, .methods = &methods_, .twins = &twins_, .files = nullptr, .events = &events_};
  ConnectionLimits limits_;
  std::unique_ptr<Connection> core_;
  std::unique_ptr<ProtonClient> client_;
  ClientLink* cbs_out_ = nullptr;
  ClientLink* cbs_in_ = nullptr;
  int puts_ = 0;
  bool hold_places_ = false;
  bool hold_journal_ = false;
  std::size_t given_ = 0;
};

}  // namespace picket::hub::amqp
