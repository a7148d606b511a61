#include "hub/twins.h"

#include <mutex>

#include <gmock/gmock.h>

#include "twins_fixture.h"

namespace picket::hub {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class TwinsTest : public TwinsFixture {
 protected:
  TwinsTest() {
    twins_->on_changed([this](const TwinChanged& change) {
      const std::scoped_lock lock(mutex_);
      changes_.push_back(change);
    });
  }
  std::vector<TwinChanged> changes() {
    const std::scoped_lock lock(mutex_);
    return std::exchange(changes_, {});
  }
  std::vector<state::OutboxRecord> records(std::string_view kind) {
    std::vector<state::OutboxRecord> out;
    auto pending = state::Outbox(*database_).pending(1000);
    for (auto& record : *pending) {
      if (record.kind == kind) out.push_back(std::move(record));
    }
    return out;
  }

  std::mutex mutex_;
  std::vector<TwinChanged> changes_;
};

TEST_F(TwinsTest, ATwinIsThereWithItsIdentity) {
  const auto key = add("press-1");
  EXPECT_EQ(*get(proven(key)), R"({"desired":{"$version":1},"reported":{"$version":1}})");
  const JsonValue whole = twin(key);
  EXPECT_EQ(whole.text_of("deviceId"), "press-1");
  EXPECT_EQ(whole.text_of("status"), "enabled");
  EXPECT_EQ(whole.text_of("connectionState"), "Disconnected");
  EXPECT_EQ(whole.text_of("authenticationType"), "sas");
  EXPECT_EQ(whole.text_of("lastActivityTime"), "0001-01-01T00:00:00Z");
  EXPECT_EQ(whole.integer_of("version"), 1);
  EXPECT_EQ(whole.integer_of("cloudToDeviceMessageCount"), 0);
  EXPECT_EQ(whole.find("capabilities")->to_string(), R"({"iotEdge":false})");
  EXPECT_EQ(whole.find("x509Thumbprint")->to_string(), R"({"primaryThumbprint":null,"secondaryThumbprint":null})");
  EXPECT_EQ(whole.find("tags")->to_string(), "{}");
  EXPECT_EQ(whole.find("properties")->find("desired")->integer_of("$version"), 1);
  EXPECT_EQ(whole.text_of("etag"), "AAAAAAAAAAE=");
}

TEST_F(TwinsTest, AModuleHasATwinOfItsOwn) {
  const auto device = add("press-1");
  const IdentityKey module{"hub", "press-1", std::string(state::kSecurityModule)};
  ASSERT_TRUE(patch(module, R"({"properties":{"desired":{"who":"module"}}})"));
  ASSERT_TRUE(patch(device, R"({"properties":{"desired":{"who":"device"}}})"));
  EXPECT_THAT(*get(proven(module)), HasSubstr("module"));
  EXPECT_THAT(*get(proven(device)), HasSubstr("device"));
  EXPECT_EQ(twin(module).text_of("moduleId"), state::kSecurityModule);
}

TEST_F(TwinsTest, AnswersWithTheStatusOfWhatIsMissing) {
  add("d");
  EXPECT_EQ(patch({"hub", "none", ""}, "{}").error().code, kDeviceNotFound);
  EXPECT_EQ(patch({"hub", "d", "none"}, "{}").error().code, kModuleNotFound);
  EXPECT_EQ(patch({"other", "d", ""}, "{}").error().code, kDeviceNotFound);
  EXPECT_EQ(twins_->document({"hub", "D", ""}).error().code, kDeviceNotFound);
}

TEST_F(TwinsTest, AServicePatchReachesDeviceAndListener) {
  const auto key = add("d");
  const auto patched = patch(key, R"({"tags":{"site":"n"},"properties":{"desired":{"rate":5,"old":null}}})");
  ASSERT_TRUE(patched);
  EXPECT_EQ(json(*patched).integer_of("version"), 2);
  EXPECT_EQ(*get(proven(key)), R"({"desired":{"rate":5,"$version":2},"reported":{"$version":1}})");
  const auto seen = changes();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].identity, key);
  EXPECT_EQ(*seen[0].desired_patch, R"({"old":null,"rate":5,"$version":2})");
  EXPECT_EQ(seen[0].desired_version, 2u);
  EXPECT_TRUE(seen[0].tags);
  EXPECT_FALSE(seen[0].reported);
}

