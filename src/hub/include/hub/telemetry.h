// A published message as a journal record: properties, stamps, size.
#pragma once

#include <string_view>
#include <vector>

#include "hub/authentication.h"
#include "journal/record.h"
#include "mqtt/packet.h"
#include "mqtt/property_bag.h"

namespace picket::hub {

/// IoT Hub's limit of a device-to-cloud message: body, values of system properties, names and values of the others.
inline constexpr std::size_t kMessageBytesMax = 256 * 1024;

/// What is stamped on every message of a connection; made once, outlives the messages.
struct Sender {
  Identity identity;
  std::uint16_t partition = 0;
  std::string_view auth_method;  ///< Static storage.
};

/// Properties of a record: the hub's stamps first, so that a look-up by name finds those, then what the device sent.
/// Views point into `bag` and into static storage.
struct StampedProperties {
  std::vector<journal::Property> properties;
  std::uint64_t reserved_dropped = 0;  ///< Names that only the hub may use.
};
StampedProperties stamp(const Sender& sender, const mqtt::PropertyBag& bag, bool retain, bool will);

/// Names that belong to the hub (iothub-connection-*, iothub-enqueuedtime, iothub-message-source, ...).
bool is_reserved(std::string_view property_name);

}  // namespace picket::hub
