// How failures and ends are told to a client: AMQP's and IoT Hub's error conditions.
#pragma once

#include <string>
#include <string_view>

#include "base/core/time.h"
#include "engine.h"
#include "hub/disconnect_reason.h"
#include "hub/hub_error.h"

namespace picket::hub::amqp {

/// The error that tells a client why.
Condition condition_of(DisconnectReason reason, std::string_view detail);
/// The error for a failed operation.
Condition condition_of(const HubError& error);
/// IoT Hub's code of an end as clients are told it; 0: none.
int told_code(DisconnectReason reason);
/// The same as the operations log knows it.
int log_code(DisconnectReason reason);
/// IoT Hub's text form: "Error … Tracking ID…" with the code; what people look for in logs.
std::string tracked(int code, std::string_view text, Timestamp now);

}  // namespace picket::hub::amqp
