// A device and its twin.
#include "head_harness.h"

namespace picket::hub {
namespace {

TEST_F(HubTest, TwinIsReadWithABodyOfOneSpaceOrNone) {
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  const auto view = FakeTwins::view_of({"", "dev1", "", ""});
  client->send(encoded(request("$iothub/twin/GET/?$rid=4f", " ")));
  EXPECT_EQ(next_text(*client), "$iothub/twin/res/200/?$rid=4f " + view);
  client->send(encoded(request("$iothub/twin/GET/?$rid=5", "")));
  EXPECT_EQ(next_text(*client), "$iothub/twin/res/200/?$rid=5 " + view);
}

TEST_F(HubTest, ReportedPropertiesAreAnsweredWithTheirVersion) {
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  client->send(encoded(request("$iothub/twin/PATCH/properties/reported/?$rid=9", R"({"fw":"2","gone":null})")));
  EXPECT_EQ(next_text(*client), "$iothub/twin/res/204/?$rid=9&$version=1 ");
  ASSERT_EQ(twins_.reports().size(), 1u);
  EXPECT_EQ(twins_.reports()[0].first, (Identity{"hub1", "dev1", "", "g1"}));
  EXPECT_EQ(twins_.reports()[0].second, R"({"fw":"2","gone":null})");
}

TEST_F(HubTest, ModuleHasATwinOfItsOwn) {
  start();
  const auto module = connect(module_hello());
  subscribe(*module, kTwinResponses);
  module->send(encoded(request("$iothub/twin/GET/?$rid=1")));
  EXPECT_EQ(next_text(*module), R"($iothub/twin/res/200/?$rid=1 {"desired":{"of":"dev1/mod1"}})");
}

TEST_F(HubTest, FailedTwinRequestsCarryCodeAndMessageInTheBody) {
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  for (const auto& [code, status] :
       {std::pair{400004, 400}, {413001, 413}, {429001, 429}, {500001, 500}, {503003, 503}}) {
    twins_.fail_with(HubError{code, "say \"why\""});
    const auto body = R"({"errorCode":)" + std::to_string(code) + R"(,"message":"say \"why\""})";
    client->send(encoded(request("$iothub/twin/GET/?$rid=1")));
    EXPECT_EQ(next_text(*client), "$iothub/twin/res/" + std::to_string(status) + "/?$rid=1 " + body);
    client->send(encoded(request("$iothub/twin/PATCH/properties/reported/?$rid=2", "{")));
    EXPECT_EQ(next_text(*client), "$iothub/twin/res/" + std::to_string(status) + "/?$rid=2 " + body);
  }
}

TEST_F(HubTest, WithoutTwinsRequestsAreAnsweredThatThereAreNone) {
  twins_on_ = false;
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  client->send(encoded(request("$iothub/twin/GET/?$rid=4")));
  EXPECT_EQ(next_text(*client),
            R"($iothub/twin/res/501/?$rid=4 {"errorCode":501000,"message":"This hub does not serve twins."})");
}

TEST_F(HubTest, RequestOfAClientThatDoesNotListenIsAnsweredNowhere) {
  start();
  const auto client = connect();
  client->send(encoded(request("$iothub/twin/GET/?$rid=4")));
  client->send(encoded(request("$iothub/twin/PATCH/properties/reported/?$rid=5", "{}")));
  expect_silence(*client);
  EXPECT_TRUE(eventually([&] { return head_->stats().unanswered == 2; }));
  EXPECT_EQ(twins_.reads(), 0u);
  EXPECT_EQ(twins_.reports().size(), 1u) << "what was reported counts";
}

TEST_F(HubTest, RequestWithoutAnIdDoesNothing) {
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  const auto long_id = "$iothub/twin/GET/?$rid=" + std::string(257, 'x');
  for (const auto* topic : {"$iothub/twin/GET/", "$iothub/twin/GET/?", "$iothub/twin/GET/?$rid=",
                            "$iothub/twin/GET/?rid=4", "$iothub/twin/PATCH/properties/reported/", long_id.c_str()}) {
    client->send(encoded(request(topic, "{}")));
  }
  expect_silence(*client);
  EXPECT_EQ(head_->stats().unanswered, 6u);
  EXPECT_EQ(twins_.reads() + twins_.reports().size(), 0u);
}

TEST_F(HubTest, RequestIdComesBackAsItWasSent) {
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  for (const auto* id : {"a%20b", "x/y", "?", "$rid=1", "%24", "200/?$rid=2"}) {
    client->send(encoded(request("$iothub/twin/GET/?$rid=" + std::string(id))));
    EXPECT_EQ(next_text(*client).substr(0, 27 + std::string(id).size()),
              "$iothub/twin/res/200/?$rid=" + std::string(id));
  }
}

TEST_F(HubTest, TwinRequestsOfQoS1AreAcknowledgedToo) {
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  auto packet = request("$iothub/twin/GET/?$rid=1");
  packet.qos = mqtt::QoS::at_least_once;
  packet.packet_id = 77;
  client->send(encoded(packet));
  EXPECT_EQ(receive(*client, 4), puback(77));
  EXPECT_EQ(next_text(*client).substr(0, 28), "$iothub/twin/res/200/?$rid=1");
}

TEST_F(HubTest, TwinRequestsAtATimeAreBounded) {
  start();
  const auto client = connect();
  subscribe(*client, kTwinResponses);
  twins_.hold(true);
  for (int i = 0; i < 17; ++i) client->send(encoded(request("$iothub/twin/GET/?$rid=" + std::to_string(i))));
  EXPECT_EQ(next_text(*client).substr(0, 29), "$iothub/twin/res/429/?$rid=16");
  twins_.release_all();
  for (int i = 0; i < 16; ++i) EXPECT_EQ(next_text(*client), "$iothub/twin/res/200/?$rid=" + std::to_string(i) + " {}");
}

TEST_F(HubTest, AnswerOfAConnectionThatHasGoneFindsNobody) {
  start();
  auto client = connect();
  subscribe(*client, kTwinResponses);
  twins_.hold(true);
  client->send(encoded(request("$iothub/twin/GET/?$rid=1")));
  ASSERT_TRUE(eventually([&] { return twins_.reads() == 1; }));
  client = open_client();
  EXPECT_EQ(answer_to(*client, {}), "20020100");
  twins_.release_all();
  expect_silence(*client);
  stop();
}

TEST_F(HubTest, DesiredChangesReachSubscribersOnly) {
  start();
  const auto client = connect();
  EXPECT_FALSE(notify({"hub1", "dev1", ""}, desired(R"({"a":1,"$version":3})", 3)));
  subscribe(*client, kDesired);
  const auto other = connect({.client_id = "dev2", .user_name = "localhost/dev2/"});
  subscribe(*other, kDesired);
  EXPECT_TRUE(notify({"hub1", "dev1", ""}, desired(R"({"a":1,"$version":4})", 4)));
  EXPECT_EQ(next_text(*client), R"($iothub/twin/PATCH/properties/desired/?$version=4 {"a":1,"$version":4})");
  expect_silence(*other);
}

}  // namespace
}  // namespace picket::hub
