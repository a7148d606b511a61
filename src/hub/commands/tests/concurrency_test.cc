// Many senders, receivers and sweeps at once: each command that was acknowledged is completed exactly once.
#include <map>
#include <mutex>
#include <thread>

#include <gtest/gtest.h>

#include "hub/command_service.h"
#include "hub/testing/temporary_state.h"

namespace picket::hub {
namespace {

constexpr int kDevices = 4;
constexpr int kSenders = 3;
constexpr int kPerSender = 120;

IdentityKey device(int number) { return {"hub1", "dev" + std::to_string(number), ""}; }

class Crowd : public testing::Test {
 protected:
  Crowd() {
    for (int i = 0; i < kDevices; ++i) state.add_device(device(i).device_id);
    commands = make_commands(*state, [](const IdentityKey&) {}, system_clock());
  }
  ~Crowd() override { commands.reset(); }

  void send_all(int sender) {
    for (int i = 0; i < kPerSender; ++i) {
      Command command;
      const auto id = std::to_string(sender) + ":" + std::to_string(i);
      append(command.body, as_bytes(id));
      const auto to = device(i % kDevices);
      for (;;) {  // a full queue is emptied by the receivers
        const auto sent = answer([&](Done<> done) { commands->send(to, command, {"t", ""}, std::move(done)); });
        if (sent) break;
        ASSERT_EQ(sent.error().code, kCommandQueueFull);
        std::this_thread::yield();
      }
      const std::scoped_lock lock(mutex);
      ++sent_count;
    }
  }
  /// Two of these poll the same device.
  void receive_all(int number) {
    const auto from = device(number % kDevices);
    for (int turn = 0; !finished() && !HasFailure(); ++turn) {
      auto got = answer<std::optional<LockedCommand>>(
          [&](auto done) { commands->receive(from, "https", Duration::seconds(60), std::move(done)); });
      ASSERT_TRUE(got);
      if (!*got) {
        std::this_thread::yield();
        continue;
      }
      const auto settlement = turn % 5 == 0 && (*got)->delivery_count == 0 ? Settlement::abandon : Settlement::complete;
      const auto settled =
          answer([&](Done<> done) { commands->settle(from, (*got)->lock, settlement, "https", std::move(done)); });
      ASSERT_TRUE(settled) << settled.error().message;
      if (settlement == Settlement::abandon) continue;
      const std::scoped_lock lock(mutex);
      ++completed[std::string(as_text((*got)->command.body))];
    }
  }
  bool finished() {
    const std::scoped_lock lock(mutex);
    return completed.size() == static_cast<std::size_t>(kSenders) * kPerSender;
  }

  TemporaryState state;
  std::unique_ptr<CommandService> commands;
  std::mutex mutex;
  int sent_count = 0;
  std::map<std::string, int> completed;
};

TEST_F(Crowd, EachCommandIsCompletedOnce) {
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kSenders; ++i) threads.emplace_back([this, i] { send_all(i); });
    for (int i = 0; i < 2 * kDevices; ++i) threads.emplace_back([this, i] { receive_all(i); });
    threads.emplace_back([this] {
      while (!finished() && !HasFailure()) {
        commands->run_due();
        commands->unlock_all(device(0));  // timed locks are not a link's
        std::this_thread::yield();
      }
    });
  }
  EXPECT_EQ(sent_count, kSenders * kPerSender);
  for (const auto& [id, times] : completed) EXPECT_EQ(times, 1) << id;
  const auto stats = commands->stats();
  EXPECT_EQ(stats.completed, stats.sent);
  EXPECT_EQ(stats.locked, 0U);
  EXPECT_EQ(stats.locks_lost, 0U);
  for (int i = 0; i < kDevices; ++i) EXPECT_EQ(commands->count(device(i)).value(), 0U);
}

}  // namespace
}  // namespace picket::hub
