#include "hub/message_source.h"

#include <array>

#include <boost/json.hpp>
#include <fmt/format.h>

#include "base/core/json_writer.h"
#include "base/core/time.h"

namespace picket::hub {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, kMessageSources> kSources = {
    "DeviceMessages", "TwinChangeEvents", "DeviceLifecycleEvents", "DeviceConnectionStateEvents",
    "DigitalTwinChangeEvents"};
/// Value of the stamp iothub-message-source, by MessageSource.
constexpr std::array<std::string_view, kMessageSources> kStamps = {
    "Telemetry", "twinChangeEvents", "deviceLifecycleEvents", "deviceConnectionStateEvents", "digitalTwinChangeEvents"};
constexpr std::string_view kSecurityInterface = "urn:azureiot:Security:SecurityAgent:1";

std::optional<json::object> parse_object(Bytes body) {
  boost::system::error_code failed;
  auto value = json::parse(as_text(body), failed);
  if (failed || !value.is_object()) return std::nullopt;
  return std::move(value.get_object());
}

std::string_view text_of(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

RoutedMessage message_of(const journal::RecordView& record, MessageSource source, Buffer body) {
  RoutedMessage out{.source = source,
                    .event = {.sequence = record.id.sequence,
                              .enqueued = record.enqueued,
                              .identity = record.identity.to_identity(),
                              .properties = {},
                              .body = std::move(body)}};
  auto& properties = out.event.properties;
  properties.emplace_back("iothub-message-source", kStamps[static_cast<std::size_t>(source)]);
  properties.emplace_back("iothub-enqueuedtime", format_rfc3339(record.enqueued));
  return out;
}

/// Events of the hub: JSON, and the properties that routes ask for.
RoutedMessage event_of(const journal::RecordView& record, MessageSource source, std::string_view schema,
                       std::string_view operation, std::string body) {
  const auto bytes = as_bytes(body);
  auto out = message_of(record, source, Buffer(bytes.begin(), bytes.end()));
  const Identity& identity = out.event.identity;
  auto& properties = out.event.properties;
  properties.emplace_back("$.ct", "application/json");
  properties.emplace_back("$.ce", "utf-8");
  properties.emplace_back("iothub-message-schema", schema);
  properties.emplace_back("opType", operation);
  properties.emplace_back("hubName", identity.hub);
  properties.emplace_back("deviceId", identity.device_id);
  if (!identity.module_id.empty()) properties.emplace_back("moduleId", identity.module_id);
  properties.emplace_back("operationTimestamp", format_rfc3339(record.enqueued));
  return out;
}

std::optional<RoutedMessage> device_message(const journal::RecordView& record) {
  const auto* interface_id = record.property("$.ifid");
  if (interface_id != nullptr && *interface_id == kSecurityInterface) return std::nullopt;
  auto out = message_of(record, MessageSource::device_messages, Buffer(record.body.begin(), record.body.end()));
  for (const auto& property : record.properties) out.event.properties.emplace_back(property.name, property.value);
  return out;
}

std::optional<RoutedMessage> connection_event(const journal::RecordView& record) {
  const auto event = parse_object(record.body);
  if (!event) return std::nullopt;
  const auto kind = text_of(*event, "kind");
  if (kind != "connect" && kind != "disconnect") return std::nullopt;
  // Rising for each identity, as documented; the journal's own number is.
  const std::string body = fmt::format(R"({{"sequenceNumber":"{:032X}"}})", record.id.sequence);
  return event_of(record, MessageSource::device_connection_state_events, "deviceConnectionStateNotification",
                  kind == "connect" ? "deviceConnected" : "deviceDisconnected", body);
}

std::optional<RoutedMessage> change_event(const journal::RecordView& record) {
  const auto* kind = record.property("kind");
  if (kind == nullptr) return std::nullopt;
  const auto body = parse_object(record.body);
  if (!body) return std::nullopt;
  if (*kind == "twin.update" || *kind == "twin.replace") {
    const auto* patch = body->if_contains("patch");
    return event_of(record, MessageSource::twin_change_events, "twinChangeNotification",
                    *kind == "twin.update" ? "updateTwin" : "replaceTwin",
                    patch != nullptr ? json::serialize(*patch) : "{}");
  }
  const bool created = *kind == "device.create" || *kind == "module.create";
  if (!created && *kind != "device.delete" && *kind != "module.delete") return std::nullopt;
  JsonWriter out;
  out.begin_object().key("deviceId").value(record.identity.device_id);
  if (const auto module = text_of(*body, "module"); !module.empty()) out.key("moduleId").value(module);
  const bool module = kind->starts_with("module");
  return event_of(record, MessageSource::device_lifecycle_events, "deviceLifecycleNotification",
                  created ? (module ? "createModuleIdentity" : "createDeviceIdentity")
                          : (module ? "deleteModuleIdentity" : "deleteDeviceIdentity"),
                  out.end_object().take());
}

}  // namespace

std::string_view to_string(MessageSource source) { return kSources[static_cast<std::size_t>(source)]; }

std::optional<MessageSource> message_source_of(std::string_view name) {
  for (std::size_t i = 0; i < kSources.size(); ++i) {
    if (kSources[i] == name) return static_cast<MessageSource>(i);
  }
  return std::nullopt;
}

bool is_device_message(const journal::RecordView& record) {
  if (record.kind != journal::RecordKind::message) return false;
  const auto* interface_id = record.property("$.ifid");
  return interface_id == nullptr || *interface_id != kSecurityInterface;
}

std::optional<RoutedMessage> routed_message_of(const journal::RecordView& record) {
  switch (record.kind) {
    case journal::RecordKind::message:
      return device_message(record);
    case journal::RecordKind::hub_event:
      return connection_event(record);
    case journal::RecordKind::audit:
      return change_event(record);
    default:
      return std::nullopt;
  }
}

}  // namespace picket::hub
