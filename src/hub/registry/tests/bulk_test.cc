#include <boost/json.hpp>

#include "registry_harness.h"

namespace picket::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using HubBulk = RegistryHarness;

TEST_F(HubBulk, DoesWhatItCanAndTellsTheRest) {
  ASSERT_TRUE(put(DeviceSpec{.device_id = "old"}));
  const auto result = bulk(R"([{"id":"a","importMode":"create"},{"id":"old","importMode":"create"},
    {"id":"b","importMode":"update","status":"disabled"},{"id":"c","status":"disabled","statusReason":"spare"}])");
  ASSERT_TRUE(result);
  ASSERT_EQ(result->errors.size(), 2u);
  EXPECT_EQ(result->errors[0].device_id, "old");
  EXPECT_EQ(result->errors[0].error.code, 409001);
  EXPECT_EQ(result->errors[1].error.code, 404001);
  EXPECT_EQ(registry_->counts(kHub)->devices, 3u);
  EXPECT_FALSE(registry_->device(kHub, "c")->enabled);
  const auto json = boost::json::parse(to_json(*result)).as_object();
  EXPECT_FALSE(json.at("isSuccessful").as_bool());
  EXPECT_EQ(json.at("errors").at(0).at("errorCode").as_string(), "DeviceAlreadyExists");
  EXPECT_THAT(audit_kinds(), ElementsAre("device.create", "device.create", "device.create"));
}

TEST_F(HubBulk, KnowsEveryMode) {
  const auto device = *put(DeviceSpec{.device_id = "d"});
  EXPECT_TRUE(bulk(R"([{"id":"d","importMode":"updateIfMatchETag","eTag":"other"}])")->errors[0].error.code == 412001);
  EXPECT_TRUE(bulk(R"([{"id":"d","importMode":"updateIfMatchETag"}])")->errors[0].error.code == 412001)
      << "no etag matches nothing";
  EXPECT_TRUE(bulk(R"([{"id":"d","importMode":"updateIfMatchETag","eTag":")" + device.etag + R"("}])")->errors.empty());
  EXPECT_TRUE(
      bulk(R"([{"id":"d","importMode":"createOrUpdate"},{"id":"e","importMode":"createOrUpdate"}])")->errors.empty());
  EXPECT_EQ(bulk(R"([{"id":"e","importMode":"deleteIfMatchETag","eTag":"x"}])")->errors[0].error.code, 412001);
  EXPECT_TRUE(bulk(R"([{"id":"e","importMode":"Delete"}])")->errors.empty()) << "as the Node SDK writes it";
  EXPECT_TRUE(
      bulk(R"([{"id":"d","moduleId":"m","importMode":"create"},{"id":"d","moduleId":"m","importMode":"delete"}])")
          ->errors.empty());
  EXPECT_EQ(bulk(R"([{"id":"d","importMode":"updateTwin","tags":{}}])")->errors.size(), 1u)
      << "nobody takes twins here";
}

TEST_F(HubBulk, ATwinThatIsRefusedTakesItsDeviceWithIt) {
  registry_->set_twins(
      [](RegistryTransaction&, const BulkItem& item) -> HubResult<> {
        if (item.tags.find("bad") != std::string::npos) return hub_fail(kArgumentInvalid, "bad tags");
        return {};
      },
      {});
  const auto result = bulk(R"([{"id":"a","tags":{"bad":1}},{"id":"b","tags":{"SecurityGroup":"line-2"}}])");
  ASSERT_EQ(result->errors.size(), 1u);
  EXPECT_EQ(code(registry_->device(kHub, "a")), 404001);
  EXPECT_EQ(registry_->device(kHub, "b")->group, "line-2");
}

TEST_F(HubBulk, RefusesTooManyAndWhatIsNoList) {
  std::string body = "[";
  for (int i = 0; i <= 100; ++i) body += (i == 0 ? "" : ",") + std::string(R"({"id":"d)") + std::to_string(i) + "\"}";
  EXPECT_EQ(code(bulk(body + "]")), 400004);
  for (const std::string_view text :
       {"", "{}", "[1]", R"([{"importMode":"create"}])", R"([{"id":"a","importMode":"erase"}])", R"([{"id":"a b"}])",
        R"([{"id":"a","status":"maybe"}])"}) {
    EXPECT_EQ(code(bulk(text)), 400004) << text;
  }
  EXPECT_EQ(registry_->counts(kHub)->devices, 0u);
}

TEST_F(HubBulk, WhatIsExportedIsImportedAsItWas) {
  ASSERT_TRUE(bulk(R"([{"id":"a","status":"disabled","statusReason":"spare"},
    {"id":"b","authentication":{"type":"selfSigned","x509Thumbprint":{"primaryThumbprint":")" +
                   std::string(64, 'A') + R"("}}},
    {"id":"c","authentication":{"type":"certificateAuthority"},"capabilities":{"iotEdge":true}},
    {"id":"a","moduleId":"m","managedBy":"me"}])")
                  ->errors.empty());
  std::vector<std::string> lines;
  const auto count = registry_->export_devices(kHub, kActor, true, [&](std::string_view line) {
    lines.emplace_back(line);
    return true;
  });
  ASSERT_EQ(count, 4u);
  const auto a = *registry_->device(kHub, "a");
  const auto c = *registry_->device(kHub, "c");
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(remove(id));

  std::size_t at = 0;
  lines.emplace_back("no json");
  lines.emplace_back("  ");
  std::vector<std::string> failed;
  const auto report = registry_->import_devices(
      kHub, kActor, [&]() { return at < lines.size() ? std::optional(lines[at++]) : std::nullopt; },
      [&](std::string_view line) { failed.emplace_back(line); });
  ASSERT_TRUE(report);
  EXPECT_EQ(report->lines, 5u);
  EXPECT_EQ(report->failed, 1u);
  EXPECT_THAT(failed, ElementsAre(HasSubstr("ArgumentInvalid")));
  EXPECT_EQ(registry_->device(kHub, "a")->keys, a.keys);
  EXPECT_EQ(registry_->device(kHub, "a")->status_reason, "spare");
  EXPECT_EQ(registry_->device(kHub, "b")->thumbprints.primary, std::string(64, 'A'));
  EXPECT_EQ(registry_->device(kHub, "c")->scope, c.scope);
  EXPECT_EQ(registry_->module({kHub, "a", "m"})->managed_by, "me");
}

TEST_F(HubBulk, AnExportWithoutKeysHasNone) {
  const auto device = *put(DeviceSpec{.device_id = "a"});
  ASSERT_TRUE(registry_->export_devices(kHub, kActor, false, [&](std::string_view line) {
    EXPECT_EQ(line.find(device.keys.primary), std::string_view::npos);
    return true;
  }));
  EXPECT_THAT(audit_kinds(), ElementsAre("device.create"));
  ASSERT_TRUE(registry_->export_devices(kHub, kActor, true, [](std::string_view) { return true; }));
  EXPECT_THAT(audit_kinds(), ElementsAre("device.create", "key.read"));
}

TEST_F(HubBulk, ImportGoesBeyondOneBatch) {
  int at = 0;
  const auto report = registry_->import_devices(
      kHub, kActor,
      [&]() { return at < 250 ? std::optional(R"({"id":"d)" + std::to_string(at++) + "\"}") : std::nullopt; },
      [](std::string_view line) { FAIL() << line; });
  EXPECT_EQ(report->lines, 250u);
  EXPECT_EQ(registry_->counts(kHub)->devices, 250u);
}

}  // namespace
}  // namespace picket::hub
