// The heads of the hub: one a protocol, on the services that stand behind all of them.
#include <fmt/format.h>

#include "device_hub.h"

namespace picket::server {

Result<> DeviceHub::start_heads(std::string& detail) {
  const auto listening = [&](std::string_view protocol, std::uint16_t port) {
    detail = fmt::format("{} port {} of {}", protocol, port, options_.address);
  };
  listening("MQTT", options_.mqtt_port);
  TRY_VOID(open_mqtt());
  listening("AMQP", options_.amqp_port);
  TRY_VOID(open_amqp());
  listening("HTTPS", options_.https_port);
  TRY_VOID(open_https());
  detail.clear();
  automation_->start();
  return {};
}

Result<> DeviceHub::open_mqtt() {
  hub::MqttHeadOptions mqtt{.hubs = {.default_hub = options_.hub}};
  mqtt.listener.address = options_.address;
  mqtt.listener.port = options_.mqtt_port;
  TRY(mqtt_, hub::MqttHead::open({.threads = needs_.threads,
                                  .tls = needs_.tls,
                                  .identities = identities_,
                                  .journal = needs_.messages,
                                  .log = online_log_,
                                  .clock = needs_.clock,
                                  .directory = directory_,
                                  .settings = &settings_,
                                  .presence = &needs_.presence,
                                  .sessions = sessions_.get(),
                                  .twins = &device_twins_,
                                  .methods = audited_methods_.get(),
                                  .commands = commands_.get(),
                                  .throttle = &throttle_,
                                  .counters = &operation_counters_,
                                  .provisioning = provisioning_.get()},
                                 std::move(mqtt)));
  return {};
}

Result<> DeviceHub::open_amqp() {
  hub::AmqpHeadOptions amqp{.hubs = {.default_hub = options_.hub}};
  amqp.listener.address = options_.address;
  amqp.listener.port = options_.amqp_port;
  TRY(amqp_, hub::AmqpHead::open({.threads = needs_.threads,
                                  .tls = needs_.tls,
                                  .identities = identities_,
                                  .journal = needs_.messages,
                                  .log = online_log_,
                                  .clock = needs_.clock,
                                  .directory = directory_,
                                  .settings = &settings_,
                                  .presence = &needs_.presence,
                                  .throttle = &throttle_,
                                  .counters = &operation_counters_,
                                  .commands = commands_.get(),
                                  .methods = audited_methods_.get(),
                                  .twins = &twins_,
                                  .files = files_.get(),
                                  .events = events_.get()},
                                 std::move(amqp)));
  return {};
}

Result<> DeviceHub::open_https() {
  hub::HttpsHeadOptions https{.hubs = {.default_hub = options_.hub}};
  https.listener.address = options_.address;
  https.listener.port = options_.https_port;
  https.registry_directory = options_.registry;
  TRY(https_,
      hub::HttpsHead::open(
          {.threads = needs_.threads,
           .tls = needs_.tls,
           .identities = identities_,
           .journal = needs_.messages,
           .log = online_log_,
           .clock = needs_.clock,
           .directory = &directory_,
           .counters = &operation_counters_,
           .throttle = &throttle_,
           .settings = &settings_,
           .registry = &registry_,
           .twins = &twins_,
           .methods = audited_methods_.get(),
           .commands = commands_.get(),
           .files = files_.get(),
           .provisioning = provisioning_.get(),
           .queries = queries_.get(),
           .jobs = &automation_->jobs(),
           .configurations = &automation_->configurations(),
           .connected_devices =
               [this](std::string_view) { return mqtt_->stats().connected + amqp_->stats().connected; },
           .websocket = {{"mqtt", [this](net::Connection connection) { return mqtt_->serve(std::move(connection)); }},
                         {"AMQPWSB10",
                          [this](net::Connection connection) { return amqp_->serve(std::move(connection)); }}}},
          std::move(https)));
  return {};
}

}  // namespace picket::server