TEST_F(TwinsTest, TagsAloneDoNotNotifyTheDevice) {
  const auto key = add("d");
  ASSERT_TRUE(patch(key, R"({"tags":{"a":1},"properties":{"desired":{}}})"));
  const auto seen = changes();
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].desired_patch, nullptr);
  EXPECT_EQ(twin(key).find("properties")->find("desired")->integer_of("$version"), 1);
}

TEST_F(TwinsTest, AReplacementTellsTheDeviceWhatIsGone) {
  const auto key = add("d");
  ASSERT_TRUE(patch(key, R"({"tags":{"a":1,"b":2},"properties":{"desired":{"x":{"y":1,"z":2},"w":1}}})"));
  changes();
  ASSERT_TRUE(replace(key, R"({"tags":{"b":3},"properties":{"desired":{"x":{"z":2}}}})"));
  EXPECT_EQ(*changes().at(0).desired_patch, R"({"w":null,"x":{"y":null,"z":2},"$version":3})");
  EXPECT_EQ(twin(key).find("tags")->to_string(), R"({"b":3})");
  EXPECT_EQ(*get(proven(key)), R"({"desired":{"x":{"z":2},"$version":3},"reported":{"$version":1}})");
}

TEST_F(TwinsTest, OnlyTheEtagOfNowMatches) {
  const auto key = add("d");
  const std::string first(twin(key).text_of("etag"));
  ASSERT_TRUE(patch(key, R"({"tags":{"a":1}})", "\"" + first + "\""));
  const auto late = patch(key, R"({"tags":{"a":2}})", first);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, kEtagMismatch);
  EXPECT_EQ(twin(key).find("tags")->to_string(), R"({"a":1})");
  EXPECT_TRUE(patch(key, R"({"tags":{"a":3}})", "*"));
  EXPECT_TRUE(patch(key, R"({"tags":{"a":4}})", "\"*\""));
  EXPECT_TRUE(patch(key, R"({"tags":{"a":5}})", std::string(twin(key).text_of("etag"))));
}

TEST_F(TwinsTest, ReportedPropertiesAreTheDevicesOwn) {
  const auto key = add("d");
  EXPECT_EQ(*report(proven(key), R"({"fw":"2","n":1.50})"), 2u);
  EXPECT_EQ(*report(proven(key), R"({"n":null,"m":{}})"), 3u);
  ASSERT_TRUE(patch(key, R"({"properties":{"reported":{"fw":"forged"}}})"));
  EXPECT_EQ(*get(proven(key)), R"({"desired":{"$version":1},"reported":{"fw":"2","m":{},"$version":3}})");
}

TEST_F(TwinsTest, RefusesWithACodeAndAMessage) {
  const auto key = add("d");
  const Identity self = proven(key);
  const auto expect = [](const auto& result, int code) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code);
    EXPECT_FALSE(result.error().message.empty());
  };
  expect(report(self, "{"), kArgumentInvalid);
  expect(report(self, "[]"), kArgumentInvalid);
  expect(report(self, R"({"a.b":1})"), kArgumentInvalid);
  expect(report(self, "{\"a\":\"" + std::string(5000, 'x') + "\"}"), kArgumentInvalid);
  expect(patch(key, R"({"tags":{"SecurityGroup":7}})"), kArgumentInvalid);
  expect(patch(key, R"({"tags":{"SecurityGroup":"a b"}})"), kArgumentInvalid);
  std::string large = "{";
  for (int i = 0; i < 9; ++i)
    large += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"" + std::string(4000, 'x') + "\"";
  expect(report(self, large + "}"), kTooLarge);
  EXPECT_EQ(twin(key).integer_of("version"), 1);
  EXPECT_TRUE(changes().empty());
}

