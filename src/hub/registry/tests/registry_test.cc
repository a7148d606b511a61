#include "hub/registry.h"

#include <thread>

#include "base/core/encoding.h"
#include "registry_harness.h"

namespace picket::hub {
namespace {

using state::AuthType;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

using HubRegistry = RegistryHarness;
const std::string kThumbprint(40, 'A');

TEST_F(HubRegistry, MakesADeviceWithTheKeysItLacks) {
  const auto device = put(DeviceSpec{.device_id = "press-1"});
  ASSERT_TRUE(device);
  EXPECT_EQ(from_base64(device->keys.primary)->size(), 32u);
  EXPECT_NE(device->keys.primary, device->keys.secondary);
  EXPECT_TRUE(device->enabled);
  reopen();
  const auto found = registry_->device(kHub, "press-1");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->generation_id, device->generation_id);
  EXPECT_EQ(found->etag, device->etag);
  EXPECT_TRUE(registry_->modules(kHub, "press-1")->empty());
}

TEST_F(HubRegistry, CreatesUpdatesAndRefusesByTheCodesOfIoTHub) {
  EXPECT_EQ(code(put(DeviceSpec{.device_id = "d"}, PutMode::update, "*")), 404001);
  EXPECT_EQ(code(put(DeviceSpec{.device_id = "d"})), 0);
  EXPECT_EQ(code(put(DeviceSpec{.device_id = "d"})), 409001);
  EXPECT_EQ(code(put(DeviceSpec{.device_id = "a b"})), 400004);
  EXPECT_EQ(code(put(ModuleSpec{.device_id = "none", .module_id = "m"})), 404001);
  EXPECT_EQ(code(put(ModuleSpec{.device_id = "d", .module_id = "m"}, PutMode::update)), 404010);
  EXPECT_EQ(code(put(ModuleSpec{.device_id = "d", .module_id = "m"})), 0);
  EXPECT_EQ(code(put(ModuleSpec{.device_id = "d", .module_id = "m"})), 409301);
  EXPECT_EQ(code(registry_->module({kHub, "d", "x"})), 404010);
  EXPECT_EQ(code(registry_->module({kHub, "none", "x"})), 404001);
  EXPECT_EQ(code(remove("d", "x")), 404010);
  EXPECT_EQ(code(remove("none", "x")), 404001);
  EXPECT_EQ(code(remove("none")), 404001);
  EXPECT_EQ(code(registry_->modules(kHub, "none")), 404001);
}

TEST_F(HubRegistry, AnEtagGuardsAgainstLostUpdates) {
  const auto first = *put(DeviceSpec{.device_id = "d"});
  const auto second =
      put(DeviceSpec{.device_id = "d", .status_reason = "x"}, PutMode::update, "\"" + first.etag + "\"");
  ASSERT_TRUE(second);
  EXPECT_NE(second->etag, first.etag);
  EXPECT_EQ(code(put(DeviceSpec{.device_id = "d"}, PutMode::update, first.etag)), 412001);
  EXPECT_EQ(code(remove("d", "", "\"" + first.etag + "\"")), 412001);
  EXPECT_EQ(code(remove("d", "", "W/\"" + second->etag + "\"")), 0);
}

TEST_F(HubRegistry, AnUpdateKeepsWhatItDoesNotName) {
  const auto before = *put(DeviceSpec{.device_id = "d", .status_reason = "new", .group = "line-1"});
  const auto after = put(DeviceSpec{.device_id = "d", .enabled = false}, PutMode::update, "*");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->keys, before.keys);
  EXPECT_EQ(after->group, "line-1");
  EXPECT_EQ(after->status_reason, "new");
  EXPECT_EQ(after->status_updated, kNow);
  EXPECT_EQ(after->generation_id, before.generation_id);
}

