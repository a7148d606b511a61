// Where the uplink stands, in words for people and programs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "agent/record.h"
#include "base/core/time.h"

namespace picket::agent {

enum class UplinkState : std::uint8_t {
  stopped,
  waiting,       ///< For the next attempt; `reason` says what failed.
  resolving,     ///< Asking for the address.
  connecting,    ///< TCP.
  tunnelling,    ///< CONNECT sent to the proxy.
  securing,      ///< TLS.
  upgrading,     ///< WebSocket handshake sent.
  provisioning,  ///< Asking the provisioning service for the hub.
  joining,       ///< MQTT CONNECT sent.
  connected,
};
std::string_view to_string(UplinkState state);

/// Why the last attempt or connection ended.
enum class UplinkProblem : std::uint8_t {
  none,
  name,
  network,
  proxy,
  tls,
  certificate,  ///< The hub's, or this device's own.
  denied,
  busy,
  protocol,
  lost,
};
std::string_view to_string(UplinkProblem problem);

struct UplinkStatus {
  UplinkState state = UplinkState::stopped;
  UplinkProblem problem = UplinkProblem::none;
  std::string reason;  ///< For people; empty when nothing is wrong.
  Timestamp since;     ///< Of `state`.
  std::string hub;     ///< "host:port" of the last attempt.
  Endpoint address;    ///< What TCP goes to: the hub's, or its proxy's; without an address before the first attempt.
  /// "mqtt" or "websocket", of the last attempt; with "auto", `fallback` says why it is not the first choice.
  std::string_view transport = "mqtt";
  std::string fallback;
  std::string identity;  ///< "device" or "device/module"; empty while provisioning has not told it.
  /// Whom the hub believes this device to be: HostName, `identity` and a mark of the key, which is another one when the
  /// device was made anew. Empty as `identity` is.
  std::string home;
  /// Of this device's own certificate, where it has one.
  std::optional<Timestamp> certificate_end;
  std::optional<Timestamp> next_attempt;
  std::optional<Timestamp> last_connected;
  std::optional<Timestamp> last_acknowledged;
  std::uint64_t attempts = 0;
  std::uint64_t connections = 0;
  std::uint64_t provisioned = 0;  ///< Assignments by the provisioning service.
  std::uint64_t sent = 0;         ///< Messages handed to a connection, repeats included.
  std::uint64_t sent_again = 0;   ///< Of these, repeats.
  std::uint64_t acknowledged = 0;
  std::uint64_t bytes_sent = 0;  ///< MQTT bytes, before TLS.
};

}  // namespace picket::agent
