// The talk with the provisioning service over MQTT: register, ask how it stands, be told the hub.
#pragma once

#include <functional>
#include <string>

#include "agent/provisioning.h"
#include "mqtt_channel.h"

namespace picket::agent {

/// Made once, used for one registration after another. One thread: the loop's.
class ProvisioningSession final : public MqttChannel::Owner {
 public:
  static constexpr Duration kPollEvery = Duration::seconds(2);  ///< When the service names no time of its own.
  static constexpr unsigned kPollsMax = 30;

  struct Events {
    /// The connection still stands; the owner ends it.
    std::function<void(const Assignment&)> assigned;
    /// The connection is gone.
    std::function<void(UplinkProblem, std::string)> ended;
  };
  Events events;  ///< Set before begin().

  ProvisioningSession(EventLoop& loop, MqttChannel& channel)
      : loop_(loop), channel_(channel), poll_timer_(loop.add_timer([this] { poll(); })) {}

  /// Sends CONNECT over the channel's open transport. `options` outlives the registration.
  void begin(const ProvisioningOptions& options, std::string_view client_version, Duration connect_timeout);
  /// Stops asking.
  void forget() { loop_.stop_timer(poll_timer_); }

  bool on_event(const mqtt::ClientEvent& event) override;
  void on_turn() override;
  void on_ended(UplinkProblem problem, std::string reason) override;

 private:
  bool subscribe();
  bool send(const std::string& topic, std::string_view body);
  bool on_answer(const mqtt::Publish& message);
  void poll();

  EventLoop& loop_;
  MqttChannel& channel_;
  std::uint32_t poll_timer_;
  const ProvisioningOptions* options_ = nullptr;
  std::uint64_t request_ = 0;  ///< Number of the newest request: its $rid.
  std::string operation_id_;
  unsigned polls_ = 0;
  Assignment assignment_;
  bool assigned_ = false;
};

}  // namespace picket::agent
