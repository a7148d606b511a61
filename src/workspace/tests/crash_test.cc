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

DuckdbOptions crash_options(const std::string& folder) {
  DuckdbOptions options = small_options(folder);
  options.seal_rows = 500;
  options.merge_fan_in = 3;
  options.background = true;
  return options;
}

/// Appends records for ever, from where the workspace stands. Runs in a process of its own.
[[noreturn]] void write_for_ever(const std::string& folder) {
  const auto workspace = open(crash_options(folder), system_clock());
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

TEST(Crash, LosesNothingThatTheManifestSaysAndDoublesNothing) {
  const TemporaryFolder folder;
  std::uint64_t sealed = 0;
  std::uint64_t leftovers = 0;
  for (int round = 0; round < 8; ++round) {
    const std::string path = folder.path();
    std::string words[] = {"workspace_crash_test", kWriter, path};
    char* arguments[] = {words[0].data(), words[1].data(), words[2].data(), nullptr};
    pid_t child = 0;
    ASSERT_EQ(::posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments, environ), 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(300 + 97 * round));
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer ended by itself";

    DuckdbOptions options = crash_options(folder.path());
    options.background = false;
    const auto workspace = open(options, system_clock());
    const std::uint64_t now_sealed = workspace->sealed_through("messages");
    EXPECT_GE(now_sealed, sealed);
    sealed = now_sealed;
    leftovers += workspace->stats().leftovers_removed;
    EXPECT_EQ(workspace->hot_end("messages"), sealed);
    EXPECT_EQ(table(*workspace, kTotals), totals_of_positions_through(sealed));
    EXPECT_EQ(files(folder.path(), "messages"), workspace->stats().streams[0].segments);
  }
  EXPECT_GT(sealed, 0u);
  std::printf("%llu records sealed over 8 kills, %llu left-over files removed\n",
              static_cast<unsigned long long>(sealed), static_cast<unsigned long long>(leftovers));
}

}  // namespace
}  // namespace picket::workspace

int main(int argc, char** argv) {
  if (argc == 3 && std::string_view(argv[1]) == picket::workspace::kWriter) picket::workspace::write_for_ever(argv[2]);
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
