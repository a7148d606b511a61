#include "agent/hardening.h"

#include <cerrno>
#include <csignal>
#include <functional>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "write_protection.h"

namespace picket::agent {
namespace {

constexpr int kYes = 0, kNo = 1, kBroken = 2;

/// Hardening cannot be undone, so each test is a process of its own. The wait status of `body`'s exit code.
int in_child(const std::function<int()>& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return status;
}
int exit_code(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : -1; }

class Hardening : public ::testing::Test {
 protected:
  Hardening() {
    std::string pattern = ::testing::TempDir() + "picket-hardening-XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
    ::mkdir((directory_ + "/own").c_str(), 0700);
    ::mkdir((directory_ + "/other").c_str(), 0700);
  }
  ~Hardening() override {
    for (const char* const name : {"/own/file", "/other/file", "/own", "/other", ""}) {
      if (::unlink((directory_ + name).c_str()) != 0) ::rmdir((directory_ + name).c_str());
    }
  }
  static bool can_write(const std::string& path) {
    const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) ::close(fd);
    return fd >= 0;
  }
  std::string directory_;
};

TEST_F(Hardening, EveryPartIsInForceHere) {
  EXPECT_EQ(exit_code(in_child([&] {
              for (const HardeningPart& part : harden({}, std::vector{directory_ + "/own"})) {
                if (!part.problem.empty()) return kNo;
              }
              return kYes;
            })),
            kYes);
}

TEST_F(Hardening, OnlyItsOwnDirectoryCanBeWritten) {
  EXPECT_EQ(exit_code(in_child([&] {
              if (!can_write(directory_ + "/other/file")) return kBroken;
              if (!restrict_writing(std::vector{directory_ + "/own"})) return kBroken;
              if (!can_write(directory_ + "/own/file")) return kBroken;
              if (::access("/etc/passwd", R_OK) != 0) return kBroken;
              return can_write(directory_ + "/other/file") || ::unlink((directory_ + "/other/file").c_str()) == 0
                         ? kNo
                         : kYes;
            })),
            kYes);
}

TEST_F(Hardening, ADirectoryThatIsNotThereIsNamed) {
  EXPECT_EQ(exit_code(in_child([&] {
              const auto done = restrict_writing(std::vector{directory_ + "/absent"});
              return !done && done.error().where == "agent.hardening.writable" ? kYes : kNo;
            })),
            kYes);
}

TEST_F(Hardening, WhoOtherProcessesAreCanStillBeRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  const std::string link = "/proc/" + std::to_string(::getpid()) + "/exe";
  EXPECT_EQ(exit_code(in_child([&] {
              static_cast<void>(harden({}, std::vector{directory_ + "/own"}));
              char target[256];
              return ::readlink(link.c_str(), target, sizeof target) > 0 ? kYes : kNo;
            })),
            kYes);
}

TEST_F(Hardening, OthersKeepWritingAndTheirMountsAreSeen) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  // In a namespace of the test's own, so that the machine's mounts stay as they are.
  EXPECT_EQ(exit_code(in_child([&] {
              if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) {
                return kBroken;
              }
              if (::mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr) != 0) return kBroken;
              const pid_t agent = ::fork();
              if (agent == 0) {
                char byte = 0;
                if (!mount_read_only(std::vector{directory_ + "/own"})) ::_exit(kBroken);
                if (::write(ready[1], "r", 1) != 1 || ::read(done[0], &byte, 1) != 1) ::_exit(kBroken);
                const bool seen = ::access((directory_ + "/other/inside").c_str(), F_OK) == 0;
                ::_exit(seen && !can_write(directory_ + "/file") ? kYes : kNo);
              }
              char byte = 0;
              if (::read(ready[0], &byte, 1) != 1) return kBroken;
              const bool writes = can_write(directory_ + "/other/file");
              const bool mounted = ::mount("tmpfs", (directory_ + "/other").c_str(), "tmpfs", 0, "size=64k") == 0 &&
                                   can_write(directory_ + "/other/inside");
              if (::write(done[1], "d", 1) != 1) return kBroken;
              int status = 0;
              ::waitpid(agent, &status, 0);
              return writes && mounted ? exit_code(status) : kBroken;
            })),
            kYes);
  for (const int fd : {ready[0], ready[1], done[0], done[1]}) ::close(fd);
}

