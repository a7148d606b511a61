#include "device_topics.h"

#include <gtest/gtest.h>

namespace picket::hub {
namespace {

TEST(DeviceTopics, ParameterIsFoundUnderBothSpellings) {
  EXPECT_EQ(parameter_of("?$rid=4", "rid"), "4");
  EXPECT_EQ(parameter_of("?%24rid=4", "rid"), "4");
  EXPECT_EQ(parameter_of("$rid=4", "rid"), "4");
  EXPECT_EQ(parameter_of("?$version=3&$rid=4", "rid"), "4");
  EXPECT_EQ(parameter_of("?$rid=4&$rid=5", "rid"), "4");
  EXPECT_EQ(parameter_of("?rid=4", "rid"), std::nullopt);
  EXPECT_EQ(parameter_of("?$rid=", "rid"), std::nullopt);
  EXPECT_EQ(parameter_of("?$ridx=1", "rid"), std::nullopt);
  EXPECT_EQ(parameter_of("", "rid"), std::nullopt);
  EXPECT_EQ(parameter_of("?$rid=" + std::string(kRequestIdBytesMax, 'x'), "rid")->size(), kRequestIdBytesMax);
  EXPECT_EQ(parameter_of("?$rid=" + std::string(kRequestIdBytesMax + 1, 'x'), "rid"), std::nullopt);
}

TEST(DeviceTopics, AnswersNameStatusRequestAndVersion) {
  EXPECT_EQ(twin_response_topic(200, "x"), "$iothub/twin/res/200/?$rid=x");
  EXPECT_EQ(twin_response_topic(204, "x", 7), "$iothub/twin/res/204/?$rid=x&$version=7");
  EXPECT_EQ(desired_topic(12), "$iothub/twin/PATCH/properties/desired/?$version=12");
}

TEST(DeviceTopics, MethodNameCannotChangeTheTopic) {
  EXPECT_EQ(method_topic("a/b#+?$rid=1", 2), "$iothub/methods/POST/a%2Fb%23%2B%3F%24rid%3D1/?$rid=2");
}

TEST(DeviceTopics, PacketIdsAreNeverZeroAndStayTheSame) {
  for (const std::uint64_t sequence : {0ULL, 1ULL, 65'534ULL, 65'535ULL, 65'536ULL, ~0ULL}) {
    EXPECT_NE(command_packet_id(sequence), 0);
    EXPECT_EQ(command_packet_id(sequence), command_packet_id(sequence));
  }
  EXPECT_NE(command_packet_id(65'534), command_packet_id(65'535));
}

}  // namespace
}  // namespace picket::hub
