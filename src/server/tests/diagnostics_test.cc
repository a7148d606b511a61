// Diagnostic settings that send records about a hub to files.
#include "diagnostics.h"

#include <filesystem>
#include <fstream>
#include <future>
#include <map>

#include <gtest/gtest.h>
#include <stdlib.h>

#include "hub/testing/killed_child.h"

namespace picket::server {
namespace {

namespace fs = std::filesystem;

constexpr Timestamp kNow{1'795'000'000'000'000};  // 2026-11-18T11:06:40Z

hub::HubSettings hub_that_sends(std::vector<std::string> categories) {
  hub::HubSettings out{.name = "hub1", .location = "plant", .resource_id = "/subscriptions/1/iothubs/hub1"};
  if (!categories.empty()) out.configuration.diagnostics = {{"archive", std::move(categories), {"storage"}}};
  return out;
}

class DiagnosticsTest : public testing::Test {
 protected:
  DiagnosticsTest() {
    std::string pattern = testing::TempDir() + "picket_diagnostics_XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
  }
  ~DiagnosticsTest() override {
    diagnostics_.reset();
    journal_.reset();
    fs::remove_all(folder_);
  }
  void open_journal() {
    journal::EmbeddedOptions options;
    options.directory = folder_ + "/journal";
    options.reserve_bytes = 0;
    journal_ = std::move(journal::open_embedded(std::move(options))->journal);
  }
  void open(std::uint64_t bytes_max = 1U << 30) {
    if (!journal_) open_journal();
    diagnostics_ = std::make_unique<Diagnostics>(
        *journal_, settings_, clock_, DiagnosticsOptions{.directory = folder_ + "/files", .bytes_max = bytes_max});
    ASSERT_TRUE(diagnostics_->follow_settings());
  }
  void send_to(std::vector<std::string> categories) {
    settings_.put(hub_that_sends(std::move(categories)));
    if (diagnostics_) ASSERT_TRUE(diagnostics_->follow_settings());
  }
  void append(const std::string& kind, const std::string& object, Timestamp at = kNow) {
    const std::string body = R"({"v":2,"kind":")" + kind + R"(","hub":"hub1","object":")" + object + "\"}";
    const Identity identity{"hub1", "", "", ""};
    const journal::Record record{.kind = journal::RecordKind::hub_event,
                                 .partition = partition_of(identity),
                                 .enqueued = at,
                                 .identity = identity,
                                 .properties = {},
                                 .body = as_bytes(body)};
    std::promise<void> durable;
    ASSERT_TRUE(journal_->append(record, [&](Result<journal::RecordId>) { durable.set_value(); }));
    durable.get_future().wait();
  }
  void wait_until_read() const {
    while (diagnostics_->stats().lag_records > 0) std::this_thread::yield();
  }
  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> out;
    if (!fs::exists(folder_ + "/files")) return out;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ + "/files")) {
      if (entry.is_regular_file()) out.push_back(entry.path());
    }
    return out;
  }
  /// How often each object is in the files.
  [[nodiscard]] std::map<std::string, int> objects() const {
    std::map<std::string, int> out;
    for (const auto& path : files()) {
      std::ifstream file(path);
      for (std::string line; std::getline(file, line);) {
        constexpr std::string_view kObject = R"(\"object\":\")";
        const auto at = line.find(kObject) + kObject.size();
        ++out[line.substr(at, line.find('\\', at) - at)];
      }
    }
    return out;
  }

  std::string folder_;
  int missing_ = 0;
  ManualClock clock_{kNow};
  hub::HubSettingsStore settings_;
  std::unique_ptr<journal::Journal> journal_;
  std::unique_ptr<Diagnostics> diagnostics_;
};

TEST_F(DiagnosticsTest, WritesWhatTheSettingNamesAndNothingElse) {
  send_to({"Connections"});
  open();
  append("connect", "yes");
  append("query_run", "no");
  wait_until_read();
  EXPECT_EQ(objects(), (std::map<std::string, int>{{"yes", 1}}));
  ASSERT_EQ(files().size(), 1u);
  EXPECT_EQ(files()[0].string().substr(folder_.size()),
            "/files/insights-logs-connections/resourceId=/SUBSCRIPTIONS/1/IOTHUBS/HUB1/"
            "y=2026/m=11/d=18/h=11/m=00/PT1H.json");
}

TEST_F(DiagnosticsTest, AllLogsTakesEveryCategoryIntoAFileOfItsOwn) {
  send_to({"allLogs"});
  open();
  append("connect", "a");
  append("query_run", "b");
  append("connect", "c", kNow + Duration::hours(1));
  wait_until_read();
  EXPECT_EQ(objects().size(), 3u);
  EXPECT_EQ(files().size(), 3u);
}

