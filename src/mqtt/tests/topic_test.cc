#include "mqtt/topic.h"

#include <gtest/gtest.h>

namespace picket::mqtt {
namespace {

TEST(PublishTopic, TelemetryOfOnesOwnCarriesTheBag) {
  EXPECT_EQ(publish_topic_of("devices/d/messages/events/a=b", "d", ""), (PublishTopic{PublishKind::telemetry, "a=b"}));
  EXPECT_EQ(publish_topic_of("devices/d/messages/events/", "d", ""), (PublishTopic{PublishKind::telemetry, ""}));
  EXPECT_EQ(publish_topic_of("devices/d/messages/events", "d", ""), (PublishTopic{PublishKind::telemetry, ""}));
  EXPECT_EQ(publish_topic_of("devices/d/modules/m/messages/events/a=b", "d", "m"),
            (PublishTopic{PublishKind::telemetry, "a=b"}));
}

TEST(PublishTopic, TelemetryOfAnotherIdentityIsForeign) {
  for (const auto* topic : {"devices/e/messages/events/", "devices/D/messages/events/", "devices/d1/messages/events/",
                            "devices/d/modules/m/messages/events/", "devices//messages/events/"}) {
    EXPECT_EQ(publish_topic_of(topic, "d", "").kind, PublishKind::foreign) << topic;
  }
  EXPECT_EQ(publish_topic_of("devices/d/messages/events/", "d", "m").kind, PublishKind::foreign);
  EXPECT_EQ(publish_topic_of("devices/d/modules/n/messages/events/", "d", "m").kind, PublishKind::foreign);
}

TEST(PublishTopic, IdsAreLiterals) {
  EXPECT_EQ(publish_topic_of("devices/a+#%$b/messages/events/x=1", "a+#%$b", "").kind, PublishKind::telemetry);
  EXPECT_EQ(publish_topic_of("devices/abc/messages/events/", "+", "").kind, PublishKind::foreign);
}

TEST(PublishTopic, WildcardInTheTailIsUnknown) {
  EXPECT_EQ(publish_topic_of("devices/d/messages/events/#", "d", "").kind, PublishKind::unknown);
  EXPECT_EQ(publish_topic_of("$iothub/twin/GET/+", "d", "").kind, PublishKind::unknown);
}

TEST(PublishTopic, KnowsTwinAndMethodTopics) {
  EXPECT_EQ(publish_topic_of("$iothub/twin/GET/?$rid=1", "d", ""), (PublishTopic{PublishKind::twin_get, "?$rid=1"}));
  EXPECT_EQ(publish_topic_of("$iothub/twin/PATCH/properties/reported/?$rid=2", "d", "m"),
            (PublishTopic{PublishKind::twin_reported, "?$rid=2"}));
  EXPECT_EQ(publish_topic_of("$iothub/methods/res/200/?$rid=3", "d", ""),
            (PublishTopic{PublishKind::method_response, "200/?$rid=3"}));
}

TEST(PublishTopic, WhatOnlyTheHubPublishesIsUnknown) {
  for (const auto* topic : {"$iothub/twin/res/200/?$rid=1", "devices/d/messages/devicebound/", "a", "$SYS/x"}) {
    EXPECT_EQ(publish_topic_of(topic, "d", "").kind, PublishKind::unknown) << topic;
  }
}

TEST(SubscribeFilter, OnlyTheDocumentedOnes) {
  EXPECT_EQ(filter_of("devices/d/messages/devicebound/#", "d", ""), Filter::devicebound);
  EXPECT_EQ(filter_of("$iothub/twin/res/#", "d", ""), Filter::twin_responses);
  EXPECT_EQ(filter_of("$iothub/twin/PATCH/properties/desired/#", "d", ""), Filter::twin_desired);
  EXPECT_EQ(filter_of("$iothub/methods/POST/#", "d", "m"), Filter::methods);
  EXPECT_EQ(filter_of("devices/d/modules/m/inputs/#", "d", "m"), Filter::module_inputs);
  EXPECT_EQ(filter_of("devices/d/modules/m/#", "d", "m"), Filter::module_inputs);
  for (const auto* filter : {"#", "devices/#", "devices/+/messages/devicebound/#", "devices/e/messages/devicebound/#",
                             "$iothub/#", "$iothub/twin/#", "devices/d/#", "devices/d/messages/events/#"}) {
    EXPECT_EQ(filter_of(filter, "d", ""), std::nullopt) << filter;
  }
  EXPECT_EQ(filter_of("devices/d/messages/devicebound/#", "d", "m"), std::nullopt);
}

}  // namespace
}  // namespace picket::mqtt
