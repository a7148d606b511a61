#include "hub/hub_settings.h"

#include <gtest/gtest.h>

namespace picket::hub {
namespace {

TEST(HubSettings, ASnapshotStaysWhatItWasWhenTheHubChanges) {
  HubSettingsStore store;
  store.put({.name = "factory", .tier = "S1"});
  const auto before = store.of("factory");
  store.put({.name = "factory", .tier = "S3"});
  EXPECT_EQ(before->tier, "S1");
  EXPECT_EQ(store.of("factory")->tier, "S3");
  store.remove("factory");
  EXPECT_EQ(store.of("factory"), nullptr);
  EXPECT_EQ(before->tier, "S1");
}

TEST(HubSettings, FindsTheHubThatAHostNames) {
  HubSettingsStore store;
  store.put({.name = "factory"});
  store.put({.name = "other.example"});
  EXPECT_EQ(store.of_host("FACTORY.example.com:8883")->name, "factory");
  EXPECT_EQ(store.of_host("factory")->name, "factory");
  EXPECT_EQ(store.of_host("other.example")->name, "other.example");
  EXPECT_EQ(store.of_host("factor"), nullptr);
  EXPECT_EQ(store.of_host("x.factory"), nullptr);
}

TEST(HubSettings, RightsAreWrittenAndReadInIoTHubsWords) {
  for (std::uint32_t rights = 0; rights <= kAllRights; ++rights)
    EXPECT_EQ(rights_from_string(rights_to_string(rights)), rights);
  EXPECT_EQ(rights_to_string(kRegistryRead | kServiceConnect), "RegistryRead, ServiceConnect");
  EXPECT_EQ(rights_from_string("RegistryRead,DeviceConnect"), kRegistryRead | kDeviceConnect);
  EXPECT_EQ(rights_from_string("Everything"), std::nullopt);
}

TEST(HubSettings, ResourceIdHasTheShapeThatQueriesExpect) {
  EXPECT_EQ(hub_resource_id("5E1F", "Factory"),
            "/subscriptions/5e1f/resourcegroups/picket/providers/microsoft.devices/iothubs/factory");
}

}  // namespace
}  // namespace picket::hub
