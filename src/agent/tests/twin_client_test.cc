#include "agent/twin_client.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace picket::agent {
namespace {

constexpr Duration kNow = Duration::seconds(1'000);

class TwinClientTest : public ::testing::Test {
 protected:
  /// Topic of what is to be sent; empty: nothing.
  std::string sent(Duration now = kNow) {
    const auto request = client.next(now);
    if (!request) return {};
    payload = request->payload;
    return request->topic;
  }
  void answer(std::string_view tail, std::string_view body = {}, Duration now = kNow) {
    EXPECT_TRUE(client.on_message("$iothub/twin/res/" + std::string(tail), body, now));
  }

  std::vector<std::string> desired;
  std::string payload;
  TwinClient client{[this](std::string_view each) { desired.emplace_back(each); }};
};

TEST_F(TwinClientTest, AsksForTheTwinOnceAConnectionStands) {
  EXPECT_EQ(sent(), "");
  client.on_connected(kNow);
  EXPECT_EQ(sent(), "$iothub/twin/GET/?$rid=1");
  EXPECT_EQ(sent(), "") << "one request at a time";
  answer("200/?$rid=1", R"({"desired":{"a":1,"$version":7},"reported":{"$version":1}})");
  EXPECT_THAT(desired, testing::ElementsAre(R"({"a":1,"$version":7})"));
  EXPECT_EQ(client.status().version, 7u);
  EXPECT_FALSE(client.next_deadline());
}

TEST_F(TwinClientTest, ANoticeAsksForTheWholeTwinAgain) {
  client.on_connected(kNow);
  (void)sent();
  answer("200/?$rid=1", R"({"desired":{}})");
  EXPECT_TRUE(client.on_message("$iothub/twin/PATCH/properties/desired/?$version=8", R"({"a":2,"$version":8})", kNow));
  EXPECT_TRUE(client.on_message("$iothub/twin/PATCH/properties/desired/?$version=9", "{}", kNow));
  EXPECT_EQ(sent(), "$iothub/twin/GET/?$rid=2");
  EXPECT_EQ(sent(), "") << "two notices, one question";
}

TEST_F(TwinClientTest, ANoticeDuringAQuestionAsksOnceMore) {
  client.on_connected(kNow);
  (void)sent();
  client.on_message("$iothub/twin/PATCH/properties/desired/?$version=8", "{}", kNow);
  answer("200/?$rid=1", R"({"desired":{}})");
  EXPECT_EQ(sent(), "$iothub/twin/GET/?$rid=2");
}

TEST_F(TwinClientTest, ReportsAfterTheTwinIsKnownAndOnlyWhatIsNew) {
  client.report(R"({"x":1})");
  client.on_connected(kNow);
  EXPECT_EQ(sent(), "$iothub/twin/GET/?$rid=1");
  answer("200/?$rid=1", R"({"desired":{}})");
  EXPECT_EQ(sent(), "$iothub/twin/PATCH/properties/reported/?$rid=2");
  EXPECT_EQ(payload, R"({"x":1})");
  client.report(R"({"x":2})");
  answer("204/?$rid=2&$version=3");
  EXPECT_FALSE(client.status().reported);
  EXPECT_EQ(sent(), "$iothub/twin/PATCH/properties/reported/?$rid=3");
  EXPECT_EQ(payload, R"({"x":2})");
  answer("204/?$rid=3&$version=4");
  EXPECT_TRUE(client.status().reported);
  client.report(R"({"x":2})");
  EXPECT_EQ(sent(), "");
  client.on_disconnected();
  client.on_connected(kNow);
  EXPECT_EQ(sent(), "$iothub/twin/GET/?$rid=4");
  answer("200/?$rid=4", R"({"desired":{}})");
  EXPECT_EQ(sent(), "") << "the hub has this report already";
}

TEST_F(TwinClientTest, WithoutAnAnswerItAsksAgain) {
  client.on_connected(kNow);
  (void)sent();
  const Duration late = *client.next_deadline();
  EXPECT_EQ(late, kNow + TwinClient::kAnswerTimeout);
  EXPECT_EQ(sent(late), "") << "after a pause";
  EXPECT_EQ(sent(*client.next_deadline()), "$iothub/twin/GET/?$rid=2");
  answer("200/?$rid=1", R"({"desired":{"old":1}})");
  EXPECT_TRUE(desired.empty()) << "an answer to a question that was given up";
}

TEST_F(TwinClientTest, ErrorsAreRepeatedLaterAndLater) {
  client.on_connected(kNow);
  Duration now = kNow, last;
  for (int i = 1; i <= 12; ++i) {
    ASSERT_NE(sent(now), "");
    answer("429/?$rid=" + std::to_string(i), R"({"errorCode":429001})", now);
    const Duration pause = *client.next_deadline() - now;
    EXPECT_GE(pause, last);
    EXPECT_LE(pause, TwinClient::kDelayMax);
    last = pause;
    now = *client.next_deadline();
  }
  EXPECT_EQ(last, TwinClient::kDelayMax);
  EXPECT_EQ(client.status().last_error, 429);
}

TEST_F(TwinClientTest, AReportThatTheHubCannotReadIsNotRepeated) {
  client.on_connected(kNow);
  (void)sent();
  answer("200/?$rid=1", R"({"desired":{}})");
  client.report("{}");
  (void)sent();
  answer("400/?$rid=2", R"({"errorCode":400000})");
  EXPECT_EQ(sent(kNow + Duration::hours(1)), "");
  client.report(R"({"better":1})");
  EXPECT_NE(sent(kNow + Duration::hours(1)), "");
}

TEST_F(TwinClientTest, NonsenseIsNoTwin) {
  client.on_connected(kNow);
  (void)sent();
  for (const char* tail : {"", "x", "200", "200/?$rid=", "200/?$rid=99", "/?$rid=1"}) answer(tail, R"({"desired":{}})");
  EXPECT_TRUE(desired.empty());
  answer("200/?$rid=1", R"({"desired":)");
  EXPECT_TRUE(desired.empty());
  EXPECT_EQ(client.status().errors, 1u);
  EXPECT_FALSE(client.on_message("$iothub/methods/POST/x/?$rid=1", "", kNow));
}

TEST_F(TwinClientTest, ATwinWithoutDesiredSectionIsAnEmptyOne) {
  client.on_connected(kNow);
  (void)sent();
  answer("200/?$rid=1", R"({"reported":{}})");
  EXPECT_THAT(desired, testing::ElementsAre("{}"));
}

}  // namespace
}  // namespace picket::agent