TEST_F(HubRegistry, ADeviceMadeAnewIsAnother) {
  const auto first = *put(DeviceSpec{.device_id = "d"});
  ASSERT_TRUE(put(ModuleSpec{.device_id = "d", .module_id = "m"}));
  ASSERT_TRUE(remove("d"));
  EXPECT_EQ(code(registry_->device(kHub, "d")), 404001);
  const auto second = *put(DeviceSpec{.device_id = "d"});
  EXPECT_NE(first.generation_id, second.generation_id);
  EXPECT_TRUE(registry_->modules(kHub, "d")->empty());
}

TEST_F(HubRegistry, KnowsFourWaysToProveAnIdentity) {
  const auto self =
      put(DeviceSpec{.device_id = "self", .auth = AuthSpec{AuthType::self_signed, {}, {kThumbprint, ""}}});
  ASSERT_TRUE(self);
  EXPECT_EQ(self->thumbprints.primary, kThumbprint);
  EXPECT_TRUE(self->keys.primary.empty());
  const auto ca = put(DeviceSpec{.device_id = "ca", .auth = AuthSpec{AuthType::certificate_authority, {}, {}}});
  ASSERT_TRUE(ca);
  EXPECT_TRUE(ca->keys.primary.empty());
  const auto back = put(DeviceSpec{.device_id = "self", .auth = AuthSpec{}}, PutMode::update, "*");
  ASSERT_TRUE(back);
  EXPECT_FALSE(back->keys.primary.empty());
  EXPECT_TRUE(back->thumbprints.primary.empty());
}

TEST_F(HubRegistry, RefusesCredentialsThatAreNone) {
  const auto with = [](AuthSpec auth) { return DeviceSpec{.device_id = "d", .auth = std::move(auth)}; };
  EXPECT_EQ(code(put(with({AuthType::self_signed, {}, {}}))), 400004);
  EXPECT_EQ(code(put(with({AuthType::self_signed, {}, {std::string(39, 'a'), ""}}))), 400004);
  EXPECT_EQ(code(put(with({AuthType::self_signed, {}, {std::string(40, 'g'), ""}}))), 400004);
  EXPECT_EQ(code(put(with({AuthType::sas, {to_base64(Buffer(15)), ""}, {}}))), 400004);
  EXPECT_EQ(code(put(with({AuthType::sas, {"not base64!", ""}, {}}))), 400004);
  EXPECT_EQ(code(put(with({AuthType::sas, {to_base64(Buffer(16)), to_base64(Buffer(64))}, {}}))), 0);
}

TEST_F(HubRegistry, EndsConnectionsWhenTheirCredentialsChange) {
  const IdentityKey device{kHub, "d", ""};
  const IdentityKey module{kHub, "d", "m"};
  ASSERT_TRUE(put(DeviceSpec{.device_id = "d"}));
  ASSERT_TRUE(put(ModuleSpec{.device_id = "d", .module_id = "m"}));
  ASSERT_TRUE(put(DeviceSpec{.device_id = "d", .status_reason = "x"}, PutMode::update, "*"));
  EXPECT_THAT(revoked(), ElementsAre());
  ASSERT_TRUE(put(DeviceSpec{.device_id = "d", .enabled = false}, PutMode::update, "*"));
  EXPECT_THAT(revoked(), ElementsAre(device));
  ASSERT_TRUE(put(DeviceSpec{.device_id = "d", .enabled = true}, PutMode::update, "*"));
  EXPECT_THAT(revoked(), ElementsAre());
  ASSERT_TRUE(wait<void>([&](auto done) { registry_->rotate_key(device, true, kActor, std::move(done)); }));
  ASSERT_TRUE(wait<void>([&](auto done) { registry_->rotate_key(module, false, kActor, std::move(done)); }));
  EXPECT_THAT(revoked(), ElementsAre(device, module));
  ASSERT_TRUE(remove("d", "m"));
  ASSERT_TRUE(remove("d"));
  EXPECT_THAT(revoked(), ElementsAre(module, device));
  EXPECT_FALSE(remove("d"));
  EXPECT_THAT(revoked(), ElementsAre()) << "what failed has ended nothing";
}

