// Segments: sealing bounds, merging, retention, space, left-over files, damage.
#include <fstream>

#include <duckdb.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "fixture.h"
#include "manifest.h"

namespace picket::workspace {
namespace {

using namespace testing;
using ::testing::HasSubstr;

class Segments : public ::testing::Test {
 protected:
  void SetUp() override { reopen(); }
  void reopen() {
    workspace.reset();
    workspace = open(options, clock);
  }
  /// Appends and seals one segment of `rows` records.
  void seal(std::uint64_t rows, Timestamp time = kStart) {
    const std::uint64_t first = workspace->hot_end("messages") + 1;
    ASSERT_TRUE(workspace->append("messages", first + rows - 1, records(first, rows, time).rows()));
    ASSERT_TRUE(workspace->flush());
  }
  [[nodiscard]] StreamStats stats() const { return workspace->stats().streams[0]; }
  [[nodiscard]] std::string stream_folder() const { return folder.path() + "/messages"; }
  /// Blocks that the files of the stream take, as du counts.
  [[nodiscard]] std::uint64_t disk_bytes() const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(stream_folder())) {
      struct stat status{};
      EXPECT_EQ(::stat(entry.path().c_str(), &status), 0);
      sum += static_cast<std::uint64_t>(status.st_blocks) * 512;
    }
    return sum;
  }

  TemporaryFolder folder;
  ManualClock clock{kStart};
  DuckdbOptions options = small_options(folder.path());
  std::unique_ptr<Workspace> workspace;
};

TEST_F(Segments, AreSealedByRowsByBytesByAgeAndOnRequest) {
  options.seal_rows = 100;
  options.seal_bytes = 6U << 20;
  options.seal_age = Duration::minutes(10);
  options.merge_fan_in = 1'000;
  reopen();
  ASSERT_TRUE(workspace->append("messages", 99, records(1, 99).rows()));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(workspace->sealed_through("messages"), 0u);
  ASSERT_TRUE(workspace->append("messages", 100, records(100, 1).rows()));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(workspace->sealed_through("messages"), 100u);

  Batch large;
  large.process(101, 0, "a", std::string(7U << 20, 'x'));
  ASSERT_TRUE(workspace->append("messages", 101, large.rows()));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(workspace->sealed_through("messages"), 101u);

  ASSERT_TRUE(workspace->append("messages", 102, records(102, 1).rows()));
  clock.advance(Duration::minutes(10) - Duration::microseconds(1));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(workspace->sealed_through("messages"), 101u);
  clock.advance(Duration::microseconds(1));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(workspace->sealed_through("messages"), 102u);

  ASSERT_TRUE(workspace->append("messages", 103, records(103, 1).rows()));
  workspace->request_seal("messages");
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(workspace->sealed_through("messages"), 103u);
  EXPECT_EQ(stats().seals, 4u);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 103);
}

TEST_F(Segments, HotRowsAreBoundedAndASealMakesRoom) {
  options.hot_rows_max = 10;
  reopen();
  ASSERT_TRUE(workspace->append("messages", 10, records(1, 10).rows()));
  const auto full = workspace->append("messages", 11, records(11, 1).rows());
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error(), (Error{Errc::limit_exceeded, "workspace.append.full"}));
  EXPECT_EQ(workspace->hot_end("messages"), 10u);
  EXPECT_EQ(workspace->append("messages", 30, records(11, 11).rows()).error().where, "workspace.append.oversize");
  EXPECT_EQ(stats().appends_refused, 2u);
  ASSERT_TRUE(workspace->flush());
  ASSERT_TRUE(workspace->append("messages", 11, records(11, 1).rows()));
}

TEST_F(Segments, HotBytesAreBounded) {
  options.hot_bytes_max = 4U << 20;
  reopen();
  std::uint64_t sequence = 0;
  Result<> last;
  while (last) {
    ++sequence;
    Batch batch;
    batch.process(sequence, 0, "a", std::to_string(sequence) + std::string(10'000, 'x'));
    last = workspace->append("messages", sequence, batch.rows());
  }
  EXPECT_EQ(last.error().where, "workspace.append.full");
  EXPECT_GT(sequence, 300u);
  EXPECT_LE(stats().hot_bytes, options.hot_bytes_max);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), static_cast<std::int64_t>(sequence) - 1);
}

TEST_F(Segments, ABoundThatNoAppendFitsIsRefusedAtOpen) {
  workspace.reset();
  options.hot_bytes_max = 1'000;
  const auto opened = open_duckdb_workspace(options, small_schema(), clock);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().where, "workspace.open.hot_bytes_max");
}