TEST_F(TwinsTest, SurvivesARestart) {
  const auto key = add("d");
  ASSERT_TRUE(patch(key, R"({"tags":{"a":1.0},"properties":{"desired":{"n":{"m":[1,"é"]}}}})"));
  const std::string before = twin(key).to_string();
  close();
  open();
  EXPECT_EQ(twin(key).to_string(), before);
}

TEST_F(TwinsTest, ATwinGoesWithItsIdentityAndDoesNotComeBack) {
  const auto key = add("d");
  const IdentityKey module{"hub", "d", "m"};
  ASSERT_TRUE(devices_->add_module("hub", "d", "m", kService, kStart));
  ASSERT_TRUE(patch(key, R"({"tags":{"secret":1}})"));
  ASSERT_TRUE(patch(module, R"({"tags":{"secret":1}})"));
  const Identity old_device = proven(key);
  const Identity old_module = proven(module);
  ASSERT_TRUE(devices_->remove_module("hub", "d", "m", kService, kStart));
  ASSERT_TRUE(devices_->add_module("hub", "d", "m", kService, kStart));
  EXPECT_EQ(twin(module).find("tags")->to_string(), "{}");
  EXPECT_EQ(get(old_module).error().code, kModuleNotFound);
  ASSERT_TRUE(patch(module, R"({"tags":{"secret":1}})"));
  ASSERT_TRUE(devices_->remove("hub", "d", kService, kStart));
  add("d");
  ASSERT_TRUE(devices_->add_module("hub", "d", "m", kService, kStart));
  EXPECT_EQ(twin(key).find("tags")->to_string(), "{}");
  EXPECT_EQ(twin(module).find("tags")->to_string(), "{}");
  EXPECT_EQ(get(old_device).error().code, kDeviceNotFound);
  EXPECT_EQ(report(old_device, R"({"late":1})").error().code, kDeviceNotFound);
  EXPECT_EQ(*get(proven(key)), R"({"desired":{"$version":1},"reported":{"$version":1}})");
}

TEST_F(TwinsTest, TheSecurityGroupTagIsTheDevicesGroup) {
  const auto key = add("d");
  ASSERT_TRUE(patch(key, R"({"tags":{"SecurityGroup":"line-2"}})"));
  EXPECT_EQ(devices_->find("hub", "d")->group, "line-2");
  EXPECT_TRUE(changes().at(0).group);
  const auto records_of_group = records("device.update");
  ASSERT_EQ(records_of_group.size(), 1u);
  EXPECT_EQ(json(records_of_group[0].body).text_of("group"), "line-2");
  EXPECT_EQ(json(records_of_group[0].body).text_of("group_before"), "default");

  const std::string etag(twin(key).text_of("etag"));
  ASSERT_TRUE(devices_->change("hub", "d", {.group = "line-3"}, kService, kStart));
  EXPECT_EQ(twin(key).find("tags")->to_string(), R"({"SecurityGroup":"line-3"})");
  EXPECT_EQ(patch(key, R"({"tags":{"a":1}})", etag).error().code, kEtagMismatch);

  ASSERT_TRUE(patch(key, R"({"tags":{"SecurityGroup":null}})"));
  EXPECT_EQ(devices_->find("hub", "d")->group, "default");
  EXPECT_EQ(twin(key).find("tags")->to_string(), "{}");
  ASSERT_TRUE(devices_->change("hub", "d", {.group = "line-4"}, kService, kStart));
  EXPECT_EQ(twin(key).find("tags")->to_string(), R"({"SecurityGroup":"line-4"})");
  ASSERT_TRUE(replace(key, R"({"tags":{"x":1}})"));
  EXPECT_EQ(devices_->find("hub", "d")->group, "default");
}

