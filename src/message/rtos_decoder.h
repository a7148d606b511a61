// FlatBuffers 2.x of the RTOS module (spec/security-message.md, section 4.2).
#pragma once

#include <string_view>

#include "json_decoder.h"
#include "message/decoder.h"

namespace picket::message {

/// Verifies and reads the whole buffer, writes it anew as JSON with the names and keys of schema/events.yaml, and lets
/// `json` do the rest: there is one way from a payload item to a row. `version` is "2.0" or "2.3", from the mti.
Result<SecurityMessage> decode_rtos(Bytes body, std::string_view version, const Limits& limits, JsonDecoder& json);

}  // namespace picket::message
