#include "state/devices.h"

#include <gmock/gmock.h>

#include "base/core/encoding.h"
#include "state/outbox.h"
#include "temporary_database.h"

namespace picket::state {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Devices, MakesTheSecurityModuleWithEachDevice) {
  TemporaryDatabase database;
  Devices devices(*database);
  const auto made = devices.add("hub", "press-1", "", kTester, kNow);
  ASSERT_TRUE(made);
  database.reopen();
  const auto found = Devices(*database).find("hub", "press-1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->group, "default");
  EXPECT_EQ(found->generation_id, made->generation_id);
  ASSERT_EQ(found->modules.size(), 1u);
  EXPECT_EQ(found->modules[0].module_id, kSecurityModule);
  EXPECT_EQ(from_base64(found->keys.primary)->size(), 32u);
  EXPECT_NE(found->keys.primary, found->keys.secondary);
  EXPECT_NE(found->keys.primary, found->modules[0].keys.primary);
}

TEST(Devices, GivesADeviceMadeAnewAnotherGeneration) {
  TemporaryDatabase database;
  Devices devices(*database);
  const auto first = devices.add("hub", "d", "", kTester, kNow);
  ASSERT_TRUE(devices.remove("hub", "d", kTester, kNow));
  EXPECT_EQ(devices.find("hub", "d").error().code, Errc::not_found);
  const auto second = devices.add("hub", "d", "", kTester, kNow);
  ASSERT_TRUE(second);
  EXPECT_NE(first->generation_id, second->generation_id);
  EXPECT_NE(first->keys.primary, second->keys.primary);
}

TEST(Devices, TreatsIdsAsCaseSensitiveLiteralsPerHub) {
  TemporaryDatabase database;
  Devices devices(*database);
  for (const char* id : {"d", "D", "#+?%$*'=", "a:b.c_d-e@f,(g)!"})
    ASSERT_TRUE(devices.add("hub", id, "", kTester, kNow)) << id;
  ASSERT_TRUE(devices.add("other", "d", "", kTester, kNow));
  EXPECT_EQ(devices.add("hub", "d", "", kTester, kNow).error().code, Errc::exists);
  EXPECT_EQ(*devices.count("hub"), 4u);
}

TEST(Devices, RefusesIdsOutsideTheRule) {
  for (const std::string& id : {std::string(), std::string("a b"), std::string("a/b"), std::string("a\0b", 3),
                                std::string("\xC3\xA9"), std::string("a\"b"), std::string("a\\b")}) {
    const auto checked = check_device_id(id);
    ASSERT_FALSE(checked) << id;
    EXPECT_EQ(checked.error().where, "device.id");
  }
  EXPECT_TRUE(check_device_id(std::string(128, 'a')));
  EXPECT_EQ(check_device_id(std::string(129, 'a')).error().code, Errc::limit_exceeded);
}

TEST(Devices, WritesAnAuditRecordWithEachChangeAndNoKeyInIt) {
  TemporaryDatabase database;
  Devices devices(*database);
  const auto device = devices.add("hub", "d", "line-1", kTester, kNow);
  ASSERT_TRUE(devices.change("hub", "d", {.enabled = false, .group = "line-2"}, kTester, kNow + Duration::seconds(1)));
  ASSERT_TRUE(devices.add_module("hub", "d", "m", kTester, kNow));
  const auto records = Outbox(*database).pending(10);
  ASSERT_EQ(records->size(), 3u);
  EXPECT_EQ((*records)[1].body,
            R"({"actor":"tester","source":"127.0.0.1","hub":"hub","enabled_before":true,"enabled":false,)"
            R"("group_before":"line-1","group":"line-2"})");
  for (const auto& record : *records) EXPECT_THAT(record.body, Not(HasSubstr(device->keys.primary)));
  EXPECT_FALSE(devices.find("hub", "d")->enabled);
}

TEST(Devices, LeavesNoTraceOfAChangeThatFailed) {
  TemporaryDatabase database;
  Devices devices(*database);
  EXPECT_EQ(devices.change("hub", "none", {.enabled = false}, kTester, kNow).error().code, Errc::not_found);
  EXPECT_EQ(devices.add_module("hub", "none", "m", kTester, kNow).error().code, Errc::not_found);
  EXPECT_EQ(devices.remove("hub", "none", kTester, kNow).error().code, Errc::not_found);
  EXPECT_TRUE(Outbox(*database).pending(10)->empty());
}

TEST(Devices, TakesKeysThatAreGivenIfTheyAreLongEnough) {
  TemporaryDatabase database;
  Devices devices(*database);
  const Keys keys{to_base64(Buffer(16)), to_base64(Buffer(64))};
  EXPECT_EQ(devices.add("hub", "d", "", kTester, kNow, keys)->keys.primary, keys.primary);
  EXPECT_EQ(devices.add("hub", "e", "", kTester, kNow, Keys{to_base64(Buffer(15)), keys.secondary}).error().where,
            "device.key");
  EXPECT_FALSE(devices.add("hub", "e", "", kTester, kNow, Keys{"no base64", keys.secondary}));
}

TEST(Devices, RemovesAModule) {
  TemporaryDatabase database;
  Devices devices(*database);
  ASSERT_TRUE(devices.add("hub", "d", "", kTester, kNow));
  EXPECT_EQ(devices.remove_module("hub", "d", "none", kTester, kNow).error().code, Errc::not_found);
  ASSERT_TRUE(devices.remove_module("hub", "d", kSecurityModule, kTester, kNow));
  EXPECT_TRUE(devices.find("hub", "d")->modules.empty());
}

TEST(Devices, PagesInOrderOfId) {
  TemporaryDatabase database;
  Devices devices(*database);
  for (const char* id : {"c", "a", "b"}) ASSERT_TRUE(devices.add("hub", id, "", kTester, kNow));
  const auto first = devices.list("hub", "", 2);
  ASSERT_EQ(first->size(), 2u);
  EXPECT_EQ((*first)[1].device_id, "b");
  const auto rest = devices.list("hub", "b", 2);
  ASSERT_EQ(rest->size(), 1u);
  EXPECT_EQ((*rest)[0].device_id, "c");
}

}  // namespace
}  // namespace picket::state
