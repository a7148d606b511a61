#include "hub/twin_document.h"

#include <map>

#include <gmock/gmock.h>

#include "random_json.h"

namespace picket::hub {
namespace {

using testing::HasSubstr;

constexpr Timestamp kNow{1'795'000'000'000'000};

JsonObject object(std::string_view text) {
  auto parsed = parse_json(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? *parsed->object() : JsonObject();
}
std::string text(const JsonObject& value) { return JsonValue(value).to_string(); }

int code_of(const HubResult<>& result) { return result ? 0 : result.error().code; }

// A twin section as a map from path to leaf: the simplest thing that can be right.
using Model = std::map<std::string, std::string>;

void flatten(const JsonValue& value, const std::string& path, Model& out) {
  if (const JsonObject* members = value.object()) {
    out[path + "{}"] = "object";
    for (const JsonMember& member : members->members()) flatten(member.value, path + "/" + member.key, out);
  } else {
    out[path] = value.to_string();
  }
}

void erase_tree(Model& model, const std::string& path) {
  std::erase_if(model, [&](const auto& entry) {
    return entry.first == path || entry.first == path + "{}" || entry.first.starts_with(path + "/");
  });
}

void patch_model(Model& model, const JsonObject& patch, const std::string& path) {
  model[path + "{}"] = "object";
  for (const JsonMember& member : patch.members()) {
    const std::string inner = path + "/" + member.key;
    if (member.value.object() != nullptr) {
      if (!model.contains(inner + "{}")) erase_tree(model, inner);
      patch_model(model, *member.value.object(), inner);
    } else {
      erase_tree(model, inner);
      if (!member.value.is_null()) model[inner] = member.value.to_string();
    }
  }
}

void expect_same_keys(const JsonObject& value, const TwinMetadata& metadata) {
  ASSERT_EQ(value.size(), metadata.children.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const JsonMember& member = value.members()[i];
    ASSERT_EQ(member.key, metadata.children[i].first);
    if (member.value.object() != nullptr) {
      expect_same_keys(*member.value.object(), metadata.children[i].second);
    } else {
      ASSERT_TRUE(metadata.children[i].second.children.empty());
    }
  }
}

TEST(TwinDocument, PatchesEqualAMapOfPathsAfterAnyOperations) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    RandomJson random(seed);
    TwinPart part;
    Model model;
    flatten(JsonValue(JsonObject()), "", model);
    for (int step = 0; step < 50; ++step) {
      const std::uint64_t version = part.version;
      const JsonObject patch = random.object(3, true);
      ASSERT_TRUE(patch_part(part, patch, TwinSection::desired, {kNow.us + step}));
      patch_model(model, patch, "");
      Model seen;
      flatten(JsonValue(part.value), "", seen);
      ASSERT_EQ(seen, model) << "seed " << seed << " step " << step << " patch " << text(patch);
      ASSERT_EQ(part.version, version + 1);
      expect_same_keys(part.value, part.metadata);
    }
  }
}

TEST(TwinDocument, AReplacementEqualsItsOwnMergePatch) {
  for (unsigned seed = 0; seed < 300; ++seed) {
    RandomJson random(seed);
    TwinPart part;
    ASSERT_TRUE(patch_part(part, random.object(3, false), TwinSection::desired, kNow));
    TwinPart patched = part;
    const auto patch = replace_part(part, random.object(3, true), TwinSection::desired, kNow);
    ASSERT_TRUE(patch);
    ASSERT_TRUE(patch_part(patched, *patch, TwinSection::desired, kNow));
    EXPECT_EQ(text(patched.value), text(part.value)) << "seed " << seed;
    expect_same_keys(part.value, part.metadata);
  }
}

TEST(TwinDocument, StampsEachNodeOnTheWayAndNoOther) {
  TwinPart part;
  ASSERT_TRUE(patch_part(part, object(R"({"a":{"b":1,"c":{"d":1}},"e":1})"), TwinSection::desired, {1'000'000}));
  ASSERT_TRUE(patch_part(part, object(R"({"a":{"c":{"d":null}}})"), TwinSection::desired, {2'000'000}));
  EXPECT_EQ(store_metadata(part.metadata),
            R"([2000000,3,{"a":[2000000,3,{"b":[1000000,2],"c":[2000000,3]}],"e":[1000000,2]}])");
  EXPECT_EQ(text(part_with_metadata(part)),
            R"({"$metadata":{"$lastUpdated":"1970-01-01T00:00:02.000000Z","$lastUpdatedVersion":3,)"
            R"("a":{"$lastUpdated":"1970-01-01T00:00:02.000000Z","$lastUpdatedVersion":3,)"
            R"("b":{"$lastUpdated":"1970-01-01T00:00:01.000000Z","$lastUpdatedVersion":2},)"
            R"("c":{"$lastUpdated":"1970-01-01T00:00:02.000000Z","$lastUpdatedVersion":3}},)"
            R"("e":{"$lastUpdated":"1970-01-01T00:00:01.000000Z","$lastUpdatedVersion":2}},)"
            R"("$version":3,"a":{"b":1,"c":{}},"e":1})");
}

TEST(TwinDocument, StoresMetadataAndReadsItBack) {
  RandomJson random(7);
  TwinPart part;
  for (int i = 0; i < 30; ++i)
    ASSERT_TRUE(patch_part(part, random.object(4, true), TwinSection::reported, {kNow.us + i}));
  const auto loaded = load_metadata(store_metadata(part.metadata));
  ASSERT_TRUE(loaded);
  EXPECT_EQ(*loaded, part.metadata);
  EXPECT_FALSE(load_metadata("[1]"));
  EXPECT_FALSE(load_metadata("{\"a\":1}"));
}

TEST(TwinDocument, CountsKeysAndValuesForTheSize) {
  EXPECT_EQ(twin_size(object(R"({"abc":"defg","n":12345678901,"t":true})")), 3u + 4 + 1 + 8 + 1 + 4);
  EXPECT_EQ(twin_size(object(R"({"o":{"i":1.5},"l":["xy",2]})")), 1u + 1 + 8 + 1 + 2 + 8);
  EXPECT_EQ(twin_size(object(R"({"s":"a\u0001\u0085b"})")), 1u + 2);
}

TEST(TwinDocument, RefusesSectionsThatGrowOverTheirSize) {
  const auto filled = [](std::size_t bytes) {
    JsonObject out;
    for (int i = 0; bytes > 0; ++i) {
      const std::size_t part = std::min<std::size_t>(bytes - 2, 4000);
      out.set(std::string{static_cast<char>('a' + i / 26), static_cast<char>('a' + i % 26)}, std::string(part, 'x'));
      bytes -= part + 2;
    }
    return out;
  };
  TwinPart part;
  EXPECT_TRUE(patch_part(part, filled(kTwinSectionBytesMax), TwinSection::desired, kNow));
  EXPECT_EQ(twin_size(part.value), kTwinSectionBytesMax);
  const TwinPart before = part;
  EXPECT_EQ(code_of(patch_part(part, object(R"({"zz":true})"), TwinSection::desired, kNow)), kTooLarge);
  EXPECT_EQ(part.version, before.version);
  EXPECT_EQ(text(part.value), text(before.value));
  EXPECT_TRUE(patch_part(part, object(R"({"aa":null})"), TwinSection::desired, kNow));
  JsonObject tags;
  EXPECT_EQ(code_of(patch_tags(tags, filled(kTwinTagsBytesMax + 1))), kTooLarge);
  EXPECT_TRUE(patch_tags(tags, filled(kTwinTagsBytesMax)));
}

TEST(TwinDocument, RefusesKeysOutsideTheRule) {
  for (const char* bad : {R"({"a.b":1})", R"({"$a":1})", R"({"a b":1})", R"({"":1})", R"({"a\u0007":1})",
                          R"({"a\u0080":1})", R"({"x":{"a$":1}})", R"({"x":[{"a.b":1}]})"}) {
    TwinPart part;
    EXPECT_EQ(code_of(patch_part(part, object(bad), TwinSection::reported, kNow)), kArgumentInvalid) << bad;
    EXPECT_EQ(part.version, 1u);
  }
  TwinPart part;
  EXPECT_TRUE(patch_part(part, object(R"({"-_:/#+?%é\u00a0'":1})"), TwinSection::reported, kNow));
  JsonObject long_key;
  long_key.set(std::string(kTwinKeyBytesMax, 'k'), 1);
  EXPECT_TRUE(patch_part(part, long_key, TwinSection::reported, kNow));
  long_key.set(std::string(kTwinKeyBytesMax + 1, 'k'), 1);
  EXPECT_EQ(code_of(patch_part(part, long_key, TwinSection::reported, kNow)), kArgumentInvalid);
}

TEST(TwinDocument, BoundsIntegersStringsAndDepthOnBothSides) {
  const auto accepts = [](const std::string& value) {
    TwinPart part;
    return code_of(patch_part(part, object("{\"k\":" + value + "}"), TwinSection::desired, kNow)) == 0;
  };
  EXPECT_TRUE(accepts("4503599627370495"));
  EXPECT_FALSE(accepts("4503599627370496"));
  EXPECT_TRUE(accepts("-4503599627370496"));
  EXPECT_FALSE(accepts("-4503599627370497"));
  EXPECT_FALSE(accepts("99999999999999999999999999"));
  EXPECT_TRUE(accepts("1e300"));
  EXPECT_FALSE(accepts("1e999"));
  EXPECT_TRUE(accepts("\"" + std::string(4096, 's') + "\""));
  EXPECT_FALSE(accepts("\"" + std::string(4097, 's') + "\""));
  const auto nested = [](int levels, const std::string& open, const std::string& close) {
    std::string out;
    for (int i = 0; i < levels; ++i) out += open;
    out += "1";
    for (int i = 0; i < levels; ++i) out += close;
    return out;
  };
  EXPECT_TRUE(accepts(nested(10, "{\"n\":", "}")));
  EXPECT_FALSE(accepts(nested(11, "{\"n\":", "}")));
  EXPECT_TRUE(accepts(nested(10, "[", "]")));
  EXPECT_FALSE(accepts(nested(11, "[", "]")));
}

TEST(TwinDocument, NamesThePathOfWhatIsWrong) {
  TwinPart part;
  const auto failed = patch_part(part, object(R"({"a":{"b":{"c":9999999999999999}}})"), TwinSection::desired, kNow);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("desired.a.b.c"));
}

TEST(TwinDocument, IgnoresWhatAServiceCannotSet) {
  const auto change = parse_twin_change(
      R"({"deviceId":"d","etag":"x","tags":{"a":1},"properties":{"desired":{"b":2,"$version":7,"$metadata":{"b":{}}},"reported":{"c":3}}})");
  ASSERT_TRUE(change);
  EXPECT_EQ(text(*change->tags), R"({"a":1})");
  EXPECT_EQ(text(*change->desired), R"({"b":2})");
}

TEST(TwinDocument, ReadsWhatIsAbsentAsUnchangedAndNullAsEmpty) {
  const auto none = parse_twin_change("{}");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->tags || none->desired || none->clear_tags || none->clear_desired);
  const auto cleared = parse_twin_change(R"({"tags":null,"properties":{"desired":null}})");
  ASSERT_TRUE(cleared);
  EXPECT_TRUE(cleared->clear_tags && cleared->clear_desired);
}

TEST(TwinDocument, RefusesBodiesOfTheWrongShapeWithAMessage) {
  for (const char* bad : {"", "[]", "1", "{\"tags\":1}", "{\"properties\":[]}", "{\"properties\":{\"desired\":\"x\"}}",
                          "{\"desired\":{\"a\":1}}", "{\"reported\":{}}", "{\"a\":1,\"a\":2}"}) {
    const auto change = parse_twin_change(bad);
    ASSERT_FALSE(change) << bad;
    EXPECT_EQ(change.error().status(), 400);
    EXPECT_FALSE(change.error().message.empty());
  }
  EXPECT_EQ(parse_twin_change(std::string(kTwinBodyBytesMax + 1, ' ')).error().code, kTooLarge);
  EXPECT_EQ(parse_reported_patch("[]").error().code, kArgumentInvalid);
  EXPECT_EQ(parse_reported_patch(std::string(1000, '[')).error().code, kArgumentInvalid);
}

TEST(TwinDocument, ShowsADeviceItsPropertiesWithVersionsOnly) {
  TwinDocument twin;
  ASSERT_TRUE(patch_part(twin.desired, object(R"({"a":1})"), TwinSection::desired, kNow));
  ASSERT_TRUE(patch_tags(twin.tags, object(R"({"secret":"tag"})")));
  EXPECT_EQ(device_view(twin), R"({"desired":{"a":1,"$version":2},"reported":{"$version":1}})");
}

TEST(TwinDocument, NotifiesWithThePatchAndItsVersion) {
  EXPECT_EQ(patch_with_version(object(R"({"a":null,"z":{"b":1}})"), 9), R"({"a":null,"z":{"b":1},"$version":9})");
  EXPECT_EQ(patch_with_version({}, 2), R"({"$version":2})");
}

}  // namespace
}  // namespace picket::hub