TEST_F(DiagnosticsTest, WithoutASettingNothingIsReadAndRetentionIsFree) {
  send_to({});
  open();
  append("connect", "a");
  EXPECT_EQ(diagnostics_->stats().lag_records, 0u);
  EXPECT_TRUE(files().empty());
  EXPECT_FALSE(fs::exists(folder_ + "/files"));
  EXPECT_FALSE(journal_->set_position("diagnostics", journal_->end())) << "there is no such consumer";
}

TEST_F(DiagnosticsTest, ASettingActsFromWhenItIsMadeUntilItIsRemoved) {
  send_to({});
  open();
  append("connect", "before");
  send_to({"Connections"});
  append("connect", "during");
  wait_until_read();
  send_to({});
  append("connect", "after");
  send_to({"Connections"});
  append("connect", "again");
  wait_until_read();
  EXPECT_EQ(objects(), (std::map<std::string, int>{{"during", 1}, {"again", 1}}));
}

TEST_F(DiagnosticsTest, WhatHappensWhileItIsStoppedIsWrittenAfterTheRestart) {
  send_to({"Connections"});
  open();
  append("connect", "a");
  wait_until_read();
  diagnostics_.reset();
  append("connect", "b");
  open();
  append("connect", "c");
  wait_until_read();
  EXPECT_EQ(objects(), (std::map<std::string, int>{{"a", 1}, {"b", 1}, {"c", 1}}));
}

TEST_F(DiagnosticsTest, APlaceThatWasNotStoredRepeatsNoLine) {
  send_to({"Connections"});
  open();
  append("connect", "a");
  append("connect", "b");
  wait_until_read();
  diagnostics_.reset();
  ASSERT_TRUE(journal_->set_position("diagnostics", journal_->begin()));
  open();
  wait_until_read();
  EXPECT_EQ(objects(), (std::map<std::string, int>{{"a", 1}, {"b", 1}}));
  EXPECT_EQ(diagnostics_->stats().repeated, 2u);
}

TEST_F(DiagnosticsTest, HalfALineIsCutOffAndWrittenWhole) {
  send_to({"Connections"});
  open();
  append("connect", "a");
  append("connect", "b");
  wait_until_read();
  diagnostics_.reset();
  ASSERT_TRUE(journal_->set_position("diagnostics", journal_->begin()));
  const auto file = files().at(0);
  fs::resize_file(file, fs::file_size(file) - 5);
  open();
  wait_until_read();
  EXPECT_EQ(objects(), (std::map<std::string, int>{{"a", 1}, {"b", 1}}));
}

TEST_F(DiagnosticsTest, TheOldestHoursMakeRoomAndOneHourAloneIsCounted) {
  send_to({"Connections"});
  open(2000);
  for (int hour = 0; hour < 20; ++hour) append("connect", std::to_string(hour), kNow + Duration::hours(hour));
  wait_until_read();
  EXPECT_GT(diagnostics_->stats().files_removed, 0u);
  EXPECT_LE(diagnostics_->stats().bytes, 2000u);
  EXPECT_EQ(objects().count("19"), 1u);
  EXPECT_EQ(objects().count("0"), 0u);
  EXPECT_EQ(diagnostics_->stats().dropped_room, 0u);
  for (int i = 0; i < 20; ++i) append("connect", "x" + std::to_string(i), kNow + Duration::hours(19));
  wait_until_read();
  EXPECT_GT(diagnostics_->stats().dropped_room, 0u);
  EXPECT_LE(diagnostics_->stats().bytes, 2000u);
}

TEST_F(DiagnosticsTest, KilledAtAnyPointItLosesAndRepeatsNothing) {
  settings_.put(hub_that_sends({"Connections"}));
  int next = 0;
  for (int round = 0; round < 4; ++round) {
    const std::string said = hub::run_and_kill(
        [&](int fd) {
          open();
          for (int i = next;; ++i) {
            append("connect", std::to_string(i));
            hub::say(fd, std::to_string(i));
          }
        },
        20 + 37 * round);
    const auto whole = said.substr(0, said.rfind('\n'));
    next = std::stoi(whole.substr(whole.rfind('\n') + 1)) + 1;
    // One more may be durable and not said.
    ++next;
  }
  open();
  append("connect", "end");
  wait_until_read();
  const auto found = objects();
  EXPECT_TRUE(found.contains("end"));
  EXPECT_GE(found.size(), static_cast<std::size_t>(next - 4));
  for (const auto& [object, count] : found) EXPECT_EQ(count, 1) << object;
  for (int i = 0; i < next; ++i) missing_ += found.contains(std::to_string(i)) ? 0 : 1;
  EXPECT_LE(missing_, 4) << "at most the numbers that were skipped between rounds";
}

}  // namespace
}  // namespace picket::server
