#include "agent/event_tap.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/event_loop.h"
#include "base/core/json_reader.h"

namespace picket::agent {
namespace {

struct Next final : EventSink {
  int events = 0;
  void deliver(Priority, std::string_view) override { ++events; }
};

class EventTapTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "picket-tap-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    ASSERT_TRUE(control_.listen(directory_ + "/s", [this](std::uint64_t client, std::string_view request) {
      if (request == "follow" && !tap_.follow(client)) control_.reply(client, "full");
    }));
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  UniqueFd follow() {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    sockaddr_un address{.sun_family = AF_UNIX};
    (directory_ + "/s").copy(address.sun_path, sizeof address.sun_path - 1);
    EXPECT_EQ(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(fd.get(), "follow\n", 7, MSG_NOSIGNAL), 7);
    turn();
    return fd;
  }
  void turn() {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(loop_.run_once(Duration::milliseconds(1)));
  }
  std::string read_all(int fd) {
    std::string out;
    for (;;) {
      char bytes[65'536];
      const ssize_t n = ::read(fd, bytes, sizeof bytes);
      if (n > 0) {
        out.append(bytes, static_cast<std::size_t>(n));
        continue;
      }
      const std::size_t before = out.size();
      turn();
      const ssize_t more = ::recv(fd, bytes, 1, MSG_PEEK);
      if (more <= 0 && out.size() == before) return out;
    }
  }
  static std::string event(int number) {
    return R"({"Name":"X","Number":)" + std::to_string(number) + R"(,"Text":")" + std::string(1'000, 'x') + "\"}";
  }

  EventLoop loop_{*EventLoop::create(system_clock())};
  ControlServer control_{loop_};
  Next next_;
  EventTap tap_{next_, control_};
  std::string directory_;
};

TEST_F(EventTapTest, AFollowerSeesWhatWasAndWhatComes) {
  tap_.deliver(Priority::low, R"({"Name":"before"})");
  const UniqueFd follower = follow();
  tap_.deliver(Priority::urgent, R"({"Name":"after"})");
  EXPECT_EQ(read_all(follower.get()),
            "{\"priority\":\"low\",\"event\":{\"Name\":\"before\"}}\n"
            "{\"priority\":\"urgent\",\"event\":{\"Name\":\"after\"}}\n");
  EXPECT_EQ(next_.events, 2);
}

TEST_F(EventTapTest, ASlowFollowerLosesAndIsToldHowMany) {
  const UniqueFd follower = follow();
  constexpr int kEvents = 3'000;
  for (int i = 0; i < kEvents; ++i) tap_.deliver(Priority::low, event(i));
  EXPECT_EQ(next_.events, kEvents) << "nobody waits for a follower";
  std::string text = read_all(follower.get());
  tap_.deliver(Priority::low, event(kEvents));
  text += read_all(follower.get());
  std::int64_t shown = 0, lost = 0;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto line = parse_json(rest.substr(0, rest.find('\n')));
    ASSERT_TRUE(line);
    if (const auto each = line->find("lost")) {
      lost += *each->integer();
    } else {
      ++shown;
    }
    rest.remove_prefix(rest.find('\n') + 1);
  }
  EXPECT_GT(lost, 0);
  EXPECT_EQ(shown + lost, kEvents + 1);
}

TEST_F(EventTapTest, KeptEventsAreBounded) {
  for (int i = 0; i < 1'000; ++i) tap_.deliver(Priority::low, event(i));
  EXPECT_LE(tap_.recent().size(), EventTap::kRecentBytes);
  EXPECT_THAT(tap_.recent(), testing::HasSubstr("\"Number\":999,"));
  tap_.deliver(Priority::low, "{\"Text\":\"" + std::string(60'000, 'x') + "\"}");
  EXPECT_THAT(tap_.recent(), testing::HasSubstr("\"Number\":999,")) << "a long snapshot pushes nothing out";
}

TEST_F(EventTapTest, FollowersAreBoundedAndLeaveTheirPlace) {
  std::vector<UniqueFd> followers;
  for (std::size_t i = 0; i < EventTap::kFollowersMax; ++i) followers.push_back(follow());
  {
    const UniqueFd more = follow();
    EXPECT_EQ(read_all(more.get()), "full");
  }
  followers.pop_back();
  turn();
  const UniqueFd again = follow();
  tap_.deliver(Priority::low, "{}");
  EXPECT_THAT(read_all(again.get()), testing::HasSubstr("\"event\":{}"));
}

}  // namespace
}  // namespace picket::agent
