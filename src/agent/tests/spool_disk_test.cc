// Disks that are full or become read-only, as they really are.
#include <cstdlib>
#include <fstream>

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "spool_fixture.h"

namespace picket::agent {
namespace {

using SpoolDisk = SpoolTest;

/// Runs `body` in a child that has a small disk of its own at `directory`; the exit code.
template <class Body>
int with_small_disk(const std::string& directory, Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("none", directory.c_str(), "tmpfs", 0, "size=128k") != 0) {
      ::_exit(77);
    }
    ::_exit(body());
  }
  int status = 0;
  return ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
bool may_mount() { return ::geteuid() == 0 || std::getenv("PICKET_TEST_UNPRIVILEGED") == nullptr; }

TEST_F(SpoolDisk, AFullDiskIsSurvivedInMemory) {
  // A file-size limit makes every write beyond it fail, as a full disk does; in a child, since limits are inherited.
  const pid_t child = ::fork();
  if (child == 0) {
    Spool spool = open();
    rlimit limit{.rlim_cur = 8192, .rlim_max = 8192};
    ::signal(SIGXFSZ, SIG_IGN);
    ::setrlimit(RLIMIT_FSIZE, &limit);
    std::size_t taken = 0;
    for (int i = 0; i < 100; ++i) taken += spool.append(Priority::high, Buffer(1000), kNow).has_value() ? 1 : 0;
    const bool counted = taken + spool.drops().total() == 100 && spool.pending() + spool.drops().evicted[2] == taken;
    std::size_t sent = 0;
    while (auto entry = spool.next(kNow)) sent += spool.acknowledge(entry->id) ? 1 : 0;
    ::_exit(counted && sent > 0 && spool.pending() == 0 ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

TEST_F(SpoolDisk, ADiskThatIsReallyFullIsSurvivedAndUsedAgainWhenItHasRoom) {
  if (!may_mount()) GTEST_SKIP() << "mounts a disk of its own";
  EXPECT_EQ(
      with_small_disk(directory_,
                      [&] {
                        Spool spool =
                            open({.directory = directory_ + "/spool", .bytes_max = 1 << 20, .memory_max = 64 << 10});
                        const std::string ballast = directory_ + "/ballast";
                        std::ofstream(ballast) << std::string(200'000, 'x');  // as much of it as there is room for
                        std::uint64_t taken = 0;
                        for (int i = 0; i < 200; ++i)
                          taken += spool.append(Priority::high, Buffer(1'000), kNow).has_value() ? 1 : 0;
                        if (spool.on_disk() || spool.bytes() > (64 << 10) + (128 << 10)) return 1;
                        if (spool.pending() + spool.drops().total() != 200 || taken == 0) return 2;
                        std::filesystem::remove(ballast);
                        if (!spool.append(Priority::high, Buffer(1'000), kNow) || !spool.on_disk()) return 3;
                        std::uint64_t sent = 0;
                        while (auto entry = spool.next(kNow)) sent += spool.acknowledge(entry->id) ? 1 : 0;
                        return sent + spool.drops().total() == 201 && spool.pending() == 0 ? 0 : 4;
                      }),
      0);
}

TEST_F(SpoolDisk, ADiskThatBecomesReadOnlyIsSurvivedInMemory) {
  if (!may_mount()) GTEST_SKIP() << "mounts a disk of its own";
  EXPECT_EQ(
      with_small_disk(
          directory_,
          [&] {
            // What is open stays writable, what is opened from now on is below a read-only mount.
            Spool spool = open({.directory = directory_ + "/spool", .bytes_max = 1 << 20, .memory_max = 64 << 10});
            put(spool, "on disk", Priority::high);
            const char* const path = directory_.c_str();
            if (::mount(path, path, nullptr, MS_BIND, nullptr) != 0 ||
                ::mount("none", path, nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr) != 0) {
              return 1;
            }
            // Another priority needs another file.
            if (!spool.append(Priority::urgent, as_bytes("in memory"), kNow) || spool.on_disk()) return 2;
            const auto given = drain(spool);
            return given == std::vector<std::string>{"on disk", "in memory"} && spool.drops().total() == 0 ? 0 : 3;
          }),
      0);
}

TEST_F(SpoolDisk, AReadOnlyDirectoryIsAnErrorAtTheStart) {
  if (!may_mount()) GTEST_SKIP() << "mounts a disk of its own";
  EXPECT_EQ(with_small_disk(directory_,
                            [&] {
                              if (::mount("none", directory_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
                                return 1;
                              const auto opened = Spool::open({.directory = directory_ + "/spool"}, kNow);
                              return !opened && opened.error().code == Errc::io && opened.error().os_error == EROFS ? 0
                                                                                                                    : 2;
                            }),
            0);
}

}  // namespace
}  // namespace picket::agent
