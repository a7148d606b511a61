// What send() has acknowledged outlives kill -9, at whatever moment it comes.
#include <algorithm>
#include <csignal>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/command_service.h"
#include "hub/testing/temporary_state.h"

namespace picket::hub {
namespace {

constexpr int kDevices = 8;
IdentityKey device(int number) { return {"hub1", "dev" + std::to_string(number), ""}; }

void say(int fd, char what, const std::string& id) {
  const auto line = what + id + "\n";
  if (::write(fd, line.data(), line.size()) < 0) ::_exit(2);
}

/// Sends to all devices and completes half of it, for ever. Says 's' when a send is acknowledged, 'c' before it
/// completes.
[[noreturn]] void child(const std::string& path, int fd) {
  auto database = state::Database::open(path);
  if (!database) ::_exit(3);
  const auto commands = make_commands(**database, [](const IdentityKey&) {}, system_clock());
  for (int n = 0;; ++n) {
    const auto to = device(n % kDevices);
    const auto id = std::to_string(n);
    Command command;
    append(command.body, as_bytes(id));
    const auto sent = answer([&](Done<> done) { commands->send(to, command, {"t", ""}, std::move(done)); });
    if (sent) say(fd, 's', id);
    if (n % 2 == 0 && sent) continue;
    const auto got =
        answer<std::optional<LockedCommand>>([&](auto done) { commands->receive(to, "mqtt", {}, std::move(done)); });
    if (!got || !*got) continue;
    say(fd, 'c', std::string(as_text((*got)->command.body)));
    (void)answer(
        [&](Done<> done) { commands->settle(to, (*got)->lock, Settlement::complete, "mqtt", std::move(done)); });
  }
}

/// Lines until `count`, then kill, then what was still under way.
std::string run_and_kill(const std::string& path, int lines_min) {
  int ends[2];
  EXPECT_EQ(::pipe(ends), 0);
  const auto pid = ::fork();
  if (pid == 0) {
    ::close(ends[0]);
    child(path, ends[1]);
  }
  ::close(ends[1]);
  std::string out;
  char buffer[4096];
  bool alive = true;
  for (;;) {
    const auto got = ::read(ends[0], buffer, sizeof buffer);
    if (got <= 0) break;
    out.append(buffer, static_cast<std::size_t>(got));
    if (alive && std::count(out.begin(), out.end(), '\n') >= lines_min) {
      ::kill(pid, SIGKILL);
      alive = false;
    }
  }
  ::close(ends[0]);
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "exit " << WEXITSTATUS(status);
  return out;
}

TEST(CommandsKilled, LoseNothingThatWasAcknowledged) {
  TemporaryState state;
  for (int i = 0; i < kDevices; ++i) state.add_device(device(i).device_id);
  std::set<std::string> expected;  // acknowledged, and nobody began to complete it
  for (const int lines : {40, 97, 150}) {
    state.close();
    const auto heard = run_and_kill(state.path(), lines);
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
