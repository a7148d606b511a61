// Topics of IoT Hub. They look like a tree but are a fixed list of shapes; device ids in them are literals.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace picket::mqtt {

/// "devices/{device}/messages/events/" or "devices/{device}/modules/{module}/messages/events/"; a property bag may
/// follow.
std::string telemetry_prefix(std::string_view device_id, std::string_view module_id);

/// The topics a device may subscribe to (one bit each in a stored session) and the ones it may publish to.
enum class Filter : std::uint8_t { devicebound, module_inputs, twin_responses, twin_desired, methods };

/// Which of the documented filters `filter` is for this device or module (`module_id` empty: the device). Compared as
/// literals: no wildcards of one's own. nullopt: not one of them, or another identity's.
std::optional<Filter> filter_of(std::string_view filter, std::string_view device_id, std::string_view module_id);

enum class PublishKind : std::uint8_t {
  telemetry,        ///< tail: the property bag, still encoded.
  twin_get,         ///< $iothub/twin/GET/          tail: "?$rid=..."
  twin_reported,    ///< $iothub/twin/PATCH/properties/reported/   tail: "?$rid=..."
  method_response,  ///< $iothub/methods/res/       tail: "{status}/?$rid=..."
  foreign,          ///< A telemetry topic of another device or module.
  unknown,          ///< No topic of ours.
};

struct PublishTopic {
  PublishKind kind = PublishKind::unknown;
  std::string_view tail;  ///< View into the topic.
  friend bool operator==(const PublishTopic&, const PublishTopic&) = default;
};

/// What a topic published by this device or module means. A tail with a wildcard character makes it unknown.
PublishTopic publish_topic_of(std::string_view topic, std::string_view device_id, std::string_view module_id);

}  // namespace picket::mqtt
