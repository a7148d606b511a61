#include "configuration_content.h"

#include <gmock/gmock.h>

#include "hub/twin_document.h"
#include "random_json.h"

namespace picket::hub {
namespace {

using testing::HasSubstr;

JsonValue json(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed : JsonValue();
}

HubResult<ConfigurationContent> content(std::string_view text) {
  const JsonValue parsed = json(text);
  return parse_configuration_content(&parsed);
}

TEST(ConfigurationContent, SplitsValuesIntoLeaves) {
  const auto parsed =
      content(R"({"deviceContent":{"properties.desired.a.b":{"c":1,"d":{"e":[1]}},"properties.desired":{"f":{}}}})");
  ASSERT_TRUE(parsed) << parsed.error().message;
  std::string seen;
  for (const auto& [path, value] : parsed->device) seen += path + "=" + value.to_string() + ";";
  EXPECT_EQ(seen, "a.b.c=1;a.b.d.e=[1];f={};");
}

TEST(ConfigurationContent, RefusesWhatNoTwinCouldHold) {
  for (const char* bad :
       {R"({"deviceContent":{"tags.a":1}})", R"({"deviceContent":{"properties.desired":5}})",
        R"({"deviceContent":{"properties.desired..a":1}})", R"({"deviceContent":{"properties.desired.a$":1}})",
        R"({"deviceContent":{"properties.desiredx":1}})", R"({"deviceContent":[]})", R"({"modulesContent":{"m":5}})",
        R"({"deviceContent":{"properties.desired.a":9007199254740993}})",
        R"({"deviceContent":{"properties.desired.a":1},"moduleContent":{"properties.desired.a":1}})"}) {
    const auto parsed = content(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_FALSE(parsed.error().message.empty());
  }
}

TEST(ConfigurationContent, TheFirstTakesAPathAndAllAboveAndBelowIt) {
  WantedValues wanted;
  EXPECT_TRUE(wanted.add("high", {{"a.b", JsonValue(1)}, {"c", JsonValue(2)}}));
  EXPECT_FALSE(
      wanted.add("low", {{"a", JsonValue(9)}, {"a.b", JsonValue(9)}, {"a.b.x", JsonValue(9)}, {"c.d", JsonValue(9)}}));
  EXPECT_TRUE(wanted.add("low", {{"a.bb", JsonValue(3)}, {"cc", JsonValue(4)}, {"c", JsonValue(9)}}));
  std::string seen;
  for (const auto& [path, value] : wanted.values()) seen += path + "=" + value.value + "@" + value.configuration + ";";
  EXPECT_EQ(seen, "a.b=1@high;a.bb=3@low;c=2@high;cc=4@low;");
}

std::string patch_of(std::string_view wanted_leaves, std::string_view recorded_leaves, std::string_view desired) {
  const auto values = [](std::string_view text) {
    std::map<std::string, state::ConfigurationValue> out;
    const JsonValue parsed = json(text);
    for (const JsonMember& member : parsed.object()->members()) out[member.key] = {"c", member.value.to_string()};
    return out;
  };
  const JsonValue now = json(desired);
  return JsonValue(reconciling_patch(values(wanted_leaves), values(recorded_leaves), *now.object())).to_string();
}

TEST(ConfigurationContent, PatchesWhatDiffersOnly) {
  EXPECT_EQ(patch_of(R"({"a.b":1,"c":2})", "{}", R"({"a":{"b":1,"x":9}})"), R"({"c":2})");
  EXPECT_EQ(patch_of(R"({"a.b":null})", "{}", R"({"a":{"b":1}})"), R"({"a":{"b":null}})");
  EXPECT_EQ(patch_of(R"({"a.b":null})", "{}", "{}"), "{}");
  EXPECT_EQ(patch_of(R"({"a":{}})", "{}", R"({"a":{"b":1}})"), "{}");
}

TEST(ConfigurationContent, TakesBackWhatItHadSetUnlessSomebodyChangedIt) {
  EXPECT_EQ(patch_of("{}", R"({"a.b":1,"c":2})", R"({"a":{"b":1,"x":1},"c":3})"), R"({"a":{"b":null}})");
  EXPECT_EQ(patch_of("{}", R"({"a.b.c":1,"a.b.d":2})", R"({"a":{"b":{"c":1,"d":2}},"z":1})"), R"({"a":null})");
  EXPECT_EQ(patch_of(R"({"a":7})", R"({"a.b":1})", R"({"a":{"b":1}})"), R"({"a":7})");
  EXPECT_EQ(patch_of(R"({"a.b.c":7})", R"({"a.b":1})", R"({"a":{"b":1}})"), R"({"a":{"b":{"c":7}}})");
}

TEST(ConfigurationContent, AppliedTwiceIsAppliedOnceAndUndoneIsAsBefore) {
  for (unsigned seed = 0; seed < 500; ++seed) {
    RandomJson random(seed);
    TwinPart twin;
    ASSERT_TRUE(patch_part(twin, random.object(2, false), TwinSection::desired, {}));
    WantedValues wanted;
    JsonObject content_object;
    content_object.set("properties.desired", random.object(3, false));
    JsonObject whole;
    whole.set("deviceContent", std::move(content_object));
    const JsonValue text(std::move(whole));
    const auto parsed = parse_configuration_content(&text);
    ASSERT_TRUE(parsed);
    wanted.add("c", parsed->device);
    const JsonObject first = reconciling_patch(wanted.values(), {}, twin.value);
    ASSERT_TRUE(patch_part(twin, first, TwinSection::desired, {}));
    EXPECT_TRUE(reconciling_patch(wanted.values(), wanted.values(), twin.value).empty()) << "seed " << seed;
    ASSERT_TRUE(patch_part(twin, reconciling_patch({}, wanted.values(), twin.value), TwinSection::desired, {}));
    const auto left = reconciling_patch({}, wanted.values(), twin.value);
    EXPECT_TRUE(left.empty()) << "seed " << seed << " left " << JsonValue(left).to_string();
    for (const auto& [path, value] : wanted.values()) {
      if (path.find('.') == std::string::npos && value.value != "{}") EXPECT_EQ(twin.value.find(path), nullptr) << seed;
    }
  }
}

TEST(TargetCondition, ReadsStarNothingConditionsAndModules) {
  const JsonValue twin = json(R"({"deviceId":"d","moduleId":"m","tags":{"a":1}})");
  EXPECT_TRUE(parse_target_condition("*")->matches(twin));
  EXPECT_TRUE(parse_target_condition("  *  ")->matches(twin));
  EXPECT_FALSE(parse_target_condition("")->matches(twin));
  EXPECT_TRUE(parse_target_condition("tags.a = 1")->matches(twin));
  const auto modules = parse_target_condition("from devices.modules where moduleId = 'm'");
  ASSERT_TRUE(modules);
  EXPECT_EQ(modules->scope, TargetScope::modules);
  EXPECT_TRUE(modules->matches(twin));
  EXPECT_TRUE(parse_target_condition("FROM devices.modules")->all);
  EXPECT_THAT(parse_target_condition("tags.a =").error().message, HasSubstr("targetCondition: Line 1"));
  EXPECT_FALSE(parse_target_condition("FROM devices.jobs"));
}

TEST(TargetCondition, KnowsWhetherReportedPropertiesMatter) {
  EXPECT_TRUE(parse_target_condition("properties.reported.a = 1")->reads_reported());
  EXPECT_TRUE(parse_target_condition("is_defined(Properties)")->reads_reported());
  EXPECT_FALSE(parse_target_condition("tags.a = 1 AND properties.desired.b = 1")->reads_reported());
  EXPECT_FALSE(parse_target_condition("*")->reads_reported());
}

}  // namespace
}  // namespace picket::hub
