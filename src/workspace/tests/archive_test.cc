// Retention by table and the archive: rows stay the same rows, space comes back.
#include <atomic>
#include <csignal>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "fixture.h"

namespace picket::workspace {
namespace {

using namespace testing;

constexpr const char* kAll =
    "SELECT (SELECT count(*) FROM Process), (SELECT sum(_position) FROM Process), (SELECT count(*) FROM Login), "
    "(SELECT count(*) FROM Event WHERE DeviceId = 'device-3'), (SELECT max(EventDetails) FROM Process)";

class Archive : public ::testing::Test {
 protected:
  void SetUp() override {
    options.merge_fan_in = 1'000;
    options.streams = {{"messages", {Duration::days(30), 0}}};
  }
  void reopen() {
    workspace.reset();
    workspace = open(options, clock);
  }
  /// One segment of 3,000 process rows and a hundred logins.
  void seal(Timestamp time) {
    const std::uint64_t first = workspace->hot_end("messages") + 1;
    Batch batch = records(first, 3'000, time);
    for (std::uint32_t i = 0; i < 100; ++i) batch.login(first + 2'999, i, "device-3", i % 2 == 0, time);
    ASSERT_TRUE(workspace->append("messages", first + 2'999, batch.rows()));
    ASSERT_TRUE(workspace->flush());
  }
  void pass(Duration time) {
    clock.advance(time);
    ASSERT_TRUE(workspace->maintain());
  }
  [[nodiscard]] StreamStats stats() const { return workspace->stats().streams[0]; }
  [[nodiscard]] std::uint64_t bytes_on_disk() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder.path())) {
      if (entry.is_regular_file()) sum += entry.file_size();
    }
    return sum;
  }

  TemporaryFolder folder;
  ManualClock clock{kStart};
  DuckdbOptions options = small_options(folder.path());
  std::unique_ptr<Workspace> workspace;
};

TEST_F(Archive, KeepsEachTableForItsOwnTimeAndGivesTheSpaceBack) {
  options.tables["Process"] = {Duration::days(1), {}};
  reopen();
  seal(kStart);
  seal(kStart);
  const std::uint64_t before = bytes_on_disk();
  pass(Duration::days(1));
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 6'000);
  pass(Duration::seconds(1));
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 0);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Login WHERE Ok"), 100);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Event"), 200);
  EXPECT_LT(bytes_on_disk(), before / 2);
  EXPECT_EQ(stats().rows_dropped, 6'000u);
  EXPECT_EQ(stats().segment_rows, 200u);
  reopen();
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Event"), 200);
  EXPECT_EQ(workspace->stats().leftovers_removed, 0u);
  pass(Duration::days(30));
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Event"), 0);
  EXPECT_EQ(files(folder.path(), "messages"), 0u);
}

TEST_F(Archive, AnswersEveryQueryAsBefore) {
  options.tables["Process"] = {Duration::days(1), Duration::days(100)};
  reopen();
  seal(kStart);
  clock.advance(Duration::hours(1));
  seal(clock.now());
  const std::string before = table(*workspace, kAll);
  pass(Duration::hours(23) + Duration::minutes(30));  // the first segment only
  EXPECT_EQ(stats().archived_rows, 3'000u);
  EXPECT_EQ(table(*workspace, kAll), before);
  pass(Duration::hours(1));
  EXPECT_EQ(stats().archived_rows, 6'000u);
  EXPECT_EQ(stats().segment_rows, 200u);
  EXPECT_EQ(archived_files(folder.path(), "messages").size(), 2u);
  EXPECT_EQ(table(*workspace, kAll), before);
  EXPECT_EQ(table(*workspace, "SELECT * EXCLUDE (EventDetails) FROM Process ORDER BY _position LIMIT 1"),
            "1|0|0|2025-10-09T08:53:20.000000Z|2025-10-09T08:53:20.000000Z|device-1|1|1");
  reopen();
  EXPECT_EQ(table(*workspace, kAll), before);
  EXPECT_EQ(workspace->stats().leftovers_removed, 0u);
  const TableStats process = workspace->tables()[kProcess];
  EXPECT_EQ(process.rows, 0u);
  EXPECT_EQ(process.archived_rows, 6'000u);
  EXPECT_EQ(process.oldest, kStart);
  EXPECT_EQ(process.newest, kStart + Duration::hours(1));
}

TEST_F(Archive, HasARetentionOfItsOwn) {
  options.tables["Process"] = {Duration::days(1), Duration::days(2)};
  options.tables["Login"] = {Duration::days(1), Duration::days(2)};
  reopen();
  seal(kStart);
  pass(Duration::days(2));
  EXPECT_EQ(stats().archived_rows, 3'100u);
  EXPECT_EQ(stats().segment_bytes, 0u);
  EXPECT_EQ(files(folder.path(), "messages"), 0u);
  reopen();  // a segment without a file of its own
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Event"), 3'100);
  pass(Duration::days(1) + Duration::seconds(1));
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Event"), 0);
  EXPECT_TRUE(archived_files(folder.path(), "messages").empty());
  EXPECT_EQ(stats().segments, 0u);
}

TEST_F(Archive, TakesUpANewRetentionAtOnceAndForgetsItAgain) {
  reopen();
  seal(kStart);
  pass(Duration::days(2));
  EXPECT_EQ(stats().archived_rows, 0u);
  ASSERT_TRUE(workspace->set_retention("Process", TableRetention{Duration::days(1), Duration::days(60)}));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(stats().archived_rows, 3'000u);
  ASSERT_TRUE(workspace->set_retention("Process", std::nullopt));
  pass(Duration::days(29));  // the stream's thirty days end for both
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Event"), 0);
  EXPECT_EQ(workspace->set_retention("Nothing", std::nullopt).error().code, Errc::not_found);
}

TEST_F(Archive, CountsForTheBoundOfBytes) {
  options.tables["Process"] = {Duration::days(1), Duration::days(100)};
  options.streams = {{"messages", {{}, 1}}};
  reopen();
  seal(kStart);
  EXPECT_EQ(stats().segments, 0u);
}

TEST_F(Archive, IsLeftAloneByMerges) {
  options.merge_fan_in = 2;
  options.tables["Process"] = {Duration::days(1), Duration::days(100)};
  options.tables["Login"] = {Duration::days(1), Duration::days(100)};
  reopen();
  seal(kStart);
  pass(Duration::days(2));
  ASSERT_EQ(stats().archived_rows, 3'100u);
  for (int i = 0; i < 3; ++i) seal(clock.now());
  EXPECT_EQ(stats().merges, 1u);
  EXPECT_EQ(stats().archived_rows, 3'100u);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Event"), 4 * 3'100);
}

TEST_F(Archive, ADiskThatRefusesCostsNothingAndIsTriedAgain) {
  options.tables["Process"] = {Duration::days(1), Duration::days(100)};
  reopen();
  seal(kStart);
  const std::string before = table(*workspace, kAll);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  rlimit small = limit;
  small.rlim_cur = 4'096;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  clock.advance(Duration::days(2));
  const auto failed = workspace->maintain();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  EXPECT_FALSE(failed);
  EXPECT_EQ(stats().ageing_failures, 1u);
  EXPECT_EQ(table(*workspace, kAll), before);
  EXPECT_TRUE(archived_files(folder.path(), "messages").empty());
  pass(Duration::minutes(2));
  EXPECT_EQ(stats().archived_rows, 3'000u);
  EXPECT_EQ(table(*workspace, kAll), before);
}

TEST_F(Archive, QueriesBesideItSeeEachRowOnce) {
  options.tables["Process"] = {Duration::days(1), Duration::days(100)};
  reopen();
  for (int i = 0; i < 6; ++i) seal(kStart);
  const std::string before = table(*workspace, kAll);
  std::atomic<bool> stop = false;
  std::atomic<int> asked = 0;
  std::jthread asker([&] {
    while (!stop) {
      EXPECT_EQ(table(*workspace, kAll), before);
      ++asked;
    }
  });
  clock.advance(Duration::days(2));
  ASSERT_TRUE(workspace->maintain());
  for (const int end = asked + 2; asked < end;) std::this_thread::yield();
  stop = true;
  asker.join();
  EXPECT_EQ(stats().archived_rows, 18'000u);
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(files(folder.path(), "messages"), 6u);
}

TEST_F(Archive, LeftOversAreRemovedAtOpen) {
  options.tables["Process"] = {Duration::days(1), Duration::days(100)};
  reopen();
  seal(kStart);
  pass(Duration::days(2));
  const std::string file = archived_files(folder.path(), "messages").at(0);
  workspace.reset();
  std::ofstream(file + ".tmp") << "half";
  std::ofstream(file.substr(0, file.size() - 9) + "9.parquet") << "not in the manifest";
  reopen();
  EXPECT_EQ(workspace->stats().leftovers_removed, 2u);
  EXPECT_EQ(archived_files(folder.path(), "messages").size(), 1u);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 3'000);
}

}  // namespace
}  // namespace picket::workspace
