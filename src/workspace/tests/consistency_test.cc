// A query sees for each stream one prefix of what was appended, each row once, whatever is sealed, merged or dropped
// meanwhile.
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "fixture.h"
#include "manifest.h"

namespace picket::workspace {
namespace {

using namespace testing;

class Consistency : public ::testing::Test {
 protected:
  TemporaryFolder folder;
  ManualClock clock{kStart};
  DuckdbOptions options = small_options(folder.path());
};

/// Records of 1 + i % 3 process rows, each third with a login.
Batch varied(std::uint64_t first, std::uint64_t count) {
  Batch batch;
  for (std::uint64_t i = first; i < first + count; ++i) {
    for (std::uint32_t item = 0; item <= i % 3; ++item) batch.process(i, item, "d", "details of " + std::to_string(i));
    if (i % 3 == 0) batch.login(i, 0, "d", true);
  }
  return batch;
}

std::uint64_t process_rows(std::uint64_t through) {
  constexpr std::uint64_t kRest[] = {0, 1, 3};
  return through + 3 * (through / 3) + kRest[through % 3];
}

/// Whether this process has the file open.
bool is_open(const std::filesystem::path& path) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    if (std::filesystem::read_symlink(entry.path(), error) == path) return true;
  }
  return false;
}

TEST_F(Consistency, EveryQuerySeesAPrefixWhileRowsAreSealedAndMerged) {
  options.seal_rows = 300;
  options.merge_fan_in = 3;
  options.background = true;
  const auto workspace = open(options, clock);
  constexpr std::uint64_t kRecords = 6'000;
  std::atomic<bool> done = false;
  std::atomic<std::uint64_t> queries = 0;

  const auto read = [&] {
    std::uint64_t seen = 0;
    while (!done) {
      const std::uint64_t appended = workspace->hot_end("messages");
      const auto outcome = workspace->query(sql(
          "SELECT (SELECT count(*) FROM Process), (SELECT count(DISTINCT (_position, _event, _item)) FROM Process), "
          "(SELECT max(_position) FROM Process), (SELECT count(*) FROM Event), (SELECT count(*) FROM Login)"));
      ASSERT_TRUE(outcome) << outcome.error().text;
      const std::uint64_t through = outcome->visible_through[0];
      const auto value = [&](std::size_t i) { return static_cast<std::uint64_t>(outcome->at(0, i).as_integer()); };
      ASSERT_GE(through, appended);  // what was appended before is seen
      ASSERT_GE(through, seen);      // nothing that was seen goes away
      seen = through;
      ASSERT_EQ(value(0), process_rows(through));
      ASSERT_EQ(value(1), value(0));
      ASSERT_EQ(value(2), through);
      ASSERT_EQ(value(4), through / 3);
      ASSERT_EQ(value(3), value(0) + value(4));
      ++queries;
    }
  };
  // A prefix from the start: max() of no rows would be null.
  ASSERT_TRUE(workspace->append("messages", 1, varied(1, 1).rows()));
  std::jthread one(read);
  std::jthread two(read);
  std::jthread sealer([&] {
    while (!done) {
      workspace->request_seal("messages");
      std::this_thread::sleep_for(std::chrono::milliseconds(3));
    }
  });
  // As long as it takes to have seen everything at once.
  const auto enough = [&] {
    const StreamStats stats = workspace->stats().streams[0];
    return stats.hot_end >= kRecords && stats.seals >= 10 && stats.merges >= 3 && queries >= 20;
  };
  while (!enough() && !::testing::Test::HasFailure()) {
    const std::uint64_t next = workspace->hot_end("messages") + 1;
    const std::uint64_t count = 1 + next % 50;
    (void)workspace->append("messages", next + count - 1, varied(next, count).rows());
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  done = true;
  one.join();
  two.join();
  sealer.join();
  ASSERT_TRUE(workspace->flush());
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"),
            static_cast<std::int64_t>(process_rows(workspace->hot_end("messages"))));
  const StreamStats stats = workspace->stats().streams[0];
  EXPECT_EQ(stats.seal_failures + stats.merge_failures, 0u);
  EXPECT_EQ(files(folder.path(), "messages"), stats.segments);
}

TEST_F(Consistency, AReaderKeepsTheSegmentsItBeganWith) {
  options.streams = {{"messages", {Duration::days(1), 0}}};
  const auto workspace = open(options, clock);
  ASSERT_TRUE(workspace->append("messages", 3'000, records(1, 3'000).rows()));
  ASSERT_TRUE(workspace->flush());
  ASSERT_EQ(files(folder.path(), "messages"), 1u);

  std::stop_source stop;
  QueryRequest slow =
      sql("SELECT count(*) FROM Process a, Process b, Process c, Process d WHERE sin(a._position + d._position) > 2");
  slow.cancellation = stop.get_token();
  std::jthread reader([&] { EXPECT_EQ(workspace->query(slow).error().kind, QueryError::Kind::cancelled); });
  // It has pinned when it opens the segment.
  const auto sealed = std::filesystem::path(folder.path()) / "messages" / segment_file_name(1, 3'000);
  while (!is_open(sealed)) std::this_thread::yield();

  clock.advance(Duration::days(2));
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 0);
  EXPECT_EQ(files(folder.path(), "messages"), 1u) << "the reader still has it";
  stop.request_stop();
  reader.join();
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(files(folder.path(), "messages"), 0u);
}

TEST_F(Consistency, TheOwnedThreadSealsWithoutBeingAsked) {
  options.seal_rows = 100;
  options.background = true;
  const auto workspace = open(options, clock);
  ASSERT_TRUE(workspace->append("messages", 100, records(1, 100).rows()));
  while (workspace->sealed_through("messages") != 100) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 100);
}

TEST_F(Consistency, AWriterThatMeetsFullHotRowsGetsThroughByTrying) {
  options.hot_rows_max = 400;
  options.seal_rows = 200;
  options.background = true;
  const auto workspace = open(options, clock);
  for (std::uint64_t i = 1; i <= 2'000;) {
    const auto result = workspace->append("messages", i + 49, records(i, 50).rows());
    if (result) {
      i += 50;
    } else {
      ASSERT_EQ(result.error().where, "workspace.append.full");
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_LE(workspace->stats().streams[0].hot_rows, 400u);
  }
  EXPECT_EQ(table(*workspace, "SELECT count(*), count(DISTINCT _position) FROM Process"), "2000|2000");
}

}  // namespace
}  // namespace picket::workspace
