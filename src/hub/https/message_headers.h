// Properties of a message as HTTP headers, and back (spec/hub.md 1.2). Pure.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "base/core/result.h"
#include "http/message.h"
#include "mqtt/property_bag.h"

namespace picket::hub {

/// `iothub-*` headers as the properties that MQTT would carry: iothub-messageid is "$.mid", iothub-app-x is "x".
/// `own_path`: an iothub-to that names it is what every SDK sends, and says nothing. Values that are not UTF-8 are read
/// as Latin-1, which is what HTTP clients send. Errors: malformed (a system property twice, an empty name, control
/// characters), limit_exceeded (mqtt::kPropertiesMax).
Result<mqtt::PropertyBag> properties_of(std::span<const http::Header> headers, std::string_view own_path);

/// The same for the members of `properties` in a batch.
Result<mqtt::PropertyBag> properties_of(std::span<const http::Header> members);

/// Properties of a message to a device as headers. Names that cannot be a header are percent-encoded.
std::vector<http::Header> headers_of(std::span<const std::pair<std::string, std::string>> properties);

}  // namespace picket::hub
