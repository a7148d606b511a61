// The journal says no, or not yet.
#include "head_harness.h"

namespace picket::hub {
namespace {

TEST_F(HubTest, FullJournalStopsReadingUntilThereIsRoom) {
  start();
  const auto client = connect();
  journal_.refuse(Errc::limit_exceeded);
  client->send(publish_packet(1, "a"));
  client->send(publish_packet(2, "b"));
  ASSERT_TRUE(eventually([&] { return head_->stats().storage_waits == 1; }));
  EXPECT_EQ(head_->stats().messages_received, 0u);
  journal_.refuse(std::nullopt);
  EXPECT_EQ(receive(*client, 8), puback(1) + puback(2));
}

TEST_F(HubTest, NoPubackWhenTheJournalStaysClosed) {
  start();
  const auto client = connect();
  journal_.refuse(Errc::unavailable);
  client->send(publish_packet(1, "a"));
  ASSERT_TRUE(eventually([&] { return head_->stats().storage_waits == 1; }));
  clock_.advance(Duration::seconds(61));
  expect_end(*client, DisconnectReason::storage);
}

TEST_F(HubTest, GivenUpMessageClosesWithoutPuback) {
  start();
  const auto client = connect();
  journal_.hold(true);
  client->send(publish_packet(1, "a"));
  ASSERT_TRUE(eventually([&] { return journal_.held() == 1; }));
  journal_.release_one(false);
  EXPECT_EQ(receive(*client, 1), "closed");
  EXPECT_TRUE(eventually([&] { return disconnects(DisconnectReason::storage) == 1; }));
}

TEST_F(HubTest, BytesInFlightOfOneConnectionAreBounded) {
  start([](MqttHeadOptions& options) { options.in_flight_bytes_max = 1000; });
  const auto client = connect();
  journal_.hold(true);
  for (std::uint16_t id = 1; id <= 10; ++id) client->send(publish_packet(id, std::string(400, 'x')));
  ASSERT_TRUE(eventually([&] { return journal_.held() == 3; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(journal_.held(), 3u);
  journal_.hold(false);
  for (int i = 0; i < 3; ++i) journal_.release_one();
  std::string expected;
  for (std::uint16_t id = 1; id <= 10; ++id) expected += puback(id);
  EXPECT_EQ(receive(*client, 40), expected);
}

TEST_F(HubTest, WaitingForTheDiskIsNotTheClientsSilence) {
  start([](MqttHeadOptions& options) { options.in_flight_bytes_max = 1; });
  const auto client = connect({.keep_alive_s = 10});
  journal_.hold(true);
  client->send(publish_packet(1, "a"));
  ASSERT_TRUE(eventually([&] { return journal_.held() == 1; }));
  clock_.advance(Duration::seconds(100));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  journal_.release_one();
  EXPECT_EQ(receive(*client, 4), puback(1));
  EXPECT_EQ(head_->stats().connected, 1u);
}

}  // namespace
}  // namespace picket::hub
