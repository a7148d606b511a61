#include <gmock/gmock.h>

#include "command_harness.h"

namespace picket::hub {
namespace {

using Feedback = CommandHarness;

TEST_F(Feedback, ComesToThoseWhoWishedForIt) {
  const std::pair<FeedbackWish, std::string> wishes[] = {{FeedbackWish::none, "none"},
                                                         {FeedbackWish::positive, "positive"},
                                                         {FeedbackWish::negative, "negative"},
                                                         {FeedbackWish::full, "full"}};
  for (const auto settlement : {Settlement::complete, Settlement::reject}) {
    for (const auto& [wish, id] : wishes) {
      ASSERT_TRUE(send(text(id, wish)));
      ASSERT_TRUE(settle(*receive(dev1), settlement));
    }
  }
  EXPECT_EQ(results(), "positive:Success full:Success negative:Rejected full:Rejected");
}

TEST_F(Feedback, NamesDeviceGenerationAndTime) {
  ASSERT_TRUE(send(text("a")));
  clock.advance(Duration::seconds(5));
  ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  const auto settled_at = clock.now();
  clock.advance(Duration::seconds(15));
  const auto batch = feedback();
  ASSERT_TRUE(batch);
  const auto device = state.devices().find("hub1", "dev1").value();
  EXPECT_EQ(to_json(*batch),
            R"([{"originalMessageId":"a","enqueuedTimeUtc":")" + format_rfc3339(settled_at) +
                R"(","statusCode":"Success","description":"Success","deviceId":"dev1","deviceGenerationId":")" +
                device.generation_id + R"("}])");
}

TEST_F(Feedback, WaitsFifteenSecondsOrForSixtyFourRecords) {
  for (int i = 0; i < 63; ++i) {
    ASSERT_TRUE(send(text(std::to_string(i))));
    ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  }
  EXPECT_FALSE(feedback());
  clock.advance(Duration::seconds(15) - Duration::microseconds(1));
  EXPECT_FALSE(feedback());
  for (const auto* id : {"63", "64"}) {
    ASSERT_TRUE(send(text(id)));
    ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  }
  const auto full = feedback();
  ASSERT_TRUE(full);
  EXPECT_EQ(full->records.size(), 64U);
  EXPECT_FALSE(feedback()) << "one record, and it is young";
  clock.advance(Duration::seconds(15));
  const auto rest = feedback();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->records.front().original_message_id, "64");
}

TEST_F(Feedback, IsLockedForAMinuteAndThenComesAgain) {
  ASSERT_TRUE(send(text("a")));
  ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  clock.advance(Duration::seconds(15));
  const auto first = feedback();
  ASSERT_TRUE(first);
  EXPECT_FALSE(feedback());
  clock.advance(Duration::seconds(60));
  const auto second = feedback();
  ASSERT_TRUE(second);
  EXPECT_EQ(settle(*first, Settlement::complete).error().code, kLockLost);
  EXPECT_TRUE(settle(*second, Settlement::complete));
  clock.advance(Duration::hours(1));
  EXPECT_FALSE(feedback());
}

TEST_F(Feedback, AbandonedComesAgainAtOnceAndAfterARestart) {
  ASSERT_TRUE(send(text("a")));
  ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  clock.advance(Duration::seconds(15));
  ASSERT_TRUE(settle(*feedback(), Settlement::abandon));
  ASSERT_TRUE(feedback());
  restart();
  EXPECT_TRUE(feedback()) << "held by nobody who lives";
}

TEST_F(Feedback, StaysWithItsHub) {
  ASSERT_TRUE(send(text("a")));
  ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  clock.advance(Duration::seconds(15));
  EXPECT_FALSE(feedback("hub2"));
  const auto batch = feedback();
  const auto foreign = answer(
      [&](Done<> done) { commands->settle_feedback("hub2", batch->lock, Settlement::complete, std::move(done)); });
  EXPECT_EQ(foreign.error().code, kLockLost);
  EXPECT_TRUE(settle(*batch, Settlement::complete));
}

TEST_F(Feedback, TheListenerHearsOfABatchThatIsReady) {
  std::vector<std::string> heard;
  commands->on_feedback([&](const std::string& hub) { heard.push_back(hub); });
  ASSERT_TRUE(send(text("a")));
  ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  run_due();
  EXPECT_TRUE(heard.empty());
  clock.advance(Duration::seconds(15));
  run_due();
  EXPECT_THAT(heard, testing::ElementsAre("hub1"));
  ASSERT_TRUE(settle(*feedback(), Settlement::complete));
  run_due();
  EXPECT_EQ(heard.size(), 1U);
}

TEST_F(Feedback, IsKeptForTwoDays) {
  ASSERT_TRUE(send(text("a")));
  ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  clock.advance(Duration::hours(48));
  run_due();
  ASSERT_TRUE(feedback());
  clock.advance(Duration::minutes(2));
  run_due();
  EXPECT_FALSE(feedback());
  EXPECT_EQ(commands->stats().feedback_dropped, 1U);
}

TEST_F(Feedback, TheOldestGoAboveTheBound) {
  commands = make_commands(*state, [](const IdentityKey&) {}, clock, {.feedback_max = 2});
  for (const auto* id : {"a", "b", "c"}) {
    ASSERT_TRUE(send(text(id)));
    ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  }
  clock.advance(Duration::minutes(1));
  run_due();
  EXPECT_EQ(results(), "b:Success c:Success");
}

}  // namespace
}  // namespace picket::hub