TEST_F(TwinsTest, AFirstTwinIsWrittenWithTheTransactionThatAsksForIt) {
  const auto key = add("d");
  TwinChange change =
      *parse_twin_change(R"({"tags":{"SecurityGroup":"line-2","a":1},"properties":{"desired":{"r":1}}})");
  HubResult<> changed;
  ASSERT_TRUE(database_->write([&](sqlite3* db) -> Result<> {
    changed = Twins::change_in(db, key, change, kService, kStart);
    return {};
  }));
  ASSERT_TRUE(changed);
  EXPECT_EQ(devices_->find("hub", "d")->group, "line-2");
  EXPECT_EQ(*get(proven(key)), R"({"desired":{"r":1,"$version":2},"reported":{"$version":1}})");
  EXPECT_NE(twin(key).text_of("etag"), "AAAAAAAAAAE=");
  EXPECT_FALSE(database_->write([&](sqlite3* db) -> Result<> {
    change.desired->set("bad.key", 1);
    changed = Twins::change_in(db, key, change, kService, kStart);
    return changed ? Result<>() : fail(Errc::malformed, "twin");
  }));
  EXPECT_EQ(changed.error().code, kArgumentInvalid);
}

TEST_F(TwinsTest, EachChangeLeavesItsRecordWithCountsAndASmallPatch) {
  const auto key = add("d");
  ASSERT_TRUE(patch(key, R"({"tags":{"a":"bc"},"properties":{"desired":{"r":1}}})"));
  ASSERT_TRUE(replace(key, R"({"tags":{}})"));
  ASSERT_TRUE(report(proven(key), R"({"x":2})"));
  ASSERT_FALSE(patch(key, "{", ""));
  const auto updates = records("twin.update");
  ASSERT_EQ(updates.size(), 2u);
  const JsonValue first = json(updates[0].body);
  EXPECT_EQ(first.text_of("actor"), "policy/service");
  EXPECT_EQ(first.text_of("source"), "192.0.2.1");
  EXPECT_EQ(first.find("sections")->to_string(), R"({"desired":9,"tags":3})");
  EXPECT_EQ(first.find("patch")->to_string(), R"({"properties":{"desired":{"$version":2,"r":1}},"tags":{"a":"bc"}})");
  EXPECT_EQ(json(updates[1].body).text_of("actor"), "device");
  EXPECT_EQ(records("twin.replace").size(), 1u);

  std::string large = "{";
  for (int i = 0; i < 3; ++i)
    large += (i == 0 ? "\"" : ",\"") + std::to_string(i) + "\":\"" + std::string(4000, 'x') + "\"";
  ASSERT_TRUE(report(proven(key), large + "}"));
  EXPECT_EQ(json(records("twin.update").back().body).find("patch"), nullptr);
}

TEST_F(TwinsTest, ShowsWhatOthersKnowOfTheDevice) {
  const auto key = add("d");
  twins_->set_facts([](const IdentityKey&) { return LiveFacts{true, kStart, 3}; });
  const JsonValue whole = twin(key);
  EXPECT_EQ(whole.text_of("connectionState"), "Connected");
  EXPECT_EQ(whole.text_of("lastActivityTime"), format_rfc3339(kStart));
  EXPECT_EQ(whole.integer_of("cloudToDeviceMessageCount"), 3);
}

TEST_F(TwinsTest, NotificationsComeInTheOrderOfTheirVersions) {
  const auto key = add("d");
  std::vector<std::future<HubResult<std::string>>> answers;
  for (int i = 0; i < 200; ++i) {
    auto promise = std::make_shared<std::promise<HubResult<std::string>>>();
    answers.push_back(promise->get_future());
    twins_->patch(key, "{\"properties\":{\"desired\":{\"n\":" + std::to_string(i) + "}}}", "", kService,
                  [promise](HubResult<std::string> result) { promise->set_value(std::move(result)); });
  }
  for (auto& answer : answers) ASSERT_TRUE(answer.get());
  const auto seen = changes();
  ASSERT_EQ(seen.size(), 200u);
  for (std::size_t i = 0; i < seen.size(); ++i) EXPECT_EQ(seen[i].desired_version, i + 2);
}

}  // namespace
}  // namespace picket::hub
