#include <algorithm>

#include <gmock/gmock.h>

#include "command_harness.h"

namespace picket::hub {
namespace {

using Commands_ = CommandHarness;
using testing::ElementsAre;

TEST_F(Commands_, AreDeliveredInTheOrderOfTheirSending) {
  for (const auto* id : {"a", "b", "c"}) ASSERT_TRUE(send(text(id)));
  EXPECT_EQ(receive_id(), "a");
  EXPECT_EQ(receive_id(), "b");
  EXPECT_EQ(receive_id(), "c");
  EXPECT_EQ(receive_id(), "");
}

TEST_F(Commands_, CarryPropertiesAndBodyAsTheyWere) {
  Command command;
  const std::string hostile("\0\xff/#+$%&=\r\n", 12);
  command.properties = {{"$.mid", "m"}, {hostile, hostile}, {"empty", ""}, {"twice", "1"}, {"twice", "2"}};
  append(command.body, as_bytes(hostile));
  command.feedback = FeedbackWish::negative;
  ASSERT_TRUE(send(command));
  const auto got = receive(dev1);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->command.properties, command.properties);
  EXPECT_EQ(got->command.body, command.body);
  EXPECT_EQ(got->command.feedback, FeedbackWish::negative);
  EXPECT_EQ(got->delivery_count, 0U);
  EXPECT_EQ(got->enqueued, clock.now());
  EXPECT_EQ(got->expiry, clock.now() + Duration::hours(1));
}

TEST_F(Commands_, SurviveARestartUntilTheyAreCompleted) {
  ASSERT_TRUE(send(text("a")));
  ASSERT_TRUE(send(text("b")));
  ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  ASSERT_EQ(receive_id(), "b");
  restart();
  EXPECT_EQ(receive_id(), "b") << "delivered, not settled";
  EXPECT_EQ(receive_id(), "");
}

TEST_F(Commands_, RefuseTheFiftyFirst) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(send(text(std::to_string(i))));
  EXPECT_EQ(send(text("51")).error().code, kCommandQueueFull);
  EXPECT_TRUE(send(dev2, text("other device")));
  ASSERT_TRUE(settle(*receive(dev1), Settlement::complete));
  EXPECT_TRUE(send(text("51")));
  EXPECT_EQ(commands->stats().refused_full, 1U);
}

TEST_F(Commands_, ExpiredOnesTakeNoRoom) {
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(send(text(std::to_string(i))));
  clock.advance(Duration::hours(1));
  EXPECT_TRUE(send(text("new")));
  EXPECT_EQ(waiting(dev1), 1U);
  EXPECT_EQ(commands->stats().expired, 50U);
}

TEST_F(Commands_, NeedADeviceThatExists) {
  EXPECT_EQ(send({"hub1", "nobody", ""}, text("a")).error().code, kDeviceNotFound);
  EXPECT_EQ(send({"hub2", "dev1", ""}, text("a")).error().code, kDeviceNotFound);
  EXPECT_EQ(send({"hub1", "dev_", ""}, text("a")).error().code, kDeviceNotFound) << "ids are literals";
  EXPECT_EQ(send({"hub1", "dev1", "m"}, text("a")).error().code, kArgumentInvalid);
}

TEST_F(Commands_, HaveAtMost64KiBOfBodyValuesAndNames) {
  Command command;
  command.properties = {{"$.mid", "12345"}, {"name", "value"}};
  command.body.resize(kCommandBytesMax - 5 - 4 - 5);
  EXPECT_TRUE(send(command));
  command.body.push_back({});
  EXPECT_EQ(send(command).error().code, kTooLarge);
  Command many;
  many.properties.assign(kCommandPropertiesMax, {"n", ""});
  EXPECT_TRUE(send(many));
  many.properties.emplace_back("n", "");
  EXPECT_EQ(send(many).error().code, kArgumentInvalid);
  Command nameless;
  nameless.properties = {{"", "v"}};
  EXPECT_EQ(send(nameless).error().code, kArgumentInvalid);
}

TEST_F(Commands_, GoWithTheirDevice) {
  ASSERT_TRUE(send(text("old")));
  ASSERT_TRUE(state.devices().remove("hub1", "dev1", {"t", ""}, {}));
  state.add_device("dev1");
  EXPECT_EQ(receive_id(), "");
  EXPECT_EQ(waiting(dev1), 0U);
}

TEST_F(Commands_, ASettlementOfAnEarlierGenerationHitsNothing) {
  ASSERT_TRUE(send(text("old")));
  const auto old = receive(dev1);
  ASSERT_TRUE(state.devices().remove("hub1", "dev1", {"t", ""}, {}));
  state.add_device("dev1");
  ASSERT_TRUE(send(text("new")));
  EXPECT_EQ(settle(*old, Settlement::complete).error().code, kLockLost);
  EXPECT_EQ(receive_id(), "new");
}

