#include "hub/message_source.h"

#include <gtest/gtest.h>

namespace picket::hub {
namespace {

std::string property(const RoutedMessage& message, std::string_view name) {
  for (const auto& [key, value] : message.event.properties) {
    if (key == name) return value;
  }
  return "(absent)";
}

/// Owns what a record borrows.
struct Recorded {
  journal::RecordKind kind;
  std::vector<journal::Property> properties;
  std::string body;
  Identity identity{"h", "d", "", "g"};

  [[nodiscard]] std::optional<RoutedMessage> routed() const {
    journal::RecordView view;
    view.kind = kind;
    view.identity = identity;
    view.properties = properties;
    view.body = as_bytes(body);
    view.enqueued = {1'700'000'000'000'000};
    view.id = {0, 42};
    return routed_message_of(view);
  }
};

TEST(MessageSource, DeviceMessageKeepsItsPropertiesAndGetsTheStamps) {
  const auto message = Recorded{journal::RecordKind::message, {{"$.mid", "1"}, {"level", "hot"}}, "x"}.routed();
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(message->source, MessageSource::device_messages);
  EXPECT_EQ(property(*message, "level"), "hot");
  EXPECT_EQ(property(*message, "iothub-message-source"), "Telemetry");
  EXPECT_EQ(property(*message, "iothub-enqueuedtime").substr(0, 20), "2023-11-14T22:13:20.");
}

TEST(MessageSource, SecurityMessagesAreForThePipelineAlone) {
  EXPECT_FALSE(
      Recorded({journal::RecordKind::message, {{"$.ifid", "urn:azureiot:Security:SecurityAgent:1"}}, "x"}).routed());
}

TEST(MessageSource, ConnectionsBecomeNotificationsWithRisingNumbers) {
  const auto message = Recorded{journal::RecordKind::hub_event, {}, R"({"v":2,"kind":"disconnect"})"}.routed();
  ASSERT_TRUE(message.has_value());
  EXPECT_EQ(property(*message, "iothub-message-schema"), "deviceConnectionStateNotification");
  EXPECT_EQ(property(*message, "opType"), "deviceDisconnected");
  EXPECT_EQ(as_text(message->event.body), R"({"sequenceNumber":"0000000000000000000000000000002A"})");
  EXPECT_FALSE(Recorded({journal::RecordKind::hub_event, {}, R"({"kind":"auth_failed"})"}).routed());
  EXPECT_FALSE(Recorded({journal::RecordKind::hub_event, {}, "not json"}).routed());
}

TEST(MessageSource, RegistryAndTwinChangesBecomeTheirNotifications) {
  const auto created = Recorded{journal::RecordKind::audit, {{"kind", "device.create"}}, R"({"hub":"h"})"}.routed();
  ASSERT_TRUE(created.has_value());
  EXPECT_EQ(property(*created, "opType"), "createDeviceIdentity");
  const auto module =
      Recorded{journal::RecordKind::audit, {{"kind", "module.delete"}}, R"({"hub":"h","module":"m"})"}.routed();
  ASSERT_TRUE(module.has_value());
  EXPECT_EQ(property(*module, "opType"), "deleteModuleIdentity");
  const auto twin =
      Recorded{journal::RecordKind::audit, {{"kind", "twin.update"}}, R"({"patch":{"tags":{"a":1}}})"}.routed();
  ASSERT_TRUE(twin.has_value());
  EXPECT_EQ(twin->source, MessageSource::twin_change_events);
  EXPECT_EQ(as_text(twin->event.body), R"({"tags":{"a":1}})");
  EXPECT_FALSE(Recorded({journal::RecordKind::audit, {{"kind", "key.read"}}, "{}"}).routed());
  EXPECT_FALSE(Recorded({journal::RecordKind::tick, {}, ""}).routed());
}

}  // namespace
}  // namespace picket::hub
