#include "hub/telemetry.h"

namespace picket::hub {

bool is_reserved(std::string_view name) {
  return name.starts_with("iothub-connection-") || name == "iothub-enqueuedtime" || name == "iothub-message-source" ||
         name == "iothub-MessageType";
}

StampedProperties stamp(const Sender& sender, const mqtt::PropertyBag& bag, bool retain, bool will) {
  StampedProperties out;
  out.properties.reserve(bag.properties().size() + 3);
  out.properties.push_back({"iothub-connection-auth-method", sender.auth_method});
  if (will) out.properties.push_back({"iothub-MessageType", "Will"});
  for (const auto& property : bag.properties()) {
    if (is_reserved(property.name)) {
      ++out.reserved_dropped;
      continue;
    }
    out.properties.push_back({property.name, property.value ? std::string_view(*property.value) : std::string_view()});
  }
  if (retain) out.properties.push_back({"mqtt-retain", "true"});  // a hub keeps no retained messages
  return out;
}

}  // namespace picket::hub