TEST_F(Segments, BulkColumnsAreTrulyZstd) {
  options.merge_fan_in = 2;
  reopen();
  seal(3'000);
  seal(3'000);  // merged with the first
  workspace.reset();
  ASSERT_EQ(files(folder.path(), "messages"), 1u);
  duckdb_database database = nullptr;
  duckdb_connection connection = nullptr;
  const std::string path = stream_folder() + "/" + segment_file_name(1, 6'000);
  ASSERT_EQ(duckdb_open(path.c_str(), &database), DuckDBSuccess);
  ASSERT_EQ(duckdb_connect(database, &connection), DuckDBSuccess);
  duckdb_result result;
  ASSERT_EQ(duckdb_query(connection,
                         "SELECT string_agg(DISTINCT compression, ',') FROM pragma_storage_info('Process') WHERE "
                         "column_name = 'EventDetails' AND segment_type = 'VARCHAR'",
                         &result),
            DuckDBSuccess);
  char* compression = duckdb_value_varchar(&result, 0, 0);
  EXPECT_STREQ(compression, "ZSTD");
  duckdb_free(compression);
  duckdb_destroy_result(&result);
  ASSERT_EQ(duckdb_query(connection, "SELECT tags::VARCHAR FROM duckdb_databases() WHERE NOT internal", &result),
            DuckDBSuccess);
  char* tags = duckdb_value_varchar(&result, 0, 0);
  EXPECT_THAT(tags, HasSubstr("v1.4"));
  duckdb_free(tags);
  duckdb_destroy_result(&result);
  duckdb_disconnect(&connection);
  duckdb_close(&database);
}

TEST_F(Segments, SmallOnesAreMergedAndKeepEveryRow) {
  options.merge_fan_in = 4;
  reopen();
  for (int i = 0; i < 15; ++i) seal(10);
  // 4 become 1, which with the next 3 becomes 1, …: all in the smallest class.
  EXPECT_LE(stats().segments, 4u);
  EXPECT_GE(stats().merges, 4u);
  EXPECT_EQ(files(folder.path(), "messages"), stats().segments);
  EXPECT_EQ(
      table(*workspace, "SELECT count(*), count(DISTINCT _position), min(_position), max(_position) FROM Process"),
      "150|150|1|150");
  reopen();
  EXPECT_EQ(table(*workspace, "SELECT count(*), count(DISTINCT _position) FROM Process"), "150|150");
  EXPECT_EQ(workspace->stats().leftovers_removed, 0u);
}

TEST_F(Segments, MergingAddsColumnsThatCameLater) {
  options.merge_fan_in = 2;
  reopen();
  seal(5);
  workspace.reset();
  Schema schema = small_schema();
  schema.tables[kProcess].columns.push_back({"Hash", ColumnType::text});
  workspace = open(options, clock, schema);
  seal(5);
  EXPECT_EQ(stats().segments, 1u);
  EXPECT_EQ(table(*workspace, "SELECT count(*), count(Hash), count(DeviceId) FROM Process"), "10|0|10");
}

TEST_F(Segments, RetentionByAgeGivesTheSpaceBack) {
  options.streams = {{"messages", {Duration::days(30), 0}}};
  options.merge_fan_in = 100;
  reopen();
  for (int day = 0; day < 3; ++day) {
    seal(2'000, clock.now());
    clock.advance(Duration::days(1));
  }
  const std::uint64_t before = disk_bytes();
  clock.advance(Duration::days(27) + Duration::hours(1));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(stats().segments, 2u);
  EXPECT_EQ(stats().rows_dropped, 2'000u);
  EXPECT_EQ(workspace->dropped_through("messages"), 2'000u);
  EXPECT_LT(disk_bytes(), before * 3 / 4);
  EXPECT_EQ(table(*workspace, "SELECT count(*), min(_position) FROM Process"), "4000|2001");
  clock.advance(Duration::days(3));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(files(folder.path(), "messages"), 0u);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 0);
  reopen();
  EXPECT_EQ(workspace->dropped_through("messages"), 6'000u);
  EXPECT_EQ(workspace->sealed_through("messages"), 6'000u);
}

TEST_F(Segments, RetentionBySizeDropsTheOldestFirst) {
  options.merge_fan_in = 100;
  reopen();
  for (int i = 0; i < 4; ++i) seal(1'000);
  const std::uint64_t one = stats().segment_bytes / 4;
  options.streams = {{"messages", {Duration{}, 2 * one + one / 2}}};
  reopen();
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(stats().segments, 2u);
  EXPECT_LE(stats().segment_bytes, 2 * one + one / 2);
  EXPECT_EQ(table(*workspace, "SELECT count(*), min(_position) FROM Process"), "2000|2001");
}

TEST_F(Segments, LeftOversOfACrashAreRemovedAndCounted) {
  seal(10);
  workspace.reset();
  const std::string orphan = stream_folder() + "/" + segment_file_name(11, 20);
  std::ofstream(orphan) << "sealed, but not in the manifest";
  std::ofstream(stream_folder() + "/" + segment_file_name(11, 30) + ".tmp") << "half";
  std::ofstream(stream_folder() + "/" + segment_file_name(11, 30) + ".tmp.wal") << "half";
  std::ofstream(stream_folder() + "/manifest.tmp") << "half";
  std::ofstream(stream_folder() + "/notes.txt") << "not ours";
  reopen();
  EXPECT_EQ(workspace->stats().leftovers_removed, 4u);
  EXPECT_FALSE(std::filesystem::exists(orphan));
  EXPECT_TRUE(std::filesystem::exists(stream_folder() + "/notes.txt"));
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 10);
  seal(10);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 20);
}

TEST_F(Segments, ADamagedListIsRefusedByNameAndNothingIsTouched) {
  seal(10);
  workspace.reset();
  const std::string manifest = stream_folder() + "/manifest";
  const std::string segment = stream_folder() + "/" + segment_file_name(1, 10);
  const auto error = [&] {
    const auto opened = open_duckdb_workspace(options, small_schema(), clock);
    return opened ? Error{Errc::exists, "opened"} : opened.error();
  };
  std::filesystem::rename(manifest, manifest + "-away");
  EXPECT_EQ(error().where, "workspace.open.manifest_missing");
  EXPECT_TRUE(std::filesystem::exists(segment));
  std::filesystem::rename(manifest + "-away", manifest);

  std::fstream(manifest, std::ios::in | std::ios::out).seekp(30).put('9');
  EXPECT_EQ(error().where, "workspace.manifest.crc");
  EXPECT_TRUE(std::filesystem::exists(segment));
}

TEST_F(Segments, AFailedSealKeepsTheRowsAndIsCounted) {
  ASSERT_TRUE(workspace->append("messages", 5, records(1, 5).rows()));
  // A folder in the way of the manifest's temporary file: DuckDB writes the segment, the manifest cannot be replaced.
  std::filesystem::create_directory(stream_folder() + "/manifest.tmp");
  EXPECT_FALSE(workspace->flush());
  EXPECT_EQ(stats().seal_failures, 1u);
  EXPECT_THAT(workspace->stats().last_error, HasSubstr("io"));
  EXPECT_EQ(files(folder.path(), "messages"), 0u);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 5);
  ASSERT_TRUE(workspace->append("messages", 7, records(6, 2).rows()));
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 7);

  std::filesystem::remove(stream_folder() + "/manifest.tmp");
  ASSERT_TRUE(workspace->flush());
  ASSERT_TRUE(workspace->flush());
  EXPECT_EQ(workspace->sealed_through("messages"), 7u);
  EXPECT_EQ(table(*workspace, "SELECT count(*), count(DISTINCT _position) FROM Process"), "7|7");
}

TEST_F(Segments, OnlyThoseThatMeetTheTimesAreOpened) {
  options.merge_fan_in = 100;
  reopen();
  for (int day = 0; day < 3; ++day) seal(10, kStart + Duration::days(day));
  // A segment that must not be opened is broken, with its size kept.
  const std::string path = stream_folder() + "/" + segment_file_name(1, 10);
  const auto size = std::filesystem::file_size(path);
  std::filesystem::resize_file(path, 0);
  std::filesystem::resize_file(path, size);
  QueryRequest request = sql("SELECT count(*) FROM Process");
  request.time_from = kStart + Duration::days(1);
  QueryOutcome outcome = workspace->query(request);
  ASSERT_TRUE(outcome) << outcome.error().text;
  EXPECT_EQ(outcome->at(0, 0).as_integer(), 20);
  request.time_to = kStart + Duration::days(1);
  EXPECT_EQ(workspace->query(request)->at(0, 0).as_integer(), 10);
  request.time_from.reset();
  EXPECT_EQ(workspace->query(request)->missing.size(), 1u);
}

TEST_F(Segments, HundredsCanBeReadAtOnce) {
  options.merge_fan_in = 1'000;
  options.segments_open_max = 16;
  reopen();
  for (int i = 0; i < 150; ++i) seal(3);
  EXPECT_EQ(stats().segments, 150u);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(table(*workspace, "SELECT count(*), count(DISTINCT _position) FROM Event"), "450|450");
  }
}

}  // namespace
}  // namespace picket::workspace