TEST_F(Hardening, ADiskBelowAWritableDirectoryStaysInItsPlace) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  const int status = in_child([&] {
    const std::string disk = directory_ + "/own";
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return kBroken;
    if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, nullptr) != 0 || !can_write(disk + "/file")) return kBroken;
    if (!mount_read_only(std::vector{disk, directory_})) return kBroken;
    const bool there = ::access((disk + "/file").c_str(), R_OK) == 0;
    return there && can_write(disk + "/file") && can_write(directory_ + "/other/file") ? kYes : kNo;
  });
  EXPECT_EQ(exit_code(status), kYes);
}

TEST_F(Hardening, AnOrdinaryUserHasLandlock) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  ::chmod(directory_.c_str(), 0755);
  for (const char* const name : {"/own", "/other"}) ASSERT_EQ(::chown((directory_ + name).c_str(), 65534, 65534), 0);
  EXPECT_EQ(exit_code(in_child([&] {
              if (::setgid(65534) != 0 || ::setuid(65534) != 0) return kBroken;
              if (!can_write(directory_ + "/other/file")) return kBroken;
              if (!restrict_writing(std::vector{directory_ + "/own"})) return kBroken;
              return can_write(directory_ + "/own/file") && !can_write(directory_ + "/other/file") ? kYes : kNo;
            })),
            kYes);
}

TEST_F(Hardening, RootKeepsFewCapabilitiesAndCannotGetThemBack) {
  if (::geteuid() != 0) GTEST_SKIP() << "not root";
  EXPECT_EQ(exit_code(in_child([] {
              if (!drop_capabilities()) return kBroken;
              if (::prctl(PR_CAPBSET_READ, CAP_SYS_MODULE, 0, 0, 0) != 0) return kNo;
              if (::prctl(PR_CAPBSET_READ, CAP_BPF, 0, 0, 0) != 1) return kBroken;
              __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
              __user_cap_data_struct data[2]{};
              ::syscall(SYS_capget, &header, data);
              const bool module = (data[0].permitted >> CAP_SYS_MODULE & 1) != 0;
              const bool setuid = (data[0].permitted >> CAP_SETUID & 1) != 0;
              const bool dac = (data[0].permitted >> CAP_DAC_OVERRIDE & 1) != 0;
              return module || setuid || dac || ::setuid(1000) == 0 ? kNo : kYes;
            })),
            kYes);
}

TEST_F(Hardening, StartingAProgramEndsTheProcess) {
  const int status = in_child([] {
    if (!filter_system_calls()) return kBroken;
    ::execl("/bin/true", "true", nullptr);
    return kNo;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSYS);
}

TEST_F(Hardening, ForkingEndsTheProcessAThreadDoesNot) {
  EXPECT_EQ(exit_code(in_child([] {
              if (!filter_system_calls()) return kBroken;
              pthread_t thread{};
              const auto nothing = [](void*) -> void* { return nullptr; };
              return ::pthread_create(&thread, nullptr, nothing, nullptr) == 0 && ::pthread_join(thread, nullptr) == 0
                         ? kYes
                         : kNo;
            })),
            kYes);
  const int status = in_child([] {
    if (!filter_system_calls()) return kBroken;
    if (::fork() == 0) ::_exit(0);
    return kNo;
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGSYS);
}

TEST_F(Hardening, WhatIsOfNoUseFailsAndNetworkingGoesOn) {
  EXPECT_EQ(exit_code(in_child([] {
              if (!filter_system_calls()) return kBroken;
              if (::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) < 0) return kBroken;
              return ::sethostname("x", 1) != 0 && errno == EPERM ? kYes : kNo;
            })),
            kYes);
}

}  // namespace
}  // namespace picket::agent
