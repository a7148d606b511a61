// kill -9 while rows are appended, sealed, merged and dropped.
#include <chrono>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/core/file.h"
#include "fixture.h"
#include "manifest.h"

namespace picket::workspace {
namespace {

using namespace testing;

/// The program starts itself again with this word: a fork of a process with DuckDB's threads would not be safe.
constexpr const char* kWriter = "--write-for-ever";
constexpr const char* kArchiver = "--archive-for-ever";
constexpr const char* kChurner = "--churn-for-ever";

/// With the archive, each segment goes there as soon as it is sealed: its rows are of last year.
DuckdbOptions crash_options(const std::string& folder, bool archive) {
  DuckdbOptions options = small_options(folder);
  if (archive) options.tables["Process"] = {Duration::seconds(1), Duration::days(36'500)};
  options.seal_rows = 500;
  options.merge_fan_in = 3;
  options.background = true;
  return options;
}

/// Appends records for ever, from where the workspace stands. Runs in a process of its own.
[[noreturn]] void write_for_ever(const std::string& folder, bool archive) {
  const auto workspace = open(crash_options(folder, archive), system_clock());
  for (;;) {
    const std::uint64_t next = workspace->hot_end("messages") + 1;
    (void)workspace->append("messages", next + 19, records(next, 20).rows());
  }
}

/// Rows of now, of which one table stays and the other is archived and dropped within seconds.
DuckdbOptions churn_options(const std::string& folder) {
  DuckdbOptions options = crash_options(folder, false);
  options.seal_rows = 300;
  options.tables["Process"] = {Duration::milliseconds(300), Duration::milliseconds(300)};
  return options;
}

/// A login and up to three processes each record.
Batch churn_rows(std::uint64_t first, std::uint64_t count) {
  Batch batch;
  const Timestamp now = system_clock().now();
  for (std::uint64_t i = first; i < first + count; ++i) {
    for (std::uint32_t item = 0; item <= i % 3; ++item) {
      batch.process(i, item, "d", std::string(i % 300, 'x'), static_cast<std::int64_t>(i % 30'000), now);
    }
    batch.login(i, 0, "d", true, now);
  }
  return batch;
}

/// Appends, asks for seals and changes retention at random, and keeps queries open meanwhile.
[[noreturn]] void churn_for_ever(const std::string& folder) {
  const auto workspace = open(churn_options(folder), system_clock());
  const std::jthread reader([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) (void)workspace->query(sql("SELECT count(*), max(EventDetails) FROM Event"));
  });
  for (std::uint64_t turn = 0;; ++turn) {
    const std::uint64_t next = workspace->hot_end("messages") + 1;
    const std::uint64_t count = 1 + (turn * 7) % 40;
    (void)workspace->append("messages", next + count - 1, churn_rows(next, count).rows());
    if (turn % 50 == 0) workspace->request_seal("messages");
    if (turn % 90 == 0) {
      const auto keep = Duration::milliseconds(static_cast<std::int64_t>(100 + turn % 700));
      (void)workspace->set_retention("Process", TableRetention{keep, turn % 180 == 0 ? keep : Duration{}});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/// Count, sum and sum of squares of 1..n are equal only when no position is missing or doubled; unlike a count of
/// distinct positions they need no memory, however far the writer has come.
constexpr const char* kTotals =
    "SELECT count(*), coalesce(max(_position), 0), coalesce(sum(_position), 0), "
    "coalesce(sum(_position::HUGEINT * _position::HUGEINT), 0)::VARCHAR FROM Process";

std::string totals_of_positions_through(std::uint64_t n) {
  const auto wide = static_cast<unsigned __int128>(n);
  const auto sum = static_cast<std::uint64_t>(wide * (wide + 1) / 2);
  std::string squares;  // in digits: more than 64 bits
  for (auto left = wide * (wide + 1) * (2 * wide + 1) / 6; left > 0 || squares.empty(); left /= 10) {
    squares.insert(squares.begin(), static_cast<char>('0' + static_cast<int>(left % 10)));
  }
  return std::to_string(n) + "|" + std::to_string(n) + "|" + std::to_string(sum) + "|" + squares;
}

/// Record up to which the manifest in the folder says everything is sealed; 0: it says nothing yet.
std::uint64_t sealed_in(const std::string& folder) {
  const auto text = read_file(folder + "/messages/manifest", kManifestBytesMax);
  const auto manifest = text ? decode_manifest(*text) : Result<Manifest>(fail(Errc::not_found, "test"));
  return manifest ? manifest->last : 0;
}

/// Starts the program with `word`, waits until it has sealed something, and kills it `later` after that.
void run_and_kill(const char* word, const std::string& folder, std::chrono::milliseconds later) {
  std::string words[] = {"workspace_crash_test", word, folder};
  char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
  const std::uint64_t before = sealed_in(folder);
  pid_t child = 0;
  ASSERT_EQ(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments, environ), 0);
  const auto limit = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (sealed_in(folder) <= before && std::chrono::steady_clock::now() < limit) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::this_thread::sleep_for(later);  // a moment that nobody has chosen
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";
}

void kill_again_and_again(const char* word, int rounds) {
  const bool archive = std::string_view(word) == kArchiver;
  const TemporaryFolder folder;
  std::uint64_t sealed = 0;
  std::uint64_t leftovers = 0;
  for (int round = 0; round < rounds; ++round) {
    ASSERT_NO_FATAL_FAILURE(run_and_kill(word, folder.path(), std::chrono::milliseconds(97 * round)));

    DuckdbOptions options = crash_options(folder.path(), archive);
    options.background = false;
    const auto workspace = open(options, system_clock());
    const std::uint64_t now_sealed = workspace->sealed_through("messages");
    EXPECT_GE(now_sealed, sealed);
    sealed = now_sealed;
    leftovers += workspace->stats().leftovers_removed;
    EXPECT_EQ(workspace->hot_end("messages"), sealed);
    EXPECT_EQ(table(*workspace, kTotals), totals_of_positions_through(sealed));
    // Each segment holds one table: in its own file, or in one of the archive.
    EXPECT_EQ(files(folder.path(), "messages") + archived_files(folder.path(), "messages").size(),
              workspace->stats().streams[0].segments);
    // What the kill cut short is done now, and changes no row.
    ASSERT_TRUE(workspace->maintain());
    EXPECT_EQ(table(*workspace, kTotals), totals_of_positions_through(sealed));
    EXPECT_EQ(workspace->stats().streams[0].archived_rows, archive ? sealed : 0);
  }
  EXPECT_GT(sealed, 0u);
  std::printf("%llu records sealed over %d kills, %llu left-over files removed\n",
              static_cast<unsigned long long>(sealed), rounds, static_cast<unsigned long long>(leftovers));
}

std::uint64_t bytes_below(const std::string& folder) {
  std::uint64_t sum = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) sum += entry.file_size();
  }
  return sum;
}

/// Bytes of a workspace that never had any other rows than these.
std::uint64_t bytes_of_logins(std::uint64_t through) {
  const TemporaryFolder folder;
  const auto workspace = open(small_options(folder.path()), system_clock());
  Batch batch;
  for (std::uint64_t i = 1; i <= through; ++i) batch.login(i, 0, "d", true);
  EXPECT_TRUE(workspace->append("messages", through, batch.rows()));
  EXPECT_TRUE(workspace->flush());
  return bytes_below(folder.path());
}

// Whenever it dies between appends, seals, merges, ageing and removal: the table without a limit is whole, the other
// has lost its oldest rows and no others, and what has left takes no space.
TEST(Crash, RowsAndSpaceAreWhatRetentionLeavesWhereverItDies) {
  const TemporaryFolder folder;
  std::uint64_t sealed = 0;
  for (int round = 0; round < 4; ++round) {
    ASSERT_NO_FATAL_FAILURE(run_and_kill(kChurner, folder.path(), std::chrono::milliseconds(300 + 131 * round)));

    DuckdbOptions options = churn_options(folder.path());
    options.background = false;
    const auto workspace = open(options, system_clock());
    sealed = workspace->sealed_through("messages");
    EXPECT_EQ(workspace->stats().damaged_files, 0u);
    for (int pass = 0; pass < 2; ++pass) {
      EXPECT_EQ(table(*workspace, "SELECT count(*), count(DISTINCT _position), coalesce(max(_position), 0) FROM Login"),
                std::to_string(sealed) + "|" + std::to_string(sealed) + "|" + std::to_string(sealed));
      // Of the others whole records are there, up to the newest, without a hole: number by number of items.
      EXPECT_EQ(table(*workspace,
                      "SELECT count(*) FROM (SELECT _position, count(*) AS n FROM Process GROUP BY ALL HAVING n != "
                      "_position % 3 + 1)"),
                "0");
      EXPECT_EQ(table(*workspace,
                      "SELECT count(DISTINCT _position) = max(_position) - min(_position) + 1 AND max(_position) = " +
                          std::to_string(sealed) + " OR count(*) = 0 FROM Process"),
                "true");
      ASSERT_TRUE(workspace->maintain());  // what the kill cut short, and what has become old
    }
  }
  ASSERT_GT(sealed, 0u);
  DuckdbOptions options = churn_options(folder.path());
  options.background = false;
  ManualClock later{system_clock().now() + Duration::hours(1)};
  const auto workspace = open(options, later);
  ASSERT_TRUE(workspace->maintain());
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Process"), 0);
  EXPECT_EQ(number(*workspace, "SELECT count(*) FROM Login"), static_cast<std::int64_t>(sealed));
  EXPECT_TRUE(archived_files(folder.path(), "messages").empty());
  // Small files have blocks of their own: a bound for each segment besides the factor.
  const std::uint64_t segments = workspace->stats().streams[0].segments;
  EXPECT_LT(bytes_below(folder.path()), 3 * bytes_of_logins(sealed) + segments * (512U << 10));
}

TEST(Crash, LosesNothingThatTheManifestSaysAndDoublesNothing) { kill_again_and_again(kWriter, 7); }

TEST(Crash, LosesNothingOnItsWayIntoTheArchive) { kill_again_and_again(kArchiver, 5); }

}  // namespace
}  // namespace picket::workspace

int main(int argc, char** argv) {
  const std::string_view word = argc == 3 ? argv[1] : "";
  const bool archive = word == picket::workspace::kArchiver;
  if (word == picket::workspace::kChurner) picket::workspace::churn_for_ever(argv[2]);
  if (archive || word == picket::workspace::kWriter) picket::workspace::write_for_ever(argv[2], archive);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
