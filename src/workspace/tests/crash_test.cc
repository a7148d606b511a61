// kill -9 while rows are appended, sealed, merged and dropped.
#include <chrono>
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fixture.h"
#include "manifest.h"

namespace picket::workspace {
namespace {

using namespace testing;

/// The program starts itself again with this word: a fork of a process with DuckDB's threads would not be safe.
constexpr const char* kWriter = "--write-for-ever";
constexpr const char* kArchiver = "--archive-for-ever";

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

void kill_again_and_again(const char* word, int rounds) {
  const bool archive = std::string_view(word) == kArchiver;
  const TemporaryFolder folder;
  std::uint64_t sealed = 0;
  std::uint64_t leftovers = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::string path = folder.path();
    std::string words[] = {"workspace_crash_test", word, path};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    pid_t child = 0;
    ASSERT_EQ(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments, environ), 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + 97 * round));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";

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

TEST(Crash, LosesNothingThatTheManifestSaysAndDoublesNothing) { kill_again_and_again(kWriter, 8); }

TEST(Crash, LosesNothingOnItsWayIntoTheArchive) { kill_again_and_again(kArchiver, 5); }

}  // namespace
}  // namespace picket::workspace

int main(int argc, char** argv) {
  const std::string_view word = argc == 3 ? argv[1] : "";
  const bool archive = word == picket::workspace::kArchiver;
  if (archive || word == picket::workspace::kWriter) picket::workspace::write_for_ever(argv[2], archive);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
