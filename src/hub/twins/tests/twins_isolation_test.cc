// Twins of one identity are never seen or changed by another, whatever the ids look like.
#include <map>

#include "hub/twins.h"
#include "random_json.h"
#include "twins_fixture.h"

namespace picket::hub {
namespace {

class TwinsIsolationTest : public TwinsFixture {};

// What each identity's own sections should hold.
struct Model {
  JsonObject reported;
  JsonObject desired;
  JsonObject tags;
};

const std::vector<std::string> kHostileIds = {"#",  "+",       "?",    "%",     "$",      "*",  "'",   "=",     "..",
                                              ".",  "d",       "d1",   "d1#",   "D1",     "d%", "d_",  "d%25",  "%00",
                                              "d+", "$iothub", "d'--", "a:b@c", "(a,b)!", "_%", "d1.", "d1%2Fm"};

TEST_F(TwinsIsolationTest, NoOperationTouchesAnotherTwinThanItsOwn) {
  std::vector<IdentityKey> keys;
  for (const std::string& id : kHostileIds) {
    keys.push_back(add(id));
    for (const char* module : {"m", "d1", "%"}) {
      if (id.size() > 2) continue;
      ASSERT_TRUE(devices_->add_module("hub", id, module, kService, kStart)) << id << "/" << module;
      keys.push_back({"hub", id, module});
    }
  }
  keys.push_back(add("d1", "hub2"));
  std::vector<Identity> identities;
  for (const auto& key : keys) identities.push_back(proven(key));
  std::map<IdentityKey, Model> models;
  RandomJson random(42);
  for (int step = 0; step < 4000; ++step) {
    const std::size_t at = random.below(static_cast<unsigned>(keys.size()));
    Model& model = models[keys[at]];
    const JsonObject patch_of = random.object(2, true);
    const std::string text = JsonValue(patch_of).to_string();
    TwinPart part;
    switch (random.below(3)) {
      case 0:
        part.value = model.reported;
        ASSERT_TRUE(patch_part(part, patch_of, TwinSection::reported, kStart));
        model.reported = part.value;
        ASSERT_TRUE(report(identities[at], text));
        break;
      case 1:
        part.value = model.desired;
        ASSERT_TRUE(patch_part(part, patch_of, TwinSection::desired, kStart));
        model.desired = part.value;
        ASSERT_TRUE(patch(keys[at], "{\"properties\":{\"desired\":" + text + "}}"));
        break;
      default:
        ASSERT_TRUE(patch_tags(model.tags, patch_of));
        ASSERT_TRUE(patch(keys[at], "{\"tags\":" + text + "}"));
    }
    if (step % 400 != 399) continue;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto row = twins_->store().find(keys[i].hub, keys[i].device_id, keys[i].module_id);
      ASSERT_TRUE(row);
      const auto seen = load_twin(*row);
      ASSERT_TRUE(seen);
      const Model& wanted = models[keys[i]];
      ASSERT_EQ(JsonValue(seen->reported.value).to_string(), JsonValue(wanted.reported).to_string()) << i;
      ASSERT_EQ(JsonValue(seen->desired.value).to_string(), JsonValue(wanted.desired).to_string()) << i;
      ASSERT_EQ(JsonValue(seen->tags).to_string(), JsonValue(wanted.tags).to_string()) << i;
      const auto own = get(identities[i]);
      ASSERT_TRUE(own);
      ASSERT_EQ(*own, device_view(*seen));
    }
  }
}

TEST_F(TwinsIsolationTest, ADeviceDoesNotReachItsModulesNorAModuleItsDevice) {
  const auto device = add("d");
  const IdentityKey module{"hub", "d", std::string(state::kSecurityModule)};
  Identity crossed = proven(device);
  crossed.module_id = module.module_id;
  EXPECT_EQ(get(crossed).error().code, kModuleNotFound);
  EXPECT_EQ(report(crossed, R"({"a":1})").error().code, kModuleNotFound);
  EXPECT_EQ(twin(module).find("properties")->find("reported")->integer_of("$version"), 1);
}

}  // namespace
}  // namespace picket::hub
