#include "support/snapshot_difference.h"

#include <cstdlib>
#include <filesystem>
#include <map>

#include "tests/live.h"

namespace picket::agent {
namespace {

using testing::ElementsAre;
using enum SnapshotChange;

constexpr Timestamp kNow{1'800'000'000'000'000};

struct Folder {
  Folder() {
    std::string name = ::testing::TempDir() + "picket-snapshot-XXXXXX";
    path = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path;
};

/// One snapshot of items "identity=content": what is news, with what is gone at the end.
std::vector<std::string> take(SnapshotDifference& set, Timestamp now, const std::map<std::string, std::string>& items) {
  std::vector<std::string> out;
  const bool is_whole = set.begin(now);
  for (const auto& [identity, content] : items) {
    const SnapshotChange change = set.see(identity, "details", content);
    if (change == unchanged) continue;
    out.push_back(std::string(to_string(change)) + " " + identity);
    EXPECT_EQ(change == whole, is_whole);
  }
  if (!is_whole) {
    for (std::string_view text = set.next_removed(); !text.empty(); text = set.next_removed()) {
      out.push_back("removed " + std::string(take_field(text)));
      EXPECT_EQ(text, "details");
    }
  }
  set.finish();
  return out;
}

TEST(SnapshotDifference, WholeOnceThenOnlyWhatChanged) {
  SnapshotDifference set("");
  EXPECT_THAT(take(set, kNow, {{"a", "1"}, {"b", "1"}}), ElementsAre(" a", " b"));
  EXPECT_THAT(take(set, kNow + Duration::minutes(1), {{"a", "1"}, {"b", "1"}}), ElementsAre());
  EXPECT_THAT(take(set, kNow + Duration::minutes(2), {{"a", "2"}, {"c", "1"}}),
              ElementsAre("changed a", "added c", "removed b"));
  EXPECT_THAT(take(set, kNow + Duration::minutes(3), {{"a", "2"}, {"c", "1"}}), ElementsAre());
}

TEST(SnapshotDifference, WholeAgainAfterAWeekAndWhenTheClockWentBack) {
  SnapshotDifference set("");
  take(set, kNow, {{"a", "1"}});
  EXPECT_FALSE(set.begin(kNow + kSnapshotWholeEvery - Duration::seconds(1)));
  set.see("a", "", "1");
  set.finish();
  EXPECT_TRUE(set.begin(kNow + kSnapshotWholeEvery));
  set.finish();
  EXPECT_TRUE(set.begin(kNow));
}

TEST(SnapshotDifference, OneIdentityTwiceInASnapshotIsOneItem) {
  SnapshotDifference set("");
  set.begin(kNow);
  EXPECT_EQ(set.see("a", "", "1"), whole);
  EXPECT_EQ(set.see("a", "", "2"), unchanged);
  set.finish();
  set.begin(kNow);
  EXPECT_EQ(set.see("a", "", "1"), unchanged);
  EXPECT_EQ(set.see("a", "", "2"), unchanged);
}

TEST(SnapshotDifference, WhatIsGoneIsNamedAsItWasLast) {
  SnapshotDifference set("");
  for (const std::string_view version : {"1.0", "1.1"}) {
    set.begin(kNow);
    set.see("curl", version, version);
    set.finish();
  }
  set.begin(kNow);
  std::string_view text = set.next_removed();
  EXPECT_EQ(take_field(text), "curl");
  EXPECT_EQ(take_field(text), "1.1");
  set.finish();
}

TEST(SnapshotDifference, ARestartSendsOnlyWhatChangedMeanwhile) {
  const Folder folder;
  const std::string path = folder.path + "/snapshot";
  {
    SnapshotDifference set(path);
    take(set, kNow, {{"a", "1"}, {"b", "1"}});
    ASSERT_TRUE(set.save());
  }
  SnapshotDifference set(path);
  EXPECT_THAT(take(set, kNow + Duration::hours(1), {{"a", "2"}, {"b", "1"}}), ElementsAre("changed a"));
}

TEST(SnapshotDifference, ALargeSetLeavesTheMemoryAndComesBack) {
  const Folder folder;
  SnapshotDifference set(folder.path + "/snapshot");
  std::map<std::string, std::string> items;
  for (int i = 0; i < 1000; ++i) items["item " + std::to_string(i)] = "1";
  EXPECT_EQ(take(set, kNow, items).size(), 1000u);
  ASSERT_TRUE(set.save());
  EXPECT_EQ(set.size(), 0u);
  items.erase("item 7");
  items["item 8"] = "2";
  EXPECT_THAT(take(set, kNow, items), ElementsAre("changed item 8", "removed item 7"));
}

TEST(SnapshotDifference, ADamagedFileMeansAWholeSnapshot) {
  SnapshotDifference set("");
  take(set, kNow, {{"a", "1"}, {"b", "1"}});
  const Buffer file = set.encode();
  SnapshotDifference other("");
  for (std::size_t n = 0; n < file.size(); ++n) EXPECT_FALSE(other.decode(Bytes(file).first(n))) << n;
  for (std::size_t at = 0; at < file.size(); ++at) {
    Buffer damaged = file;
    damaged[at] ^= std::byte{1};
    EXPECT_FALSE(other.decode(damaged)) << at;
  }
  EXPECT_TRUE(other.begin(kNow));
  ASSERT_TRUE(other.decode(file));
  EXPECT_FALSE(other.begin(kNow));
}

TEST(SnapshotDifference, PastTheBoundItemsAreOnlyInWholeSnapshots) {
  SnapshotDifference set("");
  const auto show_all = [&](Timestamp now) {
    set.begin(now);
    std::size_t news = 0;
    for (std::size_t i = 0; i < SnapshotDifference::kItemsMax + 10; ++i) {
      if (set.see(std::to_string(i), "", "1") != unchanged) ++news;
    }
    set.finish();
    return news;
  };
  EXPECT_EQ(show_all(kNow), SnapshotDifference::kItemsMax + 10);
  EXPECT_EQ(set.size(), SnapshotDifference::kItemsMax);
  EXPECT_EQ(set.untracked(), 10u);
  EXPECT_EQ(show_all(kNow + Duration::hours(1)), 0u);
}

TEST(SnapshotReport, DifferencesSayWhatHappenedAndHaveTheirOwnPriority) {
  SnapshotDifference set("");
  CollectorSettings settings;
  Recorder sink;
  Counters counters;
  const Environment environment{settings, system_clock(), sink, Priority::low, {}};
  const auto report_all = [&](std::vector<std::pair<std::string_view, std::string_view>> users) {
    SnapshotReport report(set, environment, {"local_users", "poll", false}, message::LocalUsers::kEvent, Priority::high,
                          counters);
    const message::Detail detail{"Mode", "x"};
    for (const auto& [name, shell] : users) {
      report.item(
          name, "",
          message::LocalUsers{
              .user_id = "1", .user_name = name, .shell = shell, .source = "poll", .extra_details = {&detail, 1}});
    }
    report.finish([](std::string_view text, auto send) { send(message::LocalUsers{.user_name = take_field(text)}); });
  };
  report_all({{"ann", "/bin/sh"}, {"bob", "/bin/sh"}});
  ASSERT_EQ(sink.events.size(), 1u);
  EXPECT_EQ(sink.events[0].record.priority, Priority::low);
  EXPECT_EQ(sink.events[0].record.identity, "");
  EXPECT_THAT(sink.events[0].items, testing::Not(testing::HasSubstr("Change")));
  report_all({{"ann", "/bin/sh"}, {"bob", "/bin/sh"}});
  EXPECT_EQ(sink.events.size(), 1u) << "nothing changed, nothing is sent";
  report_all({{"ann", "/bin/bash"}});
  ASSERT_EQ(sink.events.size(), 2u);
  EXPECT_EQ(sink.events[1].record.priority, Priority::high);
  EXPECT_THAT(sink.events[1].items, testing::HasSubstr(R"("ExtraDetails":{"Mode":"x","Change":"changed"})"));
  EXPECT_THAT(sink.events[1].items, testing::HasSubstr(R"("UserName":"bob")"));
  EXPECT_EQ(counters.seen, 4u);
  EXPECT_EQ(counters.delivered, 4u);
}

}  // namespace
}  // namespace picket::agent