TEST_F(HubRegistry, RotatesOneKeyAndKeepsTheOther) {
  const auto before = *put(DeviceSpec{.device_id = "d"});
  ASSERT_TRUE(wait<void>([&](auto done) { registry_->rotate_key({kHub, "d", ""}, true, kActor, std::move(done)); }));
  const auto after = *registry_->device(kHub, "d");
  EXPECT_NE(after.keys.primary, before.keys.primary);
  EXPECT_EQ(after.keys.secondary, before.keys.secondary);
  ASSERT_TRUE(put(DeviceSpec{.device_id = "ca", .auth = AuthSpec{AuthType::certificate_authority, {}, {}}}));
  EXPECT_EQ(
      code(wait<void>([&](auto done) { registry_->rotate_key({kHub, "ca", ""}, true, kActor, std::move(done)); })),
      400004);
}

TEST_F(HubRegistry, EachChangeLeavesItsAuditRecordWithoutKeys) {
  const auto device = *put(DeviceSpec{.device_id = "d", .group = "line-1"});
  ASSERT_TRUE(put(
      DeviceSpec{.device_id = "d", .enabled = false, .auth = AuthSpec{AuthType::self_signed, {}, {kThumbprint, ""}}},
      PutMode::update, "*"));
  ASSERT_TRUE(put(ModuleSpec{.device_id = "d", .module_id = "m"}));
  ASSERT_TRUE(remove("d"));
  EXPECT_FALSE(remove("d"));
  const auto records = audit();
  EXPECT_THAT(audit_kinds(),
              ElementsAre("device.create", "device.update", "key.rotate", "module.create", "device.delete"));
  EXPECT_THAT(records[0].body, HasSubstr(R"("group":"line-1")"));
  EXPECT_THAT(records[1].body, HasSubstr(R"("enabled_before":true,"enabled":false)"));
  EXPECT_THAT(records[2].body, HasSubstr(R"("thumbprint_primary_before":"","thumbprint_primary":")" + kThumbprint));
  for (const auto& record : records) {
    EXPECT_THAT(record.body, HasSubstr(R"("actor":"policy/iothubowner","source":"192.0.2.1","hub":"factory")"));
    EXPECT_THAT(record.body, Not(HasSubstr(device.keys.primary)));
    EXPECT_EQ(record.device_id, "d");
  }
}

TEST_F(HubRegistry, RecordsThatKeysAreReadBeforeTheyAreGiven) {
  ASSERT_TRUE(put(DeviceSpec{.device_id = "d"}));
  ASSERT_TRUE(put(ModuleSpec{.device_id = "d", .module_id = "m"}));
  const auto device =
      wait<std::string>([&](auto done) { registry_->show_device({kHub, "d", ""}, kActor, std::move(done)); });
  ASSERT_TRUE(device);
  EXPECT_THAT(*device, HasSubstr("primaryKey"));
  ASSERT_TRUE(wait<std::string>([&](auto done) { registry_->show_module({kHub, "d", "m"}, kActor, std::move(done)); }));
  ASSERT_TRUE(wait<std::string>([&](auto done) { registry_->show_devices(kHub, "", 1000, kActor, std::move(done)); }));
  const auto modules =
      wait<std::string>([&](auto done) { registry_->show_modules({kHub, "d", ""}, kActor, std::move(done)); });
  EXPECT_TRUE(modules->starts_with(R"([{"moduleId":"m")"));
  EXPECT_THAT(audit_kinds(),
              ElementsAre("device.create", "module.create", "key.read", "key.read", "key.read", "key.read"));
  EXPECT_EQ(
      code(wait<std::string>([&](auto done) { registry_->show_device({kHub, "x", ""}, kActor, std::move(done)); })),
      404001);
  EXPECT_EQ(audit().size(), 6u);
}

TEST_F(HubRegistry, CountsWithoutCounting) {
  ASSERT_TRUE(put(DeviceSpec{.device_id = "a"}));
  ASSERT_TRUE(put(DeviceSpec{.device_id = "b", .enabled = false}));
  ASSERT_TRUE(put(DeviceSpec{.device_id = "c"}));
  ASSERT_TRUE(put(ModuleSpec{.device_id = "a", .module_id = "m"}));
  ASSERT_TRUE(put(DeviceSpec{.device_id = "c", .enabled = false}, PutMode::update));
  auto counts = *registry_->counts(kHub);
  EXPECT_EQ(counts.devices, 3u);
  EXPECT_EQ(counts.enabled_devices, 1u);
  EXPECT_EQ(counts.modules, 1u);
  ASSERT_TRUE(remove("a"));
  counts = *registry_->counts(kHub);
  EXPECT_EQ(counts.devices, 2u);
  EXPECT_EQ(counts.modules, 0u) << "modules went with their device";
  EXPECT_EQ(hub::to_json(counts), R"({"totalDeviceCount":2,"enabledDeviceCount":0,"disabledDeviceCount":2})");
}

TEST_F(HubRegistry, HoldsAsManyAsItMay) {
  reopen({.identities_max = 3, .modules_per_device_max = 1});
  ASSERT_TRUE(put(DeviceSpec{.device_id = "a"}));
  ASSERT_TRUE(put(ModuleSpec{.device_id = "a", .module_id = "m"}));
  EXPECT_EQ(code(put(ModuleSpec{.device_id = "a", .module_id = "n"})), 403002) << "modules of one device";
  ASSERT_TRUE(put(DeviceSpec{.device_id = "b"}));
  EXPECT_EQ(code(put(DeviceSpec{.device_id = "c"})), 403002);
  EXPECT_EQ(code(put(DeviceSpec{.device_id = "b"}, PutMode::create_or_update)), 0);
}

TEST_F(HubRegistry, PagesByIdAndKeepsHubsApart) {
  for (const char* id : {"c", "a", "b"}) ASSERT_TRUE(put(DeviceSpec{.device_id = id}));
  ASSERT_TRUE(wait<state::Device>([&](auto done) {
    registry_->put("other", DeviceSpec{.device_id = "a"}, PutMode::create, "", kActor, std::move(done));
  }));
  const auto first = *registry_->devices(kHub, "", 2);
  ASSERT_EQ(first.devices.size(), 2u);
  EXPECT_EQ(first.next, "b");
  const auto rest = *registry_->devices(kHub, first.next, 2);
  ASSERT_EQ(rest.devices.size(), 1u);
  EXPECT_TRUE(rest.next.empty());
}

TEST_F(HubRegistry, SeveralChangesStandOrFallTogether) {
  const auto result = wait<int>([&](auto done) {
    registry_->submit<int>(
        kHub, kActor,
        [](RegistryTransaction& transaction) -> HubResult<int> {
          if (!transaction.put(DeviceSpec{.device_id = "a"}, PutMode::create)) return 1;
          return hub_fail(kArgumentInvalid, "second thoughts");
        },
        std::move(done));
  });
  EXPECT_EQ(code(result), 400004);
  EXPECT_EQ(code(registry_->device(kHub, "a")), 404001);
  EXPECT_THAT(audit(), ElementsAre());
}

TEST_F(HubRegistry, GivesEdgeDevicesTheirScope) {
  const auto device = put(DeviceSpec{.device_id = "gateway", .edge = true});
  ASSERT_TRUE(device);
  EXPECT_EQ(device->scope, "ms-azure-iot-edge://gateway-" + device->generation_id);
}

TEST_F(HubRegistry, ManyCallersGetTheirOwnAnswers) {
  std::vector<std::thread> callers;
  std::atomic<int> made = 0;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 50; ++i) {
        const auto id = std::to_string(caller) + "-" + std::to_string(i);
        const auto device = put(DeviceSpec{.device_id = id});
        made += device && device->device_id == id ? 1 : 0;
      }
    });
  }
  for (auto& caller : callers) caller.join();
  EXPECT_EQ(made, 200);
  EXPECT_EQ(registry_->counts(kHub)->devices, 200u);
}

}  // namespace
}  // namespace picket::hub
