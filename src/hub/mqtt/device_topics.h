// Topics between hub and device that are no telemetry: what a device's request says, and the names of answers. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hub/commands.h"
#include "hub/hub_error.h"
#include "mqtt/property_bag.h"

namespace picket::hub {

/// Longest `$rid` that is answered.
inline constexpr std::size_t kRequestIdBytesMax = 256;

/// Value of `name` in a tail "?$rid=1&$version=2", as it was sent; `$` may be written %24. nullopt: not there, empty,
/// too long.
std::optional<std::string_view> parameter_of(std::string_view tail, std::string_view name);
inline std::optional<std::string_view> request_id_of(std::string_view tail) { return parameter_of(tail, "rid"); }

/// "$iothub/twin/res/200/?$rid=7", with a version "…&$version=3".
std::string twin_response_topic(int status, std::string_view request_id,
                                std::optional<std::uint64_t> version = std::nullopt);
/// "$iothub/twin/PATCH/properties/desired/?$version=3"
std::string desired_topic(std::uint64_t version);
/// {"errorCode":…,"message":"…"}: the Node SDK sees a failure by the body alone.
std::string error_body(const HubError& error);

/// "$iothub/methods/POST/{name}/?$rid=7"
std::string method_topic(std::string_view name, std::uint64_t call);
struct MethodAnswer {
  int status = 0;
  std::uint64_t call = 0;
};
/// Tail behind "$iothub/methods/res/": "200/?$rid=7". nullopt: no answer that the hub can have asked for.
std::optional<MethodAnswer> parse_method_answer(std::string_view tail);

/// "devices/{d}/messages/devicebound/{bag}"; for modules ".../inputs/{input}/{bag}", the input being the last part of
/// `$.to`, or "input1". `$.to` is added when the sender gave none.
std::string command_topic(std::string_view device_id, std::string_view module_id, const Command& command);
/// Packet id of a message: the same at each delivery, also after a restart, as MQTT 3.1.1 section 4.4 wants.
std::uint16_t command_packet_id(std::uint64_t sequence);

}  // namespace picket::hub
