// What was acknowledged is there after kill -9.
#include <csignal>
#include <random>
#include <set>

#include <sys/wait.h>
#include <unistd.h>

#include "state/identities.h"
#include "temporary_database.h"

namespace picket::state {
namespace {

constexpr int kRounds = 6;
constexpr std::uint32_t kSubmitsMax = 20'000;

/// Makes one device after the other through the group commit and writes the number of each that was acknowledged.
[[noreturn]] void write_devices(const std::string& path, int round, int to_parent) {
  auto database = Database::open(path);
  if (!database) _exit(1);
  for (std::uint32_t i = 0; i < kSubmitsMax; ++i) {
    const Device device{
        .hub = "hub", .device_id = std::to_string(round) + "-" + std::to_string(i), .generation_id = "g"};
    (*database)->submit([device](sqlite3* db) { return Identities::insert(db, device); },
                        [to_parent, i](const Result<>& done) {
                          if (done && ::write(to_parent, &i, sizeof i) != sizeof i) _exit(2);
                        });
    while ((*database)->stats().waiting > 500) std::this_thread::yield();
  }
  for (;;) ::pause();
}

TEST(GroupCommitCrash, LosesNothingThatWasAcknowledged) {
  TemporaryDatabase database;
  std::mt19937 random(7);
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < kRounds; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(::pipe(pipe_ends), 0);
    database.close();  // no threads of ours while we fork
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe_ends[0]);
      write_devices(database.path(), round, pipe_ends[1]);
    }
    ::close(pipe_ends[1]);
    std::set<std::uint32_t> told;
    const std::size_t enough = 1 + random() % 2'000;
    std::uint32_t number = 0;
    while (told.size() < enough && ::read(pipe_ends[0], &number, sizeof number) == sizeof number) told.insert(number);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    while (::read(pipe_ends[0], &number, sizeof number) == sizeof number) told.insert(number);
    ::close(pipe_ends[0]);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    database.reopen();
    for (const std::uint32_t one : told) {
      ASSERT_TRUE(Identities(*database).find("hub", std::to_string(round) + "-" + std::to_string(one))) << one;
    }
    acknowledged += told.size();
  }
  const auto counts = Identities(*database).count("hub");
  ASSERT_TRUE(counts);
  EXPECT_GE(counts->devices, acknowledged);
  EXPECT_EQ(Devices(*database).list("hub", "", 100'000)->size(), counts->devices)
      << "the counters went with their rows";
}

}  // namespace
}  // namespace picket::state
