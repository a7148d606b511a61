#include "mqtt/topic.h"

#include <array>

namespace picket::mqtt {
namespace {

/// "devices/{device}/" or "devices/{device}/modules/{module}/".
std::string identity_prefix(std::string_view device_id, std::string_view module_id) {
  std::string out = "devices/";
  out.append(device_id).append("/");
  if (!module_id.empty()) out.append("modules/").append(module_id).append("/");
  return out;
}

bool consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Behind "devices/{device}/" or "devices/{device}/modules/{module}/". Ids hold no '/'.
bool consume_identity(std::string_view& text, std::string_view device_id, std::string_view module_id) {
  auto rest = text;
  if (!consume(rest, "devices/") || !consume(rest, device_id) || !consume(rest, "/")) return false;
  if (!module_id.empty()) {
    if (!consume(rest, "modules/") || !consume(rest, module_id) || !consume(rest, "/")) return false;
  }
  text = rest;
  return true;
}

struct PublishShape {
  std::string_view prefix;
  PublishKind kind;
};
constexpr std::array kPublishShapes = {
    PublishShape{"$iothub/twin/GET/", PublishKind::twin_get},
    PublishShape{"$iothub/twin/PATCH/properties/reported/", PublishKind::twin_reported},
    PublishShape{"$iothub/methods/res/", PublishKind::method_response},
};

PublishTopic with_tail(PublishKind kind, std::string_view tail) {
  // Ids are literals and may hold these two characters; a tail is percent-encoded and may not.
  if (tail.find_first_of("#+") != std::string_view::npos) return {};
  return {kind, tail};
}

}  // namespace

std::string telemetry_prefix(std::string_view device_id, std::string_view module_id) {
  return identity_prefix(device_id, module_id).append("messages/events/");
}

std::optional<Filter> filter_of(std::string_view filter, std::string_view device_id, std::string_view module_id) {
  if (filter == "$iothub/twin/res/#") return Filter::twin_responses;
  if (filter == "$iothub/twin/PATCH/properties/desired/#") return Filter::twin_desired;
  if (filter == "$iothub/methods/POST/#") return Filter::methods;
  if (!consume_identity(filter, device_id, module_id)) return std::nullopt;
  if (module_id.empty() && filter == "messages/devicebound/#") return Filter::devicebound;
  // The SDKs subscribe to the first, the documentation names the second.
  if (!module_id.empty() && (filter == "inputs/#" || filter == "#")) return Filter::module_inputs;
  return std::nullopt;
}

PublishTopic publish_topic_of(std::string_view topic, std::string_view device_id, std::string_view module_id) {
  std::string_view tail = topic;
  if (consume_identity(tail, device_id, module_id)) {
    // Some SDKs leave out the slash when there are no properties.
    if (tail == "messages/events") return {PublishKind::telemetry, {}};
    if (consume(tail, "messages/events/")) return with_tail(PublishKind::telemetry, tail);
    if (module_id.empty() && tail.starts_with("modules/")) return {PublishKind::foreign, {}};
    return {};
  }
  for (const auto& shape : kPublishShapes) {
    tail = topic;
    if (consume(tail, shape.prefix)) return with_tail(shape.kind, tail);
  }
  return {topic.starts_with("devices/") ? PublishKind::foreign : PublishKind::unknown, {}};
}

}  // namespace picket::mqtt
