#include "hub/directory.h"

#include <future>
#include <latch>

#include <gtest/gtest.h>

namespace picket::hub {
namespace {

/// Remembers what happened to it; ends at once when closed.
class Link final : public DeviceLink {
 public:
  explicit Link(Directory& directory) : directory_(directory) {}
  void granted() override { grant.set_value(); }
  void close(DisconnectReason reason, std::string_view) override {
    if (closed) return;
    closed = reason;
    ended.set_value(reason);
  }
  void close_then(DisconnectReason reason, std::move_only_function<void()> then) override {
    close(reason, {});
    then();
  }
  bool notify(const Notification& notification) override {
    if (!takes) return false;
    notifications.push_back(notification);
    return true;
  }
  void completed(const Completion& completion) override { completions.push_back(completion); }
  void check_deadlines(Duration, Timestamp) override {
    if (leaves_at_tick) directory_.leave(address);
  }

  std::promise<void> grant;
  std::promise<DisconnectReason> ended;
  std::optional<DisconnectReason> closed;
  std::vector<Notification> notifications;
  std::vector<Completion> completions;
  bool takes = true;
  bool leaves_at_tick = false;
  LinkAddress address;

 private:
  Directory& directory_;
};

class DirectoryTest : public ::testing::Test {
 protected:
  /// Runs on that thread and waits.
  void on(std::size_t thread, const std::function<void()>& work) {
    std::promise<void> done;
    threads.post(thread, [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  void connect(Link& link, const Identity& identity, std::size_t thread) {
    on(thread, [&] {
      link.address = directory.enter(thread, link);
      directory.claim(identity, link.address);
    });
    link.grant.get_future().wait();
  }
  bool notified(const IdentityKey& key, Notification notification) {
    std::promise<bool> taken;
    directory.notify(key, std::move(notification), [&](bool yes) { taken.set_value(yes); });
    return taken.get_future().get();
  }

  net::IoThreads threads{3};
  Directory directory{threads, system_clock(), {}};
};

TEST_F(DirectoryTest, OlderLinkOfTheSameIdentityIsClosedBeforeTheNewOneIsGranted) {
  const Identity identity{"h", "d", "", "g"};
  Link old(directory);
  Link young(directory);
  connect(old, identity, 0);
  connect(young, identity, 1);
  EXPECT_EQ(old.ended.get_future().get(), DisconnectReason::evicted);
  EXPECT_FALSE(young.closed);
  EXPECT_TRUE(notified(key_of(identity), CommandsWaiting{}));
  EXPECT_EQ(young.notifications.size(), 1u);
  EXPECT_TRUE(old.notifications.empty());
}

TEST_F(DirectoryTest, NotificationReachesExactlyTheNamedIdentity) {
  const std::vector<std::string> names = {"a", "a/b", "a#", "a+", "#", "$iothub", "A", "a b"};
  std::vector<std::unique_ptr<Link>> links;
  for (std::size_t i = 0; i < names.size(); ++i) {
    links.push_back(std::make_unique<Link>(directory));
    connect(*links.back(), {"h", names[i], "", "g"}, i % 3);
  }
  Link module(directory);
  connect(module, {"h", "a", "m", "g"}, 0);
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_TRUE(notified({"h", names[i], ""}, MethodCall{.id = i + 1, .name = "n", .payload = ""}));
    for (std::size_t k = 0; k < names.size(); ++k) EXPECT_EQ(links[k]->notifications.size(), k <= i ? 1u : 0u);
  }
  EXPECT_TRUE(module.notifications.empty());
  EXPECT_FALSE(notified({"other", "a", ""}, CommandsWaiting{}));
  EXPECT_FALSE(notified({"h", "a", "other"}, CommandsWaiting{}));
}

TEST_F(DirectoryTest, TellsWhenALinkDoesNotTakeANotification) {
  Link link(directory);
  link.takes = false;
  connect(link, {"h", "d", "", "g"}, 2);
  EXPECT_FALSE(notified({"h", "d", ""}, CommandsWaiting{}));
}

TEST_F(DirectoryTest, RevokingADeviceClosesItsModulesAndNobodyElse) {
  Link device(directory);
  Link module(directory);
  Link other(directory);
  connect(device, {"h", "d", "", "g"}, 0);
  connect(module, {"h", "d", "m", "g"}, 1);
  connect(other, {"h", "d2", "", "g"}, 2);
  directory.revoke({"h", "d", ""});
  EXPECT_EQ(device.ended.get_future().get(), DisconnectReason::revoked);
  EXPECT_EQ(module.ended.get_future().get(), DisconnectReason::revoked);
  EXPECT_TRUE(notified({"h", "d2", ""}, CommandsWaiting{}));
}

TEST_F(DirectoryTest, ReleaseOfAnOldLinkDoesNotRemoveTheNewOne) {
  const Identity identity{"h", "d", "", "g"};
  Link old(directory);
  Link young(directory);
  connect(old, identity, 0);
  connect(young, identity, 0);
  on(0, [&] { directory.release(identity, old.address); });
  EXPECT_TRUE(notified(key_of(identity), CommandsWaiting{}));
}

TEST_F(DirectoryTest, LinksMayLeaveWhileDeadlinesAreLookedAt) {
  std::vector<std::unique_ptr<Link>> links;
  for (int i = 0; i < 50; ++i) {
    links.push_back(std::make_unique<Link>(directory));
    links.back()->leaves_at_tick = true;
    connect(*links.back(), {"h", std::to_string(i), "", "g"}, 0);
  }
  directory.tick();
  on(0, [] {});
  EXPECT_FALSE(notified({"h", "1", ""}, CommandsWaiting{}));
}

TEST_F(DirectoryTest, CompletionsArriveOnTheLinksThreadInOrder) {
  Link link(directory);
  connect(link, {"h", "d", "", "g"}, 1);
  const auto queue = directory.completions(1);
  for (std::uint64_t i = 0; i < 100; ++i) queue->add({.link = link.address.link, .sequence = i, .stored = true});
  on(1, [] {});
  on(1, [] {});
  ASSERT_EQ(link.completions.size(), 100u);
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(link.completions[i].sequence, i);
}

}  // namespace
}  // namespace picket::hub
