#include "hub/route_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hub/router.h"

namespace picket::hub {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

RoutedMessage message(std::vector<std::pair<std::string, std::string>> properties, std::string_view body = "") {
  const Bytes bytes = as_bytes(body);
  return {.source = MessageSource::device_messages,
          .event = {.sequence = 1,
                    .enqueued = {1'700'000'000'000'000},
                    .identity = {"h", "press#1", "", "g"},
                    .properties = std::move(properties),
                    .body = Buffer(bytes.begin(), bytes.end())}};
}

RoutedMessage json_message(std::string_view body) {
  return message({{"$.ct", "application/json"}, {"$.ce", "utf-8"}}, body);
}

/// One route "r" with this condition to "archive"; the rest falls back to "events".
std::shared_ptr<const RouteSet> routes_with(std::string condition) {
  RoutingConfig config;
  config.storage.push_back({.name = "archive", .container = "telemetry"});
  config.routes.push_back({.name = "r", .condition = std::move(condition), .endpoint = "archive"});
  return RouteSet::compile(std::move(config)).value();
}

class RouteSetTest : public ::testing::Test {
 protected:
  std::vector<std::string_view> routed(const std::string& condition, const RoutedMessage& what) {
    set = routes_with(condition);
    return set->route(what, twins, counters).endpoints;
  }
  std::shared_ptr<const RouteSet> set;
  RoutingCounters counters{};
  int looked_up = 0;
  TwinLookup twins = [this](const IdentityKey& key) -> HubResult<JsonValue> {
    ++looked_up;
    EXPECT_EQ(key.device_id, "press#1");
    return parse_json(R"({"tags":{"site":"north"},"properties":{"reported":{"fw":3}}})").value();
  };
};

TEST_F(RouteSetTest, ApplicationPropertiesAreBareNamesAndSystemOnesHaveADollar) {
  const auto what = message({{"$.ct", "text/plain"}, {"level", "hot"}});
  EXPECT_THAT(routed("level = 'hot'", what), ElementsAre("archive"));
  EXPECT_THAT(routed("level = 'cold'", what), ElementsAre("events"));
  EXPECT_THAT(routed("$contentType = 'text/plain' AND $connectionDeviceId = 'press#1'", what), ElementsAre("archive"));
  EXPECT_THAT(routed("contentType = 'text/plain'", what), ElementsAre("events"));
}

TEST_F(RouteSetTest, BodyIsReadOnlyWhenTheMessageSaysThatItIsJson) {
  EXPECT_THAT(routed("$body.temperature > 40", json_message(R"({"temperature":41})")), ElementsAre("archive"));
  EXPECT_THAT(routed("$body.temperature > 40", json_message(R"({"temperature":40})")), ElementsAre("events"));
  EXPECT_THAT(routed("$body.temperature > 40", message({}, R"({"temperature":41})")), ElementsAre("events"));
  EXPECT_THAT(routed("$body.temperature > 40", json_message("not json")), ElementsAre("events"));
  EXPECT_EQ(counters.undefined, 2u);
}

TEST_F(RouteSetTest, TwinIsAskedForOnceAndOnlyWhenNamed) {
  EXPECT_THAT(routed("level = 'x'", message({})), ElementsAre("events"));
  EXPECT_EQ(looked_up, 0);
  EXPECT_THAT(routed("$twin.tags.site = 'north' AND $twin.properties.reported.fw >= 3", message({})),
              ElementsAre("archive"));
  EXPECT_EQ(looked_up, 1);
}

TEST_F(RouteSetTest, WithoutFallbackWhatMatchesNothingIsOrphanedAndCounted) {
  RoutingConfig config;
  config.fallback.enabled = false;
  const auto none = RouteSet::compile(std::move(config)).value();
  EXPECT_THAT(none->route(message({}), twins, counters).endpoints, IsEmpty());
  EXPECT_EQ(counters.orphaned, 1u);
}

TEST_F(RouteSetTest, AnEndpointGetsAMessageOnceThoughSeveralRoutesNameIt) {
  RoutingConfig config;
  config.routes.push_back({.name = "a", .endpoint = "events"});
  config.routes.push_back({.name = "b", .endpoint = "events"});
  config.routes.push_back({.name = "off", .endpoint = "events", .enabled = false});
  const auto both = RouteSet::compile(std::move(config)).value();
  EXPECT_THAT(both->route(message({}), twins, counters).endpoints, ElementsAre("events"));
  EXPECT_THAT(both->matching(message({}), twins), ElementsAre("a", "b"));
}

TEST_F(RouteSetTest, MistakesNameTheRoute) {
  RoutingConfig config;
  config.routes.push_back({.name = "broken", .condition = "level = ", .endpoint = "events"});
  const auto failed = RouteSet::compile(std::move(config));
  ASSERT_FALSE(failed.has_value());
  EXPECT_THAT(failed.error().message, HasSubstr("route broken"));
}

TEST_F(RouteSetTest, EnrichmentsStampTextsTheHubAndTheTwin) {
  RoutingConfig config;
  config.enrichments = {{"fixed", "abc", {"events"}},
                        {"hub", "$iothubname", {"events"}},
                        {"site", "$twin.tags.site", {"events"}},
                        {"fw", "$twin.properties.reported.fw", {"events"}},
                        {"none", "$twin.tags.absent", {"events"}},
                        {"other", "x", {"archive"}}};
  config.storage.push_back({.name = "archive", .container = "telemetry"});
  auto what = message({{"a", "b"}});
  RouteSet::compile(std::move(config)).value()->enrich(what.event, "events", twins);
  EXPECT_EQ(
      what.event.properties,
      (std::vector<std::pair<std::string, std::string>>{
          {"a", "b"}, {"fixed", "abc"}, {"hub", "h"}, {"site", "north"}, {"fw", "3"}, {"none", "$twin.tags.absent"}}));
  EXPECT_EQ(looked_up, 1);
}

TEST(StorageLine, KeepsJsonAsJsonAndOtherBodiesAsBase64) {
  const std::string line = storage_line(json_message("{\n\"a\": 1}").event);
  EXPECT_THAT(line, HasSubstr(R"("Body":{"a":1})"));
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  EXPECT_THAT(storage_line(message({{"p", "q"}}, "x").event), HasSubstr(R"("Body":"eA==")"));
  EXPECT_THAT(storage_line(message({{"p", "q"}}, "x").event), HasSubstr(R"("Properties":{"p":"q"})"));
  EXPECT_THAT(storage_line(message({}, "").event), HasSubstr(R"("connectionDeviceId":"press#1")"));
}

}  // namespace
}  // namespace picket::hub
