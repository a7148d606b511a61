// Where AMQP carries the system properties that records name "$.mid", "$.ct", … Pure.
#pragma once

#include <string_view>

#include "message.h"

namespace picket::hub::amqp {

/// Puts a property of a record into a message for a client: the system properties to AMQP's own places and IoT Hub's
/// annotations, application properties among theirs. Other names that begin with "$." have no place and are left out.
void put_property(Message& message, std::string_view name, std::string_view value);

}  // namespace picket::hub::amqp
