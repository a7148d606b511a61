#include "hub/routing_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::hub {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kFull = R"({
  "endpoints": {"storageContainers": [{"name": "archive", "containerName": "telemetry", "batchFrequencyInSeconds": 60,
                                       "maxChunkSizeInBytes": 10485760, "encoding": "JSON"}], "eventHubs": []},
  "routes": [{"name": "hot", "source": "DeviceMessages", "condition": "level='hot'", "endpointNames": ["archive"],
              "isEnabled": true},
             {"name": "twins", "source": "TwinChangeEvents", "endpointNames": ["events"], "isEnabled": false}],
  "fallbackRoute": {"source": "DeviceMessages", "condition": "true", "endpointNames": ["events"], "isEnabled": false},
  "enrichments": [{"key": "site", "value": "$twin.tags.site", "endpointNames": ["events", "archive"]}]})";

std::string error_of(std::string_view text) {
  const auto parsed = parse_routing(text);
  return parsed ? "" : parsed.error().message;
}

TEST(RoutingConfig, KeepsEverythingThroughJson) {
  const auto parsed = parse_routing(kFull);
  ASSERT_TRUE(parsed.has_value()) << parsed.error().message;
  EXPECT_EQ(parsed->routes.size(), 2u);
  EXPECT_EQ(parsed->routes[1].source, MessageSource::twin_change_events);
  EXPECT_EQ(parsed->routes[1].condition, "true");
  EXPECT_FALSE(parsed->fallback.enabled);
  EXPECT_EQ(parsed->storage[0].batch_time, Duration::seconds(60));
  const std::string text = to_json(*parsed);
  EXPECT_EQ(to_json(*parse_routing(text)), text);
}

TEST(RoutingConfig, EmptyObjectSendsEverythingToTheBuiltInEndpoint) {
  const auto parsed = parse_routing("{}").value();
  EXPECT_TRUE(parsed.routes.empty());
  EXPECT_TRUE(parsed.fallback.enabled);
  EXPECT_EQ(parsed.fallback.endpoint, "events");
}

TEST(RoutingConfig, ErrorsNameThePlaceAndWhatIsPossible) {
  EXPECT_THAT(error_of("[]"), HasSubstr("JSON object"));
  EXPECT_THAT(error_of(R"({"routes":[{"name":"a","source":"Nowhere","endpointNames":["events"]}]})"),
              HasSubstr("routes[0].source: must be DeviceMessages"));
  EXPECT_THAT(error_of(R"({"routes":[{"name":"a","source":"DeviceMessages","endpointNames":["x"]}]})"),
              HasSubstr("route a: there is no endpoint x"));
  EXPECT_THAT(error_of(R"({"routes":[{"name":"a b","source":"DeviceMessages","endpointNames":["events"]}]})"),
              HasSubstr("routes[0].name"));
  EXPECT_THAT(error_of(R"({"endpoints":{"eventHubs":[{"name":"x"}]}})"), HasSubstr("storageContainers only"));
  EXPECT_THAT(error_of(R"({"endpoints":{"storageContainers":[{"name":"x","containerName":"../../etc"}]}})"),
              HasSubstr("containerName"));
  EXPECT_THAT(error_of(R"({"routes":[{"name":"a","source":"DeviceMessages","endpointNames":["events"]},
                                     {"name":"a","source":"DeviceMessages","endpointNames":["events"]}]})"),
              HasSubstr("taken twice"));
}

TEST(RoutingConfig, LimitsOfIoTHubHold) {
  std::string routes;
  for (std::size_t i = 0; i <= kRoutesMax; ++i) {
    routes += std::string(i == 0 ? "" : ",") + R"({"name":"r)" + std::to_string(i) +
              R"(","source":"DeviceMessages","endpointNames":["events"]})";
    if (i + 1 == kRoutesMax) EXPECT_EQ(error_of(R"({"routes":[)" + routes + "]}"), "");
  }
  EXPECT_THAT(error_of(R"({"routes":[)" + routes + "]}"), HasSubstr("at most 100"));
  EXPECT_THAT(error_of(std::string(kRoutingTextBytesMax + 1, ' ')), HasSubstr("256 KiB"));
}

}  // namespace
}  // namespace picket::hub
