#include "sbom/inventory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::sbom {
namespace {

using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;
using Kind = Item::Kind;

Timestamp at(std::int64_t minutes) { return Timestamp{} + Duration::days(20'000) + Duration::minutes(minutes); }
Item item(Kind kind, std::string name, std::string version = "1") {
  return {kind, {.type = "deb", .name = std::move(name), .version = std::move(version), .architecture = "amd64"}};
}

class DeviceInventory : public ::testing::Test {
 protected:
  InventoryChange send(std::string snapshot, std::int64_t minute, std::vector<Item> items) {
    return inventory_.apply(device_, "agent", snapshot, at(minute), items);
  }
  std::vector<std::string> names() {
    std::vector<std::string> out;
    for (const ComponentId id : inventory_.components_of(device_)) {
      out.push_back(inventory_.component(id).name + " " + inventory_.component(id).version);
    }
    return out;
  }
  Inventory inventory_;
  DeviceNumber device_ = *inventory_.device({"hub", "d1"});
};

TEST_F(DeviceInventory, IsWhatTheWholeListSaysAndItsDifferences) {
  send("a", 0, {item(Kind::whole, "bash"), item(Kind::whole, "curl")});
  EXPECT_THAT(names(), UnorderedElementsAre("bash 1", "curl 1"));
  send("b", 10, {item(Kind::changed, "bash", "2"), item(Kind::added, "nano"), item(Kind::removed, "curl")});
  EXPECT_THAT(names(), UnorderedElementsAre("bash 2", "nano 1"));
}

TEST_F(DeviceInventory, PartsOfAWholeListMayComeTwiceAndInAnyOrder) {
  send("a", 0, {item(Kind::whole, "b")});
  send("a", 0, {item(Kind::whole, "a")});
  send("a", 0, {item(Kind::whole, "b")});
  EXPECT_THAT(names(), UnorderedElementsAre("a 1", "b 1"));
}

TEST_F(DeviceInventory, WhatTheNextWholeListDoesNotNameIsGoneOnceItHasEnded) {
  send("a", 0, {item(Kind::whole, "a"), item(Kind::whole, "b")});
  inventory_.settle(at(60), Duration::minutes(30));
  send("b", 100, {item(Kind::whole, "a")});
  EXPECT_THAT(names(), UnorderedElementsAre("a 1", "b 1")) << "a part with b may still come";
  EXPECT_THAT(inventory_.settle(at(101), Duration::minutes(30)), IsEmpty());
  const auto changes = inventory_.settle(at(130), Duration::minutes(30));
  ASSERT_EQ(changes.size(), 1U);
  EXPECT_EQ(changes[0].removed.size(), 1U);
  EXPECT_THAT(names(), UnorderedElementsAre("a 1"));
}

TEST_F(DeviceInventory, ALateDifferenceDoesNotUndoWhatCameSince) {
  send("a", 0, {item(Kind::whole, "a")});
  send("c", 20, {item(Kind::removed, "a")});
  send("b", 10, {item(Kind::changed, "a", "2")});
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_EQ(inventory_.outdated(), 1U);
}

TEST_F(DeviceInventory, AWholeListBehindItsDifferencesLosesToThem) {
  send("b", 5, {item(Kind::changed, "a", "2"), item(Kind::removed, "gone"), item(Kind::added, "new")});
  send("a", 0, {item(Kind::whole, "a"), item(Kind::whole, "gone"), item(Kind::whole, "other")});
  inventory_.settle(at(100), Duration::minutes(30));
  EXPECT_THAT(names(), UnorderedElementsAre("a 2", "new 1", "other 1"));
}

TEST_F(DeviceInventory, AnOlderWholeListIsPassedBy) {
  send("b", 10, {item(Kind::whole, "a", "2")});
  send("a", 0, {item(Kind::whole, "a", "1"), item(Kind::whole, "gone")});
  EXPECT_THAT(names(), UnorderedElementsAre("a 2"));
}

TEST_F(DeviceInventory, ADifferenceDuringAWholeListSurvivesItsEnd) {
  send("a", 0, {item(Kind::whole, "a")});
  send("b", 5, {item(Kind::added, "n")});
  send("a", 0, {item(Kind::whole, "c")});
  inventory_.settle(at(100), Duration::minutes(30));
  EXPECT_THAT(names(), UnorderedElementsAre("a 1", "c 1", "n 1"));
}

TEST_F(DeviceInventory, SourcesStandBesideEachOther) {
  send("a", 0, {item(Kind::whole, "a")});
  const auto shared = inventory_.intern(item(Kind::whole, "a").component);
  const auto other = inventory_.intern({.type = "binary", .name = "boot", .version = "2"});
  inventory_.replace(device_, "document:fw", at(1), {*shared, *other});
  EXPECT_THAT(names(), UnorderedElementsAre("a 1", "boot 2"));
  send("b", 2, {item(Kind::removed, "a")});
  EXPECT_THAT(names(), UnorderedElementsAre("a 1", "boot 2")) << "the document still names it";
  EXPECT_TRUE(inventory_.devices_of(*shared).contains(device_));
  inventory_.remove_source(device_, "document:fw");
  EXPECT_THAT(names(), IsEmpty());
  EXPECT_FALSE(inventory_.devices_of(*shared).contains(device_));
}

TEST_F(DeviceInventory, TheWayBackKnowsAllDevices) {
  const auto id = inventory_.intern({.type = "deb", .name = "x", .version = "1"});
  for (int i = 0; i < 1'000; ++i) {
    inventory_.replace(*inventory_.device({"hub", "n" + std::to_string(i)}), "document:fw", at(0), {*id});
  }
  EXPECT_EQ(inventory_.devices_of(*id).size(), 1'000U);
  const auto gone = *inventory_.find_device({"hub", "n500"});
  EXPECT_TRUE(inventory_.remove_device(gone, at(0) - Duration::seconds(1)).empty()) << "made anew since then";
  EXPECT_EQ(inventory_.devices_of(*id).size(), 1'000U);
  inventory_.remove_device(gone, at(0));
  std::size_t count = 0;
  inventory_.devices_of(*id).for_each([&](DeviceNumber number) {
    ++count;
    EXPECT_NE(inventory_.key(number).device_id, "n500");
  });
  EXPECT_EQ(count, 999U);
}

TEST_F(DeviceInventory, EqualComponentsAreOne) {
  const auto first = inventory_.intern(item(Kind::whole, "a").component);
  EXPECT_EQ(inventory_.intern(item(Kind::whole, "a").component), first);
  EXPECT_NE(inventory_.intern(item(Kind::whole, "a", "2").component), first);
  EXPECT_EQ(inventory_.component_count(), 2U);
}

TEST_F(DeviceInventory, LongTextsAreCutAtASign) {
  std::string name(kTextBytesMax - 1, 'a');
  name += "\xC3\xA4more";
  const auto id = inventory_.intern({.type = "deb", .name = name});
  EXPECT_EQ(inventory_.component(*id).name.size(), kTextBytesMax - 1);
}

}  // namespace
}  // namespace picket::sbom
