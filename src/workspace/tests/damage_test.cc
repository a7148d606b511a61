// Files that are lost, cut, changed or exchanged: named, left out, taken up again; everything else is answered.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.h"
#include "manifest.h"

namespace picket::workspace {
namespace {

using namespace testing;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

constexpr const char* kCount = "SELECT count(*) FROM Process";
constexpr const char* kEverything =
    "SELECT count(*), sum(_position), sum(ProcessId), count(DISTINCT EventDetails), min(DeviceId), "
    "bit_xor(hash(Size))::VARCHAR "
    "FROM "
    "Process";

class Damage : public ::testing::Test {
 protected:
  void SetUp() override {
    options.merge_fan_in = 1'000;
    fs::create_directories(options.directory);
  }
  void reopen() {
    workspace.reset();
    workspace = open(options, clock);
  }
  /// One segment of 3,000 process rows.
  void seal(std::int64_t pid = 1) {
    const std::uint64_t first = workspace->hot_end("messages") + 1;
    Batch batch;
    for (std::uint64_t i = first; i < first + 3'000; ++i) {
      batch.process(i, 0, "device-" + std::to_string(i % 7), "details of " + std::to_string(i), pid);
    }
    ASSERT_TRUE(workspace->append("messages", first + 2'999, batch.rows()));
    ASSERT_TRUE(workspace->flush());
  }
  void three_segments() {
    reopen();
    for (int i = 0; i < 3; ++i) seal();
    workspace.reset();
  }
  [[nodiscard]] fs::path path_of(std::uint64_t first) const {
    return fs::path(options.directory) / "messages" / segment_file_name(first, first + 2'999);
  }
  static std::string name_of(std::uint64_t first) {
    return "segments/messages/" + segment_file_name(first, first + 2'999);
  }
  static void flip(const fs::path& path, std::uint64_t offset) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(offset));
    const char byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(offset));
    file.put(static_cast<char>(byte ^ 0x10));
  }
  /// The second of three segments cannot be read: the others are answered, and the answer says so.
  void expect_second_missing(const std::string& problem) {
    const QueryOutcome outcome = workspace->query(sql(kCount));
    ASSERT_TRUE(outcome) << outcome.error().text;
    EXPECT_EQ(outcome->at(0, 0).as_integer(), 6'000);
    EXPECT_TRUE(outcome->truncated);
    EXPECT_EQ(outcome->cut, Cut::damage);
    ASSERT_EQ(outcome->missing.size(), 1u);
    EXPECT_THAT(sentence(outcome->missing[0]),
                AllOf(HasSubstr(name_of(3'001) + " " + problem), HasSubstr("3000 rows of Process from 2025-10-09T"),
                      HasSubstr("records 3001 to 6000"), HasSubstr("from a backup")));
    ASSERT_EQ(workspace->damaged().size(), 1u);
    EXPECT_EQ(workspace->damaged()[0].file, name_of(3'001));
    EXPECT_EQ(workspace->stats().damaged_files, 1u);
    // A query that does not need the file is whole.
    const QueryOutcome other = workspace->query(sql("SELECT count(*) FROM Login"));
    ASSERT_TRUE(other);
    EXPECT_FALSE(other->truncated);
    EXPECT_THAT(other->missing, IsEmpty());
  }

  TemporaryFolder folder;
  ManualClock clock{kStart};
  DuckdbOptions options = small_options(folder.path() + "/segments");
  std::unique_ptr<Workspace> workspace;
};

TEST_F(Damage, ALostSegmentIsNamedAndTakenUpWhenItIsBack) {
  three_segments();
  const fs::path away = folder.path() + "/away";
  fs::rename(path_of(3'001), away);
  reopen();
  expect_second_missing("is lost");
  seal();
  EXPECT_EQ(number(*workspace, kCount), 9'000) << "ingest goes on";
  fs::rename(away, path_of(3'001));
  ASSERT_TRUE(workspace->maintain());
  const QueryOutcome whole = workspace->query(sql(kCount));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->at(0, 0).as_integer(), 12'000);
  EXPECT_FALSE(whole->truncated);
  EXPECT_THAT(workspace->damaged(), IsEmpty());
}

TEST_F(Damage, ACutSegmentIsNamed) {
  three_segments();
  fs::resize_file(path_of(3'001), 100);
  reopen();
  expect_second_missing("is cut: it has 100 of ");
}

TEST_F(Damage, ASegmentThatGoesWhileTheServerRunsIsNamedByTheFirstQueryThatNeedsIt) {
  three_segments();
  reopen();
  EXPECT_THAT(workspace->damaged(), IsEmpty());
  fs::remove(path_of(3'001));
  expect_second_missing("is lost");
}

TEST_F(Damage, ASegmentOfAnotherPlaceIsNamed) {
  three_segments();
  const auto bytes = fs::file_size(path_of(3'001));
  fs::copy_file(path_of(6'001), path_of(3'001), fs::copy_options::overwrite_existing);
  fs::resize_file(path_of(3'001), bytes);
  reopen();
  expect_second_missing("is not the file that was sealed");
}

TEST_F(Damage, NoChangedByteChangesAnAnswer) {
  three_segments();
  reopen();
  const std::string right = table(*workspace, kEverything);
  workspace.reset();
  const fs::path path = path_of(3'001);
  const fs::path good = folder.path() + "/good";
  fs::copy_file(path, good);
  int found = 0;
  constexpr std::uint64_t kPlaces = 12;
  for (std::uint64_t i = 0; i < kPlaces; ++i) {
    fs::copy_file(good, path, fs::copy_options::overwrite_existing);
    flip(path, fs::file_size(path) / kPlaces * i + 13 * i);
    reopen();
    const QueryOutcome outcome = workspace->query(sql(kEverything));
    ASSERT_TRUE(outcome) << "byte " << i << ": " << outcome.error().text;
    if (outcome->missing.empty()) {
      EXPECT_EQ(table(*workspace, kEverything), right) << "byte " << i;
      continue;
    }
    ++found;
    EXPECT_EQ(outcome->missing[0].file, name_of(3'001));
    EXPECT_EQ(outcome->at(0, 0).as_integer(), 6'000);
  }
  EXPECT_GT(found, 2) << "some bytes belong to no block in use, but not nearly all";
}

TEST_F(Damage, OfTheArchiveIsNamedLikewise) {
  reopen();
  seal();
  clock.advance(Duration::days(2));
  ASSERT_TRUE(workspace->set_retention("Process", TableRetention{Duration::days(1), Duration::days(90)}));
  ASSERT_TRUE(workspace->maintain());
  const fs::path file = archived_files(options.directory, "messages").at(0);
  workspace.reset();
  const fs::path good = folder.path() + "/good";
  fs::copy_file(file, good);
  const auto answer = [&] {
    reopen();
    EXPECT_TRUE(workspace->set_retention("Process", TableRetention{Duration::days(1), Duration::days(90)}));
    const QueryOutcome outcome = workspace->query(sql(kCount));
    EXPECT_TRUE(outcome);
    if (!outcome || outcome->missing.empty()) return std::string("whole");
    EXPECT_EQ(outcome->at(0, 0).as_integer(), 0);
    return sentence(outcome->missing[0]);
  };
  EXPECT_EQ(answer(), "whole");
  workspace.reset();
  flip(file, fs::file_size(file) / 2);
  EXPECT_THAT(answer(), AllOf(HasSubstr("segments/messages/archive/Process/"), HasSubstr("is damaged: its checksum")));
  fs::resize_file(file, 10);
  EXPECT_THAT(answer(), HasSubstr("is cut: it has 10 of"));
  fs::remove(file);
  EXPECT_THAT(answer(), HasSubstr("is lost: 3000 rows of Process"));
  fs::copy_file(good, file);
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(number(*workspace, kCount), 3'000);
}

TEST_F(Damage, DoesNotKeepOthersFromBeingMergedAndRetentionEndsIt) {
  options.merge_fan_in = 2;
  options.streams = {{"messages", {Duration::days(1), 0}}};
  options.merge_rows_max = 3'000;
  three_segments();
  flip(path_of(3'001), fs::file_size(path_of(3'001)) / 2);
  options.merge_rows_max = 100'000;
  reopen();
  for (int i = 0; i < 3; ++i) (void)workspace->maintain();
  // Whatever was flipped, no row of the others is lost.
  ASSERT_TRUE(workspace->flush());
  EXPECT_GE(number(*workspace, kCount), 6'000);
  clock.advance(Duration::days(3));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(number(*workspace, kCount), 0);
  EXPECT_THAT(workspace->damaged(), IsEmpty()) << "nobody misses them any more";
  EXPECT_EQ(files(options.directory, "messages"), 0u);
}

TEST_F(Damage, OfAListIsRefusedAndNothingIsTouched) {
  three_segments();
  const fs::path manifest = fs::path(options.directory) / "messages/manifest";
  flip(manifest, 30);
  const auto opened = open_duckdb_workspace(options, small_schema(), clock);
  ASSERT_FALSE(opened);
  EXPECT_EQ(files(options.directory, "messages"), 3u);
}

TEST_F(Damage, QueriesThatShareAViewSeeTheSameRows) {
  reopen();
  seal();
  QueryRequest request = sql(kCount);
  request.view = std::make_shared<SharedView>();
  EXPECT_EQ(workspace->query(request)->at(0, 0).as_integer(), 3'000);
  seal();
  ASSERT_TRUE(workspace->append("messages", 6'001, records(6'001, 1).rows()));
  EXPECT_EQ(workspace->query(request)->at(0, 0).as_integer(), 3'000);
  clock.advance(Duration::days(3));
  ASSERT_TRUE(workspace->set_retention("Process", TableRetention{Duration::days(1), {}}));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(workspace->query(request)->at(0, 0).as_integer(), 3'000) << "what it saw is kept for it";
  request.view = std::make_shared<SharedView>();
  EXPECT_EQ(workspace->query(request)->at(0, 0).as_integer(), 0);
}

}  // namespace
}  // namespace picket::workspace
