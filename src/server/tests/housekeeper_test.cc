#include "housekeeper.h"

#include <filesystem>
#include <map>
#include <thread>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "pipeline/control_records.h"
#include "state/devices.h"

namespace picket::server {
namespace {

constexpr Timestamp kNow{1'795'000'000'000'000};

class HousekeeperTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "picket_housekeeper_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    database_ = *state::Database::open(folder_ + "/state.sqlite");
    messages_ = open("messages");
    derived_ = open("derived");
  }
  void TearDown() override {
    messages_.reset();
    derived_.reset();
    std::filesystem::remove_all(folder_);
  }
  std::unique_ptr<journal::Journal> open(const std::string& name) {
    journal::EmbeddedOptions options;
    options.directory = folder_ + "/" + name;
    options.reserve_bytes = 0;
    return std::move(journal::open_embedded(std::move(options))->journal);
  }
  void keep_house_until_sent() {
    state::Outbox outbox(*database_);
    state::Users users(*database_);
    const auto nothing = [] { return Result<>(); };
    Housekeeper housekeeper({*messages_, *derived_, outbox, users, clock_, clock_, {}, "hub", nothing, nothing});
    housekeeper.start();
    while (!outbox.pending(1)->empty()) std::this_thread::yield();
    housekeeper.stop();
    EXPECT_GT(housekeeper.stats().ticks, 0u);
    EXPECT_EQ(housekeeper.stats().failures, 0u);
  }

  std::string folder_;
  ManualClock clock_{kNow};
  std::unique_ptr<state::Database> database_;
  std::unique_ptr<journal::Journal> messages_;
  std::unique_ptr<journal::Journal> derived_;
};

TEST_F(HousekeeperTest, WhatIsDueOnceAnHourAndOnceADayIsDone) {
  state::Outbox outbox(*database_);
  state::Users users(*database_);
  int hours = 0;
  int days = 0;
  const auto count = [](int& what) {
    return [&what] {
      ++what;
      return Result<>();
    };
  };
  Housekeeper housekeeper({*messages_, *derived_, outbox, users, clock_, clock_, {}, "hub", count(hours), count(days)});
  // Three seconds of an hour stand for all: each goes to the disk, which may be slow.
  for (std::int64_t hour = 0; hour < 48; ++hour) {
    for (const std::int64_t second : {0, 60, 1'800}) housekeeper.second_passed(hour * 3'600 + second);
  }
  housekeeper.second_passed(2 * std::int64_t{86'400});
  EXPECT_EQ(hours, 48);
  EXPECT_EQ(days, 2);
  EXPECT_EQ(housekeeper.stats().failures, 0u);
}

TEST_F(HousekeeperTest, MovesRegistryChangesAndGroupsIntoTheJournal) {
  state::Devices devices(*database_);
  ASSERT_TRUE(devices.add("hub", "press-1", "line-1", {"admin", ""}, kNow));
  ASSERT_TRUE(devices.change("hub", "press-1", {.enabled = false}, {"admin", ""}, kNow));
  ASSERT_TRUE(devices.change("hub", "press-1", {.group = "line-2"}, {"admin", ""}, kNow));
  keep_house_until_sent();

  std::vector<std::string> audits;
  std::vector<std::string> groups;
  const auto reader = messages_->reader(messages_->begin());
  for (auto batch = (*reader)->read(1 << 20); batch && !batch->records.empty(); batch = (*reader)->read(1 << 20)) {
    for (const journal::RecordView& record : batch->records) {
      if (record.kind == journal::RecordKind::audit) audits.emplace_back(*record.property("kind"));
      if (record.kind == journal::RecordKind::group_change) {
        EXPECT_EQ(record.identity.device_id, "press-1");
        groups.emplace_back(as_text(record.body));
      }
    }
  }
  EXPECT_EQ(audits, (std::vector<std::string>{"device.create", "device.update", "device.update"}));
  EXPECT_EQ(groups,
            (std::vector<std::string>{pipeline::group_change_body("line-1"), pipeline::group_change_body("line-2")}));
}

}  // namespace
}  // namespace picket::server