TEST_F(Commands_, OnlyTheHolderOfTheLockSettles) {
  ASSERT_TRUE(send(text("a")));
  const auto got = receive(dev1);
  EXPECT_EQ(settle(*got, Settlement::complete, dev2).error().code, kLockLost);
  auto forged = *got;
  forged.lock = "";
  EXPECT_EQ(settle(forged, Settlement::complete).error().code, kLockLost);
  EXPECT_TRUE(settle(*got, Settlement::complete));
  EXPECT_EQ(settle(*got, Settlement::complete).error().code, kLockLost);
  EXPECT_EQ(commands->stats().completed, 1U);
  EXPECT_EQ(commands->stats().locks_lost, 3U);
}

TEST_F(Commands_, ALockEndsAtItsTime) {
  ASSERT_TRUE(send(text("a")));
  const auto got = receive(dev1, Duration::seconds(60), "https");
  clock.advance(Duration::seconds(60) - Duration::microseconds(1));
  EXPECT_EQ(receive_id(), "");
  clock.advance(Duration::microseconds(1));
  EXPECT_EQ(settle(*got, Settlement::complete).error().code, kLockLost);
  EXPECT_EQ(receive_id(), "a");
}

TEST_F(Commands_, ALockOfALinkEndsWithIt) {
  ASSERT_TRUE(send(text("a")));
  ASSERT_TRUE(send(text("b")));
  const auto held = receive(dev1);
  const auto polled = receive(dev1, Duration::seconds(60), "https");
  clock.advance(Duration::minutes(10));
  EXPECT_EQ(receive_id(), "b") << "the poll's lock is over, the link's is not";
  commands->unlock_all(dev2);
  EXPECT_EQ(receive_id(), "");
  commands->unlock_all(dev1);
  EXPECT_EQ(settle(*held, Settlement::complete).error().code, kLockLost);
  EXPECT_EQ(receive_id(), "a") << "in the old order";
}

TEST_F(Commands_, TheTenthAbandonIsTheLast) {
  ASSERT_TRUE(send(text("a")));
  for (unsigned i = 0; i < 10; ++i) {
    const auto got = receive(dev1);
    ASSERT_TRUE(got) << i;
    EXPECT_EQ(got->delivery_count, i);
    ASSERT_TRUE(settle(*got, Settlement::abandon));
    if (i == 4) restart();
  }
  EXPECT_EQ(receive_id(), "");
  EXPECT_EQ(results(), "a:DeliveryCountExceeded");
}

TEST_F(Commands_, ALostLinkIsNoAbandon) {
  ASSERT_TRUE(send(text("a")));
  for (int i = 0; i < 20; ++i) {
    ASSERT_EQ(receive_id(), "a");
    commands->unlock_all(dev1);
  }
  EXPECT_EQ(receive(dev1)->delivery_count, 0U);
}

TEST_F(Commands_, AnAbandonedOneKeepsItsPlaceAndIsAnnounced) {
  ASSERT_TRUE(send(text("a")));
  ASSERT_TRUE(send(text("b")));
  const auto got = receive(dev1);
  state.settle();  // the news of "b" may come after send() has answered
  told.clear();
  ASSERT_TRUE(settle(*got, Settlement::abandon));
  state.settle();
  EXPECT_THAT(told, ElementsAre("dev1"));
  EXPECT_EQ(receive_id(), "a");
}

TEST_F(Commands_, ExpireAtTheirTimeWithoutBeingAskedFor) {
  auto soon = text("soon");
  soon.expiry = clock.now() + Duration::seconds(10);
  ASSERT_TRUE(send(soon));
  ASSERT_TRUE(send(text("later")));
  clock.advance(Duration::seconds(10) - Duration::microseconds(1));
  run_due();
  EXPECT_EQ(waiting(dev1), 2U);
  clock.advance(Duration::microseconds(1));
  run_due();
  EXPECT_EQ(waiting(dev1), 1U);
  EXPECT_EQ(results(), "soon:Expired");
}

TEST_F(Commands_, AnExpiredOneIsNeverDelivered) {
  auto past = text("past");
  past.expiry = clock.now() - Duration::hours(1);
  ASSERT_TRUE(send(past));
  EXPECT_EQ(receive_id(), "");
  state.settle();
  EXPECT_EQ(waiting(dev1), 0U);
  EXPECT_EQ(results(), "past:Expired");
}

