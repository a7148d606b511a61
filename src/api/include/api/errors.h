// The table of errors (schema/errors.json) as data.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace picket::api {

struct ErrorInfo {
  std::string_view code;
  int status;             ///< HTTP.
  std::uint32_t hub;      ///< IoT Hub's six digits; 0: none.
  std::string_view mqtt;  ///< What an MQTT client sees: "close", "no PUBACK", "CONNACK 5"; empty: not over MQTT.
  std::string_view text;  ///< One sentence for people.
};

std::span<const ErrorInfo> all_errors();
/// nullptr: no such code.
const ErrorInfo* find_error(std::string_view code);

}  // namespace picket::api
