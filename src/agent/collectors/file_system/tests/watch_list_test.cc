// Which paths are watched, what fanotify and inotify say, and how a scan finds out.
#include "file_system/watch_list.h"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "file_system/inotify_message.h"

namespace picket::agent {
namespace {

using testing::ElementsAre;

WatchList list_of(std::vector<std::string> paths, bool recursive = true) { return {paths, recursive}; }

TEST(WatchList, CoversAPathAndAllBelowIt) {
  const WatchList list = list_of({"/nowhere/a"});
  EXPECT_TRUE(list.covers("/nowhere/a"));
  EXPECT_TRUE(list.covers("/nowhere/a/b/c"));
  EXPECT_FALSE(list.covers("/nowhere/ab"));
  EXPECT_FALSE(list.covers("/nowhere"));
}

TEST(WatchList, WithoutRecursionCoversOneLevelOnly) {
  const WatchList list = list_of({"/nowhere/a"}, false);
  EXPECT_TRUE(list.covers("/nowhere/a/b"));
  EXPECT_FALSE(list.covers("/nowhere/a/b/c"));
  EXPECT_EQ(list.interest_in("/nowhere/a"), Interest::all);
  EXPECT_EQ(list.interest_in("/nowhere/a/b"), Interest::none);
}

TEST(WatchList, KnowsFoldersWhoseEntriesMatter) {
  const WatchList list = list_of({"/nowhere/a/file", "/nowhere/b"});
  EXPECT_EQ(list.interest_in("/nowhere/a"), Interest::some);
  EXPECT_EQ(list.interest_in("/nowhere/b/c"), Interest::all);
  EXPECT_EQ(list.interest_in("/elsewhere"), Interest::none);
  EXPECT_TRUE(list.leads_to("/nowhere"));
  EXPECT_TRUE(list.leads_to("/"));
  EXPECT_FALSE(list.leads_to("/nowhere/b"));
}

TEST(WatchList, RefusesWhatIsNoFileOfTheDisk) {
  const WatchList list = list_of({"/proc", "/sys/class", "/dev/shm", "relative", "/a/../b", ""});
  EXPECT_TRUE(list.paths().empty());
  EXPECT_EQ(list.ignored(), 6u);
  EXPECT_FALSE(list_of({"/"}).covers("/proc/1/status"));
  EXPECT_TRUE(list_of({"/"}).covers("/srv/x"));
}

TEST(WatchList, FollowsLinksAndTakesAPlaceOnce) {
  const std::string root =
      std::filesystem::canonical(testing::TempDir()) / ("picket-links-" + std::to_string(getpid()));
  std::filesystem::create_directories(root + "/usr/bin");
  std::filesystem::create_symlink("usr/bin", root + "/bin");
  EXPECT_THAT(list_of({root + "/bin", root + "//usr/./bin/", root + "/bin/later"}).paths(),
              ElementsAre(root + "/usr/bin", root + "/usr/bin/later"));
  std::filesystem::remove_all(root);
}

TEST(WatchList, HasABound) {
  std::vector<std::string> many;
  for (int i = 0; i < 200; ++i) many.push_back("/nowhere/" + std::to_string(i));
  const WatchList list(many, true);
  EXPECT_EQ(list.paths().size(), WatchList::kPathsMax);
  EXPECT_EQ(list.ignored(), 200 - WatchList::kPathsMax);
}

TEST(WatchList, DefaultsAreWatchableAndLeaveBusyPlacesOut) {
  const WatchList list({}, true);
  EXPECT_EQ(list.ignored(), 0u);
  EXPECT_TRUE(list.covers("/etc/passwd"));
  EXPECT_TRUE(list.covers("/root/.ssh/authorized_keys"));
  EXPECT_TRUE(list.covers("/etc/ld.so.preload"));
  EXPECT_TRUE(list.covers("/etc/systemd/system/evil.service"));
  for (const char* busy :
       {"/etc/mtab", "/var/log/syslog", "/tmp/x", "/home/user/.cache/x", "/var/lib/picket-agent/x"}) {
    EXPECT_FALSE(list.covers(busy)) << busy;
  }
}

TEST(InotifyMessage, TakesEventsOneByOneAndStopsAtTheCut) {
  const std::uint32_t words[] = {7, 0x100, 0, 8, 0x62610000, 0, 7, 0x200, 0};  // the last has no length
  Bytes rest = std::as_bytes(std::span(words));
  InotifyEvent event;
  ASSERT_TRUE(next_inotify(rest, event));
  EXPECT_EQ(event.watch, 7);
  EXPECT_EQ(event.mask, 0x100u);
  EXPECT_EQ(event.name, "") << "a name that begins with NUL is none";
  EXPECT_FALSE(next_inotify(rest, event));
  EXPECT_EQ(rest.size(), 12u);
}

}  // namespace
}  // namespace picket::agent
