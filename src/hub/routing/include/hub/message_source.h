// What can be routed: device messages and the hub's own events in IoT Hub's form (spec/hub.md, section 1.5).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "hub/event_stream.h"
#include "journal/record.h"

namespace picket::hub {

/// Names as in routes: `to_string`.
enum class MessageSource : std::uint8_t {
  device_messages,
  twin_change_events,
  device_lifecycle_events,
  device_connection_state_events,
  digital_twin_change_events,  ///< Accepted in routes; this hub has no digital twin change events of its own.
};
inline constexpr std::size_t kMessageSources = 5;
std::string_view to_string(MessageSource source);
std::optional<MessageSource> message_source_of(std::string_view name);

struct RoutedMessage {
  MessageSource source = MessageSource::device_messages;
  StreamEvent event;
};

/// A message of a device that is no security message.
bool is_device_message(const journal::RecordView& record);

/// The message that a record of the journal stands for; nullopt: none that can be routed (security messages, ticks, …).
/// Device messages get the stamps iothub-enqueuedtime and iothub-message-source; events of the hub get
/// iothub-message-schema, opType and their documented bodies.
std::optional<RoutedMessage> routed_message_of(const journal::RecordView& record);

}  // namespace picket::hub
