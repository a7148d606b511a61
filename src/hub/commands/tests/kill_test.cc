// What send() has acknowledged outlives kill -9, at whatever moment it comes.
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <unistd.h>

#include "hub/command_service.h"
#include "hub/testing/killed_child.h"
#include "hub/testing/temporary_state.h"

namespace picket::hub {
namespace {

constexpr int kDevices = 8;
IdentityKey device(int number) { return {"hub1", "dev" + std::to_string(number), ""}; }

/// Sends to all devices and completes half of it, for ever. Says 's' when a send is acknowledged, 'c' before it
/// completes.
void child(const std::string& path, int fd) {
  auto database = state::Database::open(path);
  if (!database) ::_exit(3);
  const auto commands = make_commands(**database, [](const IdentityKey&) {}, system_clock());
  for (int n = 0;; ++n) {
    const auto to = device(n % kDevices);
    const auto id = std::to_string(n);
    Command command;
    append(command.body, as_bytes(id));
    const auto sent = answer([&](Done<> done) { commands->send(to, command, {"t", ""}, std::move(done)); });
    if (sent) say(fd, "s" + id);
    if (n % 2 == 0 && sent) continue;
    const auto got =
        answer<std::optional<LockedCommand>>([&](auto done) { commands->receive(to, "mqtt", {}, std::move(done)); });
    if (!got || !*got) continue;
    say(fd, "c" + std::string(as_text((*got)->command.body)));
    (void)answer(
        [&](Done<> done) { commands->settle(to, (*got)->lock, Settlement::complete, "mqtt", std::move(done)); });
  }
}

TEST(CommandsKilled, LoseNothingThatWasAcknowledged) {
  TemporaryState state;
  for (int i = 0; i < kDevices; ++i) state.add_device(device(i).device_id);
  std::set<std::string> expected;  // acknowledged, and nobody began to complete it
  for (const int lines : {40, 97, 150}) {
    state.close();
    const auto heard = run_and_kill([path = state.path()](int fd) { child(path, fd); }, lines);
    state.reopen();
    std::size_t at = 0;
    for (std::size_t end; (end = heard.find('\n', at)) != std::string::npos; at = end + 1) {
      const auto id = heard.substr(at + 1, end - at - 1);
      if (heard[at] == 's') expected.insert(id);
      if (heard[at] == 'c') expected.erase(id);
    }
    const auto commands = make_commands(*state, [](const IdentityKey&) {}, system_clock());
    std::multiset<std::string> found;
    for (int i = 0; i < kDevices; ++i) {
      for (;;) {
        auto got = answer<std::optional<LockedCommand>>(
            [&](auto done) { commands->receive(device(i), "mqtt", {}, std::move(done)); });
        ASSERT_TRUE(got);
        if (!*got) break;
        found.emplace(as_text((*got)->command.body));
        (void)answer([&](Done<> done) {
          commands->settle(device(i), (*got)->lock, Settlement::complete, "mqtt", std::move(done));
        });
      }
    }
    for (const auto& id : expected) EXPECT_EQ(found.count(id), 1U) << "lost or doubled: " << id;
    EXPECT_FALSE(expected.empty());
    expected.clear();
  }
}

}  // namespace
}  // namespace picket::hub