TEST_F(Commands_, ADeliveredOneMayBeSettledForAMinuteAfterItsExpiry) {
  ASSERT_TRUE(send(text("a")));
  ASSERT_TRUE(send(text("b")));
  const auto a = receive(dev1);
  const auto b = receive(dev1);
  clock.advance(Duration::hours(1) + Duration::seconds(59));
  run_due();
  EXPECT_TRUE(settle(*a, Settlement::complete));
  clock.advance(Duration::seconds(1));
  run_due();
  EXPECT_EQ(settle(*b, Settlement::complete).error().code, kLockLost);
  EXPECT_EQ(results(), "a:Success b:Expired");
  EXPECT_EQ(operations.back().event, CommandEvent::expired);
  EXPECT_EQ(operations.back().protocol, "mqtt") << "the hub gave up what this protocol held";
}

TEST_F(Commands_, LiveAtMostTwoDays) {
  auto forever = text("a");
  forever.expiry = clock.now() + Duration::days(365);
  ASSERT_TRUE(send(forever));
  EXPECT_EQ(receive(dev1)->expiry, clock.now() + Duration::days(2));
}

TEST_F(Commands_, PurgeRemovesAllOfOneDevice) {
  for (const auto* id : {"a", "b"}) ASSERT_TRUE(send(text(id)));
  ASSERT_TRUE(send(dev2, text("other")));
  const auto held = receive(dev1);
  const auto purged =
      answer<std::uint64_t>([&](auto done) { commands->purge(dev1, {"policy/service", ""}, std::move(done)); });
  EXPECT_EQ(purged.value(), 2U);
  EXPECT_EQ(settle(*held, Settlement::complete).error().code, kLockLost);
  EXPECT_EQ(waiting(dev1), 0U);
  EXPECT_EQ(waiting(dev2), 1U);
  EXPECT_EQ(results(), "a:Purged b:Purged");
  const auto nobody = answer<std::uint64_t>(
      [&](auto done) { commands->purge({"hub1", "nobody", ""}, {"policy/service", ""}, std::move(done)); });
  EXPECT_EQ(nobody.error().code, kDeviceNotFound);
}

TEST_F(Commands_, EachStepIsReportedWithItsProtocolAndSender) {
  ASSERT_TRUE(send(text("a")));
  const auto got = receive(dev1);
  ASSERT_TRUE(settle(*got, Settlement::reject));
  ASSERT_EQ(operations.size(), 3U);
  EXPECT_EQ(operations[0].event, CommandEvent::sent);
  EXPECT_EQ(operations[0].actor, "policy/service");
  EXPECT_EQ(operations[0].source, "192.0.2.9");
  EXPECT_EQ(operations[0].size_bytes, 2U);
  EXPECT_EQ(operations[1].event, CommandEvent::delivered);
  EXPECT_EQ(operations[2].event, CommandEvent::rejected);
  EXPECT_EQ(operations[2].protocol, "mqtt");
  EXPECT_EQ(operations[2].message_id, "a");
  state.settle();
  EXPECT_THAT(told, ElementsAre("dev1"));
}

// Model: a queue in memory. Whatever is done in whatever order, nothing is lost, doubled or given to another device.
TEST_F(Commands_, AnyOrderOfOperationsEqualsTheModel) {
  std::uint64_t seed = 1;
  const auto random = [&seed](std::uint64_t n) {
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (seed >> 33) % n;
  };
  std::vector<std::string> model;  // in order
  std::vector<LockedCommand> held;
  const auto id_of = [](const LockedCommand& command) { return std::string(as_text(command.command.body)); };
  const auto is_held = [&](const std::string& id) { return std::ranges::find(held, id, id_of) != held.end(); };
  for (int step = 0; step < 400; ++step) {
    switch (random(5)) {
      case 0:
      case 1: {
        const auto id = std::to_string(step);
        EXPECT_EQ(send(text(id)).has_value(), model.size() < kCommandsMax);
        if (model.size() < kCommandsMax) model.push_back(id);
        break;
      }
      case 2: {
        const auto next = std::ranges::find_if(model, [&](const auto& id) { return !is_held(id); });
        auto got = receive(dev1);
        ASSERT_EQ(got.has_value(), next != model.end());
        if (!got) break;
        EXPECT_EQ(id_of(*got), *next);
        held.push_back(*std::move(got));
        break;
      }
      case 3: {
        if (held.empty()) break;
        const auto at = held.begin() + static_cast<std::ptrdiff_t>(random(held.size()));
        const bool complete = random(2) == 0 || at->delivery_count == 9;
        ASSERT_TRUE(settle(*at, complete ? Settlement::complete : Settlement::abandon));
        if (complete) std::erase(model, id_of(*at));
        held.erase(at);
        break;
      }
      default:
        if (random(8) != 0) break;
        commands->unlock_all(dev1);
        held.clear();
    }
    ASSERT_EQ(waiting(dev1), model.size());
    ASSERT_EQ(commands->stats().locked, held.size());
  }
}

}  // namespace
}  // namespace picket::hub
