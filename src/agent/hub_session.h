// What is said to a hub over MQTT: messages from the spool, their acknowledgements, direct methods.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/config.h"
#include "agent/connection_string.h"
#include "agent/spool.h"
#include "agent/twin_client.h"
#include "agent/uplink.h"
#include "mqtt_channel.h"

namespace picket::agent {

/// Made once, used for one connection after another. One thread: the loop's.
class HubSession final : public MqttChannel::Owner {
 public:
  struct Events {
    std::function<void()> connected;
    std::function<void(UplinkProblem, std::string)> ended;
    std::function<void()> drained;  ///< After hold(): nothing is on its way any more.
    Uplink::OnAcknowledged acknowledged;
    Uplink::OnMethod method;
    TwinClient* twin = nullptr;  ///< Kept in step with the hub, when there is one.
  };
  Events events;  ///< Set before begin().

  /// All outlive the session.
  HubSession(const UplinkOptions& options, EventLoop& loop, MqttChannel& channel, Spool& spool, UplinkStatus& status)
      : options_(options), loop_(loop), channel_(channel), spool_(spool), status_(status) {}

  /// Sends CONNECT over the channel's open transport.
  void begin(const ConnectionString& identity);
  /// Sends no new messages any more; `drained` is called when those on their way are acknowledged, maybe at once.
  void hold();
  /// The spool has something new. No system call when it has not.
  void wake();
  /// The connection is gone: everything on its way will be sent again.
  void forget();

  bool on_event(const mqtt::ClientEvent& event) override;
  void on_turn() override;
  void on_ended(UplinkProblem problem, std::string reason) override;

 private:
  /// A message on its way: kept as it was sent, so that a repeat on this connection is the same bytes.
  struct Sent {
    StreamId id;
    std::string topic;
    Buffer body;
  };
  bool on_connected();
  bool subscribe(std::span<const std::string_view> filters);
  bool on_message(const mqtt::Publish& message);
  bool ask_twin();
  void on_acknowledged(std::uint64_t token);
  void send_new();
  bool send_again();
  bool pump();
  bool publish(const SpoolEntry& entry);
  bool publish_bytes(const Sent& each);
  [[nodiscard]] std::size_t in_flight_bytes() const;

  const UplinkOptions& options_;
  EventLoop& loop_;
  MqttChannel& channel_;
  Spool& spool_;
  UplinkStatus& status_;
  ConnectionString identity_;
  std::deque<Sent> sent_;
  std::uint64_t pumped_ = 0;              ///< append_mark() of the spool when it was last asked for messages.
  std::optional<StreamId> highest_sent_;  ///< Anything up to here is a repeat.
  bool connected_ = false;
  bool holding_ = false;
};

}  // namespace picket::agent
